"""Which strings are special in DeepSeek-V4's text, and which ids do they have?

Data only. Three facts to keep in mind when reading the rest of the room:
- bars are U+FF5C and the blanks inside BOS/EOS are U+2581, so `<|User|>` in ASCII is just text;
- `｜DSML｜` alone is one token, the `<` or `</` before it and the tag name after it are ordinary text;
- only BOS, EOS, pad and the picture tokens are `special` for the tokenizer: `skip_special_tokens=True`
  leaves role, think and DSML tokens in the text, and all of them are matched inside user text.
"""

from __future__ import annotations

from dataclasses import dataclass

BOS = "<｜begin▁of▁sentence｜>"
EOS = "<｜end▁of▁sentence｜>"
PAD = "<｜▁pad▁｜>"
USER = "<｜User｜>"
ASSISTANT = "<｜Assistant｜>"
LATEST_REMINDER = "<｜latest_reminder｜>"
THINK_START = "<think>"
THINK_END = "</think>"
DSML = "｜DSML｜"
FIM_HOLE = "<｜fim▁hole｜>"
FIM_BEGIN = "<｜fim▁begin｜>"
FIM_END = "<｜fim▁end｜>"

# The order is the one in which the official encoder's error message lists them.
TASK_TOKENS = {
    "authority": "<｜authority｜>",
    "domain": "<｜domain｜>",
    "read_url": "<｜read_url｜>",
    "query": "<｜query｜>",
    "action": "<｜action｜>",
    "title": "<｜title｜>",
}


@dataclass(frozen=True)
class NamedToken:
    """One added token of the official tokenizer: its text, official id and matching flags."""

    content: str
    id: int
    special: bool = False
    normalized: bool = True


def _run(first_id: int, *contents: str, special: bool = False, normalized: bool = True) -> tuple[NamedToken, ...]:
    return tuple(NamedToken(c, first_id + i, special, normalized) for i, c in enumerate(contents))


# The tool-call markers of V3, kept by the official vocabulary and unused by V4.
LEGACY_TOOL_TOKENS = _run(
    128806,
    "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>",
    "<｜tool▁outputs▁begin｜>", "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>", "<｜tool▁output▁end｜>",
    "<｜tool▁sep｜>",
)

# Every named added token in id order; the 1217 unnamed placeholders of the official vocabulary are left out.
NAMED_TOKENS = (
    *_run(0, BOS, EOS, PAD, special=True, normalized=False),
    *_run(128800, FIM_HOLE, FIM_BEGIN, FIM_END, USER, ASSISTANT, "<|EOT|>"),
    *LEGACY_TOOL_TOKENS,
    *_run(
        128815,
        "<｜begin▁of▁repo▁name｜>", "<｜end▁of▁repo▁name｜>",
        "<｜begin▁of▁file▁name｜>", "<｜end▁of▁file▁name｜>",
        "<｜begin▁of▁file｜>", "<｜end▁of▁file｜>",
        THINK_START, THINK_END,
    ),
    *_run(
        128825,
        DSML, "<｜begin▁sys｜>", "<｜end▁sys｜>", LATEST_REMINDER,
        "<｜action｜>", "<｜query｜>", "<｜authority｜>", "<｜domain｜>", "<｜task｜>", "<｜political｜>",
        "<｜entity｜>", "<｜title｜>", "<｜safety｜>", "<｜answer｜>", "<｜search｜>",
        "<dsml:", "</dsml:", "<｜search▁begin｜>", "<｜search▁end｜>", "<｜extracted_url｜>", "<｜read_url｜>",
    ),
    *_run(128846, "<｜end_of_query｜>", special=True, normalized=False),
    *_run(129262, "<｜rl_image_pad｜>", "<｜rl_image_start｜>", special=True, normalized=False),
    *_run(
        129264,
        "<｜image2｜>", "<｜/table>｜", "<｜table｜>", "<｜/td｜>", "<｜td｜>", "<｜/tr｜>", "<｜tr｜>",
        normalized=False,
    ),
    *_run(
        129271,
        "<｜/polygon｜>", "<｜polygon｜>", "<｜/point｜>", "<｜point｜>", "<｜/box｜>", "<｜box｜>",
        "<｜/ref｜>", "<｜ref｜>", "<｜image｜>",
        special=True, normalized=False,
    ),
)

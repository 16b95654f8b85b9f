"""Where are the markers in a stream of text, and how is text kept free of them?

The lexical floor under `StreamParser`: it knows the markers' spelling, chunks and JSON escapes, no grammar.
- A DSML tag begins with `<｜DSML｜` or `</｜DSML｜`, with ASCII bars too, as some models and clients write them.
- `Lexer` holds back only an unfinished marker: no marker is the beginning, or lies inside, of another one
  that could still be open, so the first full match is final and any chunking gives the same pieces.
- Two ways to keep a marker out: `scrub` for prose (the marker is lost), `json_escape` for data (nothing is).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from finback.text.tokens import BOS, DSML, EOS, THINK_END, THINK_START

OPEN, CLOSE, TEXT = "<DSML", "</DSML", "text"
_KINDS = {m: m for m in (EOS, BOS, THINK_START, THINK_END, DSML)}
for _left in "｜|":
    for _right in "｜|":
        _KINDS[f"<{_left}DSML{_right}"] = OPEN
        _KINDS[f"</{_left}DSML{_right}"] = CLOSE
MARKERS = tuple(_KINDS)
_MARKER = re.compile("|".join(map(re.escape, MARKERS)))
_PREFIXES = frozenset(m[:n] for m in MARKERS for n in range(1, len(m)))
LONGEST = max(map(len, MARKERS))

# A bracket, or a string so that brackets inside it do not count.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
# Python gives up near 1000, counting the caller's own frames.
_MAX_DEPTH = 200


def is_json(text: str) -> bool:
    """True if any JSON reader takes `text`: no NaN, no absurd depth, no integer too long for Python."""
    try:
        json.loads(text, parse_constant=_reject)
    except (ValueError, RecursionError):
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += (match[0] in "[{") - (match[0] in "]}")
        if depth > _MAX_DEPTH:
            return False
    return True


def _reject(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def json_escape(json_text: str) -> str:
    """Hide markers in JSON text. They can only stand inside its strings, where \\u escapes are allowed."""
    return _MARKER.sub(lambda m: f"\\u{ord(m[0][0]):04x}" + m[0][1:].replace("｜", "\\uff5c"), json_text)


def json_quoted(text: str) -> str:
    return json_escape(json.dumps(text, ensure_ascii=False))


def scrub(tail: str, text: str) -> str:
    """`text` without the characters that would complete a marker, given what was said before it.

    Taking a marker out can join its neighbours to a new one: `<thi` + `nk>`.
    """
    if not any(m in tail + text for m in MARKERS):
        return text
    kept = []
    for char in text:
        if not (tail + char).endswith(MARKERS):
            kept.append(char)
            tail = (tail + char)[-LONGEST:]
    return "".join(kept)


class Lexer:
    """Cuts a stream into markers and the text between them; holds back at most one unfinished marker."""

    def __init__(self) -> None:
        self.held = ""

    def feed(self, chunk: str) -> Iterator[tuple[str, str]]:
        text = self.held + chunk
        start = 0
        for match in _MARKER.finditer(text):
            if match.start() > start:
                yield TEXT, text[start : match.start()]
            yield _KINDS[match[0]], match[0]
            start = match.end()
        end = len(text)
        for i in range(max(start, end - LONGEST + 1), end):
            if text[i] in "<｜" and text[i:] in _PREFIXES:
                end = i
                break
        self.held = text[end:]
        if end > start:
            yield TEXT, text[start:end]

"""Does the parser read official output exactly, malformed output sensibly, and any cut of it alike?"""

import json
import random
import time

import pytest
from chat_cases import case_ids, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from finback.text import (
    ContentDelta,
    ReasoningDelta,
    StreamParser,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    assemble,
    parse_completion,
)

OFFICIAL = load_cases("parse_cases")
MALFORMED = load_cases("malformed_cases")
MARKERS = ("<think>", "</think>", "｜DSML｜", "<|DSML|", "</|DSML|", "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>")
EOS = "<｜end▁of▁sentence｜>"
INVOKE = '\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name="f">\n'
STRING = '<｜DSML｜parameter name="a" string="true">'


def streamed(chunks, mode):
    parser = StreamParser(mode)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return assemble([*events, *parser.finish()])


def random_chunks(text, seed):
    cuts = random.Random(seed)
    start = 0
    while start < len(text):
        end = start + cuts.choice((1, 1, 2, 3, 7, 20))
        yield text[start:end]
        start = end


def assert_sound(message):
    """No marker is left in the message and every call can be made."""
    for text in (message["content"], message["reasoning_content"]):
        assert not any(m in text for m in MARKERS)
    for call in message["tool_calls"]:
        assert not any(m in json.dumps(call, ensure_ascii=False) for m in MARKERS)
        assert isinstance(json.loads(call["function"]["arguments"]), dict)


@pytest.mark.parametrize("case", OFFICIAL, ids=case_ids(OFFICIAL))
def test_strict_agrees_with_official_case(case):
    try:
        kind, result = "output", parse_completion(case["text"], case["thinking_mode"], strict=True)
    except Exception as error:
        kind, result = "error", f"{type(error).__name__}: {error}"
    assert result == case.get(kind)


@pytest.mark.parametrize("case", OFFICIAL, ids=case_ids(OFFICIAL))
def test_lenient_reads_what_strict_accepts_alike(case):
    message = parse_completion(case["text"], case["thinking_mode"])
    assert_sound(message)
    if "output" in case and "invalid json" not in case["name"]:
        assert message == case["output"]


@pytest.mark.parametrize("case", MALFORMED, ids=case_ids(MALFORMED))
def test_malformed_output_is_recovered(case):
    message = parse_completion(case["text"], case["thinking_mode"])
    assert message == case["output"]
    assert_sound(message)


@pytest.mark.parametrize("case", OFFICIAL + MALFORMED, ids=case_ids(OFFICIAL + MALFORMED))
def test_every_cut_of_a_text_gives_the_same_message(case):
    text, mode = case["text"], case["thinking_mode"]
    whole = parse_completion(text, mode)
    for cut in range(len(text) + 1):
        assert streamed([text[:cut], text[cut:]], mode) == whole
    assert streamed(text, mode) == whole


@pytest.mark.parametrize("case", OFFICIAL + MALFORMED, ids=case_ids(OFFICIAL + MALFORMED))
def test_every_beginning_of_a_text_is_sound(case):
    for end in range(len(case["text"])):
        assert_sound(parse_completion(case["text"][:end], case["thinking_mode"]))


pieces = st.sampled_from(
    [*MARKERS, "<｜DSML｜", "</｜DSML｜", "<|DSML｜", "tool_calls", "tool_calls>\n", "invoke", ' name="f">\n', ">", ">\n",
     '<｜DSML｜invoke name="f">\n', "</｜DSML｜invoke>\n", STRING, '<｜DSML｜parameter name="b" string="false">',
     "</｜DSML｜parameter>\n", "<｜DSML｜parameter", ' name="a"', ' string="true"', "</｜DSML｜tool_calls>", "\n", "\n\n",
     " ", "<", "</", "<｜", "｜", "|", "DSML", "DSML｜", "think>", "<th", "ink>", "{", '"', "5", '{"a": [1]}', "x", "\\",
     "é", "<｜end▁of", "▁sentence｜>", "\ud800"]
)  # fmt: skip
hostile = st.lists(pieces, max_size=30).map("".join)
modes = st.sampled_from(["chat", "thinking"])


@settings(max_examples=600)
@given(hostile, modes, st.integers(0, 2**32))
def test_any_text_parses_soundly_and_alike_in_any_chunks(text, mode, seed):
    message = parse_completion(text, mode)
    assert_sound(message)
    assert streamed(random_chunks(text, seed), mode) == message


@settings(max_examples=300)
@given(hostile, modes)
def test_strict_raises_only_official_errors_and_never_disagrees(text, mode):
    for completion in (text, text + EOS):
        try:
            strict = parse_completion(completion, mode, strict=True)
        except (AssertionError, ValueError):
            continue
        if not strict["tool_calls"] and "|" not in completion:
            assert parse_completion(completion, mode) == strict


@given(hostile, modes, st.integers(0, 2**32))
def test_events_of_a_call_are_start_deltas_end(text, mode, seed):
    parser = StreamParser(mode)
    events = [e for chunk in random_chunks(text, seed) for e in parser.feed(chunk)] + parser.finish()
    open_call, next_index = None, 0
    for event in events:
        if isinstance(event, ToolCallStart):
            assert open_call is None and event.index == next_index
            open_call, next_index = event.index, next_index + 1
        elif isinstance(event, ToolCallDelta):
            assert event.index == open_call
        elif isinstance(event, ToolCallEnd):
            assert event.index == open_call
            open_call = None
        else:
            assert open_call is None and event.text and next_index == 0
    assert open_call is None
    assert parser.feed("more") == parser.finish() == []


@pytest.mark.parametrize(
    "value, kept",
    [
        ("[" * 200 + "]" * 200, True),
        ("[" * 201 + "]" * 201, False),  # valid, but some readers give up on it
        ("[" * 100_000 + "]" * 100_000, False),
        ("[" + "[], " * 5000 + '"[[{\\""]', True),
        ("9" * 4000, True),
        ("9" * 5000, False),
    ],
    ids=["deep", "too deep", "absurd", "long", "long integer", "absurd integer"],
)
def test_json_that_a_reader_may_refuse_is_kept_as_text(value, kept):
    text = f'{INVOKE}<｜DSML｜parameter name="a" string="false">{value}</｜DSML｜parameter>\n</｜DSML｜invoke>'
    arguments = parse_completion(text, "chat")["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"a": json.loads(value) if kept else value}


def test_only_a_possible_marker_is_held_back():
    parser = StreamParser("thinking")
    assert parser.feed("a <") == [ReasoningDelta("a ")]
    assert parser.feed("b\n\n\n") == [ReasoningDelta("<b\n")]
    assert parser.feed("c</think") == [ReasoningDelta("\n\nc")]
    assert parser.feed(">d") == [ContentDelta("d")]
    assert parser.feed("\n\n<｜DSML｜tool_calls>\n") == []
    assert parser.feed('<｜DSML｜invoke name="f">') == [ToolCallStart(0, "f")]
    assert parser.feed("\n" + STRING) == [ToolCallDelta(0, '{"a": "')]
    assert parser.feed('say "x') == [ToolCallDelta(0, 'say \\"x')]
    assert parser.feed("</｜DSML｜parameter>\n") == [ToolCallDelta(0, '"')]
    assert parser.feed("</｜DSML｜invoke>") == [ToolCallDelta(0, "}"), ToolCallEnd(0, True)]
    assert parser.finish() == []


@given(st.text(max_size=60), modes)
def test_held_back_text_is_never_longer_than_a_marker(text, mode):
    parser = StreamParser(mode)
    sent = 0
    for seen, char in enumerate(text, 1):
        sent += sum(len(e.text) for e in parser.feed(char))
        assert seen - sent <= len(EOS) + 2


def test_section_says_where_the_text_stands():
    parser = StreamParser("thinking")
    seen = []
    for chunk in ("r", "</think>", "c", INVOKE, STRING, "x", EOS):
        parser.feed(chunk)
        seen.append(parser.section)
    assert seen == ["reasoning", "content", "content", "tools", "tools", "tools", "done"]


@pytest.mark.parametrize("closing, complete", [("", False), (EOS, False), ("</｜DSML｜invoke>", True)])
def test_a_cut_off_call_says_so(closing, complete):
    parser = StreamParser("chat")
    events = parser.feed(f"{INVOKE}{STRING}x</｜DSML｜parameter>\n{closing}") + parser.finish()
    assert events[-1] == ToolCallEnd(0, complete)


def test_mode_must_be_known():
    with pytest.raises(ValueError, match='use "chat" or "thinking"'):
        StreamParser("loud")


HOSTILE = {
    "angle brackets": "<",
    "newlines": "\n",
    "bars": "｜",
    "markers": "<think>",
    "joining markers": "<thi<think>nk>",
    "tags": "<｜DSML｜",
    "named tags": "<｜DSML｜tool_calls>\n",
    "mentions": "<｜DSML｜tool_calls> x",
    "header quotes": '<｜DSML｜invoke name="a>b',
    "blank header": "<｜DSML｜invoke  ",
    "values": INVOKE + STRING,
    "untyped values": INVOKE + '<｜DSML｜parameter name="a">[',
    "brackets": "[",
}


@pytest.mark.parametrize("start", ["", INVOKE + STRING, INVOKE + '<｜DSML｜parameter name="b">', '<｜DSML｜invoke name="a'])
@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear_in_hostile_text(start, unit):
    # Linear work takes a tenth of a second; quadratic work on so much text takes a minute.
    text = start + unit * (200_000 // len(unit))
    began = time.perf_counter()
    assert_sound(parse_completion(text, "chat"))
    assert time.perf_counter() - began < 10


def test_a_megabyte_of_brackets_is_parsed_in_seconds():
    began = time.perf_counter()
    assert parse_completion("<" * 1_000_000, "chat")["content"] == "<" * 1_000_000
    assert time.perf_counter() - began < 10


def test_time_is_linear_when_fed_one_character_at_a_time():
    for unit in ("<", "\n", "a", '"> '):
        for start in ("", INVOKE + STRING, '<｜DSML｜invoke name="a'):
            parser = StreamParser("thinking")
            parser.feed(start)
            began = time.perf_counter()
            for char in unit * (50_000 // len(unit)):
                parser.feed(char)
            parser.finish()
            assert time.perf_counter() - began < 5

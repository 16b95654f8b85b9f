"""What did the model say, now that its whole output is there?

Two readings of one text (what follows the prompt, EOS included), both as an OpenAI-style message:
- lenient, the default: `StreamParser` run once, for serving. Never raises; its rules stand in `stream.py`.
- strict: the official grammar to the letter, for checking data and rewards. It raises what the official
  parser raises, keeps an invalid `string="false"` value raw, and accepts what the official one accepts, a
  text that stops right behind an invoke included.
Where strict accepts, lenient reads the same message, except: a marker inside a parameter or a name, a quote
inside a name, ASCII bars in a tag (text for strict), and invalid JSON (text for lenient).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from finback.text.stream import ContentDelta, Event, ReasoningDelta, StreamParser, ToolCallDelta, ToolCallStart
from finback.text.tokens import BOS, DSML, EOS, THINK_END, THINK_START

_BLOCK = f"\n\n<{DSML}tool_calls"
_BLOCK_END = f"</{DSML}tool_calls>"
_INVOKE = f"<{DSML}invoke"
_INVOKE_END = f"</{DSML}invoke"
_PARAMETER = f"<{DSML}parameter"
_PARAMETER_END = f"/{DSML}parameter"

_INVOKE_HEADER = re.compile(r'\s*name="(.*?)">\n\n?', re.DOTALL)
_PARAMETER_HEADER = re.compile(r' name="(.*?)" string="(true|false)">', re.DOTALL)


def parse_completion(text: str, thinking_mode: str, strict: bool = False) -> dict[str, Any]:
    """The message in a completion: role, content, reasoning_content, tool_calls."""
    if strict:
        return _parse_strict(text, thinking_mode == "thinking")
    parser = StreamParser(thinking_mode)
    return assemble([*parser.feed(text), *parser.finish()])


def assemble(events: Iterable[Event]) -> dict[str, Any]:
    """The message that a stream of events adds up to."""
    content: list[str] = []
    reasoning: list[str] = []
    names: list[str] = []
    arguments: list[list[str]] = []
    for event in events:
        if isinstance(event, ContentDelta):
            content.append(event.text)
        elif isinstance(event, ReasoningDelta):
            reasoning.append(event.text)
        elif isinstance(event, ToolCallStart):
            names.append(event.name)
            arguments.append([])
        elif isinstance(event, ToolCallDelta):
            arguments[event.index].append(event.arguments)
    calls = [(name, "".join(fragments)) for name, fragments in zip(names, arguments)]
    return _message("".join(content), "".join(reasoning), calls)


def _message(content: str, reasoning: str, calls: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": content,
        "reasoning_content": reasoning,
        "tool_calls": [{"type": "function", "function": {"name": n, "arguments": a}} for n, a in calls],
    }


def _require(condition: bool, complaint: str) -> None:
    if not condition:
        raise AssertionError(complaint)


def _until(text: str, start: int, *stops: str) -> tuple[str, str | None, int]:
    """(text up to the nearest stop, that stop or None, where to go on)."""
    found = [(at, stop) for stop in stops if (at := text.find(stop, start)) >= 0]
    if not found:
        return text[start:], None, len(text)
    at, stop = min(found)
    return text[start:at], stop, at + len(stop)


def _parse_strict(text: str, thinking: bool) -> dict[str, Any]:
    reasoning, at = "", 0
    if thinking:
        reasoning, stop, at = _until(text, at, THINK_END, _BLOCK)
        _require(stop == THINK_END, "Invalid thinking format: missing </think>")
    content, stop, at = _until(text, at, EOS, _BLOCK)
    _require(stop is not None, "Invalid format: missing EOS token")
    calls: list[tuple[str, str]] = []
    if stop == _BLOCK:
        calls, at = _strict_calls(text, at)
        trailing, stop, at = _until(text, at, EOS)
        _require(not trailing, "Unexpected content after tool calls")
    _require(at == len(text), "Unexpected content at end")
    for token in (BOS, EOS, THINK_START, THINK_END, DSML):
        _require(token not in content and token not in reasoning, f"Unexpected special token '{token}' in content")
    return _message(content, reasoning, calls)


def _strict_calls(text: str, at: int) -> tuple[list[tuple[str, str]], int]:
    calls: list[tuple[str, str]] = []
    while at < len(text):
        between, stop, at = _until(text, at, _INVOKE, _BLOCK_END)
        if between != ">\n":
            raise ValueError(f"Tool call format error: expected '>\\n' but got '{between}'")
        if stop is None:
            raise ValueError("Missing special token in tool calls")
        if stop == _BLOCK_END:
            break
        header, stop, at = _until(text, at, _PARAMETER, _INVOKE_END)
        name = _INVOKE_HEADER.fullmatch(header)
        if name is None:
            raise ValueError(f"Tool name format error: '{header}'")
        values: dict[str, str] = {}
        while stop == _PARAMETER:
            parameter, stop, at = _until(text, at, _PARAMETER_END)
            key, value = _strict_parameter(parameter)
            if key in values:
                raise ValueError(f"Duplicate parameter name: '{key}'")
            values[key] = value
            between, stop, at = _until(text, at, _PARAMETER, _INVOKE_END)
            if between != ">\n":
                raise ValueError(f"Parameter format error: expected '>\\n' but got '{between}'")
        pairs = (f"{json.dumps(key, ensure_ascii=False)}: {value}" for key, value in values.items())
        calls.append((name[1], "{" + ", ".join(pairs) + "}"))
    return calls, at


def _strict_parameter(parameter: str) -> tuple[str, str]:
    """(key, JSON text) of ` name="…" string="…">VALUE<`; the last `<` opens the closing tag."""
    header = _PARAMETER_HEADER.match(parameter)
    value_end = len(parameter) - (2 if parameter.endswith("<\n") else 1)
    if header is None or not parameter.endswith(("<", "<\n")):
        raise ValueError(f"Parameter format error: '{parameter}'")
    value = parameter[header.end() : value_end]
    return header[1], json.dumps(value, ensure_ascii=False) if header[2] == "true" else value

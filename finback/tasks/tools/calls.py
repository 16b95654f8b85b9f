"""What does a conversation with tools look like, and is a call well-formed and the answer after it right?

Messages are the OpenAI kind that `finback.text` renders: schemas on the system turn, `tool_calls` with JSON text as
arguments, one `tool` message per call. A verdict's reason begins with "malformed" where a call does not fit the
schemas or the conversation has no end, and with "wrong" where it fits and says the wrong thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from finback.tasks.protocol import Effort, Message, Problem, Verdict, answer_of

Call = tuple[str, dict[str, Any]]
MOST_CALLS = 8
LONGEST_ANSWER = 4000
_NUMBER = re.compile(r"(?:(?<![\w)])[-−])?\d+(?:,\d{3})*(?:\.\d+)?")
_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


class Malformed(ValueError):
    """A call that no tool takes, or a conversation that does not end in an answer."""


def tool(
    name: str, description: str, parameters: dict[str, dict[str, Any]], optional: Sequence[str] = ()
) -> dict[str, Any]:
    schema = {"type": "object", "properties": parameters, "required": [p for p in parameters if p not in optional]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def system(tools: Sequence[dict[str, Any]], content: str = "") -> Message:
    return {"role": "system", "content": content, "tools": list(tools)}


def asking(calls: Sequence[Call], first: int, thoughts: str = "") -> Message:
    """An assistant message that makes calls; `first` numbers the first of them within the conversation."""
    made = [
        {
            "id": f"call_{i}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
        }
        for i, (name, arguments) in enumerate(calls, first)
    ]
    message: Message = {"role": "assistant", "content": "", "tool_calls": made}
    return message | {"reasoning_content": thoughts} if thoughts else message


def results(texts: Sequence[str], first: int) -> list[Message]:
    return [{"role": "tool", "tool_call_id": f"call_{i}", "content": text} for i, text in enumerate(texts, first)]


def answering(content: str, effort: Effort, thoughts: str) -> Message:
    message: Message = {"role": "assistant", "content": content}
    return message | {"reasoning_content": thoughts} if effort != "none" and thoughts else message


def calls_before(messages: Sequence[Message]) -> int:
    return sum(len(m.get("tool_calls") or ()) for m in messages)


def beginning(words: str) -> str:
    """The first words of a question, four signs of a Chinese one."""
    return words[:4] if re.match("[\u4e00-\u9fff]", words) else " ".join(words.split()[:3])


def functions(problem: Problem) -> dict[str, dict[str, Any]]:
    """The schemas of a problem's tools by name."""
    tools = problem.messages[0].get("tools") or []
    return {t["function"]["name"]: t["function"]["parameters"] for t in tools}


def misfit(schema: dict[str, Any], arguments: dict[str, Any]) -> str:
    """Why the arguments do not fit a schema, "" if they do."""
    properties = schema["properties"]
    for name in schema["required"]:
        if name not in arguments:
            return f"argument '{name}' is missing"
    for name, value in arguments.items():
        if name not in properties:
            return f"there is no argument '{name}'"
        kind = properties[name]["type"]
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return f"argument '{name}' must be of type {kind}"
        if value not in properties[name].get("enum", [value]):
            return f"argument '{name}' must be one of {', '.join(properties[name]['enum'])}"
    return ""


def read_calls(problem: Problem, replies: Any) -> list[Call]:
    """The calls in the replies, all of them well-formed; raises Malformed."""
    known = functions(problem)
    calls: list[Call] = []
    for reply in replies if isinstance(replies, list) else []:
        made = reply.get("tool_calls") if isinstance(reply, dict) and reply.get("role") == "assistant" else None
        for call in made if isinstance(made, list) else []:
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict):
                raise Malformed("malformed: a call without a function")
            name, arguments = function.get("name"), function.get("arguments")
            if not isinstance(name, str) or name not in known:
                raise Malformed(f"malformed: there is no tool named {str(name)[:60]!r}")
            if isinstance(arguments, str):
                try:
                    arguments = json.loads(arguments)
                except (ValueError, RecursionError):
                    raise Malformed(f"malformed: the arguments of {name} are not JSON") from None
            if not isinstance(arguments, dict):
                raise Malformed(f"malformed: the arguments of {name} are no object")
            if why := misfit(known[name], arguments):
                raise Malformed(f"malformed: {name}: {why[:120]}")
            calls.append((name, arguments))
    return calls


def judge(problem: Problem, replies: Any, content_is_right: Callable[[str, list[Call]], str]) -> Verdict:
    """Are the calls well-formed, does an answer without calls follow, and finds `content_is_right` nothing wrong?"""
    try:
        calls = read_calls(problem, replies)
    except Malformed as error:
        return Verdict(False, str(error))
    last = replies[-1] if isinstance(replies, list) and replies else None
    if not isinstance(last, dict) or last.get("role") != "assistant" or last.get("tool_calls"):
        return Verdict(False, "malformed: the conversation does not end in an answer")
    content = answer_of(replies)
    if not content.strip() or "DSML" in content:
        return Verdict(False, "malformed: the answer is empty or holds pieces of a call")
    if len(calls) > MOST_CALLS or len(content) > LONGEST_ANSWER:
        return Verdict(False, "wrong: far too many calls or too long an answer")
    why = content_is_right(content, calls)
    return Verdict(not why, f"wrong: {why}" if why else "")


def numbers(text: str) -> list[Fraction]:
    return [Fraction(n.replace(",", "").replace("−", "-")) for n in _NUMBER.findall(text)]


def _same(a: Fraction, b: Fraction) -> bool:
    return abs(a - b) <= abs(b) / 10**6


def wrong_numbers(content: str, wanted: Sequence[str], known: str) -> str:
    """Why `content` does not state the wanted numbers in their order and end with the last, "" if it does. Only
    numbers from the text `known` may stand beside them, so that naming many numbers is no answer."""
    said = numbers(content)
    want = [Fraction(w) for w in wanted]
    at = 0
    for number in said:
        if at < len(want) and _same(number, want[at]):
            at += 1
    if at < len(want):
        return f"the answer does not say {wanted[at]}"
    if want and not _same(said[-1], want[-1]):
        return f"the answer ends with {float(said[-1]):g} and not with {wanted[-1]}"
    given = [*want, *numbers(known)]
    extra = [n for n in said if not any(_same(n, g) for g in given)]
    return f"the answer also says {float(extra[0]):g}" if extra else ""


def has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def words_of(problem: Problem) -> str:
    """All text that a problem's users and tools say."""
    return "\n".join(
        str(m.get("content") or "") for m in problem.messages if m.get("role") in ("user", "tool", "assistant")
    )

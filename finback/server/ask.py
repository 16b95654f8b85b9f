"""What can a client ask of a model, whatever dialect it speaks?

An `Ask` is one chat request; a dialect makes it from what came over the wire, and everything behind the dialects sees
nothing else. It is checked when it is made: what no model could answer raises an `AskError`, which each dialect turns
into an error of its own shape. What depends on the model (its context, its vocabulary) is checked when the ask runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from finback.text.tokens import TASK_TOKENS

Message = dict[str, Any]

# One table for all dialects: what a client may say, and which of V4's three modes it means (report, table 7). V4 knows
# no level between not thinking and thinking hard, so what asks for little thought gets none and the rest thinks.
EFFORTS: dict[str, str | None] = {
    "none": None,
    "minimal": None,
    "low": "high",
    "medium": "high",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}

JSON_OBJECT: Mapping[str, Any] = {"type": "object"}  # JSON mode: any object

MAX_TOOLS = 128
MAX_STOPS = 16
MAX_ANSWERS = 16
MAX_LOGPROBS = 20
MAX_BIASES = 1024
ROLES = ("system", "user", "assistant", "tool", "latest_reminder")

_TOOL_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class AskError(Exception):
    """Why an ask is refused. status: as in HTTP; code: a word for programs; param: the field that is wrong;
    retry_after: seconds after which it may succeed."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None, retry_after: int | None = None):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.param, self.retry_after = param, retry_after


@dataclass(frozen=True)
class Ask:
    """One chat request.

    messages: in finback.text's format, roles as in ROLES, content always a string. An assistant's message may have
    reasoning_content and tool_calls ({"id", "type": "function", "function": {"name", "arguments": JSON text}}), a
    tool's has tool_call_id. tools ({"type": "function", "function": {"name", "description", "parameters", "strict"}})
    and schema stay out of the messages: V4 wants them in the system message, and the rendering puts them there.
    tool_name: the one tool that must be called (tool_choice is then "required").
    schema: a JSON schema that the answer follows, JSON_OBJECT for any object, None for text.
    thinking, effort: None where the client does not say; effort is a key of EFFORTS.
    thinking_budget: tokens after which thoughts are closed. None: three quarters of max_tokens.
    prefix: the last message is the beginning of the answer. task: the quick instruction that is wanted instead of one.
    max_tokens: of the whole answer, thoughts included. temperature, top_p: None takes the model's own.
    logprobs: of how many likeliest tokens, beside the chosen one; None: none. user: whose cache and memory are used.
    call_prefix: what the ids of tool calls begin with.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: Literal["none", "auto", "required"] = "auto"
    tool_name: str | None = None
    parallel_tool_calls: bool = True
    schema: Mapping[str, Any] | None = None
    thinking: bool | None = None
    effort: str | None = None
    thinking_budget: int | None = None
    prefix: bool = False
    task: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int = 1
    logprobs: int | None = None
    user: str = ""
    call_prefix: str = "call_"

    def __post_init__(self):
        for name, ok, rule in (
            ("temperature", self.temperature is None or 0 <= self.temperature <= 2, "between 0 and 2"),
            ("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("top_k", self.top_k >= 0, "0 (all tokens) or more"),
            ("min_p", 0 <= self.min_p <= 1, "between 0 and 1"),
            ("presence_penalty", -2 <= self.presence_penalty <= 2, "between -2 and 2"),
            ("frequency_penalty", -2 <= self.frequency_penalty <= 2, "between -2 and 2"),
            ("max_tokens", self.max_tokens is None or self.max_tokens >= 1, "at least 1"),
            ("thinking_budget", self.thinking_budget is None or self.thinking_budget >= 0, "0 or more"),
            ("stop", len(self.stop) <= MAX_STOPS and all(self.stop), f"at most {MAX_STOPS} strings, none of them empty"),
            ("n", 1 <= self.n <= MAX_ANSWERS, f"between 1 and {MAX_ANSWERS}"),
            ("logprobs", self.logprobs is None or 0 <= self.logprobs <= MAX_LOGPROBS, f"between 0 and {MAX_LOGPROBS}"),
            ("seed", self.seed is None or -(1 << 63) <= self.seed < 1 << 64, "a 64-bit number"),
            ("logit_bias", len(self.logit_bias) <= MAX_BIASES, f"of at most {MAX_BIASES} tokens"),
            ("logit_bias", all(-100 <= b <= 100 for b in self.logit_bias.values()), "between -100 and 100 for each token"),
            ("effort", self.effort is None or self.effort in EFFORTS, f"one of {', '.join(EFFORTS)}"),
            ("task", self.task is None or self.task in TASK_TOKENS, f"one of {', '.join(TASK_TOKENS)}"),
        ):
            if not ok:
                raise AskError(422, "invalid_value", f"{name} is {_shown(getattr(self, name))}; it must be {rule}", name)
        self._check_messages()
        self._check_tools()

    @property
    def mode(self) -> tuple[bool | None, str | None]:
        """(thinking or not, V4's effort); thinking None: as the model is used to. Saying no to thoughts, by either
        word, wins."""
        if self.thinking is False or (self.effort is not None and EFFORTS[self.effort] is None):
            return False, None
        return (True, EFFORTS[self.effort]) if self.effort is not None else (self.thinking, None)

    def _check_messages(self) -> None:
        if not self.messages:
            raise AskError(422, "invalid_value", "messages is empty: send at least one message", "messages")
        calls: set[str] = set()
        for i, message in enumerate(self.messages):
            at = f"messages[{i}]"
            role, content = message.get("role"), message.get("content")
            if role not in ROLES:
                raise AskError(422, "invalid_value", f"{at}.role is {_shown(role)}; it must be one of {', '.join(ROLES)}", f"{at}.role")
            if not isinstance(content, str):
                raise AskError(422, "invalid_value", f"{at}.content is not text", f"{at}.content")
            if role == "assistant":
                found = message.get("tool_calls") or []
                calls |= {call["id"] for call in found}
            elif role == "tool" and message.get("tool_call_id") not in calls:
                raise AskError(
                    400, "invalid_tool_result",
                    f"{at} answers the tool call {_shown(message.get('tool_call_id'))}, which no assistant message before it "
                    "makes: send the assistant message with its tool_calls too",
                    f"{at}.tool_call_id",
                )  # fmt: skip
        last = self.messages[-1]["role"] == "assistant"
        if self.prefix and not last:
            raise AskError(400, "invalid_prefix", "prefix is set, but the last message is not the assistant's", "messages")
        if self.prefix and (self.schema is not None or self.messages[-1].get("tool_calls")):
            raise AskError(400, "invalid_prefix", "a prefix goes with neither a response format nor tool calls", "messages")
        if last and not self.prefix and self.task is None:
            raise AskError(
                400, "invalid_messages",
                "the last message is the assistant's, so there is nothing to answer: end with a user or tool message, or "
                'set "prefix": true on it to have it continued',
                "messages",
            )  # fmt: skip

    def _check_tools(self) -> None:
        names = [tool["function"].get("name") for tool in self.tools]
        if len(names) > MAX_TOOLS:
            raise AskError(422, "too_many_tools", f"{len(names)} tools are given; {MAX_TOOLS} are the most", "tools")
        for i, name in enumerate(names):
            if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
                raise AskError(422, "invalid_value", f"tools[{i}] is named {_shown(name)}; a name has 1 to 128 of A-Z a-z 0-9 _ . : -", f"tools[{i}].function.name")
            if name in names[:i]:
                raise AskError(422, "invalid_value", f"two tools are named {name}", f"tools[{i}].function.name")
        if self.tool_choice not in ("none", "auto", "required"):
            raise AskError(422, "invalid_value", f"tool_choice is {_shown(self.tool_choice)}; it must be none, auto, required or a function", "tool_choice")
        if self.tool_name is not None and self.tool_name not in names:
            raise AskError(422, "invalid_value", f"tool_choice wants {_shown(self.tool_name)}, which is not among the tools", "tool_choice")
        if self.tool_choice == "required" and not names:
            raise AskError(422, "invalid_value", "tool_choice wants a call, but there are no tools", "tool_choice")
        if self.schema is not None and names and self.tool_choice != "none":
            raise AskError(
                400, "unsupported_combination", "a response format and tools that may be called cannot go together: "
                'leave one out, or set tool_choice to "none"', "response_format",
            )  # fmt: skip
        if self.task is not None and (names or self.schema is not None):
            raise AskError(400, "unsupported_combination", "a quick instruction takes neither tools nor a response format", "tools")


def text_of(content: Any, param: str) -> str:
    """The text of a message's content: a string, None, or a list of parts that are all text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise AskError(422, "invalid_value", f"{param} is neither text nor a list of parts", param)
    texts = []
    for i, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "input_text", "output_text", "refusal"):
            raise AskError(
                400, "unsupported_content",
                f"{param}[{i}] is of type {_shown(kind)}, and these models read only text: leave it out, or describe it in words",
                f"{param}[{i}]",
            )  # fmt: skip
        text = part.get("text", part.get("refusal"))
        if not isinstance(text, str):
            raise AskError(422, "invalid_value", f"{param}[{i}].text is not text", f"{param}[{i}].text")
        texts.append(text)
    return "\n\n".join(texts)


def _shown(value: Any) -> str:
    """A client's value for an error message: as JSON, not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."

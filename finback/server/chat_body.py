"""What may stand in a chat request of DeepSeek's and OpenAI's dialect, and which ask does it make?

Fields that neither of them has are ignored, as both do. Three are ours: top_k, min_p, and thinking.budget_tokens.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from finback.server.ask import JSON_OBJECT, Ask, AskError, Message, text_of

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class CalledFunction(Wire):
    name: str
    arguments: str


class ToolCall(Wire):
    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(Wire):
    role: Literal["system", "developer", "user", "assistant", "tool", "latest_reminder"]
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    prefix: bool | None = None


class Function(Wire):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Wire):
    type: Literal["function"]
    function: Function


class NamedFunction(Wire):
    name: str


class NamedTool(Wire):
    type: Literal["function"]
    function: NamedFunction


class Thinking(Wire):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = Field(None, ge=0)


class NamedSchema(Wire):
    name: str | None = None
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class ResponseFormat(Wire):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None


class StreamOptions(Wire):
    include_usage: bool | None = None


class Conversation(Wire):
    """What the prompt is made of."""

    model: str
    messages: list[ChatMessage]
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    thinking: Thinking | None = None
    reasoning_effort: Effort | None = None
    user: str | None = None
    user_id: str | None = None


class ChatBody(Conversation):
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


def conversation(wire: Conversation, user: str) -> dict[str, Any]:
    """The fields of an ask that make its prompt."""
    messages = [_message(message, f"messages[{i}]") for i, message in enumerate(wire.messages)]
    named = wire.tool_choice.function.name if isinstance(wire.tool_choice, NamedTool) else None
    return dict(
        model=wire.model, messages=tuple(messages),
        tools=tuple(_tool(tool) for tool in wire.tools or ()),
        tool_choice="required" if named is not None else wire.tool_choice or "auto", tool_name=named,
        parallel_tool_calls=wire.parallel_tool_calls is not False,
        schema=_schema(wire.response_format),
        thinking=None if wire.thinking is None else wire.thinking.type != "disabled",
        thinking_budget=wire.thinking.budget_tokens if wire.thinking else None,
        effort=wire.reasoning_effort, user=user,
        prefix=bool(wire.messages) and bool(wire.messages[-1].prefix),
    )  # fmt: skip


def to_ask(wire: ChatBody, user: str) -> Ask:
    most = wire.max_completion_tokens if wire.max_completion_tokens is not None else wire.max_tokens
    if wire.top_logprobs is not None and not wire.logprobs:
        raise AskError(422, "invalid_value", "top_logprobs needs logprobs: true", "top_logprobs")
    return Ask(
        **conversation(wire, user), max_tokens=most, temperature=wire.temperature, top_p=wire.top_p,
        top_k=wire.top_k or 0, min_p=wire.min_p or 0.0,
        presence_penalty=wire.presence_penalty or 0.0, frequency_penalty=wire.frequency_penalty or 0.0,
        logit_bias=biases(wire.logit_bias), stop=stops(wire.stop), seed=wire.seed, n=1 if wire.n is None else wire.n,
        logprobs=wire.top_logprobs or 0 if wire.logprobs else None,
    )  # fmt: skip


def stops(given: str | list[str] | None) -> tuple[str, ...]:
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def biases(given: dict[str, float] | None) -> dict[int, float]:
    for token in given or {}:
        if not (token.isascii() and token.isdecimal() and len(token) < 10):
            raise AskError(422, "invalid_value", f"logit_bias names {token[:40]!r}; its keys are token ids", "logit_bias")
    return {int(token): bias for token, bias in (given or {}).items()}


def _message(message: ChatMessage, at: str) -> Message:
    role = "system" if message.role == "developer" else message.role
    out: Message = {"role": role, "content": text_of(message.content, f"{at}.content")}
    if role == "assistant":
        out["reasoning_content"] = message.reasoning_content or ""
        out["tool_calls"] = [call.model_dump() for call in message.tool_calls or ()]
    if role == "tool":
        out["tool_call_id"] = message.tool_call_id
    return out


def _tool(tool: Tool) -> dict[str, Any]:
    function = tool.function.model_dump(exclude_none=True)
    return {"type": "function", "function": function}


def _schema(wanted: ResponseFormat | None) -> dict[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return dict(JSON_OBJECT)
    if wanted.json_schema is None or wanted.json_schema.json_schema is None:
        raise AskError(422, "invalid_value", "response_format.json_schema.schema is missing", "response_format.json_schema")
    return wanted.json_schema.json_schema

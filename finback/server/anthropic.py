"""How does a model speak Anthropic's Messages API, as Claude Code and the `anthropic` package use it?

Two pure halves and the routes between them: `conversation` turns a request's content blocks into the messages of V4's
prompt, `Writer` turns what the model says into content blocks, whole and as a stream of events.
- V4 has one system text at the start. System turns in the middle of a conversation become text of a user's turn.
- A turn of the assistant is thoughts, then text, then tool calls; blocks in another order are put into this one.
- Thoughts come with a signature. With `display: "omitted"` it holds them (finback/server/thoughts.py).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from hashlib import sha256
from typing import Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from finback.server.ask import Ask, AskError, Message
from finback.server.http import body, service_of, speaks, stream, takes, user_of, whole
from finback.server.run import CallEnded, CallStarted, Event, Finished, Started, Usage, run
from finback.server.thoughts import SEAL, seal, unseal
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta

# Claude Code opens the system text with a line that names its version and session, and would miss every cache.
BILLING = "x-anthropic-billing-header:"


class Block(BaseModel):
    """One content block; which fields it has depends on its type."""

    model_config = ConfigDict(extra="allow")
    type: str


class Turn(BaseModel):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(BaseModel):
    type: str | None = None
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool = False


class ToolChoice(BaseModel):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class Thinking(BaseModel):
    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class OutputFormat(BaseModel):
    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(BaseModel):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class Metadata(BaseModel):
    user_id: str | None = None


class CountRequest(BaseModel):
    """What a request's prompt depends on."""

    model: str
    messages: list[Turn]
    system: str | list[Block] = ""
    tools: list[Tool] = []
    tool_choice: ToolChoice = ToolChoice(type="auto")
    thinking: Thinking | None = None
    output_config: OutputConfig = OutputConfig()


class MessagesRequest(CountRequest):
    max_tokens: int
    stream: bool = False
    stop_sequences: list[str] = []
    temperature: float | None = None
    top_p: float | None = None
    top_k: int = 0
    metadata: Metadata = Metadata()


# ---- what was asked


def to_ask(wire: CountRequest, user: str = "") -> Ask:
    """Raises AskError for what this model cannot be told."""
    choice, thinking, output = wire.tool_choice, wire.thinking, wire.output_config
    messages = conversation(wire)
    sampling: dict[str, Any] = {}
    if isinstance(wire, MessagesRequest):
        sampling = {
            "max_tokens": wire.max_tokens, "stop": tuple(wire.stop_sequences),
            "temperature": wire.temperature, "top_p": wire.top_p, "top_k": wire.top_k,
        }  # fmt: skip
    return Ask(
        model=wire.model,
        messages=tuple(messages),
        tools=tuple(_tools(wire.tools)),
        tool_choice={"any": "required", "tool": "required"}.get(choice.type, choice.type),
        tool_name=choice.name if choice.type == "tool" else None,
        parallel_tool_calls=not choice.disable_parallel_tool_use,
        schema=output.format.schema_ if output.format else None,
        thinking=None if thinking is None else thinking.type != "disabled",
        effort=output.effort,
        thinking_budget=thinking.budget_tokens if thinking else None,
        prefix=bool(messages) and messages[-1]["role"] == "assistant",
        user=user,
        call_prefix="toolu_",
        **sampling,
    )


def conversation(request: CountRequest) -> list[Message]:
    """The messages of V4's prompt."""
    system = _texts(request.system, "system")
    messages = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    open_calls: set[str] = set()
    for i, (role, blocks) in enumerate(_turns(request.messages)):
        where = f"messages.{i}"
        if role == "assistant":
            if open_calls:
                raise _unanswered(open_calls, where)
            message = _assistant(blocks, where)
            open_calls = {call["id"] for call in message.get("tool_calls", ())}
            messages.append(message)
        else:
            for message in _user(blocks, where):
                if message["role"] == "tool":
                    if message["tool_call_id"] not in open_calls:
                        raise _invalid(where, f"tool_result for {message['tool_call_id']!r}, which the turn before did not call")
                    open_calls.remove(message["tool_call_id"])
                messages.append(message)
    if open_calls:
        raise _unanswered(open_calls, "messages")
    return messages


def _invalid(where: str, message: str) -> AskError:
    return AskError(400, "invalid_request", f"{where}: {message}", where)


def _unanswered(calls: set[str], where: str) -> AskError:
    return _invalid(where, f"no tool_result answers the tool_use {', '.join(sorted(calls))} of the turn before: send one for each")


def _tools(tools: list[Tool]) -> list[dict[str, Any]]:
    """The tools as the OpenAI API, and V4's prompt, describe them."""
    found = []
    for i, tool in enumerate(tools):
        if tool.type not in (None, "custom") or tool.input_schema is None:
            what = f"{tool.name!r} is a tool that only Anthropic's models and servers know ({tool.type})"
            raise _invalid(f"tools.{i}", f"{what}: describe one of your own with an input_schema")
        function = {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema}
        found.append({"type": "function", "function": {**function, "strict": True} if tool.strict else function})
    return found


def _turns(turns: list[Turn]) -> Iterator[tuple[str, list[Block]]]:
    """Neighbours that speak for the same side are one turn."""
    role, blocks = "", []
    for turn in turns:
        side = "assistant" if turn.role == "assistant" else "user"
        if side != role and role:
            yield role, blocks
            blocks = []
        role = side
        blocks = blocks + ([Block(type="text", text=turn.content)] if isinstance(turn.content, str) else turn.content)
    if role:
        yield role, blocks


def _texts(content: str | list[Block], where: str) -> list[str]:
    if isinstance(content, str):
        return [content] if content else []
    texts = [_text(block, f"{where}.{i}") for i, block in enumerate(content)]
    return [text for text in texts if text and not text.startswith(BILLING)]


def _text(block: Block, where: str) -> str:
    """Of a block that holds text in one way or another."""
    if block.type == "text":
        return _field(block, "text", where)
    source = getattr(block, "source", None)
    if block.type == "document" and isinstance(source, dict) and source.get("type") == "text":
        return str(source.get("data", ""))
    what = {"image": "an image", "document": "a document that is not plain text"}.get(block.type, f"a {block.type} block")
    raise AskError(400, "unsupported_content", f"{where}: these models read only text, and this is {what}: leave it out", where)


def _field(block: Block, name: str, where: str) -> str:
    value = getattr(block, name, None)
    if not isinstance(value, str):
        raise _invalid(f"{where}.{name}", f"a {block.type} block needs it, as text")
    return value


def _assistant(blocks: list[Block], where: str) -> Message:
    thoughts, texts, calls = [], [], []
    for i, block in enumerate(blocks):
        at = f"{where}.content.{i}"
        if block.type == "thinking":
            signature = getattr(block, "signature", None)
            sealed = unseal(signature) if isinstance(signature, str) else None
            thoughts.append(_field(block, "thinking", at) or sealed or "")
        elif block.type == "tool_use":
            arguments = getattr(block, "input", None)
            if not isinstance(arguments, dict):
                raise _invalid(f"{at}.input", "a tool_use block needs it, an object")
            function = {"name": _field(block, "name", at), "arguments": json.dumps(arguments, ensure_ascii=False)}
            calls.append({"id": _field(block, "id", at), "type": "function", "function": function})
        elif block.type != "redacted_thinking":  # another server's, which nobody else can read
            texts.append(_text(block, at))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts)}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _user(blocks: list[Block], where: str) -> Iterator[Message]:
    for i, block in enumerate(blocks):
        at = f"{where}.content.{i}"
        if block.type == "tool_result":
            content = getattr(block, "content", None) or ""
            if isinstance(content, list):
                content = "\n\n".join(_result_text(part, at) for part in content)
            if not isinstance(content, str):
                raise _invalid(f"{at}.content", "it is neither text nor a list of content blocks")
            yield {"role": "tool", "tool_call_id": _field(block, "tool_use_id", at), "content": content}
        else:
            yield {"role": "user", "content": _text(block, at)}


def _result_text(part: Any, where: str) -> str:
    """Of a part of a tool's result. What is no text is named, as V4's own encoder does: the tool has run already."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise _invalid(f"{where}.content", "its parts must be content blocks with a type")
    if part["type"] == "text":
        return str(part.get("text", ""))
    if part["type"] == "tool_reference":
        return f"{part.get('tool_name')} is available"
    return f"[Unsupported {part['type']}]"


# ---- what is answered


def usage_of(usage: Usage) -> dict[str, Any]:
    """Anthropic counts cached tokens beside input_tokens, not among them."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }


class Writer:
    """Content blocks as they grow: `say` takes what happened and returns the events that tell it; `message` is the whole."""

    def __init__(self, message_id: str, model: str, omit_thinking: bool = False):
        self.message: dict[str, Any] = {
            "id": message_id, "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": usage_of(Usage(0, 0, 0, 0)),
        }  # fmt: skip
        self._omit = omit_thinking
        self._open: str | None = None  # the type of the block that grows
        self._grown = ""  # its thoughts, text or arguments

    def say(self, event: Event) -> list[dict[str, Any]]:
        match event:
            case Started():
                self.message["usage"] = usage_of(Usage(event.prompt_tokens, 0, 0, 0))
                return [{"type": "message_start", "message": {**self.message, "content": []}}]
            case ReasoningDelta():
                out = self._begin({"type": "thinking", "thinking": "", "signature": ""})
                return out + self._grow(event.text, None if self._omit else {"type": "thinking_delta", "thinking": event.text})
            case ContentDelta():
                out = self._begin({"type": "text", "text": ""})
                return out + self._grow(event.text, {"type": "text_delta", "text": event.text})
            case CallStarted():
                return self._begin({"type": "tool_use", "id": event.id, "name": event.name, "input": {}}, another=True)
            case ToolCallDelta():
                return self._grow(event.arguments, {"type": "input_json_delta", "partial_json": event.arguments})
            case CallEnded():
                return self._end()
            case Finished():
                return self._end() + self._finish(event)
        raise TypeError(f"{type(event).__name__} is no event of an answer in this dialect")

    def _begin(self, block: dict[str, Any], another: bool = False) -> list[dict[str, Any]]:
        if self._open == block["type"] and not another:
            return []
        out = self._end()
        self._open = block["type"]
        self.message["content"].append(block)
        return [*out, {"type": "content_block_start", "index": len(self.message["content"]) - 1, "content_block": dict(block)}]

    def _grow(self, text: str, delta: dict[str, Any] | None) -> list[dict[str, Any]]:
        self._grown += text
        return [] if delta is None else [self._delta(delta)]

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": len(self.message["content"]) - 1, "delta": delta}

    def _end(self) -> list[dict[str, Any]]:
        if self._open is None:
            return []
        out, block = [], self.message["content"][-1]
        if self._open == "text":
            block["text"] = self._grown
        elif self._open == "tool_use":
            block["input"] = json.loads(self._grown)
        else:
            block["thinking"] = "" if self._omit else self._grown
            block["signature"] = seal(self._grown) if self._omit else SEAL
            out.append(self._delta({"type": "signature_delta", "signature": block["signature"]}))
        self._open, self._grown = None, ""
        return [*out, {"type": "content_block_stop", "index": len(self.message["content"]) - 1}]

    def _finish(self, end: Finished) -> list[dict[str, Any]]:
        reason = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "repetition": "max_tokens"}[end.reason]
        reason = "stop_sequence" if end.stopped_by is not None else reason
        said = {"stop_reason": reason, "stop_sequence": end.stopped_by}
        usage = usage_of(end.usage)
        self.message.update(**said, usage=usage)
        return [{"type": "message_delta", "delta": said, "usage": usage}, {"type": "message_stop"}]


# ---- over HTTP


ERRORS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
          429: "rate_limit_error", 503: "overloaded_error"}  # fmt: skip


def error_body(error: AskError) -> dict[str, Any]:
    kind = ERRORS.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message}}


router = APIRouter(tags=["Anthropic"], dependencies=[speaks(error_body)])


@router.post("/v1/messages", openapi_extra=takes(MessagesRequest))
@router.post("/anthropic/v1/messages", openapi_extra=takes(MessagesRequest))
async def messages(request: Request) -> Response:
    """Answer a conversation."""
    wire = await body(request, MessagesRequest)
    ask = to_ask(wire, _user_of(request, wire))
    writer = Writer(f"msg_{uuid4().hex}", wire.model, wire.thinking is not None and wire.thinking.display == "omitted")
    events = run(service_of(request), ask)
    if wire.stream:
        return await stream(request, _told(writer, events))
    return await whole(request, _collected(writer, events))


def _user_of(request: Request, wire: MessagesRequest) -> str:
    """A client may name its users as it likes, and at any length."""
    name = wire.metadata.user_id
    return user_of(request, sha256(name.encode()).hexdigest()[:32] if name else None)


async def _told(writer: Writer, events: AsyncIterator[Event]) -> AsyncIterator[str]:
    started = False
    try:
        async with aclosing(events):
            async for event in events:
                told = writer.say(event) + ([] if started else [{"type": "ping"}])
                started = True
                if told:
                    yield "".join(map(_sse, told))
    except AskError as error:
        if not started:
            raise
        yield _sse(error_body(error))


async def _collected(writer: Writer, events: AsyncIterator[Event]) -> dict[str, Any]:
    async with aclosing(events):
        async for event in events:
            writer.say(event)
    return writer.message


def _sse(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"

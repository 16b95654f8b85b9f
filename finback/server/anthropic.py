"""How does the server speak Anthropic's Messages API, as Claude Code and the `anthropic` package use it?

`Writer` turns the events of an answer into content blocks, whole and as a stream. Thoughts come with a signature; with
`display: "omitted"` it holds them (finback/server/thoughts.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request, Response

from finback.server.ask import AskError
from finback.server.events import CallEnded, CallStarted, Event, Finished, Started, Usage
from finback.server.http import STREAMS, as_json, body, refusals, service_of, speaks, stream, takes, user_of, whole
from finback.server.messages_body import CountBody, MessagesBody, to_ask
from finback.server.run import run, tokens_of
from finback.server.thoughts import SEAL, seal
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta


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
        self._grown: list[str] = []  # its thoughts, text or arguments

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
                return self._end(event.problem)
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
        self._grown.append(text)
        return [] if delta is None else [self._delta(delta)]

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": len(self.message["content"]) - 1, "delta": delta}

    def _end(self, problem: str | None = None) -> list[dict[str, Any]]:
        """Closes the block that grows. problem: what is wrong with a tool call, which no field of Anthropic's says."""
        if self._open is None:
            return []
        out, block, grown = [], self.message["content"][-1], "".join(self._grown)
        said = {} if problem is None else {"malformed": problem}
        if self._open == "text":
            block["text"] = grown
        elif self._open == "tool_use":
            block |= {"input": json.loads(grown), **said}
        else:
            block["thinking"] = "" if self._omit else grown
            block["signature"] = seal(grown) if self._omit else SEAL
            out.append(self._delta({"type": "signature_delta", "signature": block["signature"]}))
        self._open, self._grown = None, []
        return [*out, {"type": "content_block_stop", "index": len(self.message["content"]) - 1, **said}]

    def _finish(self, end: Finished) -> list[dict[str, Any]]:
        reason = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "repetition": "max_tokens"}[end.reason]
        reason = "stop_sequence" if end.stopped_by is not None else reason
        said = {"stop_reason": reason, "stop_sequence": end.stopped_by}
        usage = usage_of(end.usage)
        self.message.update(**said, usage=usage)
        return [{"type": "message_delta", "delta": said, "usage": usage}, {"type": "message_stop"}]


ERRORS = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
          429: "rate_limit_error", 503: "overloaded_error"}  # fmt: skip


def error_body(error: AskError) -> dict[str, Any]:
    kind = ERRORS.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message}}


router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["anthropic"])


@router.post("/v1/messages", openapi_extra=takes(MessagesBody), responses=STREAMS)
@router.post("/anthropic/v1/messages", include_in_schema=False)
async def messages(request: Request) -> Response:
    wire = await body(request, MessagesBody)
    events = run(service_of(request), to_ask(wire, _user(request, wire)))
    hidden = wire.thinking is not None and wire.thinking.display == "omitted"
    writer = Writer(f"msg_{secrets.token_hex(12)}", wire.model, hidden)
    return await (stream(request, _told(writer, events)) if wire.stream else whole(request, _collected(writer, events)))


@router.post("/v1/messages/count_tokens", openapi_extra=takes(CountBody))
@router.post("/anthropic/v1/messages/count_tokens", include_in_schema=False)
async def count_tokens(request: Request) -> Response:
    """How many tokens a prompt has."""
    wire = await body(request, CountBody)
    tokens = await tokens_of(service_of(request), to_ask(wire, _user(request, wire)))
    return as_json({"input_tokens": len(tokens)})


def _user(request: Request, wire: CountBody) -> str:
    """A client may name its users as it likes, and at any length."""
    name = wire.metadata.user_id if wire.metadata else None
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

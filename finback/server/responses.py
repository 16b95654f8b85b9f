"""How does a model speak OpenAI's Responses API, as Codex and the `openai` package use it?

Requests and answers are lists of items; `responses_body.py` reads those that come, and `Writer` here writes those that go, whole
and as a stream of events.
- Thoughts are a reasoning item with the text itself (`reasoning_text`); there is no second model to sum them up.
- A response is kept for `previous_response_id` unless `store` is false: in memory, bounded, for its own API key.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from finback.server.ask import AskError
from finback.server.events import CallEnded, CallStarted, Event, Finished, Started
from finback.server.http import STREAMS, as_json, body, refusals, service_of, speaks, stream, takes, user_of, whole
from finback.server.openai import error_body
from finback.server.responses_body import ResponsesBody, Tools, to_ask
from finback.server.run import run
from finback.server.thoughts import seal
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta

KEPT_BYTES = 64 << 20  # of responses that previous_response_id may name; the oldest go first


class Writer:
    """Items as they grow: `say` takes what happened and returns the events that tell it; `response` is the whole."""

    def __init__(self, wire: ResponsesBody, tools: Tools):
        self.tools, self._sealed = tools, "reasoning.encrypted_content" in (wire.include or ())
        self.response: dict[str, Any] = {
            "id": f"resp_{secrets.token_hex(12)}", "object": "response", "created_at": int(time.time()), "status": "in_progress",
            "error": None, "incomplete_details": None, "instructions": wire.instructions,
            "max_output_tokens": wire.max_output_tokens, "model": wire.model, "output": [],
            "parallel_tool_calls": wire.parallel_tool_calls is not False,
            "previous_response_id": wire.previous_response_id,
            "reasoning": {"effort": wire.reasoning.effort if wire.reasoning else None, "summary": None},
            "store": wire.store is not False, "temperature": wire.temperature,
            "text": {"format": wire.text.format if wire.text and wire.text.format else {"type": "text"}},
            "tool_choice": wire.tool_choice or "auto", "tools": wire.tools or [], "top_p": wire.top_p, "truncation": "disabled",
            "usage": None, "user": wire.user, "metadata": wire.metadata or {},
        }  # fmt: skip
        self._events = 0
        self._open: str | None = None  # the type of the item that grows
        self._grown: list[str] = []  # its thoughts, text or arguments

    def say(self, event: Event) -> list[dict[str, Any]]:
        match event:
            case Started():
                return [self._whole("response.created"), self._whole("response.in_progress")]
            case ReasoningDelta():
                item = {"type": "reasoning", "id": f"rs_{secrets.token_hex(12)}", "summary": [], "content": [], "encrypted_content": None}
                out = self._begin(item, {"type": "reasoning_text", "text": ""})
                return [*out, self._grow("response.reasoning_text.delta", event.text, content_index=0)]
            case ContentDelta():
                item = {"type": "message", "id": f"msg_{secrets.token_hex(12)}", "role": "assistant", "content": []}
                out = self._begin(item, {"type": "output_text", "text": "", "annotations": [], "logprobs": []})
                return [*out, self._grow("response.output_text.delta", event.text, content_index=0, logprobs=[])]
            case CallStarted():
                return self._begin({**self.tools.called(event.name), "id": f"fc_{secrets.token_hex(12)}", "call_id": event.id})
            case ToolCallDelta():
                if self._open == "custom_tool_call":  # its input is one string, told when it is whole
                    self._grown.append(event.arguments)
                    return []
                return [self._grow("response.function_call_arguments.delta", event.arguments)]
            case CallEnded():
                if event.problem is not None:  # which no field of OpenAI's says
                    self.response["output"][-1]["malformed"] = event.problem
                return self._end("completed" if event.problem is None else "incomplete")
            case Finished():
                cut = event.reason in ("length", "repetition")
                return self._end("incomplete" if cut else "completed") + [self._finish(event, cut)]
        raise TypeError(f"{type(event).__name__} is no event of an answer in this dialect")

    def fail(self, error: AskError) -> list[dict[str, Any]]:
        """The answer broke off."""
        self.response.update(status="failed", error={"code": "server_error", "message": error.message})
        return [self._whole("response.failed")]

    def _tell(self, kind: str, **fields: Any) -> dict[str, Any]:
        self._events += 1
        return {"type": kind, "sequence_number": self._events - 1, **fields}

    def _whole(self, kind: str) -> dict[str, Any]:
        return self._tell(kind, response={**self.response, "output": list(self.response["output"])})

    @property
    def _place(self) -> dict[str, Any]:
        output = self.response["output"]
        return {"item_id": output[-1]["id"], "output_index": len(output) - 1}

    def _begin(self, item: dict[str, Any], part: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Opens an item, with its one part, unless one of the kind is open."""
        if part is not None and self._open == item["type"]:
            return []
        out, self._open = self._end("completed"), item["type"]
        self.response["output"].append({**item, "status": "in_progress"})
        out.append(self._tell("response.output_item.added", output_index=self._place["output_index"], item=dict(self.response["output"][-1])))
        if part is not None:
            out.append(self._tell("response.content_part.added", **self._place, content_index=0, part=part))
        return out

    def _grow(self, kind: str, text: str, **fields: Any) -> dict[str, Any]:
        self._grown.append(text)
        return self._tell(kind, **self._place, delta=text, **fields)

    def _end(self, status: str) -> list[dict[str, Any]]:
        if self._open is None:
            return []
        item, text, kind = self.response["output"][-1], "".join(self._grown), self._open
        self._open, self._grown, out, part = None, [], [], None
        if kind == "reasoning":
            part = {"type": "reasoning_text", "text": text}
            item["encrypted_content"] = seal(text) if self._sealed else None
            out.append(self._tell("response.reasoning_text.done", **self._place, content_index=0, text=text))
        elif kind == "message":
            part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            out.append(self._tell("response.output_text.done", **self._place, content_index=0, text=text, logprobs=[]))
        elif kind == "function_call":
            item["arguments"] = text
            out.append(self._tell("response.function_call_arguments.done", **self._place, name=item["name"], arguments=text))
        else:
            given = json.loads(text).get("input", text)
            item["input"] = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            out.append(self._tell("response.custom_tool_call_input.delta", **self._place, delta=item["input"]))
            out.append(self._tell("response.custom_tool_call_input.done", **self._place, input=item["input"]))
        if part is not None:
            item["content"] = [part]
            out.append(self._tell("response.content_part.done", **self._place, content_index=0, part=part))
        item["status"] = status
        return [*out, self._tell("response.output_item.done", output_index=self._place["output_index"], item=dict(item))]

    def _finish(self, end: Finished, cut: bool) -> dict[str, Any]:
        usage = end.usage
        self.response["usage"] = {
            "input_tokens": usage.prompt_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached_tokens},
            "output_tokens": usage.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
        self.response["status"] = "incomplete" if cut else "completed"
        self.response["incomplete_details"] = {"reason": "max_output_tokens"} if cut else None
        return self._whole(f"response.{self.response['status']}")


class Kept:
    """Finished responses with the items that led to them, by id; the oldest are forgotten."""

    def __init__(self, most: int = KEPT_BYTES):
        self.most, self.bytes = most, 0
        self._of: OrderedDict[str, tuple[str, str]] = OrderedDict()  # id -> (owner, JSON of items and response)

    def add(self, owner: str, items: list[dict[str, Any]], response: dict[str, Any]) -> None:
        text = json.dumps({"items": items, "response": response}, ensure_ascii=False)
        self._of[response["id"]] = owner, text
        self.bytes += len(text)
        while self.bytes > self.most:
            self.bytes -= len(self._of.popitem(last=False)[1][1])

    def get(self, owner: str, name: str) -> dict[str, Any]:
        """Raises AskError 404 for what is not there, or another owner's."""
        found, text = self._of.get(name, (None, ""))
        if found != owner:
            raise AskError(404, "response_not_found", f"there is no response {name!r}: it was not stored, or is forgotten by now; send its items instead")
        return json.loads(text)


router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["responses"])


@router.post("/responses", openapi_extra=takes(ResponsesBody), responses=STREAMS)
@router.post("/v1/responses", include_in_schema=False)
async def create(request: Request) -> Response:
    """Answer a list of items."""
    wire = await body(request, ResponsesBody)
    kept, owner, tools = _kept(request), user_of(request), Tools(wire.tools)
    before = kept.get(owner, wire.previous_response_id)["items"] if wire.previous_response_id else []
    items = before + wire.items
    ask = to_ask(wire, items, tools, user_of(request, wire.safety_identifier or wire.user))
    events, writer = run(service_of(request), ask), Writer(wire, tools)

    def keep() -> None:
        if wire.store is not False:
            kept.add(owner, items + writer.response["output"], writer.response)

    return await (stream(request, _told(writer, events, keep)) if wire.stream else whole(request, _collected(writer, events, keep)))


@router.get("/responses/{name}")
@router.get("/v1/responses/{name}", include_in_schema=False)
async def retrieve(request: Request, name: str) -> Response:
    """A response that was kept."""
    return as_json(_kept(request).get(user_of(request), name)["response"])


def _kept(request: Request) -> Kept:
    state = request.app.state
    if not hasattr(state, "responses"):
        state.responses = Kept()
    return state.responses


async def _told(writer: Writer, events: AsyncIterator[Event], keep: Callable[[], None]) -> AsyncIterator[str]:
    started = False
    try:
        async with aclosing(events):
            async for event in events:
                told, started = writer.say(event), True
                if isinstance(event, Finished):
                    keep()
                if told:
                    yield "".join(map(_sse, told))
    except AskError as error:
        if not started:
            raise
        yield "".join(map(_sse, writer.fail(error)))


async def _collected(writer: Writer, events: AsyncIterator[Event], keep: Callable[[], None]) -> dict[str, Any]:
    async with aclosing(events):
        async for event in events:
            writer.say(event)
    keep()
    return writer.response


def _sse(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n"

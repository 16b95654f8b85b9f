"""How does the server speak DeepSeek's and OpenAI's dialect? Chat completions, and V4's quick instructions."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from finback.engine import Choice
from finback.server.ask import Ask, AskError
from finback.server.chat_body import ChatBody, Conversation, conversation, to_ask
from finback.server.events import CallEnded, CallStarted, Finished, Sampled, Started, Usage
from finback.server.http import STREAMS, body, refusals, service_of, speaks, stream, takes, user_of, whole
from finback.server.run import answers, run
from finback.server.service import Service
from finback.text import ContentDelta, ReasoningDelta, Tokenizer, ToolCallDelta

REASONS = {"repetition": "length"}  # OpenAI has no word for an answer that went round in a cycle

_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    422: "invalid_request_error", 429: "rate_limit_error", 503: "overloaded_error",
}  # fmt: skip


def error_body(error: AskError) -> dict[str, Any]:
    kind = _KINDS.get(error.status, "server_error" if error.status >= 500 else "invalid_request_error")
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["chat"])


@router.post("/chat/completions", openapi_extra=takes(ChatBody), responses=STREAMS)
@router.post("/v1/chat/completions", include_in_schema=False)
@router.post("/beta/chat/completions", include_in_schema=False)
async def chat_completions(request: Request) -> Response:
    wire = await body(request, ChatBody)
    ask, service = to_ask(wire, user_of(request, wire.user_id or wire.user)), service_of(request)
    if wire.stream:
        with_usage = wire.stream_options is not None and bool(wire.stream_options.include_usage)
        return await stream(request, _chunks(service, ask, with_usage))
    return await whole(request, _completion(service, ask))


class TaskBody(Conversation):
    max_tokens: int = Field(64, ge=1)
    temperature: float | None = None


@router.post("/tasks/{task}", openapi_extra=takes(TaskBody))
@router.post("/v1/tasks/{task}", include_in_schema=False)
async def quick_instruction(request: Request, task: Literal["action", "query", "title", "authority", "domain", "read_url"]) -> Response:
    """A short answer about a conversation, by one of V4's task tokens, from the cache that the conversation filled."""
    wire = await body(request, TaskBody)
    fields = conversation(wire, user_of(request, wire.user_id or wire.user))
    thinks = fields.pop("thinking") is True or fields["effort"] is not None  # an instruction is quick, if nobody says otherwise
    ask = Ask(**fields, thinking=thinks, task=task, max_tokens=wire.max_tokens, temperature=wire.temperature or 0.0)
    return await whole(request, _task(service_of(request), ask))


async def _task(service: Service, ask: Ask) -> dict[str, Any]:
    text, done = [], None
    async with aclosing(run(service, ask)) as events:
        async for event in events:
            if isinstance(event, (ReasoningDelta, ContentDelta)):
                text.append(event.text)
            elif isinstance(event, Finished):
                done = event
    return {"object": "quick_instruction", "task": ask.task, "model": ask.model, "text": "".join(text), "usage": usage_body([[done.usage]])}


async def _completion(service: Service, ask: Ask) -> dict[str, Any]:
    tokenizer = service.model(ask.model).tokenizer
    said = [Answer(i, ask, tokenizer) for i in range(ask.n)]
    async with aclosing(answers(service, ask)) as events:
        async for index, event in events:
            said[index].take(event)
    return {
        **head_of("chatcmpl", "chat.completion", ask.model),
        "choices": [answer.choice() for answer in said],
        "usage": usage_body([[answer.usage for answer in said]]),
    }


class Answer:
    """One answer as it grows, for a client that waits for all of it."""

    def __init__(self, index: int, ask: Ask, tokenizer: Tokenizer):
        self._index, self._logprobs, self._tokenizer = index, ask.logprobs is not None, tokenizer
        self._content: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._parts: list[list[str]] = []
        self._sampled: dict[str, list] = {"content": [], "reasoning_content": []}
        self._reason = ""
        self.usage = Usage(0, 0, 0, 0)

    def take(self, event: Any) -> None:
        if isinstance(event, ContentDelta):
            self._content.append(event.text)
        elif isinstance(event, ReasoningDelta):
            self._thoughts.append(event.text)
        elif isinstance(event, CallStarted):
            self._calls.append({"id": event.id, "type": "function", "function": {"name": event.name}})
            self._parts.append([])
        elif isinstance(event, ToolCallDelta):
            self._parts[event.index].append(event.arguments)
        elif isinstance(event, CallEnded) and event.problem is not None:
            self._calls[event.index]["malformed"] = event.problem
        elif isinstance(event, Sampled):
            self._sampled["reasoning_content" if event.thinking else "content"] += [logprob(self._tokenizer, c) for c in event.choices]
        elif isinstance(event, Finished):
            self._reason, self.usage = REASONS.get(event.reason, event.reason), event.usage

    def choice(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._content)}
        if self._thoughts:
            message["reasoning_content"] = "".join(self._thoughts)
        if self._calls:
            for call, parts in zip(self._calls, self._parts):
                call["function"]["arguments"] = "".join(parts)
            message["tool_calls"] = self._calls
        return {"index": self._index, "message": message, "logprobs": self._sampled if self._logprobs else None, "finish_reason": self._reason}


async def _chunks(service: Service, ask: Ask, with_usage: bool) -> AsyncIterator[str]:
    tokenizer = service.model(ask.model).tokenizer
    head = head_of("chatcmpl", "chat.completion.chunk", ask.model)
    nothing = {"usage": None} if with_usage else {}
    usages: list[Usage] = []
    began = False
    sampled: dict[int, dict[str, list]] = {}

    def chunk(index: int, delta: dict[str, Any], reason: str | None = None) -> str:
        choice = {"index": index, "delta": delta, "logprobs": sampled.pop(index, None), "finish_reason": reason}
        return event_of({**head, "choices": [choice], **nothing})

    try:
        async with aclosing(answers(service, ask)) as events:
            async for index, event in events:
                if isinstance(event, Started):
                    began = True
                    for i in range(ask.n):
                        yield chunk(i, {"role": "assistant", "content": ""})
                elif isinstance(event, ContentDelta):
                    yield chunk(index, {"content": event.text})
                elif isinstance(event, ReasoningDelta):
                    yield chunk(index, {"content": None, "reasoning_content": event.text})
                elif isinstance(event, CallStarted):
                    call = {"index": event.index, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
                    yield chunk(index, {"tool_calls": [call]})
                elif isinstance(event, ToolCallDelta):
                    yield chunk(index, {"tool_calls": [{"index": event.index, "function": {"arguments": event.arguments}}]})
                elif isinstance(event, CallEnded):
                    if event.problem is not None:
                        yield chunk(index, {"tool_calls": [{"index": event.index, "function": {"arguments": ""}, "malformed": event.problem}]})
                elif isinstance(event, Sampled):
                    found = sampled.setdefault(index, {"content": [], "reasoning_content": []})
                    found["reasoning_content" if event.thinking else "content"] += [logprob(tokenizer, c) for c in event.choices]
                else:
                    usages.append(event.usage)
                    yield chunk(index, {}, REASONS.get(event.reason, event.reason))
    except AskError as error:
        if not began:
            raise
        yield event_of(error_body(error))
        return
    if with_usage:
        yield event_of({**head, "choices": [], "usage": usage_body([usages])})
    yield "data: [DONE]\n\n"


def event_of(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n"


def head_of(prefix: str, kind: str, model: str) -> dict[str, Any]:
    return {"id": f"{prefix}-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model, "system_fingerprint": "finback"}


def usage_body(prompts: list[list[Usage]]) -> dict[str, Any]:
    """The usage of the answers to each prompt."""
    prompt = sum(answers[0].prompt_tokens for answers in prompts)
    cached = sum(answers[0].cached_tokens for answers in prompts)
    usages = [usage for answers in prompts for usage in answers]
    completion = sum(usage.completion_tokens for usage in usages)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_cache_hit_tokens": cached,
        "prompt_cache_miss_tokens": prompt - cached,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": sum(usage.reasoning_tokens for usage in usages)},
    }


def logprob(tokenizer: Tokenizer, choice: Choice) -> dict[str, Any]:
    return {**_token(tokenizer, choice.token, choice.logprob), "top_logprobs": [_token(tokenizer, t, p) for t, p in choice.top]}


def _token(tokenizer: Tokenizer, token: int, value: float) -> dict[str, Any]:
    raw = tokenizer.token_bytes(token)
    return {"token": raw.decode(errors="replace"), "logprob": max(value, -9999.0), "bytes": list(raw)}

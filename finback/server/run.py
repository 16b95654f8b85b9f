"""How does an ask become a stream of events?

`run` renders the prompt, starts the request, and says what the answer turns out to be: thoughts, text, tool calls, and
at the end why it ended and what it cost. What can be refused is refused before the first event, by an `AskError`; what
fails later raises one from within the stream. Leaving the iteration cancels the request and frees its memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from finback.engine import Piece, Request, SamplingParams
from finback.server.ask import Ask, AskError
from finback.server.events import CallEnded, CallStarted, Event, Finished, Sampled, Started, Usage
from finback.server.prompt import render
from finback.server.reading import Reader
from finback.server.service import Model, Service

__all__ = ["CallEnded", "CallStarted", "Event", "Finished", "Sampled", "Started", "Usage", "answers", "run", "running", "tokens_of"]


async def run(service: Service, ask: Ask) -> AsyncIterator[Event]:
    """The events of an ask for one answer. The first is Started, the last Finished."""
    if ask.n != 1:
        raise AskError(422, "invalid_value", "several answers at once cannot be had here", "n")
    async with aclosing(answers(service, ask)) as events:
        async for _, event in events:
            yield event


async def answers(service: Service, ask: Ask) -> AsyncIterator[tuple[int, Event]]:
    """As `run`, for several answers side by side: each event with its answer's number. Started comes once, for 0."""
    model = service.model(ask.model)
    with service.place(ask.user):
        prompt = await service.off_loop(render, model, ask, service.memory, service.limits)
        async with running(service, model, prompt.ids, prompt.params, ask.user) as (request, pieces):
            yield 0, Started(len(prompt.ids))
            readers = [Reader(model, ask, prompt) for _ in request.members]
            async for piece in pieces:
                reader = readers[piece.index]
                for event in reader.take(piece):
                    yield piece.index, event
                if piece.finish is not None:
                    await service.off_loop(reader.remember, service.memory)
                    usage = usage_of(request, piece.index)
                    reason = "tool_calls" if piece.finish == "stop" and reader.called else piece.finish
                    yield piece.index, Finished(reason, usage, piece.matched if isinstance(piece.matched, str) else None)


async def tokens_of(service: Service, ask: Ask) -> list[int]:
    """The prompt that an ask comes to."""
    return (await service.off_loop(render, service.model(ask.model), ask, service.memory, service.limits)).ids


def usage_of(request: Request, index: int) -> Usage:
    member = request.members[index]
    return Usage(len(request.prompt), request.cached, len(member.answer), member.guide.thoughts)


@asynccontextmanager
async def running(
    service: Service, model: Model, ids: Sequence[int], params: SamplingParams, user: str
) -> AsyncIterator[tuple[Request, AsyncIterator[Piece]]]:
    """A request in the engine, and its pieces until all its answers are over; it is cancelled when the block is left.
    Raises AskError, also from the pieces where an answer fails."""
    began = time.perf_counter()
    submitting = asyncio.ensure_future(service.off_loop(model.engine.submit, ids, params, user))
    try:
        request = await asyncio.shield(submitting)
    except asyncio.CancelledError:
        submitting.add_done_callback(lambda done: done.cancelled() or done.exception() or done.result().cancel())
        raise
    except ValueError as error:
        if "closed" in str(error):
            raise AskError(503, "shutting_down", "the server is about to end: ask again when it is back", retry_after=5) from None
        raise AskError(400, "invalid_request", str(error)) from None
    said: asyncio.Queue[Piece] = asyncio.Queue()
    outbox = service.outbox
    try:
        request.forward(lambda piece: outbox.put(said, piece))
        yield request, _pieces(service, model, request, said, began)
    finally:
        request.forward(lambda piece: None)
        request.cancel()
        _count(service, model, request)


async def _pieces(service: Service, model: Model, request: Request, said: asyncio.Queue[Piece], began: float) -> AsyncIterator[Piece]:
    first, following = service.metrics.first_token.labels(model.name), service.metrics.next_token.labels(model.name)
    last = [began] * len(request.members)
    histograms = [first] * len(request.members)
    left = len(request.members)
    while left:
        piece = await said.get()
        if piece.tokens:
            now = time.perf_counter()
            histograms[piece.index].observe(now - last[piece.index])
            last[piece.index], histograms[piece.index] = now, following
        if piece.finish is not None:
            left -= 1
            service.metrics.finished.labels(model.name, piece.finish).inc()
        if piece.finish == "error":
            raise AskError(500, "engine_error", f"the answer failed: {piece.error}")
        if piece.finish == "cancelled":
            raise AskError(503, "shutting_down", "the server ended before the answer was complete", retry_after=5)
        yield piece


def _count(service: Service, model: Model, request: Request) -> None:
    tokens = service.metrics
    tokens.prompt_tokens.labels(model.name, "hit").inc(request.cached)
    tokens.prompt_tokens.labels(model.name, "miss").inc(len(request.prompt) - request.cached)
    for member in request.members:
        thoughts = member.guide.thoughts
        tokens.answer_tokens.labels(model.name, "thoughts").inc(thoughts)
        tokens.answer_tokens.labels(model.name, "answer").inc(len(member.answer) - thoughts)

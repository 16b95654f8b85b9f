"""How does an ask become a stream of events?

`run` renders the prompt, starts the request, and says what the answer turns out to be: thoughts, text, tool calls, and
at the end why it ended and what it cost. What can be refused is refused before the first event, by an `AskError`; what
fails later raises one from within the stream. Leaving the iteration cancels the request and frees its memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from finback.engine import Choice
from finback.server.ask import Ask, AskError
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta

if TYPE_CHECKING:
    from finback.server.service import Service


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. cached: of the prompt, those that were not computed again; reasoning: of the completion, the thoughts."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int


@dataclass(frozen=True, slots=True)
class Started:
    """The first event: the request was accepted."""

    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A tool call begins; its arguments follow as ToolCallDelta with the same index, then CallEnded."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The arguments are whole JSON in any case. problem: None, or a sentence that says what is wrong with the call."""

    index: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Sampled:
    """Tokens with their log-probabilities; only where the ask wants them."""

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of an answer. stopped_by: the stop string that ended it."""

    reason: Literal["stop", "length", "tool_calls", "repetition"]
    usage: Usage
    stopped_by: str | None = None


Event = Started | ReasoningDelta | ContentDelta | CallStarted | ToolCallDelta | CallEnded | Sampled | Finished


async def run(service: Service, ask: Ask) -> AsyncIterator[Event]:
    """The events of an ask for one answer. The first is Started, the last Finished."""
    if ask.n != 1:
        raise AskError(422, "invalid_value", "several answers at once cannot be had here", "n")
    async for _, event in answers(service, ask):
        yield event


async def answers(service: Service, ask: Ask) -> AsyncIterator[tuple[int, Event]]:
    """As `run`, for several answers side by side: each event with its answer's number. Started comes once, for 0."""
    raise NotImplementedError
    yield

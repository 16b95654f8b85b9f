"""What can happen in an answer? The events that every dialect translates, in the order in which they may come:

    Started (ReasoningDelta | ContentDelta | Sampled | CallStarted ToolCallDelta* CallEnded)* Finished
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from finback.engine import Choice
from finback.text import ContentDelta, ReasoningDelta, ToolCallDelta


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
    """Tokens with their log-probabilities, before the text that they give; only where the ask wants them."""

    choices: tuple[Choice, ...]
    thinking: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of an answer. stopped_by: the stop string that ended it."""

    reason: Literal["stop", "length", "tool_calls", "repetition"]
    usage: Usage
    stopped_by: str | None = None


Event = Started | ReasoningDelta | ContentDelta | CallStarted | ToolCallDelta | CallEnded | Sampled | Finished

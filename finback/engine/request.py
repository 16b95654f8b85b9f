"""What is one running answer? A prompt, the tokens so far, the state they left, and who listens.

A request is data that the engine moves on; what its callers see are pieces, while it runs, and a result.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from finback.engine.sampling import Choice, SamplingParams, answer_seed
from finback.engine.speculate import Drafting
from finback.model import SequenceState
from finback.text import StreamDecoder

if TYPE_CHECKING:
    from finback.engine.engine import Engine

SCORED_TOKENS = 256  # of a prompt in one forward when their log-probabilities are wanted: each takes a row of logits


@dataclass(frozen=True)
class Piece:
    """What one step adds to an answer. text lags behind the tokens while it may still become a stop string.

    finish: None, or why the answer ended: stop (a stop string or token, or the end token), length, repetition (it went
    round in a cycle), cancelled, error. matched: the stop string or token. index: of the answer, where a request has
    several. forced: the engine put this token to close thoughts whose budget was spent. prompt: with the first piece
    of an answer, the log-probabilities of the prompt's tokens from the second on, where they were asked for.
    """

    tokens: tuple[int, ...] = ()
    text: str = ""
    choices: tuple[Choice, ...] = ()
    finish: str | None = None
    error: str | None = None
    matched: str | int | None = None
    index: int = 0
    forced: bool = False
    prompt: tuple[Choice, ...] = ()


@dataclass
class Result:
    """A whole answer; finish, matched and prompt as in `Piece`. cached: prompt tokens that were not computed again;
    thinking: tokens of the answer's thoughts, the one that closed them included. drafted, accepted: how many drafts
    were checked and came true, by their position in a step."""

    prompt_tokens: int
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    choices: list[Choice] = field(default_factory=list)
    finish: str = ""
    cached: int = 0
    error: str | None = None
    matched: str | int | None = None
    thinking: int = 0
    prompt: tuple[Choice, ...] = ()
    drafted: tuple[int, ...] = ()
    accepted: tuple[int, ...] = ()

    @property
    def answer_tokens(self) -> int:
        return len(self.tokens) - self.thinking


class Request:
    """One running answer, or several to one prompt. Iterate over it for its pieces; `cancel` ends it at any time.

    Of several answers each is a request of its own, the group's members; the first computes the prompt, and the
    others, its branches, wait for that.
    """

    def __init__(
        self, engine: Engine, prompt: list[int], params: SamplingParams, user: str, priority: int, arrival: int,
        group: Request | None = None, index: int = 0,
    ):  # fmt: skip
        self.engine, self.prompt, self.params = engine, prompt, params
        self.user, self.priority, self.arrival = user, priority, arrival
        self.group, self.index = group or self, index
        self.answer: list[int] = []
        self.state: SequenceState | None = None
        self.cached = 0
        self.cancelled = False
        self.finished = False
        self.snapshot: bytes | None = None
        self.entry: int | None = None  # of the group in the engine's journal
        self.scores: list[Choice] = []  # of prompt tokens 1, 2, ...
        self.guide = engine._guide(prompt, params)
        self.drafts: list[int] = []  # guesses at the tokens behind the known ones
        self.drafting = Drafting(replace(params, logprobs=None), on=engine.speculator is not None)
        self.pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        self._listener: Callable[[Piece], None] | None = None
        self._lock = threading.Lock()
        self._decoder: StreamDecoder | None = engine.tokenizer.stream_decoder() if engine.tokenizer else None
        self._held = ""
        self.branches = [
            Request(engine, prompt, replace(params, n=1, seed=answer_seed(params.seed, i), prompt_logprobs=None), user, priority, arrival, self, i)
            for i in range(1, params.n)
        ]  # fmt: skip
        self.members = [self, *self.branches]

    @property
    def known(self) -> int:
        return len(self.prompt) + len(self.answer)

    @property
    def pending(self) -> int:
        return self.known - (self.state.length if self.state is not None else 0)

    @property
    def midway(self) -> bool:
        """Whether its thoughts end within a character."""
        return self.guide.thinking and self._decoder.midway

    @property
    def unscored(self) -> bool:
        """Whether log-probabilities of the prompt's tokens are wanted that are not there yet."""
        return self.params.prompt_logprobs is not None and len(self.scores) < len(self.prompt) - 1

    @property
    def boundary(self) -> int | None:
        """Tokens until the rings are wanted for the prefix store (the next end of a block where it may keep them), or
        as many as can be scored at once."""
        store, at = self.engine.prefixes, self.state.length
        stops = [at + SCORED_TOKENS] if self.unscored else []
        if store is not None:
            size = store.pool.layout.block_tokens
            stops.append((self.known - 1) // size * size)  # the last block's end before the tokens run out
            step = {"full": size, "periodic": store.period, "zero": None}[store.policy]
            stops += [] if step is None else [at // step * step + step]
        return min((stop - at for stop in stops if stop > at), default=None)

    def wanted(self, start: int, n: int) -> list[int]:
        """Of which of its next n rows it wants the logits: prompt tokens to score, then the last known token and drafts."""
        scored = range(max(start, len(self.scores)), min(start + n, len(self.prompt) - 1)) if self.unscored else ()
        return [i - start for i in scored] + list(range(self.pending - 1, n))

    def tokens(self, first: int, count: int) -> list[int]:
        out, at = [], 0
        for part in (self.prompt, self.answer, self.drafts):
            out += part[max(first - at, 0) : max(first + count - at, 0)]
            at += len(part)
        return out

    def cancel(self) -> None:
        self.engine._cancel(self)

    def tell(self, piece: Piece) -> None:
        """Says what is new to whoever listens to the group."""
        group, piece = self.group, replace(piece, index=self.index) if self.index else piece
        if group.entry is not None:
            self.engine.journal.add(group.entry, piece)
        with group._lock:
            listener = group._listener
            (listener or group.pieces.put)(piece)
        if listener is not None and piece.finish is not None:
            group._taken()

    def forward(self, listener: Callable[[Piece], None]) -> None:
        """Sends the pieces to a function instead, from the engine's thread; those that came before first."""
        with self._lock:
            while not self.pieces.empty():
                listener(self.pieces.get())
            self._listener = listener
        self._taken()

    def __iter__(self) -> Iterator[Piece]:
        left = len(self.members)
        while left:
            piece = self.pieces.get()
            left -= piece.finish is not None
            yield piece
        self._taken()

    def _taken(self) -> None:
        """Whoever listens has had the pieces so far; if those were all, the journal may forget the request."""
        if self.entry is not None and all(member.finished for member in self.members):
            self.engine.journal.forget(self.entry)

    def result(self) -> Result:
        """Waits for the end. Raises RuntimeError if the request failed."""
        if len(self.members) > 1:
            raise ValueError(f"this request has {len(self.members)} answers: ask for its results")
        return self.results()[0]

    def results(self) -> list[Result]:
        """Waits for the end of all answers. Raises RuntimeError if one failed."""
        out = [Result(len(self.prompt)) for _ in self.members]
        for piece in self:
            found = out[piece.index]
            found.tokens += piece.tokens
            found.text += piece.text
            found.choices += piece.choices
            found.prompt += piece.prompt
            found.finish, found.matched, found.error = piece.finish or "", piece.matched, piece.error
        for found, member in zip(out, self.members):
            found.cached, found.thinking = member.cached, member.guide.thoughts
            found.drafted, found.accepted = tuple(member.drafting.checked), tuple(member.drafting.accepted)
            if found.error:
                raise RuntimeError(found.error)
        return out

    def _text(self, token: int) -> tuple[str, str | None]:
        """The text that is certain after one more token, and the stop string that was met."""
        if self._decoder is None:
            return "", None
        self._held += self._decoder.feed(token)
        stops = self.params.stop if len(self.answer) >= self.params.min_tokens else ()
        found = [(i, s) for i, s in ((self._held.find(s), s) for s in stops) if i >= 0]
        if found:
            at, stop = min(found, key=lambda pair: pair[0])
            out, self._held = self._held[:at], ""
            return out, stop
        keep = max((_overlap(self._held, s) for s in self.params.stop), default=0)
        out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out, None

    def _rest(self) -> str:
        out = self._held + (self._decoder.flush() if self._decoder else "")
        self._held = ""
        return out


def _overlap(text: str, stop: str) -> int:
    """The longest end of `text` that begins `stop`."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)

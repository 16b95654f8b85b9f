"""How does one forward give several tokens? The MTP block drafts, the next forward checks (spec 2.9).

After a step the MTP block joins the last token's streams with the token that was sampled and guesses the one after
it; to guess further it goes on from its own streams. The next forward computes the drafts along with the last token.
A draft counts only if it is the very token that the request's own sampler, with its own random numbers, then draws
from the model's logits; at the first that is not, the rest is forgotten. So an answer is what it is without drafts,
token by token, and on the native CPU plan, where a row does not depend on its company, bit by bit.

Forgetting costs nothing for one draft, and a copy of the overwritten ring rows for more (`model.state.Undo`). Every
token passes through the MTP block, whose window is part of the state. Drafts are guesses: where a state is shared at
a border (a prefix, a branch), that window's last row may belong to another continuation.

A request stops drafting when its drafts cost more time than they save: what rows and drafts cost is measured on
steps with and without them, what they save follows from how many of its drafts came true.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from finback.engine.sampling import SamplingParams, sample
from finback.model import Batch, Transformer, mtp_forward
from finback.model.state import Undo

if TYPE_CHECKING:
    from finback.engine.request import Request

MAX_DRAFTS = 4
TRIAL = 16  # steps with drafts before they are judged
SAMPLES = 9  # of a kind of step, of which the median counts: a machine is never alone
PROBE = 64  # every so many steps go without drafts, so that both kinds are known


@dataclass
class Drafting:
    """How a request's drafts fare. checked, accepted: by position; rate: accepted tokens a step, recently."""

    params: SamplingParams
    on: bool = True
    steps: int = 0
    rate: float = 0.0
    checked: list[int] = field(default_factory=lambda: [0] * MAX_DRAFTS)
    accepted: list[int] = field(default_factory=lambda: [0] * MAX_DRAFTS)

    def note(self, drafts: int, right: int, ended: bool) -> None:
        """Of a step's drafts the first `right` came true. ended: the answer was over with them, the next was not checked."""
        for i in range(drafts if not ended else right):
            self.checked[i] += i <= right
            self.accepted[i] += i < right
        self.steps += 1
        self.rate += (right - self.rate) * max(1 / self.steps, 1 / 32)


class Costs:
    """What steps take, by (requests, rows), and drafts, by requests: the last few times in seconds."""

    def __init__(self) -> None:
        recent: Callable[[], deque[float]] = lambda: deque(maxlen=SAMPLES)  # noqa: E731
        self.steps: dict[tuple[int, int], deque[float]] = defaultdict(recent)
        self.drafts: dict[int, deque[float]] = defaultdict(recent)

    def known(self, requests: int) -> bool:
        return len(self.steps[requests, requests]) >= 3

    def saved(self, requests: int, rows: int, drafts: int, rate: float) -> float | None:
        """Seconds that a request's drafts save a step, if so many more tokens come from them; None: not known yet."""
        found = self.steps[requests, requests], self.steps[requests, rows], self.drafts[requests]
        if rows == requests or not all(len(times) >= 3 for times in found):
            return None
        plain, checked, drafting = map(median, found)
        return rate * plain / requests - drafts * (checked + drafting - plain) / (rows - requests)


class Speculator:
    """Drafts for the requests of one engine. drafts: at most so many tokens a step.

    In a step, in this order: `offer`, the forward, for every request `settle`, then `draft`.
    """

    def __init__(self, model: Transformer, drafts: int, clock: Callable[[], float] = time.perf_counter):
        reason = _refusal(model, drafts)
        if reason or not 1 <= drafts <= MAX_DRAFTS:
            raise ValueError(reason or f"drafts is {drafts}; it must be between 1 and {MAX_DRAFTS}")
        self.model, self.drafts, self.clock = model, drafts, clock
        self.layers = range(model.config.num_hidden_layers)
        self.block = range(model.config.num_hidden_layers, model.config.num_hidden_layers + 1)
        self.costs = Costs()
        self.checked, self.accepted, self.stopped = [0] * drafts, [0] * drafts, 0
        self._count = 0
        self._shape: tuple[int, int] | None = None
        self._began = 0.0
        self._undo: dict[Request, Undo] = {}

    def offer(self, shares: list[tuple[Request, int]], tokens: int) -> list[tuple[Request, int]]:
        """The shares with the drafts that go along, within so many tokens."""
        self._count += 1
        left = tokens - sum(n for _, n in shares)
        decoding = [r for r, n in shares if n == r.pending == 1]
        only = len(decoding) == len(shares)
        probe = only and (self._count % PROBE == 0 or not self.costs.known(len(shares)))
        out = []
        for request, n in shares:
            request.drafts = request.drafts[: max(left, 0)] if n == request.pending == 1 and not probe else []
            left -= len(request.drafts)
            out.append((request, n + len(request.drafts)))
        return out

    def begin(self, shares: list[tuple[Request, int]]) -> None:
        """Notes what the forward will overwrite, and when it began."""
        self._undo = {
            r: r.state.undo(r.state.length + 2, len(r.drafts) - 1, self.layers) for r, _ in shares if r.drafts
        }
        decode = all(r.pending == 1 for r, _ in shares)
        self._shape = (len(shares), sum(n for _, n in shares)) if decode else None
        self._began = self.clock()

    def settle(self, request: Request, new: int) -> None:
        """After the forward: the request got `new` tokens by it, and its state forgets the drafts behind them."""
        drafts, request.drafts = request.drafts, []
        if not drafts:
            return
        right = sum(a == b for a, b in zip(drafts, request.answer[len(request.answer) - new :]))
        request.drafting.note(len(drafts), right, right == new)
        length = request.state.length - len(drafts) + max(new, 1) - 1
        if length < request.state.length:
            request.state.rewind(length, self._undo[request], self.layers)
            request.state.length = length

    def draft(self, work: Sequence[tuple[Request, int, int]], streams: Tensor) -> None:
        """Sends through the MTP block what the model has just computed, and drafts for those that go on.

        work: requests, the row of `streams` where each one's new tokens begin, and their position.
        """
        if self._shape is not None:
            self.costs.steps[self._shape].append(self.clock() - self._began)
        work = [w for w in work if w[0].drafting.on]
        if not work:
            return
        began = self.clock()
        window = work[0][0].state.pool.layout.layers[self.block.start].window.rows
        segments, starts, given, going, rows, at = [], [], [], [], [], 0
        for request, row, position in work:
            n = request.state.length - position
            kept = min(n, window)  # what is further back leaves no trace in a window
            first = request.state.length - kept
            request.state.seen[self.block.start] = first
            segments.append(request.tokens(first + 1, kept))
            starts.append(first)
            given.append(streams[row + n - kept : row + n])
            at += kept
            if request.answer and request.pending == 1 and self._room(request) > 0:
                going.append(request)
                rows.append(at - 1)
        logits, h = self._forward(segments, starts, torch.cat(given), [r for r, _, _ in work], rows)
        h = h[rows]
        undo = {r: r.state.undo(r.state.length + 1, self._room(r) - 2, self.block) for r in going}
        for step in range(self.drafts):
            for request, row in zip(going, logits):
                request.drafts.append(self._guess(request, row))
            more = [i for i, r in enumerate(going) if self._room(r) > step + 1]
            if not more:
                break
            going, h = [going[i] for i in more], h[more]
            starts = [r.state.length + step for r in going]
            logits, h = self._forward([r.drafts[-1:] for r in going], starts, h, going, list(range(len(going))))
        for request, saved in undo.items():
            request.state.rewind(request.state.length, saved, self.block)
        if self._shape is not None:
            self.costs.drafts[self._shape[0]].append(self.clock() - began)
        self._judge([r for r, _, _ in work])

    def _forward(
        self, segments: list[list[int]], starts: list[int], h: Tensor, requests: list[Request], rows: list[int]
    ) -> tuple[Tensor, Tensor]:
        batch = Batch.of(segments, starts, h.device)
        return mtp_forward(self.model, batch, h, [r.state for r in requests], torch.tensor(rows, dtype=torch.int64, device=h.device))

    def _room(self, request: Request) -> int:
        """How many drafts the next step can use: it ends where the answer or a block of the cache ends at the latest."""
        size, at = request.state.pool.layout.block_tokens, request.state.length
        left = min(request.params.max_tokens - len(request.answer), self.model.config.max_position_embeddings - request.known)
        return min(self.drafts, left - 1, size - at % size - 1)

    def _guess(self, request: Request, logits: Tensor) -> int:
        """The token that the sampler would draw. Only the first draft's place in a constraint is known."""
        allowed = None
        if not request.drafts:
            try:
                allowed, _ = request.guide.allowed(self.model.config.vocab_size, request.midway)
            except ValueError:
                pass  # the next step will say so
        return sample(logits, request.drafting.params, request.answer + request.drafts, allowed).token

    def _judge(self, requests: list[Request]) -> None:
        if self._shape is None:
            return
        for request in requests:
            drafting = request.drafting
            if drafting.steps >= TRIAL:
                saved = self.costs.saved(*self._shape, min(self.drafts, max(len(request.drafts), 1)), drafting.rate)
                if saved is not None and saved < 0:
                    drafting.on, request.drafts = False, []
                    self.stopped += 1

    def count(self, drafting: Drafting) -> None:
        """Adds a finished request's drafts to the engine's."""
        for i in range(self.drafts):
            self.checked[i] += drafting.checked[i]
            self.accepted[i] += drafting.accepted[i]


def _refusal(model: Transformer, drafts: int) -> str | None:
    """Why a model cannot draft so many tokens, or None."""
    if not model.mtp:
        return "the model has no MTP block, so nothing can draft: use drafts=0"
    if model.config.compress_ratios[model.config.num_hidden_layers]:
        return "the MTP block compresses its past, which cannot be taken back after a draft: use drafts=0"
    shortest = min(part.rows for layer in model.new_pool().layout.layers for part in (layer.window, layer.u) if part is not None)
    if drafts >= shortest:
        return f"{drafts} drafts and the token before them do not fit the model's shortest ring of {shortest} rows: use fewer drafts"
    return None

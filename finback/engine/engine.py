"""How do many requests share one model? Continuous batching over one compressed cache.

Each step asks the scheduler who computes how many tokens, runs them as one flat batch, and samples for every
request whose known tokens are all computed. Requests join and leave between steps. When the cache is full, the
prefix store forgets what nobody uses, then the request that came last gives its memory back and is computed again
later: recomputation costs a prefill, which the prefix store shortens, and keeps nothing outside the cache's budget.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from finback.engine.prefix import Policy, PrefixStore
from finback.engine.sampling import Choice, SamplingParams, sample
from finback.engine.scheduler import Limits, admit, plan, victim
from finback.model import Batch, SequenceState, Transformer
from finback.text import StreamDecoder, Tokenizer


@dataclass(frozen=True)
class Piece:
    """What one step adds to an answer. text lags behind the tokens while it may still become a stop string.

    finish: None, or why the answer ended: stop (a stop string or the end token), length, cancelled, error.
    """

    tokens: tuple[int, ...] = ()
    text: str = ""
    choices: tuple[Choice, ...] = ()
    finish: str | None = None
    error: str | None = None


@dataclass
class Result:
    """A whole answer. cached: prompt tokens that were not computed again."""

    prompt_tokens: int
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    choices: list[Choice] = field(default_factory=list)
    finish: str = ""
    cached: int = 0
    error: str | None = None


class Request:
    """One running answer. Iterate over it for its pieces; `cancel` ends it at any time."""

    def __init__(self, engine: Engine, prompt: list[int], params: SamplingParams, user: str, priority: int, arrival: int):
        self.engine, self.prompt, self.params = engine, prompt, params
        self.user, self.priority, self.arrival = user, priority, arrival
        self.answer: list[int] = []
        self.state: SequenceState | None = None
        self.cached = 0
        self.cancelled = False
        self.finished = False
        self.snapshot: bytes | None = None
        self.pieces: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        self._listener: Callable[[Piece], None] | None = None
        self._lock = threading.Lock()
        self._decoder: StreamDecoder | None = engine.tokenizer.stream_decoder() if engine.tokenizer else None
        self._held = ""

    @property
    def known(self) -> int:
        return len(self.prompt) + len(self.answer)

    @property
    def pending(self) -> int:
        return self.known - (self.state.length if self.state is not None else 0)

    @property
    def boundary(self) -> int | None:
        """Tokens until the rings are wanted for the prefix store: the next end of a block where it may keep them."""
        store, at = self.engine.prefixes, self.state.length
        if store is None:
            return None
        size = store.pool.layout.block_tokens
        last = (self.known - 1) // size * size  # the last block's end before the tokens run out
        step = {"full": size, "periodic": store.period, "zero": None}[store.policy]
        stops = [last] if step is None else [at // step * step + step, last]
        return min((stop - at for stop in stops if stop > at), default=None)

    def tokens(self, first: int, count: int) -> list[int]:
        n = len(self.prompt)
        return self.prompt[first : first + count] + self.answer[max(first - n, 0) : max(first + count - n, 0)]

    def cancel(self) -> None:
        self.engine._cancel(self)

    def tell(self, piece: Piece) -> None:
        with self._lock:
            (self._listener or self.pieces.put)(piece)

    def forward(self, listener: Callable[[Piece], None]) -> None:
        """Sends the pieces to a function instead, from the engine's thread; those that came before first."""
        with self._lock:
            while not self.pieces.empty():
                listener(self.pieces.get())
            self._listener = listener

    def __iter__(self) -> Iterator[Piece]:
        while True:
            piece = self.pieces.get()
            yield piece
            if piece.finish:
                return

    def result(self) -> Result:
        """Waits for the end. Raises RuntimeError if the request failed."""
        out = Result(len(self.prompt))
        for piece in self:
            out.tokens += piece.tokens
            out.text += piece.text
            out.choices += piece.choices
            out.finish, out.error = piece.finish or "", piece.error
        out.cached = self.cached
        if out.error:
            raise RuntimeError(out.error)
        return out

    def _text(self, token: int) -> tuple[str, bool]:
        """The text that is certain after one more token, and whether a stop string was met."""
        if self._decoder is None:
            return "", False
        self._held += self._decoder.feed(token)
        found = [i for i in (self._held.find(s) for s in self.params.stop) if i >= 0]
        if found:
            out, self._held = self._held[: min(found)], ""
            return out, True
        keep = max((_overlap(self._held, s) for s in self.params.stop), default=0)
        out, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return out, False

    def _rest(self) -> str:
        out = self._held + (self._decoder.flush() if self._decoder else "")
        self._held = ""
        return out


class Engine:
    """Runs a model for many requests. Its thread starts with the first request; `close` ends it.

    cache_blocks: blocks of 128 tokens that all sequences and the prefix store share (None: as memory allows).
    prefix: the prefix store's policy (finback/engine/prefix.py), None for no store.
    """

    def __init__(
        self,
        model: Transformer,
        tokenizer: Tokenizer | None = None,
        *,
        limits: Limits = Limits(),
        cache_blocks: int | None = None,
        prefix: Policy | None = "periodic",
        period: int = 1024,
        snapshot_bytes: int = 1 << 30,
    ):
        self.model, self.tokenizer, self.limits = model, tokenizer, limits
        self.pool = model.new_pool(cache_blocks)
        self.prefixes = PrefixStore(self.pool, prefix, period, snapshot_bytes) if prefix else None
        self.waiting: list[Request] = []
        self.running: list[Request] = []
        self.preemptions = self.steps = 0
        self._arrivals = itertools.count()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    # --- for callers, from any thread ---

    def submit(self, prompt: str | Sequence[int], params: SamplingParams = SamplingParams(), user: str = "", priority: int = 0) -> Request:
        """Starts a request. prompt: text (needs a tokenizer) or token ids. Raises ValueError for what cannot run."""
        request = Request(self, self._ids(prompt), params, user, priority, next(self._arrivals))
        if params.stop and self.tokenizer is None:
            raise ValueError("stop strings need a tokenizer: give one to the engine")
        vocabulary = self.model.config.vocab_size
        for token in [*request.prompt, *params.logit_bias]:
            if not 0 <= token < vocabulary:
                raise ValueError(f"token id {token} is outside the vocabulary of {vocabulary}")
        with self._wake:
            if self._closed:
                raise ValueError("the engine is closed: make a new one")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="finback-engine", daemon=True)
                self._thread.start()
                atexit.register(self.close)  # a thread that is inside PyTorch when the interpreter ends aborts the process
            self.waiting.append(request)
            self._wake.notify()
        return request

    def generate(self, prompts: Sequence[str | Sequence[int]], params: SamplingParams | Sequence[SamplingParams] = SamplingParams()) -> list[Result]:
        """The answers to all prompts, in their order; params: one for all, or one for each."""
        each = list(params) if isinstance(params, Sequence) else [params] * len(prompts)
        if len(each) != len(prompts):
            raise ValueError(f"{len(each)} sampling parameters for {len(prompts)} prompts: give one for each, or one for all")
        return [request.result() for request in [self.submit(p, s) for p, s in zip(prompts, each)]]

    async def stream(self, prompt: str | Sequence[int], params: SamplingParams = SamplingParams(), user: str = "", priority: int = 0) -> AsyncIterator[Piece]:
        """The answer's pieces as they come. Leaving the iteration cancels the request."""
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue()
        request = self.submit(prompt, params, user, priority)
        request.forward(lambda piece: loop.call_soon_threadsafe(pieces.put_nowait, piece))
        try:
            while True:
                piece = await pieces.get()
                yield piece
                if piece.finish:
                    return
        finally:
            request.forward(lambda piece: None)  # the loop may be gone before the engine has noticed
            request.cancel()

    def close(self) -> None:
        """Cancels what runs and ends the thread."""
        atexit.unregister(self.close)
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _cancel(self, request: Request) -> None:
        with self._wake:
            request.cancelled = True
            self._wake.notify()

    def _ids(self, prompt: str | Sequence[int]) -> list[int]:
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise ValueError("the prompt is text, but the engine has no tokenizer: give token ids")
            prompt = self.tokenizer.encode(prompt)
        ids = [int(t) for t in prompt]
        if not ids:
            raise ValueError("there is no token to continue: the prompt is empty")
        if len(ids) >= self.model.config.max_position_embeddings:
            raise ValueError(f"the prompt has {len(ids)} tokens; the model takes fewer than {self.model.config.max_position_embeddings}")
        size = self.pool.layout.block_tokens
        if self.pool.limit is not None and self.pool.layout.block_bytes and -(-(len(ids) + 1) // size) > self.pool.limit:
            raise ValueError(f"the prompt needs {-(-(len(ids) + 1) // size)} blocks of cache, the engine has {self.pool.limit}: raise cache_blocks")
        return ids

    # --- the engine's thread ---

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._closed or self.waiting or self.running):
                    self._wake.wait()
                if self._closed:
                    left = self.waiting + self.running
                    break
            try:
                self.step()
            except Exception as error:  # whatever failed, those who wait must hear of it
                for request in list(self.running):
                    self._finish(request, "error", error=f"{type(error).__name__}: {error}")
        for request in left:
            self._finish(request, "cancelled")

    @torch.inference_mode()
    def step(self) -> None:
        """One forward, and what follows from it."""
        with self._wake:
            for request in [r for r in self.waiting + self.running if r.cancelled]:
                self._finish(request, "cancelled")
            waiting = list(self.waiting)
        free = self._free_blocks()
        for request in admit(waiting, len(self.running), free, self._blocks_of, self.limits):
            self._start(request)
        shares = self._reserve(plan(self.running, self.limits))
        if not shares:
            return
        self.steps += 1
        segments = [r.tokens(r.state.length, n) for r, n in shares]
        starts = [r.state.length for r, _ in shares]
        rows, at = [], 0
        for (request, n), segment in zip(shares, segments):
            at += n
            if n == request.pending:
                rows.append(at - 1)
        device = self.model.embed.weight.device
        batch = Batch.of(segments, starts, device)
        complete = [request for request, n in shares if n == request.pending]
        logits = self.model(batch, [r.state for r, _ in shares], rows=torch.tensor(rows, dtype=torch.int64, device=device))
        for request, _ in shares:
            self._remember(request)
        for request, row in zip(complete, logits):
            self._extend(request, sample(row, request.params, request.answer))

    def _start(self, request: Request) -> None:
        tokens = request.tokens(0, request.known)
        request.state = self.prefixes.start(request.user, tokens) if self.prefixes else self.model.new_state(self.pool)
        if not request.answer:
            request.cached = request.state.length
        with self._wake:
            self.waiting.remove(request)
            self.running.append(request)

    def _reserve(self, shares: list[tuple[Request, int]]) -> list[tuple[Request, int]]:
        """The shares for which there is memory, after evictions and preemptions."""
        kept: list[tuple[Request, int]] = []
        for request, n in shares:
            while request.state is not None:
                try:
                    request.state.reserve(request.state.length + n)
                    kept.append((request, n))
                    break
                except MemoryError:
                    if self.prefixes and self.prefixes.evict(1 + n // self.pool.layout.block_tokens):
                        continue
                    last = victim(self.running)
                    if last is None:
                        self._finish(request, "error", error="the cache is too small for this request alone: raise cache_blocks")
                    else:
                        self._preempt(last)
                        kept = [(r, k) for r, k in kept if r is not last]
        return kept

    def _preempt(self, request: Request) -> None:
        self.preemptions += 1
        request.state.release()
        request.state, request.snapshot = None, None
        with self._wake:
            self.running.remove(request)
            self.waiting.append(request)

    def _remember(self, request: Request) -> None:
        """Gives the prefix store what stands complete."""
        store, state = self.prefixes, request.state
        size = self.pool.layout.block_tokens
        if store is None or state.length % size:
            return
        end = request.pending <= size or state.length > len(request.prompt)
        request.snapshot = store.insert(request.user, request.tokens(0, state.length), state, request.snapshot, end)

    def _extend(self, request: Request, choice: Choice) -> None:
        request.answer.append(choice.token)
        text, stopped = request._text(choice.token)
        ended = self.tokenizer is not None and choice.token == self.tokenizer.eos_id
        finish = None
        if stopped or ended:
            finish = "stop"
        elif len(request.answer) >= request.params.max_tokens or request.known >= self.model.config.max_position_embeddings:
            finish = "length"
        if finish and not stopped:
            text += request._rest()
        piece = Piece((choice.token,), text, (choice,) if choice.logprob is not None else (), finish)
        if finish:
            self._finish(request, finish, piece)
        else:
            request.tell(piece)

    def _finish(self, request: Request, reason: str, piece: Piece | None = None, error: str | None = None) -> None:
        with self._wake:
            for group in (self.waiting, self.running):
                if request in group:
                    group.remove(request)
        if request.state is not None:
            request.state.release()
            request.state = None
        if not request.finished:
            request.finished = True
            request.tell(piece or Piece(text=request._rest(), finish=reason, error=error))

    def _free_blocks(self) -> int:
        if self.pool.limit is None or not self.pool.layout.block_bytes:
            return 1 << 60
        return self.pool.limit - self.pool.used + (self.prefixes.evictable() if self.prefixes else 0)

    def _blocks_of(self, request: Request) -> int:
        return request.known // self.pool.layout.block_tokens + 2


def _overlap(text: str, stop: str) -> int:
    """The longest end of `text` that begins `stop`."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)

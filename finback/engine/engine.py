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
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from finback.checkpoint import load
from finback.engine.constrain import Grammars
from finback.engine.disk import DiskStore
from finback.engine.guide import Guide, Markers
from finback.engine.journal import Journal, resumed
from finback.engine.prefix import Policy, PrefixStore
from finback.engine.request import Piece, Request, Result
from finback.engine.sampling import Choice, SamplingParams, likelihood, sample
from finback.engine.scheduler import Limits, admit, plan, victim
from finback.engine.speculate import Speculator
from finback.model import Batch, Transformer
from finback.model.identity import arithmetic, identity
from finback.text import Tokenizer, load_tokenizer


class Engine:
    """Runs a model for many requests. Its thread starts with the first request; `close` ends it.

    model: one that is loaded, or the folder of one, which is then loaded as `finback.load` does, with its tokenizer.
    cache_blocks: blocks of 128 tokens that all sequences and the prefix store share (None: as memory allows).
    prefix: the prefix store's policy (finback/engine/prefix.py), None for no store.
    drafts: how many tokens the MTP block drafts for each step, 0 to 4 (finback/engine/speculate.py); answers are the same.
    disk: a directory in which the prefix store outlives the process (finback/engine/disk.py), of at most disk_bytes.
    journal: a file that lets `resume` go on with the requests of a process that died (finback/engine/journal.py).
    With either of the two the model's weights must stay as they are while the engine lives.
    """

    def __init__(
        self,
        model: Transformer | str | Path,
        tokenizer: Tokenizer | None = None,
        *,
        limits: Limits = Limits(),
        cache_blocks: int | None = None,
        prefix: Policy | None = "periodic",
        period: int = 1024,
        snapshot_bytes: int = 1 << 30,
        drafts: int = 0,
        disk: str | Path | None = None,
        disk_bytes: int = 8 << 30,
        journal: str | Path | None = None,
    ):
        if isinstance(model, str | Path):
            model, tokenizer = load(model).requires_grad_(False), tokenizer or load_tokenizer(model)
        self.model, self.tokenizer, self.limits = model, tokenizer, limits
        self.grammars = Grammars(tokenizer, model.config.vocab_size) if tokenizer else None
        self.markers = Markers.of(tokenizer)
        self.speculator = Speculator(model, drafts) if drafts else None
        self.pool = model.new_pool(cache_blocks)
        if disk is not None and prefix is None:
            raise ValueError("a disk without a prefix store has nothing to hold: choose a policy with `prefix`")
        name = identity(model) if disk is not None or journal is not None else ""
        self.prefixes = None
        if prefix is not None and self.pool.layout.block_bytes:  # a cache of windows alone has no blocks to share
            files = None if disk is None else self._files(disk, disk_bytes, name)
            self.prefixes = PrefixStore(self.pool, prefix, period, snapshot_bytes, files)
        self.journal = Journal(journal, name) if journal is not None else None
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
        if (params.stop or params.constraint) and self.tokenizer is None:
            raise ValueError("stop strings and constraints need a tokenizer: give one to the engine")
        request = Request(self, self._ids(prompt), params, user, priority, next(self._arrivals))
        vocabulary = self.model.config.vocab_size
        for token in [*request.prompt, *params.logit_bias, *params.stop_token_ids]:
            if not 0 <= token < vocabulary:
                raise ValueError(f"token id {token} is outside the vocabulary of {vocabulary}")
        if self.journal is not None and not self._closed:
            request.entry = self.journal.begin(request)
        self._queue([request])
        return request

    def resume(self) -> list[Request]:
        """Goes on with the requests in the journal whose ends nobody has taken, in their order. Their pieces begin with
        what was sampled before. Raises ValueError, and resumes none, where one cannot run."""
        if self.journal is None:
            raise ValueError("there is nothing to resume: give the engine a journal")
        saved, arrivals = self.journal.saved, self._arrivals
        for one in saved:
            self._ids(one.prompt)
        requests = [resumed(self, one, next(arrivals)) for one in saved]
        self._queue([m for r in requests for m in r.members if not m.finished and m not in r.branches])
        self.journal.saved = []
        return requests

    def _queue(self, requests: list[Request]) -> None:
        with self._wake:
            if self._closed:
                raise ValueError("the engine is closed: make a new one")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="finback-engine", daemon=True)
                self._thread.start()
                atexit.register(self.close)  # a thread that is inside PyTorch when the interpreter ends aborts the process
            self.waiting += requests
            self._wake.notify()

    def generate(self, prompts: Sequence[str | Sequence[int]], params: SamplingParams | Sequence[SamplingParams] = SamplingParams()) -> list[Result]:
        """The answers to all prompts, in their order, several answers to one side by side; params: one for all, or one
        for each."""
        each = list(params) if isinstance(params, Sequence) else [params] * len(prompts)
        if len(each) != len(prompts):
            raise ValueError(f"{len(each)} sampling parameters for {len(prompts)} prompts: give one for each, or one for all")
        return [result for request in [self.submit(p, s) for p, s in zip(prompts, each)] for result in request.results()]

    async def stream(self, prompt: str | Sequence[int], params: SamplingParams = SamplingParams(), user: str = "", priority: int = 0) -> AsyncIterator[Piece]:
        """The answer's pieces as they come. Leaving the iteration cancels the request."""
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue()
        request = self.submit(prompt, params, user, priority)
        request.forward(lambda piece: loop.call_soon_threadsafe(pieces.put_nowait, piece))
        left = len(request.members)
        try:
            while left:
                piece = await pieces.get()
                left -= piece.finish is not None
                yield piece
        finally:
            request.forward(lambda piece: None)  # the loop may be gone before the engine has noticed
            request.cancel()

    def close(self) -> None:
        """Cancels what runs, ends the thread, and waits for the disk. In the journal nothing is cancelled."""
        atexit.unregister(self.close)
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()
        if self.journal is not None:
            self.journal.close()
        if self.prefixes is not None:
            self.prefixes.close()

    def _files(self, folder: str | Path, budget: int, name: str) -> DiskStore:
        layout = self.pool.layout
        sizes = {"block": layout.block_bytes, "rings": layout.fixed_bytes}
        return DiskStore(folder, f"{name} {arithmetic(self.model)} {layout.layers}", sizes, budget)

    def _cancel(self, request: Request) -> None:
        with self._wake:
            for member in request.members:
                member.cancelled = True
            self._wake.notify()

    def _guide(self, prompt: list[int], params: SamplingParams) -> Guide:
        matcher = self.grammars.matcher(params.constraint) if params.constraint else None
        return Guide(params, prompt, self.markers, self.tokenizer.eos_id if self.tokenizer else None, matcher)

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
                    break
            try:
                self.step()
            except Exception as error:  # whatever failed, those who wait must hear of it
                for request in list(self.running):
                    self._finish(request, "error", error=f"{type(error).__name__}: {error}")
        if self.journal is not None:
            self.journal.close()  # for a later engine those who are left are not over
        for request in self.waiting + self.running:
            self._finish(request, "cancelled")

    @torch.inference_mode()
    def step(self) -> None:
        """One forward, and what follows from it."""
        with self._wake:
            for request in [r for r in self.waiting + self.running if r.cancelled]:
                self._finish(request, "cancelled")
            waiting = list(self.waiting)
        free = self._free_blocks()
        started = admit(waiting, len(self.running), free, self._blocks_of, self.limits)
        for request in started:
            self._start(request)
        shares = plan(self.running, self.limits)
        if self.speculator:
            shares = self.speculator.offer(shares, self.limits.tokens)
        shares = self._reserve(shares)
        if not shares:
            return
        self.steps += 1
        starts = [r.state.length for r, _ in shares]
        segments = [r.tokens(start, n) for (r, n), start in zip(shares, starts)]
        rows, counts, firsts, at = [], [], [], 0
        for (request, n), start in zip(shares, starts):
            wanted = request.wanted(start, n)
            rows += [at + i for i in wanted]
            counts.append((len(wanted), max(n - request.pending + 1, 0)))
            firsts.append(at)
            at += n
        # weights that moved, say because others were loaded, are seen when the next request starts
        settled = nullcontext if started or not isinstance(self.model, Transformer) else self.model.settled
        with settled():
            logits, streams = self._forward(Batch.of(segments, starts, self.model.embed.weight.device), shares, rows)
        said: list[tuple[Request, list[Piece]]] = []
        passed: list[tuple[Request, int, int]] = []  # who goes on, with the row and position that its new tokens began at
        for (request, _), start, first, (count, ends), own in zip(shares, starts, firsts, counts, logits.split([c for c, _ in counts])):
            self._score(request, own[: count - ends])
            group = [request, *self._branch(request)] if ends else []
            for member in group:
                pieces = self._sample(member, own[count - ends :])
                said.append((member, pieces))
                if not pieces[-1].finish:
                    passed.append((member, first, start))
            if not ends:
                passed.append((request, first, start))
        if self.speculator:
            with settled():
                self.speculator.draft(passed, streams)
        for request, _ in shares:
            self._remember(request)
        for request, pieces in said:
            for piece in pieces:
                if piece.finish:
                    self._finish(request, piece.finish, piece)
                else:
                    request.tell(piece)

    def _forward(self, batch: Batch, shares: list[tuple[Request, int]], rows: list[int]) -> tuple[Tensor, Tensor | None]:
        states, wanted = [r.state for r, _ in shares], torch.tensor(rows, dtype=torch.int64, device=batch.tokens.device)
        if self.speculator:
            self.speculator.begin(shares)
            if any(r.drafting.on for r, _ in shares):
                return self.model.forward_with_streams(batch, states, wanted)
        return self.model(batch, states, rows=wanted), None

    def _score(self, request: Request, logits: Tensor) -> None:
        """The log-probabilities of the next prompt tokens."""
        for row in logits:
            token = request.prompt[len(request.scores) + 1]
            request.scores.append(likelihood(row, token, request.params.prompt_logprobs))

    def _branch(self, request: Request) -> list[Request]:
        """The branches of a request that stands at its prompt's end. Those for which there is room start there, with
        a copy of its state; the others wait, and will find the prompt in the prefix store."""
        started = []
        for branch in request.branches:
            room = len(self.running) < self.limits.requests
            try:
                branch.state = request.state.fork() if room else None
            except MemoryError:
                pass
            with self._wake:
                (self.waiting if branch.state is None else self.running).append(branch)
            if branch.state is not None:
                branch.cached = branch.state.length
                started.append(branch)
        request.branches = []
        return started

    def _sample(self, request: Request, logits: Tensor) -> list[Piece]:
        """The next token, given the logits after the last one; and the token after each draft, while drafts come true."""
        pieces: list[Piece] = []
        for row, draft in zip(logits, [*request.drafts, None]):
            try:
                allowed, forced = request.guide.allowed(self.model.config.vocab_size, request.midway)
                pieces.append(self._extend(request, sample(row, request.params, request.answer, allowed), forced))
            except (ValueError, KeyError) as error:  # a constraint broke, or a token has no text: nobody else is to fail
                pieces.append(Piece(text=request._rest(), finish="error", error=str(error)))
            if pieces[-1].finish or request.answer[-1] != draft:
                break
        if self.speculator:
            self.speculator.settle(request, sum(len(piece.tokens) for piece in pieces))
        return pieces

    def _start(self, request: Request) -> None:
        with self._wake:
            self.waiting.remove(request)
            self.running.append(request)  # first: if what follows fails, this request must end with the others
        tokens = request.tokens(0, request.known)
        stored = self.prefixes is not None and not request.unscored  # what is not computed has no logits
        request.state = self.prefixes.start(request.user, tokens) if stored else self.model.new_state(self.pool)
        if not request.answer:
            request.cached = request.state.length

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

    def _extend(self, request: Request, choice: Choice, forced: bool) -> Piece:
        request.answer.append(choice.token)
        finish = request.guide.take(choice.token)
        matched = choice.token if choice.token in request.params.stop_token_ids and finish == "stop" else None
        text = ""
        if matched is None:
            text, matched = request._text(choice.token)
            finish = "stop" if matched is not None else finish
        if finish is None and (len(request.answer) >= request.params.max_tokens or request.known >= self.model.config.max_position_embeddings):
            finish = "length"
        if finish and not isinstance(matched, str):
            text += request._rest()
        prompt = tuple(request.scores) if len(request.answer) == 1 else ()
        return Piece((choice.token,), text, (choice,) if choice.logprob is not None else (), finish, None, matched, 0, forced, prompt)

    def _finish(self, request: Request, reason: str, piece: Piece | None = None, error: str | None = None) -> None:
        with self._wake:
            for group in (self.waiting, self.running):
                if request in group:
                    group.remove(request)
        if request.state is not None:
            request.state.release()
            request.state = None
        if self.prefixes is not None:
            self.prefixes.settle(request.snapshot)
        if not request.finished:
            request.finished = True
            if self.speculator:
                self.speculator.count(request.drafting)
            request.tell(piece or Piece(text=request._rest(), finish=reason, error=error))
        branches, request.branches = request.branches, []  # without their prompt they cannot start
        for branch in branches:
            self._finish(branch, reason, error=error)

    def _free_blocks(self) -> int:
        if self.pool.limit is None or not self.pool.layout.block_bytes:
            return 1 << 60
        return self.pool.limit - self.pool.used + (self.prefixes.evictable() if self.prefixes else 0)

    def _blocks_of(self, request: Request) -> int:
        return request.known // self.pool.layout.block_tokens + 2

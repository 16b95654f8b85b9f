"""What does the server serve? Models by name, limits, keys, memory and counters, in one object that is passed around."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from finback.checkpoint import Card
from finback.engine import Constraint, Engine
from finback.server.ask import AskError
from finback.server.memory import Memory
from finback.server.metrics import Metrics
from finback.text import Tokenizer
from finback.text.tokens import DSML, EOS, THINK_END, THINK_START

T = TypeVar("T")


@dataclass(frozen=True)
class Model:
    """An engine under a name. The engine has a tokenizer."""

    name: str
    engine: Engine
    card: Card = Card()
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def tokenizer(self) -> Tokenizer:
        return self.engine.tokenizer

    @property
    def context(self) -> int:
        return self.engine.model.config.max_position_embeddings

    @cached_property
    def foreign(self) -> tuple[int, ...]:
        """Tokens that never belong to an assistant's answer (roles, tasks, pictures): they end it."""
        added = self.tokenizer.backend.get_added_tokens_decoder()
        return tuple(i for i, token in added.items() if token.content not in (THINK_START, THINK_END, DSML, EOS))

    def check(self, constraint: Constraint) -> None:
        """Raises ValueError where the engine cannot use the constraint."""
        self.engine.grammars.matcher(constraint)


@dataclass(frozen=True)
class Limits:
    """body_bytes: of a request, which must come within body_seconds; answer_tokens: where a client does not say.
    active: requests of all users that run or wait; per_user: of one of them. keep_alive_seconds: of silence in a stream."""

    body_bytes: int = 16 << 20
    body_seconds: float = 30.0
    answer_tokens: int = 4096
    active: int = 512
    per_user: int = 256
    keep_alive_seconds: float = 10.0


class Service:
    """keys: the API keys that are accepted; none: anybody may ask. origins: of pages elsewhere that may ask. hosts:
    the names that the server answers to; None: any."""

    def __init__(
        self, models: Iterable[Model], keys: Iterable[str] = (), limits: Limits = Limits(),
        origins: Iterable[str] = (), hosts: Iterable[str] | None = None,
    ):  # fmt: skip
        self.models = {model.name: model for model in models}
        self.keys = tuple(hashlib.sha256(key.encode()).digest() for key in keys)
        self.limits, self.origins = limits, frozenset(origins)
        self.hosts = None if hosts is None else frozenset(hosts)
        self.memory = Memory()
        self.metrics = Metrics(self)
        self.draining = False  # no new requests: the server is about to end
        self.active: Counter[str] = Counter()  # requests that run or wait, by user
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="finback-server")

    def model(self, name: str) -> Model:
        """The model of a name. Raises AskError 404."""
        if name not in self.models:
            raise AskError(404, "model_not_found", f"there is no model {name!r}; there are {', '.join(self.models)}", "model")
        return self.models[name]

    @contextmanager
    def place(self, user: str) -> Iterator[None]:
        """A place among the active requests. Raises AskError 429 or 503 where there is none."""
        if self.draining:
            raise AskError(503, "shutting_down", "the server is about to end: ask again when it is back", retry_after=5)
        if self.active[user] >= self.limits.per_user:
            raise AskError(429, "rate_limit_exceeded", f"{self.active[user]} requests of yours are running: wait until one ends", retry_after=2)
        if self.active.total() >= self.limits.active:
            raise AskError(503, "overloaded", f"{self.active.total()} requests are running or waiting: ask again later", retry_after=5)
        self.active[user] += 1
        try:
            yield
        finally:
            self.active[user] -= 1
            if not self.active[user]:
                del self.active[user]

    async def off_loop(self, function: Callable[..., T], *args: Any) -> T:
        """The function's result, computed on a thread while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, function, *args)

    @cached_property
    def outbox(self) -> Outbox:
        """Of the event loop that asks first, on which all others must ask too."""
        return Outbox(asyncio.get_running_loop())

    def close(self) -> None:
        """Cancels what runs and ends all threads."""
        self.draining = True
        for model in self.models.values():
            model.engine.close()
        self._workers.shutdown()


class Outbox:
    """Carries what engines say to queues of the event loop: whatever comes in one step wakes it up once."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop, self._held, self._woken = loop, deque(), False

    def put(self, queue: asyncio.Queue, item: Any) -> None:
        """From any thread."""
        self._held.append((queue, item))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False  # first: what is put from now on is taken below, or wakes the loop again
        while self._held:
            queue, item = self._held.popleft()
            queue.put_nowait(item)

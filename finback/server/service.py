"""What does the server serve? Models by name, limits, keys and counters, in one object that everything is passed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from finback.engine import Engine
from finback.server.ask import AskError


T = TypeVar("T")


@dataclass(frozen=True)
class Card:
    """How a model likes to be used where a client does not say. Read from its generation_config.json, in which
    "thinking": false says that it was never taught to think."""

    thinking: bool = True
    temperature: float = 1.0
    top_p: float = 1.0


@dataclass(frozen=True)
class Model:
    """An engine under a name."""

    name: str
    engine: Engine
    card: Card
    created: int  # seconds since 1970

    @property
    def tokenizer(self):
        return self.engine.tokenizer

    @property
    def context(self) -> int:
        return self.engine.model.config.max_position_embeddings


@dataclass(frozen=True)
class Limits:
    """body_bytes: of a request; answer_tokens: where a client does not say; active: requests per model that run or
    wait; per_user: of them, of one user."""

    body_bytes: int = 16 << 20
    answer_tokens: int = 4096
    active: int = 512
    per_user: int = 256
    body_seconds: float = 30.0
    keep_alive_seconds: float = 10.0
    stall_seconds: float = 60.0


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
        self._workers = ThreadPoolExecutor(4, thread_name_prefix="finback-server")

    def model(self, name: str) -> Model:
        """The model of a name. Raises AskError 404."""
        if name not in self.models:
            raise AskError(404, "model_not_found", f"there is no model {name!r}; there are {', '.join(self.models)}", "model")
        return self.models[name]

    async def off_loop(self, function: Callable[..., T], *args: Any) -> T:
        """The function's result, computed on a thread while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, function, *args)

    def close(self) -> None:
        for model in self.models.values():
            model.engine.close()
        self._workers.shutdown()

"""A server on a loopback port with a random model that knows the chat tokens, and what its tests say to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from helpers import random_model, tiny_config

from finback.checkpoint import Card
from finback.engine import Engine
from finback.server.app import create_app
from finback.server.serve import Patient, Server
from finback.server.service import Limits, Model, Service
from finback.text import Tokenizer, train_tokenizer

TOKENIZER: Tokenizer = train_tokenizer(['{"name": "value", "count": 12}\n<tool> the a of and to in is that Paris Rome ' * 3], 460)
TALKER = random_model(tiny_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=1 << 16), seed=9).requires_grad_(False)

# A random model would end most answers after a few tokens.
TALKATIVE = {str(i): -100.0 for i in TOKENIZER.backend.get_added_tokens_decoder()}

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather", "description": "The weather in a city.",
        "parameters": {
            "type": "object", "required": ["city"],
            "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
        },
    },
}  # fmt: skip
NOW = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}, "additionalProperties": False}}}


def new_engine(cache_blocks: int = 512, **kwargs) -> Engine:
    return Engine(TALKER, TOKENIZER, cache_blocks=cache_blocks, **kwargs)


@dataclass
class Running:
    service: Service
    url: str
    server: Server

    @property
    def engine(self) -> Engine:
        return next(iter(self.service.models.values())).engine

    def client(self, **kwargs) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **kwargs)

    def chat(self, content: str = "hello", **fields) -> httpx.Response:
        body = {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 8, "seed": 1, "logit_bias": TALKATIVE, **fields}
        return httpx.post(f"{self.url}/chat/completions", json=body, timeout=30)


@contextmanager
def serving(service: Service, grace: float = 5) -> Iterator[Running]:
    ports: list[int] = []
    config = uvicorn.Config(create_app(service), port=0, http=Patient, ws="none", log_level="error", timeout_graceful_shutdown=int(grace + 2))
    server = Server(config, service, ports.append, grace)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: ports)
    try:
        yield Running(service, f"http://127.0.0.1:{ports[0]}", server)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server does not end"


def new_service(limits: Limits = Limits(keep_alive_seconds=0.2), thinking: bool = False, **kwargs) -> Service:
    return Service([Model("tiny", new_engine(), Card(thinking))], limits=limits, **kwargs)


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)

"""An engine that is stepped by hand, and a tokenizer of the official design with a model of its vocabulary."""

from __future__ import annotations

from helpers import random_ids, random_model, tiny_config

from finback.engine import Engine, Request, SamplingParams
from finback.text import Tokenizer, train_tokenizer

TOKENIZER: Tokenizer = train_tokenizer(['{"name": "value", "count": 12}\n<tool> the a of and to in is that ' * 3], 420)
TALKER = random_model(tiny_config(vocab_size=TOKENIZER.vocab_size), seed=9).requires_grad_(False)


def prompt(n: int, seed: int, vocabulary: int = 160) -> list[int]:
    return random_ids(n, vocabulary, seed).tolist()


def queue(engine: Engine, ids: list[int], params: SamplingParams, user: str = "", priority: int = 0) -> Request:
    """Submits without the engine's thread."""
    request = Request(engine, engine._ids(ids), params, user, priority, next(engine._arrivals))
    engine.waiting.append(request)
    return request


def drive(engine: Engine, requests: list[Request], steps: int = 4000) -> None:
    for _ in range(steps):
        if all(member.finished for r in requests for member in r.members):
            return
        engine.step()
    raise AssertionError("requests did not finish")


def run(engine: Engine, ids: list[int], params: SamplingParams, **kwargs) -> Request:
    request = queue(engine, ids, params, **kwargs)
    drive(engine, [request])
    return request

"""A server over a scripted engine, and what its tests say to it and hear from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import server_helpers

from finback.checkpoint import Card
from finback.engine import Engine
from finback.server.service import Limits, Model, Service

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@contextmanager
def serving(engine: Engine, thinking: bool = True, keys: tuple[str, ...] = (), limits: Limits = Limits()) -> Iterator[str]:
    """The address of a server with one model, called mini."""
    with server_helpers.serving(Service([Model("mini", engine, Card(thinking=thinking))], keys, limits)) as running:
        yield running.url


def post(url: str, body: dict, **headers: str) -> httpx.Response:
    return httpx.post(url, json=body, headers=headers, timeout=60)


def events(text: str) -> list[tuple[str, str]]:
    """(event, data) of a stream."""
    found = []
    for part in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines.get("event", ""), lines["data"]))
    return found

"""A server on a port of its own, in a thread, over whatever engines a test has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from finback.engine import Engine
from finback.server.app import create_app
from finback.server.serve import Server
from finback.server.service import Card, Limits, Model, Service

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@contextmanager
def serving(engine: Engine, name: str = "mini", thinking: bool = True, keys: tuple[str, ...] = (), limits: Limits = Limits()) -> Iterator[str]:
    """The address of a server with one model."""
    service = Service([Model(name, engine, Card(thinking=thinking))], keys, limits)
    ready, ports = threading.Event(), []

    def started(port: int) -> None:
        ports.append(port)
        ready.set()

    config = uvicorn.Config(create_app(service), "127.0.0.1", 0, log_level="error", access_log=False)
    server = Server(config, service, started, grace=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(30), "the server did not start"
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def post(url: str, body: dict, **headers: str) -> httpx.Response:
    return httpx.post(url, json=body, headers=headers, timeout=60)


def events(text: str) -> list[tuple[str, str]]:
    """(event, data) of a stream."""
    found = []
    for part in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line and not line.startswith(":"))
        if lines:
            found.append((lines.get("event", ""), lines["data"]))
    return found

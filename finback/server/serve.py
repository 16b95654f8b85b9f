"""How does a server process live? It loads models, listens, and ends without cutting anybody off who is nearly done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from finback.server.app import create_app
from finback.server.service import Service

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADER_SECONDS = 10  # for a connection's first request line and headers
STALL_SECONDS = 60  # for a client to take something of what waits for it
CONNECTIONS = 4096
GRACE_SECONDS = 30  # for running answers, once the server is told to end


def read_keys(text: str) -> tuple[str, ...]:
    """API keys, one a line or separated by commas."""
    keys = tuple(key for key in (part.strip() for part in text.replace(",", "\n").splitlines()) if key and not key.startswith("#"))
    short = [i for i, key in enumerate(keys, 1) if len(key) < 16]
    if short:
        raise ValueError(f"API key {short[0]} has fewer than 16 characters: make one with `openssl rand -hex 24`")
    return keys


def serve(service: Service, host: str, port: int, ready: Callable[[int], None] = lambda port: None, grace: float = GRACE_SECONDS) -> None:
    """Serves until it is told to end by SIGINT or SIGTERM. ready: is told the port when connections are taken."""
    config = uvicorn.Config(
        create_app(service), host, port, http=Patient, ws="none", log_level="warning", access_log=False, proxy_headers=False,
        server_header=False, limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=int(grace + 5),
    )  # fmt: skip
    Server(config, service, ready, grace).run()


class Server(uvicorn.Server):
    """Told to end, it takes no new requests, lets the running ones finish for a while, and then ends their answers with
    an error that says why."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[int], None], grace: float):
        super().__init__(config)
        self._service, self._ready, self._grace = service, ready, grace

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: Any = None) -> None:
        self._service.draining = True
        hurry = asyncio.ensure_future(self._hurry())
        try:
            await super().shutdown(sockets)
        finally:
            hurry.cancel()

    async def _hurry(self) -> None:
        await asyncio.sleep(self._grace)
        for model in self._service.models.values():
            await asyncio.to_thread(model.engine.close)


class Patient(H11Protocol):
    """Waits for clients, but not for ever: for the headers of their next request, and for them to read what they asked
    for. Whoever sends letter by letter, or takes nothing, is left; an answer that runs for him then ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._stalled: asyncio.TimerHandle | None = None
        self._await_headers()

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        self._await_headers()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

"""Which address leads where? One application over one service, with a router for each dialect and for the page."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI, Request, Response

from finback.server.ask import AskError
from finback.server.http import refused
from finback.server.service import Service

ROUTERS = ("openai", "completions", "status", "anthropic", "responses", "page", "microscope")


def create_app(service: Service) -> FastAPI:
    """The application of a service; it closes the service when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(title="Finback", lifespan=lifespan)
    app.state.service = service
    for name in ROUTERS:
        if importlib.util.find_spec(f"finback.server.{name}"):
            app.include_router(import_module(f"finback.server.{name}").router)

    @app.exception_handler(AskError)
    async def on_refusal(request: Request, error: AskError) -> Response:
        return refused(request, error)

    return app

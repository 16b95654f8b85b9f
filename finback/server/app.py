"""Which address leads where? One application over one service, with a router for each dialect and for the page."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finback.server.ask import AskError
from finback.server.http import document, refused
from finback.server.openai import error_body
from finback.server.service import Service

ROUTERS = ("openai", "completions", "status", "anthropic", "responses", "page")


def create_app(service: Service) -> FastAPI:
    """The application of a service; it closes the service when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(title="Finback", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.service, app.state.error_body = service, error_body
    for name in ROUTERS:
        if importlib.util.find_spec(f"finback.server.{name}"):
            app.include_router(import_module(f"finback.server.{name}").router)
    described = app.openapi
    app.openapi = lambda: app.openapi_schema or document(described())
    app.add_middleware(_Counted, service=service)
    if service.origins:
        app.add_middleware(CORSMiddleware, allow_origins=sorted(service.origins), allow_methods=["GET", "POST"], allow_headers=["*"])

    @app.exception_handler(AskError)
    async def on_refusal(request: Request, error: AskError) -> Response:
        return refused(request, error)

    @app.exception_handler(HTTPException)
    async def on_no_route(request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        answer = refused(request, AskError(error.status_code, code, f"{request.method} {request.url.path}: {error.detail}"))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def on_bad_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        return refused(request, AskError(422, "invalid_value", f"{at}: {first['msg']}", at))

    @app.exception_handler(Exception)
    async def on_mistake(request: Request, error: Exception) -> Response:
        return refused(request, AskError(500, "internal_error", "the server made a mistake; its log says which"))

    return app


class _Counted:
    """Counts answered requests by route and status."""

    def __init__(self, app: ASGIApp, service: Service):
        self._app, self._requests = app, service.metrics.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope.get("route")  # unknown paths share a name: anybody may invent them
                self._requests.labels(getattr(route, "path", "other"), message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted)

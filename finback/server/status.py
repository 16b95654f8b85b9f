"""How is the server, and what has it? Models, health, metrics, version."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from finback.server.http import as_json, refusals, service_of, speaks
from finback.server.openai import error_body
from finback.server.service import Model

open_router = APIRouter(tags=["status"])  # for whoever watches the server, who needs no key
keyed_router = APIRouter(dependencies=[speaks(error_body)], responses=refusals(), tags=["status"])


@open_router.get("/health", responses={503: {"description": "The server is about to end."}})
async def health(request: Request) -> Response:
    """200 while the server takes requests, 503 when it is about to end. Never waits for a model."""
    draining = service_of(request).draining
    return as_json({"status": "draining" if draining else "ok"}, 503 if draining else 200)


@open_router.get("/version")
async def finback_version() -> Response:
    try:
        return as_json({"version": version("finback")})
    except PackageNotFoundError:
        return as_json({"version": "unknown"})


@keyed_router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    service = service_of(request)
    text = await service.off_loop(generate_latest, service.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@keyed_router.get("/models")
@keyed_router.get("/v1/models", include_in_schema=False)
async def models(request: Request) -> Response:
    return as_json({"object": "list", "data": [_entry(model) for model in service_of(request).models.values()]})


@keyed_router.get("/models/{name:path}")
@keyed_router.get("/v1/models/{name:path}", include_in_schema=False)
async def model(request: Request, name: str) -> Response:
    return as_json(_entry(service_of(request).model(name)))


def _entry(model: Model) -> dict[str, Any]:
    return {
        "id": model.name, "object": "model", "created": model.created, "owned_by": "finback",
        "context_length": model.context, "thinking": model.card.thinking,
    }  # fmt: skip


router = APIRouter()
router.include_router(open_router)
router.include_router(keyed_router)

"""How do requests come in and answers go out, whatever the dialect? Bodies with limits, and streams that notice who leaves.

An endpoint of a dialect reads

    router = APIRouter(prefix="/anthropic", dependencies=[speaks(error_body)])  # error_body: AskError -> the JSON of an error

    @router.post("/v1/messages", openapi_extra=takes(MessagesBody))
    async def messages(request: Request) -> Response:
        wire = await body(request, MessagesBody)
        events = run(service_of(request), to_ask(wire, user_of(request, wire.user)))
        if wire.stream:
            return await stream(request, translated(events))  # an async generator of "event: ...\n\ndata: ...\n\n"
        return await whole(request, collected(events))  # a coroutine that returns the JSON of the answer

Errors before the first chunk of a stream become a plain error response; later ones are the translation's to say.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from finback.server.ask import AskError
from finback.server.service import Service

LARGE = 1 << 15  # bytes of a body that is read off the event loop
DEFINITIONS = "x-definitions"
_USER = re.compile(r"[\x21-\x7e]{0,512}")

Wire = TypeVar("Wire", bound=BaseModel)
ErrorBody = Callable[[AskError], dict[str, Any]]


def service_of(request: Request) -> Service:
    return request.app.state.service


def speaks(error_body: ErrorBody) -> Any:
    """The dependency of a dialect's router: gives its errors their shape, and lets in who may come in."""

    async def enter(request: Request) -> None:
        request.state.error_body = error_body
        request.state.key = admitted(request)

    return Depends(enter)


def admitted(request: Request) -> str:
    """A name for the caller's API key that gives nothing away. Raises AskError 401 or 403."""
    service = service_of(request)
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if service.hosts is not None and _name(host) not in service.hosts:
        raise AskError(403, "forbidden_host", f"this server does not answer to the host name {host!r}: ask 127.0.0.1 or localhost")
    if origin is not None and origin.partition("://")[2] != host and origin not in service.origins:
        raise AskError(403, "forbidden_origin", f"pages of {origin!r} may not ask this server: start it with --cors {origin}")
    if not service.keys:
        return ""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    digest = hashlib.sha256(given.encode()).digest()
    if not sum(hmac.compare_digest(digest, key) for key in service.keys):  # all of them, so that the time tells nothing
        raise AskError(401, "invalid_api_key", "the API key is missing or wrong: send Authorization: Bearer KEY")
    return digest.hex()[:16]


def _name(host: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def user_of(request: Request, user: str | None = None) -> str:
    """Whose cache and memory a request uses: the key's, and within it the user's that the client names."""
    if not _USER.fullmatch(user or ""):
        raise AskError(422, "invalid_value", "the user id must be at most 512 visible ASCII characters", "user_id")
    return f"{request.state.key}/{user or ''}"


def takes(wire: type[BaseModel]) -> dict[str, Any]:
    """What a route says of its body in the OpenAPI document; `body` reads it. `document` puts the definitions in place."""
    schema = wire.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = {**schema.pop("$defs", {}), wire.__name__: schema}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{wire.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}, DEFINITIONS: definitions}


def refusals() -> dict[int | str, dict[str, Any]]:
    """The errors that every route of a dialect may give, for the OpenAPI document."""
    said = {
        400: "The request makes no sense, or not for this model.", 401: "The API key is missing or wrong.",
        403: "The host name or the page that asks is not among those allowed.", 404: "There is no such model.",
        408: "The body did not come in time.", 413: "The body is too long.", 422: "A field is not what it must be.",
        429: "Too many requests of one user.", 500: "The answer failed.", 503: "The server is busy or about to end.",
    }  # fmt: skip
    return {status: {"description": text, "content": {"application/json": {"schema": {"type": "object"}}}} for status, text in said.items()}


STREAMS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "object"}}}}}  # of a route that may stream


def document(described: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with the definitions of its bodies among its components."""
    for path in described["paths"].values():
        for operation in path.values():
            described.setdefault("components", {}).setdefault("schemas", {}).update(operation.pop(DEFINITIONS, {}))
    return described


async def body(request: Request, wire: type[Wire]) -> Wire:
    """The request's JSON. Raises AskError: 400 where it is no JSON object, 408 where it does not come, 413 where it is
    too long, 422 where a field is not what it must be."""
    limits = service_of(request).limits
    limit, raw = limits.body_bytes, bytearray()
    too_long = AskError(413, "request_too_large", f"the request has more than {limit} bytes")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_long
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise too_long
    except TimeoutError:
        raise AskError(408, "request_timeout", f"the request did not come within {limits.body_seconds:g} s") from None
    try:
        if len(raw) < LARGE:
            return wire.model_validate_json(bytes(raw))
        return await service_of(request).off_loop(wire.model_validate_json, bytes(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or None
        if not first["loc"] and first["type"] != "missing":
            raise AskError(400, "invalid_json", f"the body is not a JSON object: {first['msg']}") from None
        raise AskError(422, "invalid_value", f"{at}: {first['msg']}", at) from None


async def whole(request: Request, answer: Coroutine[Any, Any, dict[str, Any]], status: int = 200) -> Response:
    """The answer as JSON. It is cancelled when the client leaves."""
    work, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_gone(request.receive))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return as_json(work.result(), status) if work.done() else Response(status_code=499)  # which nobody will see
    finally:
        await _end(work, gone)


async def stream(request: Request, chunks: AsyncIterator[str]) -> Response:
    """A response of server-sent events. Its first chunk is awaited here, so that an AskError still becomes an error
    response; after it comments keep a silent connection alive, and `chunks` is closed when the client leaves."""
    first = asyncio.ensure_future(anext(chunks))
    gone = asyncio.ensure_future(_gone(request.receive))
    try:
        await asyncio.wait({first, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            return Response(status_code=499)
        return _EventStream(first.result(), chunks, gone, service_of(request))
    except BaseException:
        gone.cancel()
        raise
    finally:
        if not first.done():
            await _end(first, gone)


def as_json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(content, ensure_ascii=False, separators=(",", ":")), status, headers, "application/json")


def refused(request: Request, error: AskError) -> Response:
    """The response to an AskError, in the dialect of the route that raised it."""
    shape = getattr(request.state, "error_body", request.app.state.error_body)
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return as_json(shape(error), error.status, headers)


class _EventStream(Response):
    media_type = "text/event-stream"

    def __init__(self, first: str, chunks: AsyncIterator[str], gone: asyncio.Future, service: Service):
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._first, self._chunks, self._gone, self._limits = first, chunks, gone, service.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pump = asyncio.ensure_future(self._pump(send))
        keeper = asyncio.ensure_future(self._keep_alive(send))
        try:
            await asyncio.wait({pump, keeper, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
        finally:
            await _end(pump, keeper, self._gone)
            await self._chunks.aclose()

    async def _pump(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await self._say(send, self._first)
        async for chunk in self._chunks:
            await self._say(send, chunk)
        await send({"type": "http.response.body", "body": b""})

    async def _say(self, send: Send, chunk: str) -> None:
        self._speaking = True
        await send({"type": "http.response.body", "body": chunk.encode(), "more_body": True})
        self._speaking, self._said = False, True

    async def _keep_alive(self, send: Send) -> None:
        """Comments while nothing else is said."""
        while True:
            self._said = False
            await asyncio.sleep(self._limits.keep_alive_seconds)
            if not (self._said or self._speaking):
                await send({"type": "http.response.body", "body": b": keep-alive\n\n", "more_body": True})

    _speaking = True  # until the headers are out
    _said = False


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Future) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

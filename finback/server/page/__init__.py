"""What does the server send to a browser? The chat page: static files, under a policy that lets nothing else in.

`/` is the page, `/page/...` its scripts and styles, `/microscope` (finback/server/microscope.py) what it alone asks. The page asks only its own server; a model's output that got past
the page's sanitiser could still run no script, load no picture and reach no other host.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from finback.server import microscope

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
FOLDER = Path(__file__).parent
FILES = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.suffix in TYPES}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",  # data: for the strokes of formulas
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked again each time, and answered with 304
}

router = APIRouter()
router.include_router(microscope.router)


@router.get("/", include_in_schema=False)
def page(request: Request) -> Response:
    return _send("index.html", request)


@router.get("/page/{name:path}", include_in_schema=False)
def file(name: str, request: Request) -> Response:
    return _send(name, request)


def _send(name: str, request: Request) -> Response:
    if name not in FILES:
        raise HTTPException(404, f"the page has no file {name!r}")
    content = FILES[name].read_bytes()
    headers = {**HEADERS, "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=TYPES[FILES[name].suffix], headers=headers)

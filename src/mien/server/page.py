"""The web page, where it was built into the package (CONTRIBUTING.md says how)."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

PAGE = Path(__file__).parent / "page"

_HEADERS = {
    "Cache-Control": "no-cache",  # asks each time, and is answered 304: a new version is seen at once
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'",
}

_ABSENT = (
    "The web page was not built into this installation; CONTRIBUTING.md says how to build it.\n"
    "The service itself is there: /docs shows its paths.\n"
)


def add_page(app: FastAPI, folder: Path = PAGE) -> None:
    """Serve the files of ``folder``, ``index.html`` at ``/``; each has its own route, so that no other is reached."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if folder / "index.html" not in files:
        app.router.routes.append(Route("/", _absent))
        return
    static = StaticFiles(directory=folder)
    for path in files:
        name = path.relative_to(folder).as_posix()
        endpoint = GZipMiddleware(_File(static, name), compresslevel=6)
        app.router.routes.append(Route("/" if name == "index.html" else f"/{name}", endpoint))


class _File:
    """Answers with one file."""

    def __init__(self, static: StaticFiles, name: str) -> None:
        self._static = static
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._static.get_response(self._name, scope)
        response.headers.update(_HEADERS)
        await response(scope, receive, send)


async def _absent(request: Request) -> Response:
    return PlainTextResponse(_ABSENT)

"""The application: routes, middleware and the static web page, put together."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response, Security
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from mien import __version__
from mien.server import openapi, problems, routes, stream
from mien.server.inference import Engine, WorkerPool
from mien.server.middleware import Metrics, add_middleware, log
from mien.server.security import AccessControl, AccessMiddleware
from mien.server.service import Service
from mien.server.settings import ServeSettings

PAGE = Path(__file__).parent / "page"
"""The built web page, if it is part of the installation."""

_DESCRIPTION = """Face detection, facial landmarks and face alignment. One image per request: as a form, as raw bytes or
as base64 in JSON. Uploads are never stored. Errors are problem documents (RFC 9457) with a `code`."""

_HASHED = re.compile(r"\.[0-9a-f]{8,}\.\w+$")
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'"
)
_NO_PAGE = (
    "The web page is not part of this installation; CONTRIBUTING.md explains how to build it.\n"
    "The API is running; /docs lists its routes.\n"
)


def create_app(settings: ServeSettings, page: Path = PAGE) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        settings: See :class:`ServeSettings`.
        page: Folder of the web page.

    Raises:
        ModelMissing, ModelMismatch, BadOption.
    """
    access, metrics = AccessControl.of(settings), Metrics()
    service = Service(settings, Engine(settings), WorkerPool(settings.workers, settings.queue), access, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log("start", {"workers": settings.workers})
        yield
        log("stop")

    app = FastAPIOffline(
        title="mien",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would reveal the host and scheme behind a proxy
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    app.state.model_cards = routes.model_cards()
    problems.add_handlers(app)
    openapi.add_components(app)
    # Documentation only: AccessMiddleware enforces the key.
    security = [] if access.key is None else [Security(APIKeyHeader(name="X-API-Key", auto_error=False))]
    app.include_router(routes.images, dependencies=security)
    app.include_router(routes.guarded, dependencies=security)
    app.include_router(routes.public)
    app.include_router(stream.router)
    _add_page(app, page)
    app.add_middleware(AccessMiddleware, access=access)
    if settings.cors_origins:
        _allow_origins(app, settings.cors_origins)
    add_middleware(app, metrics)
    return app


def _allow_origins(app: FastAPI, origins: tuple[str, ...]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
        expose_headers=["Retry-After", "X-Faces-Found", "X-Min-Face-Size", "X-Request-ID"],
    )


class _PageFiles(StaticFiles):
    """Files of the page; those with a content hash in their name are cached for ever, the others revalidated."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with its headers."""
        response = await super().get_response(path, scope)
        immutable = _HASHED.search(path) is not None
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if immutable else "no-cache"
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response


def _add_page(app: FastAPI, folder: Path) -> None:
    """Serve each file and subfolder under its name, so that the routes of the API stay intact."""
    if not (folder / "index.html").is_file():
        app.router.routes.append(Route("/", _no_page))
        return
    files = _PageFiles(directory=folder)

    async def send_file(name: str, scope: Scope, receive: Receive, send: Send) -> None:
        response = await files.get_response(name, scope)
        await response(scope, receive, send)

    for child in sorted(folder.iterdir()):
        path = "/" if child.name == "index.html" else f"/{child.name}"
        if child.is_dir():
            app.router.routes.append(Mount(path, GZipMiddleware(_PageFiles(directory=child))))
        else:
            app.router.routes.append(Route(path, GZipMiddleware(partial(send_file, child.name))))


async def _no_page(request: Request) -> Response:
    return PlainTextResponse(_NO_PAGE)

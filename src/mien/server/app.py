"""The application: its parts put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Security
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from mien.server import routes, stream, system
from mien.server.engine import Engine
from mien.server.front import Keep, Observe
from mien.server.guard import Guard, RateLimit
from mien.server.logs import log
from mien.server.metrics import Metrics
from mien.server.openapi import add_components
from mien.server.page import PAGE, add_page
from mien.server.pool import Pool
from mien.server.problems import add_handlers
from mien.server.service import Service
from mien.server.settings import ServeSettings

_ABOUT = """Faces in images: boxes, points, aligned faces. One image a request: as a form, raw, or base64 in JSON.
Nothing that is sent is kept. Errors are problem documents (RFC 9457) with a `code`."""

_ASKED = ["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"]
_SHOWN = ["Retry-After", "X-Faces-Found", "X-Request-ID"]


def create_app(settings: ServeSettings, page: Path = PAGE) -> FastAPI:
    """The service as an ASGI application. Opens the networks; raises ModelMissing, ModelMismatch, BadOption."""
    metrics = Metrics()
    guard = Guard(settings.key, RateLimit(settings.rate, settings.burst))
    service = Service(settings, Engine(settings), Pool(settings.workers, settings.queue), guard, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log("start", {"workers": settings.workers})
        yield
        service.pool.close()
        log("stop")

    app = FastAPIOffline(
        title="mien",
        version=version("mien"),
        description=_ABOUT,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host and scheme that a proxy hides
        telemetry={"tracing": False, "metrics": False, "logs": False},  # newer FastAPIs have it, off or not
    )
    app.state.service = service
    app.state.cards = system.cards()
    add_handlers(app)
    add_components(app)
    lock = (
        [] if guard.key is None else [Security(APIKeyHeader(name="X-API-Key", auto_error=False))]
    )  # as /docs shows it
    app.include_router(routes.router, dependencies=lock)
    app.include_router(system.guarded, dependencies=lock)
    app.include_router(system.router)
    app.include_router(stream.router)
    add_page(app, page)
    app.add_middleware(Keep, guard=guard)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=_ASKED,
            expose_headers=_SHOWN,
        )
    app.add_middleware(Observe, metrics=metrics)
    return app

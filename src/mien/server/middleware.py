"""Access log, metrics, request id and response headers of every request; logging as JSON.

asgi-correlation-id sets the request id, python-json-logger formats, prometheus-client counts.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping
from typing import Any

from asgi_correlation_id import CorrelationIdFilter, CorrelationIdMiddleware
from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLIENT_CLOSED = 499
"""Status in log and metrics when the client disconnected before the response."""

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_QUOTING_LOGGERS = ("python_multipart", "PIL", "py.warnings")
"""Loggers that quote uploaded data."""

_log = logging.getLogger("mien.server")


class Metrics:
    """Prometheus metrics of one service, in their own registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        PlatformCollector(registry)
        ProcessCollector(registry=registry)
        GCCollector(registry)
        labels = ("method", "path", "status")
        self.requests = Counter("mien_requests", "Answered requests.", labels, registry=registry)
        self.seconds = Histogram(
            "mien_request_seconds", "Duration of requests.", ("path",), buckets=_BUCKETS, registry=registry
        )
        self.running = Gauge("mien_requests_in_progress", "Requests in progress.", registry=registry)
        self.slots = Gauge("mien_slots_used", "Uploads that arrive, wait or are processed.", registry=registry)
        self.images = Counter("mien_images", "Analyzed images.", registry=registry)
        self.faces = Counter("mien_faces", "Detected faces.", registry=registry)
        self.streams = Gauge("mien_streams", "Open streams.", registry=registry)
        self.frames = Counter("mien_frames", "Stream frames: processed or dropped.", ("what",), registry=registry)


class AccessLogMiddleware:
    """Count, time and log each request: method, route, status, duration; never address, query or body."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. WebSockets are logged by the stream route."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        status = CLIENT_CLOSED
        completed = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        self._metrics.running.inc()
        try:
            await self._app(scope, receive, send_with_headers)
            completed = True
        finally:
            self._metrics.running.dec()
            self._record(scope, status if completed else 500, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")  # invented paths must not become time series
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        log("request", {"method": method, "path": route, "status": status, "ms": round(1000 * seconds, 1)})


def add_middleware(app: FastAPI, metrics: Metrics) -> None:
    """Add access log and request id, outermost."""
    app.add_middleware(AccessLogMiddleware, metrics=metrics)
    app.add_middleware(CorrelationIdMiddleware, validator=lambda value: bool(_VALID_ID.fullmatch(value)))


def configure_logging(level: str) -> None:
    """Log to stderr, one JSON object per line. uvicorn's own access log, which has addresses and queries, is off."""
    formatter = JsonFormatter(
        ["levelname", "name", "message"],
        timestamp="time",
        rename_fields={
            "levelname": "level",
            "name": "logger",
            "message": "event",
            "correlation_id": "request_id",
            "exc_info": "exception",
        },
        reserved_attrs=[*RESERVED_ATTRS, "color_message"],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(CorrelationIdFilter())
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    _log.setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in (*_QUOTING_LOGGERS, "asgi_correlation_id"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def log(event: str, fields: Mapping[str, Any] | None = None, level: int = logging.INFO) -> None:
    """Log an event of the service; ``fields`` must hold nothing of an image."""
    _log.log(level, event, extra=fields)

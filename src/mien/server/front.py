"""What happens to every request before and after it is answered: id, log, metrics, headers, key and rate."""

from __future__ import annotations

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.server.guard import Guard, key_of
from mien.server.logs import log, request_id
from mien.server.metrics import Metrics
from mien.server.problems import Problem
from mien.server.service import CLIENT_GONE

_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def client_of(scope: Scope) -> str:
    """The address of the client."""
    return scope["client"][0] if scope.get("client") else "unknown"


class Observe:
    """Gives each request an id, and counts, times and logs it: method, path, status, never query or body."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id.set(given if _OWN_ID.fullmatch(given) else uuid.uuid4().hex)
        if scope["type"] == "websocket":  # the stream counts and logs by itself
            await self._app(scope, receive, send)
            return
        await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        status = CLIENT_GONE
        ended = False

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id.get()
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        self._metrics.running.inc()
        try:
            await self._app(scope, receive, send_on)
            ended = True
        finally:
            self._metrics.running.dec()
            self._count(scope, status if ended else 500, time.perf_counter() - start)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        log("request", {"method": method, "path": route, "status": status, "ms": round(1000 * seconds, 1)})


class Keep:
    """Lets only those to ``/v1/`` and ``/metrics`` who show the key and do not ask too often."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer with a problem; WebSockets are asked by the stream itself."""
        if scope["type"] == "http" and scope["path"].startswith(("/v1/", "/metrics")):
            try:
                self._guard.limit.take(client_of(scope))
                self._guard.check_key(key_of(HTTPConnection(scope).headers))
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

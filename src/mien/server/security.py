"""Access control: API key, rate limits, connection limits, malformed requests."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mien.server.problems import Problem
from mien.server.settings import ServeSettings

MAX_HEADER_BYTES = 16 * 1024
"""Request line and headers. h11 alone lets longer ones pass that arrive in one piece."""

_MAX_CLIENTS = 10_000
"""Clients whose buckets are kept; the least recently seen is forgotten first."""

_WRONG_KEYS = 10
_WRONG_KEYS_PER_SECOND = 1 / 6
_UNAUTHENTICATED = 16
"""WebSockets that may be open at once before they have sent their key."""


def client_of(scope: Scope) -> str:
    """Return the client's address; IPv6 clients count by /64 network, as one host can use all addresses of it."""
    host = scope["client"][0] if scope.get("client") else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{ipaddress.IPv6Address(address.packed[:8] + bytes(8))}/64"


@dataclass(slots=True)
class _Bucket:
    """``tokens`` at the time ``filled`` in seconds."""

    tokens: float
    filled: float


class RateLimit:
    """A token bucket per client: ``burst`` tokens, refilled at ``rate`` per second; rate 0: no limit."""

    def __init__(self, rate: float, burst: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._what = what
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}  # least recently seen first

    def take(self, client: str) -> None:
        """Take one token. Raises Problem if there is none."""
        if self._rate:
            self._filled(client).tokens -= 1

    def check(self, client: str) -> None:
        """Take no token. Raises Problem if there is none."""
        if self._rate and client in self._buckets:
            self._filled(client)

    def _filled(self, client: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(client, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._rate)
        bucket.filled = now
        self._buckets[client] = bucket
        if len(self._buckets) > _MAX_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        if bucket.tokens < 1:
            detail = f"more than {self._burst} {self._what} at once or {self._rate:.3g} per second; wait and retry"
            raise Problem("too-many-requests", detail, retry_after=math.ceil((1 - bucket.tokens) / self._rate))
        return bucket


@dataclass(slots=True)
class ConnectionLimit:
    """At most ``total`` connections, ``per_client`` of them from one client."""

    total: int
    per_client: int
    open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Count a connection while it is open. Raises Problem if a limit is reached."""
        if self.open.total() >= self.total or self.open[client] >= self.per_client:
            raise Problem("busy", f"{self.open.total()} streams are open, {self.open[client]} of this client")
        self.open[client] += 1
        try:
            yield
        finally:
            self.open[client] -= 1
            self.open += Counter()  # drops clients without connections


@dataclass(frozen=True, slots=True)
class AccessControl:
    """API key (None: open to everybody), rate limits and WebSocket limits."""

    key: str | None
    requests: RateLimit
    wrong_keys: RateLimit
    streams: ConnectionLimit
    unauthenticated: ConnectionLimit

    @classmethod
    def of(cls, settings: ServeSettings) -> AccessControl:
        """Return the access control of a service. Raises BadOption for an unusable key."""
        return cls(
            settings.key,
            RateLimit(settings.rate, settings.burst, "requests"),
            RateLimit(_WRONG_KEYS_PER_SECOND, _WRONG_KEYS, "wrong keys"),
            ConnectionLimit(settings.streams, settings.streams_per_client),
            ConnectionLimit(_UNAUTHENTICATED, settings.streams_per_client),
        )

    def check_key(self, client: str, given: str | None) -> None:
        """Raise Problem unless the key is right; in constant time, and only a few times per client for wrong keys."""
        if self.key is None:
            return
        if given is None:
            raise Problem("unauthorized", "send the key as X-API-Key or as Authorization: Bearer")
        self.wrong_keys.check(client)
        digests = [hashlib.sha256(key.encode()).digest() for key in (given, self.key)]
        if not hmac.compare_digest(*digests):
            self.wrong_keys.take(client)
            raise Problem("unauthorized", "the API key is wrong")


def key_of(headers: Mapping[str, str]) -> str | None:
    """Return the API key in the headers, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key")


class AccessMiddleware:
    """Enforce rate limit and API key on ``/v1/`` and ``/metrics``; reject malformed requests everywhere.

    WebSockets pass: the stream route enforces its own rules.
    """

    def __init__(self, app: ASGIApp, access: AccessControl) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or answer with a problem document."""
        if scope["type"] == "http":
            try:
                self._check(scope)
            except Problem as problem:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            raise Problem("bad-request", "Content-Length and Transfer-Encoding together; send one of them")
        size = len(scope["raw_path"]) + len(scope["query_string"])
        size += sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
        if size > MAX_HEADER_BYTES:
            raise Problem("bad-request", f"headers of {size} bytes, more than {MAX_HEADER_BYTES}; send fewer")
        if scope["path"].startswith(("/v1/", "/metrics")):
            client = client_of(scope)
            self._access.requests.take(client)
            self._access.check_key(client, key_of(headers))

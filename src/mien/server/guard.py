"""Who may ask, and how often."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mien.server.problems import Problem

_MOST_CLIENTS = 10_000
"""Clients that are remembered; the one that has asked for nothing for longest is forgotten first."""


@dataclass(slots=True)
class _Bucket:
    """``tokens`` at the time ``filled``, in seconds; each request takes one."""

    tokens: float
    filled: float


class RateLimit:
    """A bucket of ``burst`` tokens for each client, filled by ``rate`` a second; 0: no limit."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}  # the one used last is last

    def take(self, client: str) -> None:
        """Count a request of ``client``. Raises Problem where it has asked too often."""
        if not self._rate:
            return
        now = self._clock()
        bucket = self._buckets.pop(client, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._rate)
        bucket.filled = now
        self._buckets[client] = bucket
        if len(self._buckets) > _MOST_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        if bucket.tokens < 1:
            raise Problem(
                "too-many-requests",
                f"more than {self._rate:g} requests a second, {self._burst} at once",
                retry_after=math.ceil((1 - bucket.tokens) / self._rate),
            )
        bucket.tokens -= 1


@dataclass(frozen=True, slots=True)
class Guard:
    """The key that clients must show (None: none) and their rate limit."""

    key: str | None
    limit: RateLimit

    def check_key(self, given: str | None) -> None:
        """Raises Problem where a key is needed and this is not it; takes equally long whatever was given."""
        if self.key is None:
            return
        if given is None:
            raise Problem("unauthorized", "send the key as X-API-Key, or as Authorization: Bearer")
        digests = [hashlib.sha256(key.encode()).digest() for key in (given, self.key)]
        if not hmac.compare_digest(*digests):
            raise Problem("unauthorized", "the key is not the one of this service")


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key in the head of a request; None where there is none."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else headers.get("x-api-key")

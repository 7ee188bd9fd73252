"""Threads for the work, a bounded number of requests before them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar

from mien.server.problems import Problem

_Result = TypeVar("_Result")

_RETRY_SECONDS = 1
"""After which a client that found the queue full may ask again."""


class Pool:
    """``workers`` threads, off the event loop, and ``queue`` requests that may wait for them.

    A request holds a place from its first byte to its answer, so that the bytes held in memory are bounded, too.
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="mien")
        self._free = asyncio.Semaphore(workers)
        self._places = workers + queue
        self._taken = 0
        self._working: set[Future[Any]] = set()

    @property
    def working(self) -> int:
        """How many threads are at work."""
        return len(self._working)

    @property
    def taken(self) -> int:
        """How many requests work, wait or arrive."""
        return self._taken

    @property
    def full(self) -> bool:
        """Whether the next request will be refused."""
        return self._taken >= self._places

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one request. Raises Problem where there is none."""
        if self.full:
            raise Problem("busy", f"{self._taken} requests are being answered", retry_after=_RETRY_SECONDS)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """What ``work`` returns, computed in a thread; first come, first served.

        A caller that gives up leaves nothing behind while it waits. What a thread has begun goes on to its end, and
        the thread is taken until then.
        """
        loop = asyncio.get_running_loop()
        await self._free.acquire()
        future = self._threads.submit(copy_context().run, work)
        self._working.add(future)

        def release(done: Future[_Result]) -> None:
            self._working.discard(done)
            with suppress(RuntimeError):  # the service has ended meanwhile
                loop.call_soon_threadsafe(self._free.release)

        future.add_done_callback(release)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take nothing more. What was begun has its answer by now, or nobody who waits for it."""
        self._threads.shutdown(wait=False)

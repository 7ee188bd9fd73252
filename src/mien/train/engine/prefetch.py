"""Batches, or other things, made ahead of time by a few threads and yielded in order."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")


def default_workers() -> int:
    """Return the number of threads that make batches: one per core, at most eight."""
    return max(1, min(8, os.cpu_count() or 1))


@contextmanager
def prefetched(make: Callable[[int], _T], first: int, end: int, workers: int) -> Iterator[Iterator[_T]]:
    """Yield an iterator over ``make(first)`` ... ``make(end - 1)``, in order, up to two per worker ahead.

    ``make`` is a pure function of the step, so the result does not depend on timing. Its errors are raised
    when its batch is due.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        yield _in_order(pool, make, first, end, 2 * workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, make: Callable[[int], _T], first: int, end: int, ahead: int) -> Iterator[_T]:
    pending: deque[Future[_T]] = deque()
    for step in range(first, end):
        pending.append(pool.submit(make, step))
        if len(pending) > ahead:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()

"""Batches made ahead of time by a few threads, handed out in order."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from torch import Tensor

Batch = dict[str, Tensor]


def default_workers() -> int:
    """Threads for making batches: one a core, at most eight."""
    return max(1, min(8, os.cpu_count() or 1))


@contextmanager
def prefetched(make: Callable[[int], Batch], first: int, end: int, workers: int) -> Iterator[Iterator[Batch]]:
    """Batches `make(first)` ... `make(end - 1)` in order, up to two per worker ahead.

    As `make` is a pure function of the step, the result does not depend on timing. Its errors are raised
    where the batch would have come.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        yield _in_order(pool, make, first, end, 2 * workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, make: Callable[[int], Batch], first: int, end: int, ahead: int
) -> Iterator[Batch]:
    waiting: deque[Future[Batch]] = deque()
    for step in range(first, end):
        waiting.append(pool.submit(make, step))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

"""What a command says when the extra that it needs is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mien.errors import MienError


@contextmanager
def needs_extra(doing: str, extra: str = "train") -> Iterator[None]:
    """Turn a missing package into a message with the cure; put only imports into the block."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "mien":  # a mistake of ours, not of the installation
            raise
        raise MienError(f"{doing} needs {error.name}; install it: pip install 'mien[{extra}]'") from error

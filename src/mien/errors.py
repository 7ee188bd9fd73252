"""The error tree.

    MienError
    |-- BadImage         the image cannot be used: missing, broken, too large, of an unsupported kind
    |-- BadAnnotation    a line or file of a data set cannot be used; names file and line
    |-- BadRecipe        a training recipe has an unknown key, a missing key or an impossible value
    |-- BadOption        an option has an invalid value
    |-- ModelMissing     a network file was not found
    |-- ModelMismatch    a network file has no card, another task, or was altered
    |-- MissingExtra     a feature needs an optional dependency that is not installed
    |-- DeadlineExceeded the work exceeded its deadline
    |-- WriteFailed      a result cannot be written: full disk, read-only folder, existing file
    |-- ExportMismatch   the exported network does not compute what the trained one does
    `-- ServiceError     the HTTP service rejected the request, failed or did not respond

Every message names the value found and what to do about it. No face in an image is not an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


class MienError(Exception):
    """Base of all errors that mien raises."""


class BadImage(MienError):
    """The image cannot be used.

    ``fault``: "kind" where its format is not supported, "size" where it is too large, else "damage".
    """

    def __init__(self, message: str, fault: Literal["kind", "size", "damage"] = "damage") -> None:
        super().__init__(message)
        self.fault = fault


class BadAnnotation(MienError):
    """An annotation cannot be used."""


class BadRecipe(MienError):
    """A training recipe cannot be used."""


class BadOption(MienError, ValueError):
    """An option has an invalid value."""


class ModelMissing(MienError):
    """A network file was not found."""


class ModelMismatch(MienError):
    """A network file has no card, another task, or was altered."""


class MissingExtra(MienError):
    """A feature needs an optional dependency that is not installed.

    Attributes:
        extra: The extra of the ``mien`` distribution that installs it.
        command: The command that installs that extra.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        self.extra = extra
        self.command = f"pip install 'mien[{extra}]'"
        super().__init__(f"{feature} needs {package}; install it: {self.command}")


@contextmanager
def needs_extra(feature: str, extra: str) -> Iterator[None]:
    """Raise MissingExtra when an import in the block fails; put only imports of optional packages into it."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = error.name or ""
        if package.partition(".")[0] == "mien":  # our own bug, not a missing package
            raise
        raise MissingExtra(feature, package, extra) from error


class DeadlineExceeded(MienError):
    """The work exceeded its deadline and was abandoned."""


class WriteFailed(MienError):
    """A result cannot be written."""


class ExportMismatch(MienError):
    """Torch and ONNX Runtime disagree on the exported network; nothing was written."""


class ServiceError(MienError):
    """The HTTP service rejected the request, failed or did not respond.

    ``status``: of the answer, 0 where there was none. ``code``: see ``docs/serve.md``.
    ``retry_after``: seconds to wait before retrying, None if not given.
    """

    def __init__(
        self, message: str, status: int = 0, code: str = "unreachable", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after

"""The error tree.

    MienError
    |-- BadImage         the image cannot be used: missing, broken, too large, of an unsupported kind
    |-- BadAnnotation    a line or file of a data set cannot be used; names file and line
    |-- BadRecipe        a training recipe has an unknown key, a missing key or an impossible value
    |-- BadOption        a setting or argument has a value that makes no sense
    |-- ModelMissing     a network file is not where it was looked for
    |-- ModelMismatch    a network file has no card, another task, or was altered
    |-- MissingExtra     a feature needs an optional dependency that is not installed
    |-- DeadlineExceeded the work took longer than it was given
    |-- WriteFailed      a result cannot be written: full disk, read-only folder, a file in the way
    |-- ExportMismatch   the exported network does not compute what the trained one does
    `-- ServiceError     the HTTP service refused, failed or was not there

Every message names the value found and what to do about it. No face in an image is not an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal


class MienError(Exception):
    """Anything that mien raises on purpose."""


class BadImage(MienError):
    """The image cannot be used.

    ``fault``: "kind" where it is no image of a kind that we read, "size" where it is too large, else "damage".
    """

    def __init__(self, message: str, fault: Literal["kind", "size", "damage"] = "damage") -> None:
        super().__init__(message)
        self.fault = fault


class BadAnnotation(MienError):
    """An annotation cannot be used."""


class BadRecipe(MienError):
    """A training recipe cannot be used."""


class BadOption(MienError, ValueError):
    """A setting or argument has a value that makes no sense."""


class ModelMissing(MienError):
    """A network file was not found."""


class ModelMismatch(MienError):
    """A network file is not the one that was asked for."""


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
    """The work took longer than it was given and was abandoned."""


class WriteFailed(MienError):
    """A result cannot be written."""


class ExportMismatch(MienError):
    """Torch and ONNX Runtime disagree on the exported network; nothing was written."""


class ServiceError(MienError):
    """The HTTP service refused, failed or was not there.

    ``status``: of the answer, 0 where there was none. ``code``: what went wrong, as ``docs/serve.md`` lists it.
    ``retry_after``: seconds after which the service wants to be asked again, None where it does not say.
    """

    def __init__(
        self, message: str, status: int = 0, code: str = "unreachable", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after

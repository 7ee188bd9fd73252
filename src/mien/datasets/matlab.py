"""Read MATLAB files."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mien.datasets.parsing import annotation_error
from mien.errors import needs_extra

_DAMAGE = (
    *(OSError, ValueError, TypeError, NotImplementedError, LookupError, OverflowError, MemoryError, zlib.error),
    UnboundLocalError,  # an array type that scipy does not support
)
"""What scipy raises on damaged files, besides its own error."""


def read_fields(file: Path, *fields: str) -> dict[str, NDArray[Any]]:
    """Return the named fields that a MATLAB file has; needs scipy.

    Raises BadAnnotation when the file is missing or broken, MissingExtra without scipy.
    """
    with needs_extra("reading .mat files", "data"):
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    try:
        content = loadmat(file, variable_names=fields)
    except (*_DAMAGE, MatReadError) as error:
        raise annotation_error(file, f"not a readable .mat file ({error})", "download it again") from error
    return {field: content[field] for field in fields if field in content}


def read_mat(file: Path, *fields: str) -> list[NDArray[Any]]:
    """Return all of the named fields of a MATLAB file.

    Raises BadAnnotation as :func:`read_fields` does, and for a missing field.
    """
    content = read_fields(file, *fields)
    missing = [field for field in fields if field not in content]
    if missing:
        raise annotation_error(file, f"the field {missing[0]!r} is missing", "use the file of the official archive")
    return [content[field] for field in fields]

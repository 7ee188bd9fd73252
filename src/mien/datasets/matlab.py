"""MATLAB files, and those of WIDER FACE: fields of one cell an event, in it one cell an image."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datasets.annotations import annotation_error

_DAMAGE = (
    *(OSError, ValueError, TypeError, NotImplementedError, LookupError, OverflowError, MemoryError, zlib.error),
    UnboundLocalError,  # an array of a kind that scipy does not know
)
"""What scipy raises on damaged files, beside its own error."""


def read_fields(file: Path, *fields: str) -> dict[str, NDArray[Any]]:
    """Those of the named fields that a MATLAB file has; needs scipy (the extra ``data``).

    Raises BadAnnotation when scipy or the file is missing, or the file is broken.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ModuleNotFoundError as error:
        raise annotation_error(file, "reading .mat files needs scipy", "pip install 'mien[data]'") from error
    try:
        content = loadmat(file, variable_names=fields)
    except (*_DAMAGE, MatReadError) as error:
        raise annotation_error(file, f"no readable .mat file ({error})", "download it again") from error
    return {field: content[field] for field in fields if field in content}


def read_mat(file: Path, *fields: str) -> list[NDArray[Any]]:
    """All of the named fields of a MATLAB file.

    Raises BadAnnotation as :func:`read_fields` does, and when a field is missing.
    """
    content = read_fields(file, *fields)
    missing = [field for field in fields if field not in content]
    if missing:
        raise annotation_error(file, f"the field {missing[0]!r} is missing", "use the file of the official archive")
    return [content[field] for field in fields]


def read_wider_rows(file: Path, *fields: str) -> Iterator[tuple[str, list[NDArray[np.float64]]]]:
    """Each image of a WIDER file as ``<event>/<name>`` without suffix, and its arrays (n, columns) a field.

    Raises BadAnnotation when the file cannot be read or is laid out otherwise.
    """
    events, names, *columns = read_mat(file, "event_list", "file_list", *fields)
    try:
        for e, event in enumerate(events[:, 0]):
            for i, name in enumerate(names[e, 0][:, 0]):
                cells = [np.asarray(column[e, 0][i, 0], dtype=np.float64) for column in columns]
                yield f"{event[0]}/{name[0]}", cells
    except (IndexError, TypeError, ValueError) as error:
        raise annotation_error(file, f"not laid out as WIDER's files ({error})", "use the official file") from error

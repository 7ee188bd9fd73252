"""MATLAB files as WIDER FACE has them: fields of one cell an event, in it one cell a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data.annotations import broken


def read_mat(file: Path, *fields: str) -> list[NDArray[Any]]:
    """The named fields of a MATLAB file; needs scipy (the extra ``train``).

    Raises BadAnnotation when scipy, the file or a field is missing, or the file is broken.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ModuleNotFoundError as error:
        raise broken(file, "reading .mat files needs scipy", "pip install 'mien[train]'") from error
    try:
        content = loadmat(file, variable_names=fields)
    except (OSError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise broken(file, f"no readable .mat file ({error})", "download it again") from error
    missing = [field for field in fields if field not in content]
    if missing:
        raise broken(file, f"the field {missing[0]!r} is missing", "use the file of the official archive")
    return [content[field] for field in fields]


def read_wider_rows(file: Path, *fields: str) -> Iterator[tuple[str, list[NDArray[np.float64]]]]:
    """Each picture of a WIDER file as ``<event>/<name>`` without suffix, and its arrays (n, columns) a field.

    Raises BadAnnotation when the file cannot be read or is laid out otherwise.
    """
    events, names, *columns = read_mat(file, "event_list", "file_list", *fields)
    try:
        for e, event in enumerate(events[:, 0]):
            for i, name in enumerate(names[e, 0][:, 0]):
                cells = [np.asarray(column[e, 0][i, 0], dtype=np.float64) for column in columns]
                yield f"{event[0]}/{name[0]}", cells
    except (IndexError, TypeError, ValueError) as error:
        raise broken(file, f"not laid out as WIDER's files ({error})", "use the official file") from error

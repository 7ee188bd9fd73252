"""FDDB's annotations: ``FDDB-fold-01-ellipseList.txt`` to ``FDDB-fold-10-ellipseList.txt``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.errors import BadAnnotation
from mien.evaluate.fddb import Ellipses
from mien.evaluate.text_blocks import read_blocks

_ROW = "major_radius minor_radius angle x y 1"


def read_folds(folder: Path | str) -> list[dict[str, Ellipses]]:
    """Read the official folder ``FDDB-folds``: a mapping from picture name (no suffix) to ellipses a fold.

    The files give angles in radians. The sizes of the pictures are not in them and stay infinite. Raises
    BadAnnotation with file and line, or when the folder has no such file.
    """
    folder = Path(folder)
    files = sorted(folder.glob("FDDB-fold-*-ellipseList.txt"))
    if not files:
        raise BadAnnotation(f"{folder} holds no FDDB-fold-*-ellipseList.txt; give the folder FDDB-folds")
    return [_read_fold(file) for file in files]


def _read_fold(file: Path) -> dict[str, Ellipses]:
    fold = {}
    for picture, rows in read_blocks(file, _ROW):
        if not (rows[:, :2] > 0).all():
            raise BadAnnotation(
                f"{file}: {picture!r} has an ellipse without extent; its radii must be above 0"
            )
        fold[picture] = Ellipses(rows[:, 3:5], rows[:, :2], np.degrees(rows[:, 2]))
    return fold

"""``.pts`` files of 300W (Sagonas et al. 2013): the points of one face.

    version: 1
    n_points: 68
    {
    30.5 67.25
    ...
    }

The file counts pixels from 1: the center of the first pixel is (1, 1) there, and (0.5, 0.5) here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.parsing import FIRST_CORNER, annotation_error, numbered_lines, numbers
from mien.errors import BadOption
from mien.io import atomic_write
from mien.types import Floats

_CURE = "write 'version: 1', 'n_points: 68', '{', one 'x y' a line, '}'"


def read_pts(path: Path | str) -> Floats:
    """Return points (k, 2) in image pixels. Raises BadAnnotation with file and line for another layout."""
    path = Path(path)
    rows = numbered_lines(path)
    opening = next((i for i, (_, text) in enumerate(rows) if text == "{"), None)
    if opening is None:
        raise annotation_error(path, "no '{' before the points", _CURE)
    announced = _announced(path, rows[:opening])
    *body, last = rows[opening + 1 :] or [(rows[-1][0], "")]
    if last[1] != "}":
        raise annotation_error(f"{path}:{last[0]}", f"{last[1]!r} instead of '}}': the file is truncated", _CURE)
    if len(body) != announced or not body:
        raise annotation_error(path, f"{announced} points announced, {len(body)} listed", _CURE)
    points = [numbers(f"{path}:{line}", text.split(), 2, "x y") for line, text in body]
    return (np.array(points) - FIRST_CORNER).astype(np.float32)


def write_pts(path: Path | str, points: NDArray[np.floating]) -> None:
    """Write points (k, 2) in image pixels, atomically, to a thousandth of a pixel.

    Raises BadOption for another shape or an unknown point (NaN), which the format cannot express.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise BadOption(f"{path}: points of shape {points.shape}; they must be (k, 2)")
    if not np.isfinite(points).all():
        index = int((~np.isfinite(points)).any(axis=1).argmax())
        raise BadOption(
            f"{path}: point {index} is {points[index].tolist()}; a .pts file needs known points; write JSON instead"
        )
    rows = [f"{x:.3f} {y:.3f}" for x, y in (points + FIRST_CORNER).tolist()]
    text = "\n".join(["version: 1", f"n_points: {len(points)}", "{", *rows, "}", ""])
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="ascii", newline="\n")


def _announced(path: Path, head: list[tuple[int, str]]) -> int:
    """Return the number of points announced by the lines before the brace."""
    entries = {key.strip(): (line, value.strip()) for line, text in head for key, _, value in [text.partition(":")]}
    for key in ("version", "n_points"):
        if key not in entries:
            raise annotation_error(path, f"no '{key}:' before the points", _CURE)
    line, value = entries["n_points"]
    if not value.isdecimal():
        raise annotation_error(f"{path}:{line}", f"{value!r} instead of the number of points", _CURE)
    return int(value)

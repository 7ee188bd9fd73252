"""The text layout that WIDER FACE and FDDB share: an image's name, a count, and so many rows of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadAnnotation


def read_lines(path: Path) -> list[str]:
    """The lines of a text file. Raises BadAnnotation when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadAnnotation(f"{path}: cannot be read ({error}); give a text file in UTF-8") from error


def read_blocks(path: Path, columns: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield each image's name and its rows (n, k); ``columns`` names the k numbers of a row.

    Raises BadAnnotation with file and line for a bad count, too few rows, or a row with other than k finite
    numbers.
    """
    lines = read_lines(path)
    at = 0
    while at < len(lines):
        name = lines[at].strip()
        if not name:
            at += 1
            continue
        count = _count(path, at + 1, lines)
        rows = [_row(path, number, lines, columns) for number in range(at + 2, at + 2 + count)]
        yield name, np.array(rows, dtype=np.float64).reshape(-1, len(columns.split()))
        at += 2 + count


def _count(path: Path, at: int, lines: list[str]) -> int:
    text = lines[at].strip() if at < len(lines) else ""
    if not text.isdecimal():
        raise BadAnnotation(
            f"{path}:{at + 1}: {text!r} where the number of faces belongs; write a name, a count, then the rows"
        )
    return int(text)


def _row(path: Path, at: int, lines: list[str], columns: str) -> list[float]:
    text = lines[at].strip() if at < len(lines) else ""
    wanted = len(columns.split())
    try:
        row = [float(word) for word in text.split()]
    except ValueError:
        row = []
    if len(row) != wanted or not np.isfinite(row).all():
        raise BadAnnotation(f"{path}:{at + 1}: {text!r} is not a row of {wanted} numbers ({columns})")
    return row

"""Parsing and checking of annotation files, shared by the readers.

Errors are :class:`~mien.errors.BadAnnotation`; each names its ``place``: a file, or ``file:line``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadAnnotation, BadImage
from mien.imaging.io import image_size
from mien.types import Floats

FIRST_CORNER = 0.5
"""Corner of the first pixel in files that count pixels from 1, as Matlab does: the center of that pixel is (1, 1)."""

_CURE = "correct the file, or remove it with its image"
_SHORT_NUMBERS = re.compile(r"(_\d{1,2})+$")
_FACE_NUMBER = re.compile(r"^\d+-(?=image\d)")


def annotation_error(place: object, found: str, cure: str) -> BadAnnotation:
    """Return the error for ``place``: what was found there, and the cure."""
    return BadAnnotation(f"{place}: {found}; {cure}")


def read_lines(file: Path) -> list[str]:
    """Return the lines of a text file without line ends. Raises BadAnnotation when it cannot be read."""
    try:
        # A stray byte spoils one line, not the file; utf-8-sig drops the byte order mark of Windows editors.
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        cure = "give the folder or list of the official layout"
        raise annotation_error(file, f"the list cannot be read ({error.strerror})", cure) from error
    return text.split("\n")


def numbered_lines(file: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, stripped, with their numbers from 1. Raises BadAnnotation."""
    return [(i, text.strip()) for i, text in enumerate(read_lines(file), start=1) if text.strip()]


def numbers(place: str, fields: Sequence[str], count: int, layout: str) -> list[float]:
    """Return exactly ``count`` finite numbers. Raises BadAnnotation naming the expected ``layout``."""
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise annotation_error(place, f"not a number: {' '.join(fields)!r}", f"write {layout!r}") from error
    if len(values) != count:
        raise annotation_error(place, f"{len(values)} numbers: {' '.join(fields)!r}", f"write {layout!r}")
    if not all(math.isfinite(value) for value in values):
        raise annotation_error(place, f"not finite: {' '.join(fields)!r}", f"write {layout!r}")
    return values


def as_numbers(place: object, name: str, values: object) -> NDArray[np.float64]:
    """Return ``values`` as float64. Raises BadAnnotation for anything that is not numeric."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{array.dtype} is not numeric")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise annotation_error(place, f"{name} are not numbers ({error})", _CURE) from error


def require_image(place: object, path: Path) -> Path:
    """Return ``path`` if it is a file that is not empty; raise BadAnnotation otherwise."""
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:
        raise annotation_error(place, f"{str(path)!r} cannot be an image ({error})", "correct the name") from error
    if size is None:
        raise annotation_error(place, f"the image {path} is missing", "unpack it there or remove it from the list")
    if size == 0:
        raise annotation_error(place, f"the image {path} is empty", "unpack it again")
    return path


def size_of(place: object, path: Path) -> tuple[int, int]:
    """Return width and height of an image; only its header is read. Raises BadAnnotation."""
    require_image(place, path)
    try:
        return image_size(path)
    except BadImage as error:
        raise BadAnnotation(f"{place}: its image cannot be used: {error}") from error


def checked_points(place: object, values: object, count: int, size: tuple[int, int]) -> Floats:
    """Return points (count, 2) of an image of this ``size`` (width, height); a half-unknown point becomes NaN.

    Raises:
        BadAnnotation: Wrong shape, not numeric, infinite, no known point, or a point further outside the image than
            its width or height.
    """
    points = as_numbers(place, "points", values).copy()
    if points.shape != (count, 2):
        raise annotation_error(place, f"points of shape {points.shape}, not {(count, 2)}", _CURE)
    if np.isinf(points).any():
        raise annotation_error(place, f"point {np.isinf(points).any(axis=1).argmax()} is infinite", _CURE)
    points[np.isnan(points).any(axis=1)] = np.nan
    if np.isnan(points).all():
        raise annotation_error(place, "no point is known (all are NaN)", _CURE)
    far = ((points < -np.array(size)) | (points > 2 * np.array(size))).any(axis=1)
    if far.any():
        index = int(far.argmax())
        x, y = points[index].tolist()
        found = f"point {index} is at ({x:.1f}, {y:.1f}), far outside the image of {size[0]} x {size[1]}"
        raise annotation_error(place, found, _CURE)
    return points.astype(np.float32)


def original_image(name: str) -> str:
    """Return the person or original image behind an image's name (without suffix).

    Short numbers at the end count frames, faces and views: ``Norah_Jones_01`` is a frame of Norah_Jones,
    ``HELEN_1234_1_7`` view 7 of face 1 of HELEN_1234. MERL-RAV puts the face number first: ``0002-image04733`` is a
    face on AFLW's image04733.
    """
    return _FACE_NUMBER.sub("", _SHORT_NUMBERS.sub("", name)) or name

"""What the readers hand on: one :class:`Annotation` an image, and the problems met on the way.

An image or line that cannot be used becomes a :class:`~mien.errors.BadAnnotation` among the problems and the
rest is read; only when a whole list or folder cannot be opened is the error raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadAnnotation, BadOption
from mien.types import Floats

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_Source = TypeVar("_Source")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """One image of a data set.

    ``boxes`` (n, 4): x0, y0, x1, y1 of each face in image pixels. ``ignored`` (n,): True where a box is
    neither face nor background. ``points`` (n, 5, 2): left eye, right eye, nose tip, left and right mouth
    corner as seen in the image, in image pixels; NaN where unknown. Raises BadOption for other shapes.
    """

    path: Path
    boxes: Floats
    ignored: NDArray[np.bool_]
    points: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "boxes", np.asarray(self.boxes, dtype=np.float32))
        object.__setattr__(self, "ignored", np.asarray(self.ignored, dtype=np.bool_))
        object.__setattr__(self, "points", np.asarray(self.points, dtype=np.float32))
        n = len(self.boxes)
        wanted = {"boxes": (n, 4), "ignored": (n,), "points": (n, 5, 2)}
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise BadOption(f"{name} of {self.path} has shape {found}; it must be {shape}")

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A data set as read: what can be used, and why the rest cannot (file, line, finding, cure)."""

    annotations: tuple[Annotation, ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.annotations)


def unknown_points(count: int) -> Floats:
    """Points (count, 5, 2) of faces whose points nobody marked: all NaN."""
    return np.full((count, 5, 2), np.nan, dtype=np.float32)


def annotation_error(place: object, found: str, cure: str) -> BadAnnotation:
    """The error for ``place`` (a file, or ``file:line``): what was found there and what to do about it."""
    return BadAnnotation(f"{place}: {found}; {cure}")


def read_lines(file: Path) -> list[str]:
    """The lines of a list, without line ends. Raises BadAnnotation when the file cannot be read."""
    try:
        # A stray byte spoils one line, not the file; utf-8-sig drops the mark that Windows editors add.
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        cure = "give the folder or list of the official layout"
        raise annotation_error(file, f"the list cannot be read ({error.strerror})", cure) from error
    return text.split("\n")


def numbers(place: str, fields: Sequence[str], count: int, layout: str) -> list[float]:
    """Exactly ``count`` finite numbers, or BadAnnotation naming ``place`` and the ``layout`` of the line."""
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise annotation_error(place, f"not a number: {' '.join(fields)!r}", f"write {layout!r}") from error
    if len(values) != count:
        raise annotation_error(place, f"{len(values)} numbers: {' '.join(fields)!r}", f"write {layout!r}")
    if not all(math.isfinite(value) for value in values):
        raise annotation_error(place, f"a number without end: {' '.join(fields)!r}", f"write {layout!r}")
    return values


def require_image(place: object, path: Path) -> Path:
    """``path``, if a file with something in it is there; BadAnnotation naming ``place`` otherwise."""
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:
        raise annotation_error(place, f"{str(path)!r} cannot be an image ({error})", "correct the name") from error
    if size is None:
        raise annotation_error(place, f"the image {path} is missing", "unpack it there or remove it from the list")
    if size == 0:
        raise annotation_error(place, f"the image {path} is empty", "unpack it again")
    return path


def collect(
    parse: Callable[[_Source], _Result], sources: Iterable[_Source]
) -> tuple[list[_Result], list[BadAnnotation]]:
    """Parse each source; gather what can be used and the BadAnnotation of what cannot."""
    results: list[_Result] = []
    problems: list[BadAnnotation] = []
    for source in sources:
        try:
            results.append(parse(source))
        except BadAnnotation as problem:
            problems.append(problem)
    return results, problems

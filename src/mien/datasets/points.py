"""What the readers of landmark data sets hand on: one :class:`PointFace` a face, and the problems met on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.datasets.annotations import annotation_error, collect, require_image
from mien.errors import BadAnnotation, BadImage, BadOption
from mien.geometry.schemes import SCHEMES
from mien.imaging.io import image_size, read_image
from mien.types import Floats, Image, Pose

FIRST_CORNER = 0.5
"""Where files that count pixels from 1, Matlab's way, have the corner of the first pixel: its centre is (1, 1)."""

_CURE = "correct the file, or remove it with its image"

_Item = TypeVar("_Item")


class Progress(Protocol):
    """Hands on ``total`` items one by one, and may show how far they are."""

    def __call__(self, items: Iterable[_Item], total: int) -> Iterable[_Item]:
        """The items."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PointFace:
    """One face with many points of a data set.

    ``path``: the image file. ``points`` (k, 2) in pixels of the upright image (after EXIF rotation), NaN where
    unknown. ``scheme``: one of
    ``geometry.schemes.SCHEMES``. ``subset``: part of the data set, as its folder is called. ``person``: who is
    seen where that is known, else the original image: what a split must not part. ``visible`` (k,): 1 seen, 0
    covered, NaN unknown. ``pose``: degrees, with the signs of docs/conventions.md; a single unknown angle is NaN.
    ``box`` (4,): the data set's own face box, x0, y0, x1, y1; NaN where it has none. ``load``: reads the image
    where it lies inside another file; then ``path`` only names it. Use :func:`load_image`.

    Raises BadOption for another shape or scheme, without any known point, or for another ``visible``.
    """

    path: Path
    points: Floats
    scheme: str
    subset: str
    person: str
    visible: Floats
    pose: Pose | None
    box: Floats
    load: Callable[[], Image] | None = None

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise BadOption(f"{self.path}: unknown scheme {self.scheme!r}; one of {', '.join(SCHEMES)}")
        count = SCHEMES[self.scheme]
        for name, shape in {"points": (count, 2), "visible": (count,), "box": (4,)}.items():
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise BadOption(f"{name} of {self.path} has shape {array.shape}; it must be {shape}")
            object.__setattr__(self, name, array)
        if not np.isfinite(self.points).all(axis=1).any():
            raise BadOption(f"{self.path}: no point is known; leave the face out")
        if not (np.isnan(self.visible) | (self.visible == 0) | (self.visible == 1)).all():
            raise BadOption(f"visible of {self.path} has {np.unique(self.visible)}; it must be 1, 0 or NaN")


@dataclass(frozen=True, slots=True, eq=False)
class PointReading:
    """A data set as read: what can be used, and why the rest cannot (file, finding, cure)."""

    faces: tuple[PointFace, ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.faces)


def load_image(face: PointFace) -> Image:
    """The image with the face on it. Raises BadImage."""
    return read_image(face.path) if face.load is None else face.load()


def unknown(*shape: int) -> Floats:
    """NaN: what a data set does not say."""
    return np.full(shape, np.nan, dtype=np.float32)


def no_progress(items: Iterable[_Item], total: int) -> Iterable[_Item]:
    """The :class:`Progress` that shows nothing."""
    return items


def parse_all(
    parse: Callable[[_Item], PointFace], items: Sequence[_Item], progress: Progress | None
) -> tuple[list[PointFace], list[BadAnnotation]]:
    """Parse each item; gather the faces and the BadAnnotation of what cannot be used."""
    return collect(parse, (progress or no_progress)(items, len(items)))


def size_of(place: object, path: Path) -> tuple[int, int]:
    """Width and height of an image, of which only the head is read. Raises BadAnnotation naming ``place``."""
    require_image(place, path)
    try:
        return image_size(path)
    except BadImage as error:
        raise BadAnnotation(f"{place}: its image cannot be used: {error}") from error


def checked_points(place: object, values: object, count: int, size: tuple[int, int]) -> Floats:
    """Points (count, 2) of an image of this size (width, height), where one half unknown is wholly unknown.

    Raises BadAnnotation naming ``place``: another shape, no numbers, an infinite number, no known point, or a point
    further from the image than its width or height.
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


def as_numbers(place: object, name: str, values: object) -> NDArray[np.float64]:
    """``values`` as floats. Raises BadAnnotation naming ``place`` for anything else."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{array.dtype} is no kind of number")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise annotation_error(place, f"{name} are no numbers ({error})", _CURE) from error


def original_image(name: str) -> str:
    """The person or image that many images of a data set come from, by the name of one of them, without suffix.

    Short numbers at the end count frames, faces and views: ``Norah_Jones_01`` is a frame of Norah_Jones,
    ``HELEN_1234_1_7`` view 7 of face 1 of HELEN_1234. MERL-RAV puts the number of the face first:
    ``0002-image04733`` is a face on AFLW's image04733.
    """
    return _FACE_NUMBER.sub("", _SHORT_NUMBERS.sub("", name)) or name


_SHORT_NUMBERS = re.compile(r"(_\d{1,2})+$")
_FACE_NUMBER = re.compile(r"^\d+-(?=image\d)")

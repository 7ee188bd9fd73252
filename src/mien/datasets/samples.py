"""Samples of a data set, one type per task, and :class:`Dataset`, the result of every reader.

An image or line that cannot be used becomes a :class:`~mien.errors.BadAnnotation` in ``Dataset.problems`` and
reading continues. A reader raises only when a whole list or folder cannot be opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadAnnotation, BadOption
from mien.geometry.schemes import SCHEMES
from mien.imaging.io import read_image
from mien.types import Floats, Image, Pose

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Sample(Protocol):
    """A sample: an image."""

    @property
    def path(self) -> Path:
        """The image file."""
        ...


S_co = TypeVar("S_co", bound=Sample, covariant=True)


class Progress(Protocol):
    """Yields ``total`` items unchanged, and may show how many are done."""

    def __call__(self, items: Iterable[_Item], total: int) -> Iterable[_Item]:
        """Return the items."""
        ...


def no_progress(items: Iterable[_Item], total: int) -> Iterable[_Item]:
    """Return the items; show nothing."""
    return items


def unknown(*shape: int) -> Floats:
    """Return an array of NaN: values that the data set does not give."""
    return np.full(shape, np.nan, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionSample:
    """An image with the faces in it.

    Attributes:
        boxes: (n, 4), x0, y0, x1, y1 in image pixels.
        ignored: (n,), True where a box is neither face nor background.
        keypoints: (n, 5, 2) in image pixels: left eye, right eye, nose tip, left and right mouth corner as seen in
            the image; NaN where unknown.
        attributes: Further labels by name, (n,) each, such as WIDER's blur.

    Raises:
        BadOption: An array has another shape.
    """

    path: Path
    boxes: Floats
    ignored: NDArray[np.bool_]
    keypoints: Floats
    attributes: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.boxes)
        for name, shape in {"boxes": (n, 4), "ignored": (n,), "keypoints": (n, 5, 2)}.items():
            _set_array(self, name, shape, np.bool_ if name == "ignored" else np.float32)
        for name, values in self.attributes.items():
            if np.shape(values) != (n,):
                raise BadOption(f"attribute {name!r} of {self.path} has shape {np.shape(values)}; it must be {(n,)}")

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class EllipseSample:
    """An image with elliptical faces, as FDDB has them.

    Attributes:
        fold: Cross-validation fold, from 1.
        ellipses: (n, 5), major and minor half axis in pixels, angle of the major axis from the x axis toward the y
            axis (clockwise on the screen) in degrees, center x and y in image pixels.
    """

    path: Path
    fold: int
    ellipses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkSample:
    """A face with landmarks.

    Attributes:
        path: The image file; only a name where ``load`` is given. Read the pixels with :func:`load_image`.
        points: (k, 2) in pixels of the upright image (after EXIF rotation), NaN where unknown.
        scheme: One of ``geometry.schemes.SCHEMES``.
        subset: Part of the data set, named after its folder.
        person: Identity where known, else the original image. A split keeps a person on one side.
        visible: (k,), 1 visible, 0 occluded, NaN unknown. An empty array means all unknown.
        pose: Head pose in degrees with the signs of docs/conventions.md; an unknown angle is NaN.
        box: (4,), the data set's own bounding box, x0, y0, x1, y1; NaN where it has none.
        load: Reads the image where it is stored inside another file.

    Raises:
        BadOption: Unknown scheme, wrong shape, no known point, or a ``visible`` other than 0, 1 and NaN.
    """

    path: Path
    points: Floats
    scheme: str
    subset: str
    person: str
    visible: Floats = field(default_factory=lambda: unknown(0))
    pose: Pose | None = None
    box: Floats = field(default_factory=lambda: unknown(4))
    load: Callable[[], Image] | None = None

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise BadOption(f"{self.path}: unknown scheme {self.scheme!r}; use one of {', '.join(SCHEMES)}")
        count = SCHEMES[self.scheme]
        if not np.size(self.visible):
            object.__setattr__(self, "visible", unknown(count))
        for name, shape in {"points": (count, 2), "visible": (count,), "box": (4,)}.items():
            _set_array(self, name, shape, np.float32)
        if not np.isfinite(self.points).all(axis=1).any():
            raise BadOption(f"{self.path}: no point is known; leave the face out")
        if not (np.isnan(self.visible) | (self.visible == 0) | (self.visible == 1)).all():
            raise BadOption(f"visible of {self.path} has {np.unique(self.visible)}; it must be 1, 0 or NaN")


@dataclass(frozen=True, slots=True, eq=False)
class IdentitySample:
    """An image of one person. ``identity``: the person's name."""

    path: Path
    identity: str


@dataclass(frozen=True, slots=True, eq=False)
class Dataset(Generic[S_co]):
    """A data set as read.

    Attributes:
        samples: The usable samples.
        problems: The other entries: file and line, the value found, and the cure.
        root: The folder that :meth:`name` is relative to.
    """

    samples: tuple[S_co, ...]
    problems: tuple[BadAnnotation, ...] = ()
    root: Path = Path()

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[S_co]:
        return iter(self.samples)

    def name(self, sample: Sample) -> str:
        """Return the image's path below ``root`` with forward slashes: its name in files of predictions."""
        path = sample.path
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


def load_image(sample: LandmarkSample) -> Image:
    """Return the image that shows the face. Raises BadImage."""
    return read_image(sample.path) if sample.load is None else sample.load()


def collect(
    parse: Callable[[_Item], _Result], items: Sequence[_Item], progress: Progress = no_progress
) -> tuple[tuple[_Result, ...], tuple[BadAnnotation, ...]]:
    """Parse each item; return the results, and the BadAnnotation of each item that cannot be used."""
    results: list[_Result] = []
    problems: list[BadAnnotation] = []
    for item in progress(items, len(items)):
        try:
            results.append(parse(item))
        except BadAnnotation as problem:
            problems.append(problem)
    return tuple(results), tuple(problems)


def _set_array(sample: Sample, name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    """Convert a field to an array of this type. Raises BadOption for another shape."""
    array = np.asarray(getattr(sample, name), dtype=dtype)
    if array.shape != shape:
        raise BadOption(f"{name} of {sample.path} has shape {array.shape}; it must be {shape}")
    object.__setattr__(sample, name, array)

"""Disturbed copies of a labeled face: turned, dark, covered, overfilled, shrunk, blurred.

Every copy is a window around the face with the labels in its frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mien.geometry import boxes as box_geometry
from mien.imaging import Mipmap, reduce_resolution
from mien.types import Floats, Image

FACE = 80
"""Size of the face in a window, in pixels: larger ones are reduced to it, smaller ones keep their size."""

CONTEXT = 4
"""Side of a window in face sizes."""

OVERFILLED_SIDE = 320
"""Longest side of an overfilled window, in pixels; smaller ones are not enlarged."""

_GRAY = 128
_COVER_MARGIN = 0.1
"""A cover extends beyond the labeled box by this part of its sides."""

_BLURRED_FACE = 16
"""Size in pixels to which a blurred window reduces the face before it enlarges it again."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFace:
    """A labeled face of an image.

    Attributes:
        image: The whole image.
        boxes: (n, 4), all labeled boxes of the image.
        row: The row of the face in ``boxes``.
    """

    image: Mipmap
    boxes: Floats
    row: int

    @property
    def box(self) -> Floats:
        """The labeled box, (4,)."""
        box: Floats = self.boxes[self.row]
        return box

    @property
    def size(self) -> float:
        """Square root of the area of the labeled box, in pixels."""
        return math.sqrt(float(box_geometry.area(self.box[None])[0]))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A disturbed copy of the surroundings of a face.

    Attributes:
        image: The copy.
        box: (4,), what the label asks for, in pixels of the copy.
        labeled: (n, 4), all labeled boxes of the image, in pixels of the copy.
    """

    image: Image
    box: Floats
    labeled: Floats


def cut(face: LabeledFace, scale: float, width: int, height: int, degrees: float = 0.0) -> Window:
    """Return a window centered on the face, black outside the image.

    The labels are the axis-aligned boxes of the turned ellipses inscribed in the labeled boxes.

    Args:
        face: The face.
        scale: Pixels of the window per pixel of the image.
        width, height: Sides of the window in pixels.
        degrees: Clockwise turn on the screen.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    center = (face.box[:2] + face.box[2:]) / 2
    middle = np.array([width, height]) / 2
    to_image, to_window = turn.T / scale, turn * scale
    matrix = np.column_stack([to_image, center - to_image @ middle])
    labeled = box_geometry.map_ellipses(face.boxes, to_window, middle - to_window @ center).astype(np.float32)
    return Window(face.image.warp(matrix, width, height), labeled[face.row], labeled)


def around(face: LabeledFace, size: float = FACE, degrees: float = 0.0) -> Window:
    """Return a square window of :data:`CONTEXT` faces a side, in which the face has at most this size in pixels."""
    scale = min(1.0, size / face.size)
    side = round(CONTEXT * face.size * scale)
    return cut(face, scale, side, side, degrees)


def overfilled(face: LabeledFace, part: float) -> Window:
    """Return the inner part of the labeled box; the label is what is visible: the whole window."""
    sides = (face.box[2:] - face.box[:2]) * part
    scale = min(1.0, OVERFILLED_SIDE / float(sides.max()))
    width, height = (max(1, round(float(side) * scale)) for side in sides)
    window = cut(face, scale, width, height)
    return Window(window.image, np.array([0, 0, width, height], np.float32), window.labeled)


def darkened(face: LabeledFace, brightness: float) -> Window:
    """Return a window whose pixels are multiplied by ``brightness``."""
    window = around(face)
    pixels = np.rint(window.image * np.float32(brightness)).astype(np.uint8)
    return Window(pixels, window.box, window.labeled)


def covered(face: LabeledFace, *, upper: bool) -> Window:
    """Return a window with a flat gray patch over the upper or lower half of the labeled box."""
    window = around(face)
    x0, y0, x1, y1 = window.box.tolist()
    beyond, above = (x1 - x0) * _COVER_MARGIN, (y1 - y0) * _COVER_MARGIN
    middle = (y0 + y1) / 2
    top, bottom = (y0 - above, middle) if upper else (middle, y1 + above)
    pixels = window.image.copy()
    pixels[max(round(top), 0) : round(bottom), max(round(x0 - beyond), 0) : round(x1 + beyond)] = _GRAY
    return Window(pixels, window.box, window.labeled)


def blurred(face: LabeledFace) -> Window:
    """Return a window with the detail of a face of 16 px."""
    window = around(face)
    blurred_image = reduce_resolution(window.image, _BLURRED_FACE / min(face.size, FACE))
    return Window(blurred_image, window.box, window.labeled)


def _turned(degrees: float) -> Callable[[LabeledFace], Window]:
    return lambda face: around(face, degrees=degrees)


def _dark(brightness: float) -> Callable[[LabeledFace], Window]:
    return lambda face: darkened(face, brightness)


def _shrunk(size: float) -> Callable[[LabeledFace], Window]:
    return lambda face: around(face, size)


DISTURBANCES: Mapping[str, Callable[[LabeledFace], Window]] = MappingProxyType(
    {
        "as it is": around,
        "overfilled 0.7": lambda face: overfilled(face, 0.7),
        **{f"turned {degrees}": _turned(degrees) for degrees in (30, 45, 60, 90, 180)},
        **{f"brightness {part:g}": _dark(part) for part in (0.5, 0.25, 0.1)},
        "upper half covered": lambda face: covered(face, upper=True),
        "lower half covered": lambda face: covered(face, upper=False),
        **{f"shrunk to {size} px": _shrunk(size) for size in (20, 12)},
        "blurred": blurred,
    }
)
"""The copies that :func:`mien.evaluation.protocols.evaluate_stress` makes of each face, by name."""

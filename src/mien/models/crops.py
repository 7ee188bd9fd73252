"""Crop specifications: which part of an image a network receives.

Detection, landmarks and training compute their crops here, so that a network is trained on the crops it gets at
inference. Boxes are x0, y0, x1, y1 in image pixels unless stated otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelMismatch
from mien.geometry import boxes as box
from mien.types import Floats


def require(condition: bool, name: str, value: object, rule: str) -> None:
    """Raise ModelMismatch, naming the entry of the card and its value, unless ``condition`` holds."""
    if not condition:
        raise ModelMismatch(f"the model card has {name} {value!r}: it must be {rule}; export the network again")


def _require_context(context: float) -> None:
    require(math.isfinite(context) and context > 0, "crop.context", context, "above 0")


@dataclass(frozen=True, slots=True)
class SquareBox:
    """The square around the bounding box: its longer side times ``context``."""

    context: float

    def __post_init__(self) -> None:
        _require_context(self.context)

    def crop_boxes(self, boxes: Floats) -> Floats:
        """Return the crop (n, 4) of each bounding box (n, 4)."""
        return box.enlarge(box.square(boxes), self.context)


@dataclass(frozen=True, slots=True)
class StretchedBox:
    """The bounding box with its sides times ``context``, stretched to the square input of the network."""

    context: float

    def __post_init__(self) -> None:
        _require_context(self.context)

    def crop_boxes(self, boxes: Floats) -> Floats:
        """Return the crop (n, 4) of each bounding box (n, 4)."""
        return box.enlarge(boxes, self.context)


@dataclass(frozen=True, slots=True)
class FivePoint:
    """The face aligned by its five keypoints: ``mien.alignment.AlignSpec(size, template)`` cuts it.

    ``template``: x, y of the five keypoints in sides of the crop. ``size``: side of the crop in pixels.
    """

    template: tuple[tuple[float, float], ...]
    size: int

    def __post_init__(self) -> None:
        finite = all(math.isfinite(value) for point in self.template for value in point)
        require(len(self.template) == 5 and finite, "crop.template", self.template, "five finite points")
        require(self.size >= 1, "crop.size", self.size, "1 or more")


@dataclass(frozen=True, slots=True)
class PointPatches:
    """One square patch per keypoint, centered on it; its side is ``fraction`` of the longer side of the box."""

    fraction: float

    def __post_init__(self) -> None:
        require(math.isfinite(self.fraction) and self.fraction > 0, "crop.fraction", self.fraction, "above 0")

    def sides(self, boxes: Floats) -> Floats:
        """Return the side (n,) of the patches for each bounding box (n, 4)."""
        return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1) * np.float32(self.fraction))

    def crop_boxes(self, boxes: Floats, keypoints: Floats) -> Floats:
        """Return the patches (n k, 4) around keypoints (n, k, 2), face by face in the order of the keypoints."""
        half = self.sides(boxes)[:, None, None] / 2
        return np.concatenate([keypoints - half, keypoints + half], axis=2).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Window:
    """Sliding windows over a pyramid level.

    ``stride``: step between windows in pixels of the level. ``cell``: side of the face that a window detects, in
    its center, in pixels of the level.
    """

    stride: int
    cell: int

    def __post_init__(self) -> None:
        require(self.stride >= 1, "crop.stride", self.stride, "1 or more")
        require(self.cell >= 1, "crop.cell", self.cell, "1 or more")

    def face_boxes(self, rows: NDArray[np.intp], columns: NDArray[np.intp], size: int) -> Floats:
        """Return the face box (n, 4), in pixels of the level, of the windows of ``size`` pixels in these places."""
        first = np.stack([columns, rows], axis=1) * np.float32(self.stride) + np.float32((size - self.cell) / 2)
        return np.concatenate([first, first + np.float32(self.cell)], axis=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole image, at any scale: each cell of each grid predicts one face.

    ``strides``: side of the cells of each grid in pixels of the input, finest first. The input's height and width
    are multiples of the last. ``min_face``, ``max_face``: geometric mean of the sides, in pixels of the input, of
    the faces that are found.
    """

    strides: tuple[int, ...]
    min_face: float
    max_face: float

    def __post_init__(self) -> None:
        rising = all(fine < coarse and coarse % fine == 0 for fine, coarse in pairwise(self.strides))
        usable = len(self.strides) > 0 and self.strides[0] >= 1 and rising
        require(usable, "crop.strides", self.strides, "whole numbers above 0, each a multiple of the one before")
        require(0 < self.min_face < math.inf, "crop.min_face", self.min_face, "above 0")
        require(self.min_face < self.max_face < math.inf, "crop.max_face", self.max_face, "above crop.min_face")

    def centers(self, rows: NDArray[np.intp], columns: NDArray[np.intp], stride: int) -> Floats:
        """Return the center (n, 2), x and y in pixels of the input, of cells of the grid with this stride."""
        return (np.stack([columns, rows], axis=1) + np.float32(0.5)).astype(np.float32) * np.float32(stride)


CropSpec = SquareBox | StretchedBox | FivePoint | PointPatches | Window | Grid

CROP_KINDS: Mapping[str, type[CropSpec]] = MappingProxyType(
    {
        "square_box": SquareBox,
        "stretched_box": StretchedBox,
        "five_point": FivePoint,
        "point_patches": PointPatches,
        "window": Window,
        "grid": Grid,
    }
)
"""Each kind of crop by its name in the JSON of a card."""

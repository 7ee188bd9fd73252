"""Views: the part of an image that a sample shows, and the transform between the two frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.geometry.boxes import map_ellipses
from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging import Mipmap
from mien.train.recipe import Augmentation
from mien.types import Floats, Image


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A square of ``side`` image pixels centered on (x, y), rotated by ``degrees`` and perhaps mirrored.

    ``aspect``: height over width, for a rectangle. The frame of the view runs from (0, 0) to (1, 1).
    """

    x: float
    y: float
    side: float
    degrees: float = 0.0
    mirrored: bool = False
    aspect: float = 1.0

    @classmethod
    def random(cls, x: float, y: float, side: float, options: Augmentation, rng: np.random.Generator) -> View:
        """Return a square rotated and mirrored at random."""
        turn, kind = rng.uniform(-1, 1), rng.random()
        if kind < options.turned:
            degrees = turn * 90
        elif kind < options.turned + options.any_angle:
            degrees = turn * 180
        else:
            degrees = turn * options.rotation_degrees
        return cls(x, y, side, degrees, bool(rng.random() < options.mirror))

    def linear(self) -> Floats:
        """Return the matrix (2, 2) from steps in the frame of the view to steps in image pixels."""
        angle = math.radians(self.degrees)
        cos, sin = math.cos(angle) * self.side, math.sin(angle) * self.side
        flip = -1 if self.mirrored else 1
        return np.array([[cos * flip, -sin * self.aspect], [sin * flip, cos * self.aspect]])

    def _inverse(self) -> Floats:
        """Return the inverse of :meth:`linear`; rotation and mirror are orthogonal, which is faster than solving."""
        return np.asarray(self.linear().T / np.array([[self.side**2], [(self.side * self.aspect) ** 2]]))

    def crop(self, mipmap: Mipmap, size: int, context: float = 1.0) -> Image:
        """Return the pixels of the view (size, size, 3); ``context`` enlarges it around its center."""
        linear = self.linear() * (context / size)
        corner = np.array([self.x, self.y]) - linear @ [size / 2, size / 2]
        return mipmap.warp(np.column_stack([linear, corner]), size, size)

    def points(self, points: NDArray[np.floating]) -> Floats:
        """Return image points (..., 2) in the frame of the view, in the same order."""
        return np.asarray((points - [self.x, self.y]) @ self._inverse().T + 0.5)

    def keypoints(self, keypoints: Floats) -> Floats:
        """Return five keypoints (5, 2) in the frame of the view, left and right as seen there."""
        seen = self.points(keypoints)
        return seen[list(FIVE_MIRROR)] if self.mirrored else seen

    def boxes(self, boxes: Floats) -> Floats:
        """Return image boxes (n, 4) in the frame of the view; see :func:`mien.geometry.boxes.map_ellipses`."""
        to_view = self._inverse()
        return map_ellipses(boxes, to_view, 0.5 - to_view @ [self.x, self.y]).astype(np.float32)

"""Placements: where the content of an image appears in a crop of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mien.geometry.boxes import map_ellipses
from mien.types import Doubles, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The affine transform from image pixels to crop pixels: ``linear`` (2, 2), then ``offset`` (2,)."""

    linear: Doubles
    offset: Doubles

    @classmethod
    def centered(cls, linear: Doubles, point: Doubles, width: float, height: float) -> Placement:
        """Return the placement that shows an image point (2,) in the center of a crop."""
        return cls(linear, np.array([width, height]) / 2 - linear @ point)

    def to_image(self) -> Doubles:
        """Return the matrix (2, 3) from crop pixels to image pixels."""
        inverse = np.linalg.inv(self.linear)
        return np.column_stack([inverse, -inverse @ self.offset])

    def points(self, points: Floats) -> Floats:
        """Return image points (..., 2) in crop pixels, in the same order."""
        return (points @ self.linear.T + self.offset).astype(np.float32)

    def boxes(self, boxes: Floats) -> Floats:
        """Return image boxes (n, 4) in crop pixels; see :func:`mien.geometry.boxes.map_ellipses`."""
        return map_ellipses(boxes, self.linear, self.offset).astype(np.float32)


def linear_map(scale: float, degrees: float, aspect: float, *, mirrored: bool) -> Doubles:
    """Return the matrix (2, 2) that mirrors, scales, rotates (clockwise on the screen) and stretches.

    ``aspect``: stretch of the width, and inverse stretch of the height.
    """
    angle = math.radians(degrees)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    flip = -1 if mirrored else 1
    return np.array([[cos * flip * aspect, -sin * aspect], [sin * flip / aspect, cos / aspect]])

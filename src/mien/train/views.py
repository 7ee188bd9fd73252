"""Views: where training looks in an image, and the way between the two frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging import Mipmap
from mien.types import Floats, Image


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A square of ``side`` image pixels round (x, y), turned by ``degrees`` and perhaps mirrored.

    ``aspect`` makes it a rectangle so many times as high as wide. Its own frame runs from (0, 0) to (1, 1).
    """

    x: float
    y: float
    side: float
    degrees: float = 0.0
    mirrored: bool = False
    aspect: float = 1.0

    def linear(self) -> Floats:
        """The matrix (2, 2) that turns steps in the frame of the view into steps in image pixels."""
        angle = math.radians(self.degrees)
        cos, sin = math.cos(angle) * self.side, math.sin(angle) * self.side
        flip = -1 if self.mirrored else 1
        return np.array([[cos * flip, -sin * self.aspect], [sin * flip, cos * self.aspect]])

    def cut(self, mipmap: Mipmap, size: int, context: float = 1.0) -> Image:
        """What is seen, (size, size, 3); ``context`` widens the view round its centre."""
        linear = self.linear() * (context / size)
        corner = np.array([self.x, self.y]) - linear @ [size / 2, size / 2]
        return mipmap.warp(np.column_stack([linear, corner]), size, size)

    def points(self, points: NDArray[np.floating]) -> Floats:
        """Image points (..., 2) in the frame of the view; the order of the points stays as it was."""
        return np.asarray((points - [self.x, self.y]) @ np.linalg.inv(self.linear()).T + 0.5)

    def five(self, points: Floats) -> Floats:
        """Five points (5, 2) in the frame of the view, left and right as seen in it."""
        seen = self.points(points)
        return seen[list(FIVE_MIRROR)] if self.mirrored else seen

    def boxes(self, boxes: Floats) -> Floats:
        """Image boxes (n, 4) in the frame of the view: centres move, sides only scale.

        A box of a turned face is not known exactly; for small angles its sides stay as they are.
        """
        centre = self.points((boxes[:, :2] + boxes[:, 2:]) / 2)
        half = (boxes[:, 2:] - boxes[:, :2]) / (2 * self.side)
        return np.concatenate([centre - half, centre + half], axis=1)

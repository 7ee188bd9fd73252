"""Resize, crop and warp; shared by training and inference.

Coordinates are continuous: the corner of the first pixel is (0, 0), its center (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Floats, Image

_MAX_HALVINGS = 8
_SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def resize(image: Image, width: int, height: int) -> Image:
    """Resize an image (h, w, 3): area averaging when it shrinks by more than two, else bilinear."""
    shrink = max(image.shape[1] / width, image.shape[0] / height)
    how = cv2.INTER_AREA if shrink > 2 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), dtype=np.uint8)


class Mipmap:
    """An image pyramid, computed on demand, from which crops of any size are sampled.

    Bilinear sampling from the level that is at most twice too large avoids aliasing, and makes the crop of a large
    face as cheap as that of a small one. Threads may share a mipmap.
    """

    def __init__(self, image: Image, halved: Sequence[Image] = ()) -> None:
        """``halved``: copies of the image, each half as large as the one before, where they are at hand."""
        self._levels = [image, *halved]

    @property
    def image(self) -> Image:
        """The image at full size."""
        return self._levels[0]

    def levels(self, smallest: int) -> list[Image]:
        """Return the image and its halved copies with both sides of at least ``smallest`` pixels."""
        halvings = max(0, math.floor(math.log2(min(self.image.shape[:2]) / smallest)))
        self._level(halvings)
        return self._levels[: halvings + 1]

    def _level(self, wanted: int) -> tuple[Image, int]:
        """Return the level halved ``wanted`` times, or the smallest with two pixels a side, and its number."""
        levels = list(self._levels)  # threads share the mipmap: extend a copy, then publish it whole
        while len(levels) <= wanted:
            last = levels[-1]
            # Odd sides lose their last row or column, so that each copy is exactly half of the one before.
            height, width = last.shape[0] // 2, last.shape[1] // 2
            if height < 2 or width < 2:
                break
            even = last[: height * 2, : width * 2]
            levels.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8))
        self._levels = levels
        depth = min(wanted, len(levels) - 1)
        return levels[depth], depth

    def _nearest_level(self, scale: float) -> tuple[Image, float]:
        """Return the level for sampling every ``scale`` pixels, less than twice too large, and its relative size."""
        wanted = min(max(math.floor(math.log2(max(scale, 1e-6))), 0), _MAX_HALVINGS)
        level, depth = self._level(wanted)
        return level, 0.5**depth

    def warp(
        self, to_image: NDArray[np.floating], width: int, height: int, fill: tuple[int, int, int] = (0, 0, 0)
    ) -> Image:
        """Sample an image (height, width, 3), filled with one color outside the full image.

        ``to_image`` (2, 3) maps its pixels to pixels of the full image.
        """
        scale = math.sqrt(abs(to_image[0, 0] * to_image[1, 1] - to_image[0, 1] * to_image[1, 0]))
        level, size = self._nearest_level(scale)
        matrix = np.array(to_image, dtype=np.float64) * size
        matrix[:, 2] += (matrix[:, 0] + matrix[:, 1]) / 2 - 0.5  # cv2 counts from pixel centers
        border = cv2.BORDER_CONSTANT
        warped = cv2.warpAffine(level, matrix, (width, height), flags=_SAMPLING, borderMode=border, borderValue=fill)
        return np.asarray(warped, dtype=np.uint8)

    def crops(self, boxes: Floats, size: int) -> NDArray[np.uint8]:
        """Crop each box (n, 4), stretched to ``size`` pixels a side, black outside the image: (n, size, size, 3)."""
        out = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
        matrix = np.zeros((2, 3))
        for i, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
            # The same as warp(), simplified for upright crops: that halves the time of small ones.
            across, down = (x1 - x0) / size, (y1 - y0) / size
            level, shrunk = self._nearest_level(math.sqrt(abs(across * down)))
            matrix[0, 0], matrix[1, 1] = across * shrunk, down * shrunk
            matrix[:, 2] = (x0 + across / 2) * shrunk - 0.5, (y0 + down / 2) * shrunk - 0.5
            cv2.warpAffine(level, matrix, (size, size), dst=out[i], flags=_SAMPLING, borderMode=cv2.BORDER_CONSTANT)
        return out

"""Filters that change the colors or the sharpness of an image: what augmentation is made of."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.imaging.resample import resize
from mien.types import Image


def apply_tables(image: Image, tables: NDArray[np.uint8]) -> Image:
    """Return the image with each channel mapped by its column of ``tables`` (256, 3)."""
    return np.asarray(cv2.LUT(image, tables.reshape(1, 256, 3)), dtype=np.uint8)


def saturate(image: Image, amount: float) -> Image:
    """Return the image with its saturation times ``amount``: 0 gives gray, 1 the same image."""
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(image, amount, gray, 1 - amount, 0), dtype=np.uint8)


def blur(image: Image, sigma: float) -> Image:
    """Return the image blurred by a Gaussian with a standard deviation of ``sigma`` pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)


def reduce_resolution(image: Image, scale: float) -> Image:
    """Return the image reduced to ``scale`` times its sides and enlarged to its size again."""
    height, width = image.shape[:2]
    small = resize(image, max(2, round(width * scale)), max(2, round(height * scale)))
    return resize(small, width, height)


def motion_blur(image: Image, length: int, degrees: float) -> Image:
    """Return the image averaged along a line of ``length`` pixels, ``degrees`` counterclockwise from the diagonal."""
    center = (length - 1) / 2
    turn = cv2.getRotationMatrix2D((center, center), degrees, 1)
    line = cv2.warpAffine(np.eye(length, dtype=np.float32), turn, (length, length))
    return np.asarray(cv2.filter2D(image, -1, line / line.sum()), dtype=np.uint8)

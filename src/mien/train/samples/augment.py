"""Augmentation of color and quality, which leaves the face where it is."""

from __future__ import annotations

import numpy as np

from mien.imaging import encode_jpeg, read_image, reduce_resolution
from mien.train.recipe import Augmentation
from mien.types import Image

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def augment(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Return the image (h, w, 3), changed at random."""
    chances = (options.blur, options.occlusion, options.half_cover, options.jpeg, options.gray, options.dark)
    blur, occlusion, half_cover, jpeg, gray, dark = rng.random(len(chances)) < chances
    if blur:
        image = _blur(image, options.blur_scale, rng)
    if occlusion:
        image = _occlude(image, rng)
    if half_cover:
        image = _cover_half(image, rng)
    if jpeg:
        image = read_image(encode_jpeg(image, int(rng.integers(20, 80))))
    if options.color > 0 or gray:
        image = _jitter_color(image, options.color, rng, gray=bool(gray))
    return _darken(image, rng) if dark else image


def _blur(image: Image, lowest: float, rng: np.random.Generator) -> Image:
    return reduce_resolution(image, rng.uniform(min(lowest, 0.8), 0.8))


def _occlude(image: Image, rng: np.random.Generator) -> Image:
    """Cover up to a third of the height and half of the width with one color or noise."""
    height, width = image.shape[:2]
    h, w = int(height * rng.uniform(0.1, 0.35)), int(width * rng.uniform(0.1, 0.5))
    y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    return _fill(image, slice(y, y + h), slice(x, x + w), rng)


def _cover_half(image: Image, rng: np.random.Generator) -> Image:
    """Cover most of one side, from 0 to 20 % to 35 to 55 % of the way across."""
    size = np.array(image.shape[:2])
    first, last = (size * rng.uniform(0, 0.2, 2)).astype(int), (size * rng.uniform(0.8, 1, 2)).astype(int)
    axis = int(rng.integers(2))
    last[axis] = int(size[axis] * rng.uniform(0.35, 0.55))
    if rng.random() < 0.5:  # the other side
        first[axis], last[axis] = size[axis] - last[axis], size[axis] - first[axis]
    return _fill(image, slice(first[0], last[0]), slice(first[1], last[1]), rng)


def _fill(image: Image, rows: slice, columns: slice, rng: np.random.Generator) -> Image:
    """Fill a rectangle with one color or noise."""
    out = image.copy()
    shape = out[rows, columns].shape
    out[rows, columns] = rng.integers(0, 256, shape) if rng.random() < 0.3 else rng.integers(0, 256, 3)
    return out


def _darken(image: Image, rng: np.random.Generator) -> Image:
    """Reduce the brightness to 8 to 50 %."""
    gain = np.float32(np.exp(rng.uniform(np.log(0.08), np.log(0.5))))
    return np.asarray((image * gain).astype(np.uint8))


def _jitter_color(image: Image, strength: float, rng: np.random.Generator, *, gray: bool) -> Image:
    """Change brightness, contrast and the gain of each channel; perhaps remove the color first."""
    pixels = image.astype(np.float32)
    if gray:
        pixels[:] = (pixels @ _LUMA)[..., None]
    contrast = np.exp(rng.normal(0, strength))
    gain = np.exp(rng.normal(0, strength / 3, 3)).astype(np.float32)
    brightness = np.float32(rng.normal(0, 90 * strength))
    changed = (pixels - 127.5) * (np.float32(contrast) * gain) + 127.5 + brightness
    return np.asarray(np.clip(changed, 0, 255).astype(np.uint8))

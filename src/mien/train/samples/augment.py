"""Augmentation of color and quality, which leaves the face where it is."""

from __future__ import annotations

import numpy as np

from mien.imaging import encode_jpeg, read_image, resize
from mien.train.recipe import Augmentation
from mien.types import Image

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def augment(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Return the image (h, w, 3), changed at random."""
    blur, occlusion, jpeg, gray = rng.random(4) < (options.blur, options.occlusion, options.jpeg, options.gray)
    if blur:
        image = _blur(image, rng)
    if occlusion:
        image = _occlude(image, rng)
    if jpeg:
        image = read_image(encode_jpeg(image, int(rng.integers(20, 80))))
    return _jitter_color(image, options.color, rng, gray=bool(gray)) if options.color > 0 or gray else image


def _blur(image: Image, rng: np.random.Generator) -> Image:
    """Reduce the resolution."""
    height, width = image.shape[:2]
    shrink = rng.uniform(0.35, 0.8)
    small = resize(image, max(2, round(width * shrink)), max(2, round(height * shrink)))
    return resize(small, width, height)


def _occlude(image: Image, rng: np.random.Generator) -> Image:
    """Cover up to a third of the height and half of the width with one color or noise."""
    height, width = image.shape[:2]
    h, w = int(height * rng.uniform(0.1, 0.35)), int(width * rng.uniform(0.1, 0.5))
    y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    out = image.copy()
    out[y : y + h, x : x + w] = rng.integers(0, 256, (h, w, 3)) if rng.random() < 0.3 else rng.integers(0, 256, 3)
    return out


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

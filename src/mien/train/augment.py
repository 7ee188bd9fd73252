"""Changes of colour and quality that leave the face where it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.imaging import encode_jpeg, read_image, resize
from mien.train.recipe import SampleRecipe

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def augment(images: NDArray[np.uint8], recipe: SampleRecipe, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Images (n, h, w, 3) changed at random as the recipe asks; each chance is per image."""
    out = images.copy()
    chances = rng.random((len(out), 4))
    for i, image in enumerate(out):
        if chances[i, 0] < recipe.blur:
            image = _blurred(image, rng)
        if chances[i, 1] < recipe.occlusion:
            image = _occluded(image, rng)
        if chances[i, 2] < recipe.jpeg:
            image = read_image(encode_jpeg(image, int(rng.integers(20, 80))))
        out[i] = image
    return _coloured(out, recipe, rng, chances[:, 3] < recipe.grey)


def _blurred(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """As if seen in fewer pixels."""
    height, width = image.shape[:2]
    shrink = rng.uniform(0.35, 0.8)
    small = resize(image, max(2, round(width * shrink)), max(2, round(height * shrink)))
    return resize(small, width, height)


def _occluded(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """With a rectangle of one colour or of noise over up to a third of each side."""
    height, width = image.shape[:2]
    h, w = int(height * rng.uniform(0.1, 0.35)), int(width * rng.uniform(0.1, 0.5))
    y, x = int(rng.integers(0, height - h)), int(rng.integers(0, width - w))
    out = image.copy()
    noise = rng.integers(0, 256, (h, w, 3)) if rng.random() < 0.3 else rng.integers(0, 256, 3)
    out[y : y + h, x : x + w] = noise
    return out


def _coloured(
    images: NDArray[np.uint8], recipe: SampleRecipe, rng: np.random.Generator, grey: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Brightness, contrast and a gain for each channel; some images without colour."""
    n, strength = len(images), recipe.colour
    if strength <= 0 and not grey.any():
        return images
    x = images.astype(np.float32)
    x[grey] = (x[grey] @ _LUMA)[..., None]
    contrast = np.exp(rng.normal(0, strength, (n, 1, 1, 1))).astype(np.float32)
    gain = np.exp(rng.normal(0, strength / 3, (n, 1, 1, 3))).astype(np.float32)
    light = rng.normal(0, 90 * strength, (n, 1, 1, 1)).astype(np.float32)
    changed = (x - 127.5) * (contrast * gain) + 127.5 + light
    return np.asarray(np.clip(changed, 0, 255).astype(np.uint8))

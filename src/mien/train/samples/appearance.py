"""Changes of scenes that leave faces where they are: covered faces, light, color, sharpness, noise, compression."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from mien.imaging import apply_tables, blur, encode_jpeg, motion_blur, read_image, reduce_resolution, saturate
from mien.train.recipe import Augmentation, Fraction
from mien.types import Doubles, Floats, Image

_LEVELS = np.arange(256)[:, None] / 255
_SMALLEST_COVER = 2


class SceneAugmentation(Augmentation):
    """Probabilities of further changes. ``occlusion`` is the share of faces that are covered by a half.

    ``turned``, ``any_angle`` and ``dark`` apply to scenes; ``half_cover``, ``border`` and ``blur_scale`` do not.

    Attributes:
        rotated: Rotations with the standard deviation ``rotation_degrees``.
        tone: Changes of brightness, gamma and color, with the strength ``color``; ``dark`` is a share of these.
        saturation: Changes of the saturation.
        noise: Noise.
    """

    rotated: Fraction = 0.0
    tone: Fraction = 0.0
    saturation: Fraction = 0.0
    noise: Fraction = 0.0


def rotation(options: SceneAugmentation, rng: np.random.Generator) -> float:
    """Return an angle in degrees."""
    kind = rng.random()
    if kind < options.rotated:
        return float(rng.normal(0, options.rotation_degrees))
    if kind < options.rotated + options.turned:
        return float(rng.uniform(-80, 80))
    return float(rng.uniform(-180, 180)) if kind < options.rotated + options.turned + options.any_angle else 0.0


def cover_faces(image: Image, boxes: Floats, share: float, rng: np.random.Generator) -> None:
    """Cover a half of a ``share`` of the faces (n, 4), in place: with one color, noise or another part of the image."""
    height, width = image.shape[:2]
    for box in boxes[rng.random(len(boxes)) < share]:
        region = _half(box.astype(np.float64), rng)
        x0, y0, x1, y1 = (int(v) for v in np.clip(region, 0, (width, height, width, height)))
        rows, columns = y1 - y0, x1 - x0
        if rows < _SMALLEST_COVER or columns < _SMALLEST_COVER:
            continue
        kind = rng.random()
        if kind < 0.45:
            image[y0:y1, x0:x1] = rng.integers(0, 256, 3)
        elif kind < 0.6:
            image[y0:y1, x0:x1] = rng.integers(0, 256, (rows, columns, 3))
        else:
            y, x = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
            image[y0:y1, x0:x1] = blur(image[y : y + rows, x : x + columns], 1.5)


def _half(box: Doubles, rng: np.random.Generator) -> Doubles:
    """Return the upper (twice as often), lower, left or right part of a box, about a half, and a little beyond it."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    part = rng.uniform(0.25, 0.55)
    wide = (x0 - 0.15 * width, x1 + 0.15 * width)
    side = rng.integers(0, 5)
    if side < 2:
        return np.array([wide[0], y0 - 0.15 * height, wide[1], y0 + part * height])
    if side == 2:
        return np.array([wide[0], y1 - part * height, wide[1], y1 + 0.1 * height])
    if side == 3:
        return np.array([x0, y0, x0 + part * width, y1])
    return np.array([x1 - part * width, y0, x1, y1])


def change_appearance(image: Image, options: SceneAugmentation, rng: np.random.Generator) -> Image:
    """Return the image (h, w, 3) with its light, color, sharpness, noise and compression changed at random."""
    if rng.random() < options.tone:
        image = apply_tables(image, _tone(options, rng))
    color = rng.random()
    if color < options.gray:
        image = saturate(image, 0.0)
    elif color < options.gray + options.saturation:
        image = saturate(image, rng.uniform(0.3, 1.6))
    if rng.random() < options.blur:
        image = _soften(image, rng)
    if rng.random() < options.noise:
        image = _add_noise(image, rng)
    if rng.random() < options.jpeg:
        image = read_image(encode_jpeg(image, int(rng.integers(15, 75))))
    return image


def _tone(options: SceneAugmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a table (256, 3): gamma, gain and offset, with a gain of its own for each channel."""
    strength = options.color
    dark = rng.random() < options.dark
    gain = np.exp(rng.uniform(np.log(0.09), np.log(0.5))) if dark else np.exp(rng.normal(0, strength))
    gamma = np.exp(rng.normal(0, 0.8 * strength))
    offset = rng.normal(0, 40 * strength) * min(gain, 1.0)
    tint = np.exp(rng.normal(0, 0.25 * strength, 3))
    return cast("NDArray[np.uint8]", np.clip(_LEVELS**gamma * 255 * gain * tint + offset, 0, 255).astype(np.uint8))


def _soften(image: Image, rng: np.random.Generator) -> Image:
    """Blur, blur along a line, or reduce the resolution."""
    kind = rng.random()
    if kind < 0.43:
        return blur(image, rng.uniform(0.6, 2.0))
    if kind < 0.72:
        return motion_blur(image, int(rng.integers(3, 10)), rng.uniform(0, 180))
    return reduce_resolution(image, rng.uniform(0.35, 0.8))


def _add_noise(image: Image, rng: np.random.Generator) -> Image:
    """Add uniform noise; its lower half mirrors the upper, which halves its time."""
    height, width = image.shape[:2]
    upper = rng.integers(-127, 128, (-(-height // 2), width, 3), dtype=np.int8)
    noise = np.concatenate([upper, upper[::-1]])[:height] * np.float32(rng.uniform(0.02, 0.22))
    return np.asarray(np.clip(image + noise, 0, 255).astype(np.uint8))

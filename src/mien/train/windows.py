"""Samples for P-Net as it works at inference: every window of a patch of a pyramid level at once.

The labels are those of the paper (overlap with the nearest face decides), but instead of single crops the network
sees patches that hold hundreds of windows, so that backgrounds come in their natural variety and the hardest
can be picked from all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.geometry import boxes as box
from mien.models import Window
from mien.train.augment import augment
from mien.train.examples import Examples
from mien.train.recipe import SampleRecipe
from mien.train.views import View
from mien.types import Floats


def grid(size: int, input_size: int, crop: Window) -> Floats:
    """Return the face boxes (H * W, 4) of the windows of a level of ``size`` pixels, row by row, in level pixels."""
    count = (size - input_size) // crop.stride + 1
    rows, columns = np.divmod(np.arange(count * count), count)
    return crop.face_boxes(rows, columns, input_size)


class WindowSamples:
    """Draws batches of patches of ``size`` level pixels with a label for each window."""

    def __init__(self, examples: Examples, recipe: SampleRecipe, crop: Window, *, input_size: int, seed: int) -> None:
        self._examples = examples
        self._recipe = recipe
        self._cell = crop.cell
        self._seed = seed
        self.size = input_size + crop.stride * (recipe.windows_a_side - 1)
        self._windows = grid(self.size, input_size, crop)

    def batch(self, step: int, count: int) -> dict[str, NDArray[np.generic]]:
        """``images`` (n, s, s, 3) uint8, ``labels`` (n, k) in {1, 0, -1 = not to be judged},
        ``offsets`` (n, k, 4) and ``located`` (n, k): where offsets are to be learned."""
        rng = np.random.default_rng((self._seed, step))
        drawn = [self._draw(rng) for _ in range(count)]
        images = augment(np.stack([d[0] for d in drawn]), self._recipe, rng)
        labels, offsets, located = (np.stack([d[i] for d in drawn]) for i in (1, 2, 3))
        return {"images": images, "labels": labels, "offsets": offsets, "located": located}

    def _draw(self, rng: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
        show_face = rng.random() >= self._recipe.negative_share and len(self._examples.faces) > 0
        index, view = self._face_view(rng) if show_face else self._background_view(rng)
        example = self._examples.all[index]
        image = view.cut(self._examples.mipmap(index), self.size)
        annotation = example.annotation
        seen = view.boxes(annotation.boxes) * self.size
        labels, offsets, located = label_windows(
            self._windows, seen, annotation.ignored, self._recipe, background=example.background
        )
        return image, labels, offsets, located

    def _face_view(self, rng: np.random.Generator) -> tuple[int, View]:
        """A face at one of the sizes at which P-Net must find it, anywhere in the patch."""
        index, row = self._examples.faces[rng.choice(len(self._examples.faces), p=self._examples.chance)]
        face = box.square(self._examples.all[index].annotation.boxes[row : row + 1])[0]
        seen = self._cell * np.exp(rng.uniform(np.log(0.82), np.log(1.3)))
        side = float(face[2] - face[0]) / seen * self.size
        shift = rng.uniform(-0.5, 0.5, 2) * side * (1 - 2 * self._cell / self.size)
        x, y = (face[:2] + face[2:]) / 2 + shift
        return int(index), self._turned(float(x), float(y), side, rng)

    def _background_view(self, rng: np.random.Generator) -> tuple[int, View]:
        """Anywhere in an image whose background is known, at any level of its pyramid."""
        pool = self._examples.with_background
        index = int(rng.choice(pool)) if len(pool) else int(rng.integers(len(self._examples)))
        height, width = self._examples.mipmap(index).image.shape[:2]
        widest = max(height, width) * 1.5
        side = float(np.exp(rng.uniform(np.log(min(self.size, widest)), np.log(widest))))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        return index, self._turned(x, y, side, rng)

    def _turned(self, x: float, y: float, side: float, rng: np.random.Generator) -> View:
        degrees = rng.uniform(-1, 1) * self._recipe.rotation_degrees
        return View(x, y, side, degrees, bool(rng.random() < self._recipe.mirror))


def label_windows(
    windows: Floats, faces: Floats, ignored: NDArray[np.bool_], recipe: SampleRecipe, *, background: bool
) -> tuple[NDArray[np.int8], Floats, NDArray[np.bool_]]:
    """Labels (k,), offsets (k, 4) and where these count (k,) of windows among faces (m, 4), all in one frame.

    Overlap is measured with the squared face, because windows are square.
    """
    count = len(windows)
    labels = np.zeros(count, dtype=np.int8) if background else np.full(count, -1, dtype=np.int8)
    offsets = np.zeros((count, 4), dtype=np.float32)
    located = np.zeros(count, dtype=bool)
    sure = faces[~ignored]
    if ignored.any():
        labels[box.ioa(windows, faces[ignored]).max(axis=1) > recipe.negative] = -1
    if len(sure):
        overlap = box.iou(windows, box.square(sure))
        nearest, best = overlap.argmax(axis=1), overlap.max(axis=1)
        labels[best >= recipe.negative] = -1
        labels[best >= recipe.positive] = 1
        located = best >= recipe.part
        offsets = box.encode_boxes(sure[nearest], windows).astype(np.float32)
    return labels, offsets, located

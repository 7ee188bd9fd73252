"""Samples for L-Net: five patches around displaced keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRecipe
from mien.geometry.schemes import FIVE_MIRROR
from mien.models import PointPatches
from mien.train.augment import augment
from mien.train.examples import Examples
from mien.train.recipe import SampleRecipe
from mien.train.views import View


class PatchSamples:
    """Batches of five patches of ``size`` pixels, stacked on the channel axis."""

    def __init__(self, examples: Examples, recipe: SampleRecipe, crop: PointPatches, *, size: int, seed: int) -> None:
        self._examples = examples
        self._recipe = recipe
        self._crop = crop
        self._size = size
        self._seed = seed
        known = [bool(np.isfinite(examples.all[i].annotation.keypoints[j]).all()) for i, j in examples.faces]
        chance = examples.chance * np.array(known, dtype=float)
        if not chance.sum() > 0:
            raise BadRecipe("L-Net learns from keypoints, but no source of this recipe has any")
        self._chance = chance / chance.sum()

    def batch(self, step: int, count: int) -> dict[str, NDArray[np.generic]]:
        """Return ``images`` (n, s, s, 15) uint8 and ``points`` (n, 5, 2) in fractions of each patch."""
        rng = np.random.default_rng((self._seed, step))
        drawn = [self._draw(rng) for _ in range(count)]
        rows = np.stack([d[0] for d in drawn])  # five patches side by side share one color augmentation
        rows = augment(rows, self._recipe, rng)
        patches = rows.reshape(count, self._size, 5, self._size, 3).transpose(0, 1, 3, 2, 4)
        images = np.ascontiguousarray(patches).reshape(count, self._size, self._size, 15)
        return {"images": images, "points": np.stack([d[1] for d in drawn]).astype(np.float32)}

    def _draw(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        index, row = self._examples.faces[rng.choice(len(self._chance), p=self._chance)]
        annotation = self._examples.all[index].annotation
        degrees = rng.uniform(-1, 1) * self._recipe.rotation_degrees
        mirrored = bool(rng.random() < self._recipe.mirror)
        side = float(self._crop.sides(annotation.boxes[row : row + 1])[0] * np.exp(rng.uniform(-0.15, 0.15)))
        points = annotation.keypoints[row][list(FIVE_MIRROR)] if mirrored else annotation.keypoints[row]
        off = np.clip(rng.normal(0, self._recipe.points_off, (5, 2)), -0.4, 0.4)
        linear = View(0, 0, side, degrees, mirrored).linear()
        mipmap = self._examples.mipmap(int(index))
        patches = []
        for x, y in points - off @ linear.T:
            patches.append(View(float(x), float(y), side, degrees, mirrored).cut(mipmap, self._size))
        return np.concatenate(patches, axis=1), off + 0.5

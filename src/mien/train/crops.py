"""Samples for R-Net and O-Net (and for P-Net as in the paper): single crops round and beside faces.

Negative, part and positive crops as in the paper, by their overlap with the nearest face (squared, because crops
are square); crops with points; and hard examples: candidates of the cascade as far as it is trained.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.geometry import boxes as box
from mien.train.augment import augment
from mien.train.examples import Examples
from mien.train.mining import Mined
from mien.train.recipe import SampleRecipe
from mien.train.views import View
from mien.train.windows import label_windows
from mien.types import Floats

_UNIT: Floats = np.array([[0, 0, 1, 1]], dtype=np.float32)
_CENTRED: Floats = _UNIT - 0.5
_TRIES = 12


class CropSamples:
    """Draws batches of crops of ``size`` pixels."""

    def __init__(self, examples: Examples, mined: Mined, recipe: SampleRecipe, *, size: int, seed: int) -> None:
        self._examples = examples
        self._mined = mined
        self._recipe = recipe
        self._size = size
        self._seed = seed
        known = [bool(np.isfinite(examples.all[i].annotation.keypoints[j]).all()) for i, j in examples.faces]
        chance = examples.chance * np.array(known, dtype=float)
        self._pointed = chance / chance.sum() if chance.sum() > 0 else None

    def batch(self, step: int, count: int) -> dict[str, NDArray[np.generic]]:
        """``images`` (n, s, s, 3) uint8, ``labels`` (n,) in {1, 0, -1}, ``offsets`` (n, 4), ``located`` (n,),
        ``points`` (n, 5, 2) and ``pointed`` (n,): which losses each sample has."""
        rng = np.random.default_rng((self._seed, step))
        drawn = [self._draw(rng) for _ in range(count)]
        images = augment(np.stack([d["images"] for d in drawn]), self._recipe, rng)
        out = {name: np.stack([d[name] for d in drawn]) for name in drawn[0]}
        return {**out, "images": images}

    def _draw(self, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
        recipe = self._recipe
        kind = rng.random()
        if kind < recipe.negative_share or not len(self._examples.faces):
            index, view = self._negative(rng)
        elif kind < recipe.negative_share + recipe.points_share and self._pointed is not None:
            index, view = self._round_face(rng, self._pointed, recipe.positive, 1.0)
        elif kind < 1 - recipe.part_share:
            index, view = self._positive(rng)
        else:
            index, view = self._round_face(rng, self._examples.chance, recipe.part, recipe.positive)
        return self._sample(index, view)

    def _sample(self, index: int, view: View) -> dict[str, NDArray[np.generic]]:
        example = self._examples.all[index]
        annotation = example.annotation
        faces = view.boxes(annotation.boxes)
        label, offsets, located = label_windows(
            _UNIT, faces, annotation.ignored, self._recipe, background=example.background
        )
        points, pointed = np.zeros((5, 2), dtype=np.float32), np.array(False)
        if located[0]:
            nearest = int(np.where(annotation.ignored, -1, box.iou(_UNIT, box.square(faces))[0]).argmax())
            if np.isfinite(annotation.keypoints[nearest]).all():
                points, pointed = view.five(annotation.keypoints[nearest]).astype(np.float32), np.array(True)
        image = view.cut(self._examples.mipmap(index), self._size, self._recipe.context)
        return {
            "images": image,
            "labels": label[0],
            "offsets": offsets[0],
            "located": located[0],
            "points": points,
            "pointed": pointed,
        }

    def _positive(self, rng: np.random.Generator) -> tuple[int, View]:
        mined = self._mined.positives
        if len(mined.examples) and rng.random() < self._recipe.hard_share / 2:
            return self._shaken(mined.examples, mined.boxes, rng)
        return self._round_face(rng, self._examples.chance, self._recipe.positive, 1.0)

    def _negative(self, rng: np.random.Generator) -> tuple[int, View]:
        mined = self._mined.negatives
        if len(mined.examples) and rng.random() < self._recipe.hard_share:
            return self._shaken(mined.examples, mined.boxes, rng)
        if rng.random() < 0.5 and len(self._examples.faces):
            return self._round_face(rng, self._examples.chance, 0.02, self._recipe.negative)
        pool = self._examples.with_background
        index = int(rng.choice(pool)) if len(pool) else int(rng.integers(len(self._examples)))
        height, width = self._examples.mipmap(index).image.shape[:2]
        side = float(np.exp(rng.uniform(np.log(min(12, width)), np.log(max(height, width)))))
        return index, self._turned(rng.uniform(0, width), rng.uniform(0, height), side, rng)

    def _shaken(self, examples: NDArray[np.intp], boxes: Floats, rng: np.random.Generator) -> tuple[int, View]:
        """A mined crop, moved a little so that it is never twice the same."""
        i = int(rng.integers(len(examples)))
        x0, y0, x1, y1 = (float(v) for v in boxes[i])
        side = max(x1 - x0, y1 - y0)
        dx, dy, growth = rng.uniform(-0.04, 0.04, 3)
        x, y = (x0 + x1) / 2 + dx * side, (y0 + y1) / 2 + dy * side
        return int(examples[i]), self._turned(x, y, side * (1 + growth), rng)

    def _round_face(
        self, rng: np.random.Generator, chance: NDArray[np.float64], low: float, high: float
    ) -> tuple[int, View]:
        """A square near a face whose overlap with it lies in [low, high)."""
        index, row = self._examples.faces[rng.choice(len(chance), p=chance)]
        face = box.square(self._examples.all[index].annotation.boxes[row : row + 1])
        side = float(face[0, 2] - face[0, 0])
        x, y = ((face[0, :2] + face[0, 2:]) / 2).tolist()
        # Several tries at once, measured without the turn, which does not change how far the window is off.
        reach = 1.0 - low
        sides = np.exp(rng.uniform(-0.8, 0.8, _TRIES) * reach)
        off = rng.uniform(-0.8, 0.8, (_TRIES, 2)) * reach
        windows = np.concatenate([off - sides[:, None] / 2, off + sides[:, None] / 2], axis=1)
        overlap = box.iou(windows, _CENTRED)[:, 0]
        fits = np.flatnonzero((overlap >= low) & (overlap < high))
        if not len(fits):  # labels go by what is seen, so the face itself does no harm
            return int(index), self._turned(x, y, side, rng)
        dx, dy = (off[fits[0]] * side).tolist()
        return int(index), self._turned(x + dx, y + dy, side * float(sides[fits[0]]), rng)

    def _turned(self, x: float, y: float, side: float, rng: np.random.Generator) -> View:
        degrees = rng.uniform(-1, 1) * self._recipe.rotation_degrees
        return View(x, y, side, degrees, bool(rng.random() < self._recipe.mirror))

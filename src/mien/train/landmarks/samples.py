"""Samples for the 68 points: crops cut anew each time from what the shards hold, turned, shifted and scaled."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.datasets.shards import Sample
from mien.errors import BadRecipe
from mien.geometry import boxes
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.imaging import Mipmap, read_image
from mien.models import SquareBox, StretchedBox
from mien.train.augment import augment
from mien.train.recipe import LandmarkRecipe, SampleRecipe
from mien.train.views import View

ROWS = ("68", "68-3d")
"""Schemes in the order of the rows of the networks' points."""

CONTOURS = ("visible", "3d")
"""What the card calls these rows."""

_NEAR = 0.25
"""How far a second look is off, beside a first."""

Arrays = dict[str, NDArray[np.generic]]


def crop_spec(recipe: LandmarkRecipe) -> SquareBox | StretchedBox:
    """Return what the samples are cut by and the card says."""
    return SquareBox(recipe.context) if recipe.crop == "square" else StretchedBox(recipe.context)


class LandmarkSamples:
    """Draws batches of crops of ``size`` pixels from ``samples``; each source gets the share of its weight.

    ``sources`` (n,): which source of the recipe each sample comes from.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        sources: Sequence[int],
        weights: Sequence[float],
        recipe: LandmarkRecipe,
        changes: SampleRecipe,
        *,
        size: int,
        seed: int,
    ) -> None:
        if not samples:
            raise BadRecipe("the sources of this recipe hold no usable sample")
        self.all = tuple(samples)
        self._recipe, self._changes = recipe, changes
        self._size, self._seed = size, seed
        points = np.stack([sample.wide_points for sample in samples])
        crop = crop_spec(recipe)
        self._context = crop.context
        self._crops = crop.crop_boxes(boxes.detected_box(points))
        source = np.asarray(sources)
        counts = np.maximum(np.bincount(source, minlength=len(weights)), 1)
        chance = np.asarray(weights, dtype=np.float64)[source] / counts[source]
        if not chance.sum() > 0:
            raise BadRecipe("all sources with samples have the weight 0")
        self._chance = np.cumsum(chance / chance.sum())
        self._mipmaps: dict[int, Mipmap] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.all)

    def batch(self, step: int, count: int) -> Arrays:
        """``count`` samples drawn for a step: see :meth:`arrays`; a pure function of seed and step."""
        rng = np.random.default_rng((self._seed, step))
        drawn = np.minimum(np.searchsorted(self._chance, rng.random(count), side="right"), len(self) - 1)
        views = [self._view(int(index), rng) for index in drawn]
        found = self.arrays(drawn, views)
        found["images"] = augment(found["images"].astype(np.uint8, copy=False), self._changes, rng)
        return found

    def straight(self, indices: NDArray[np.intp]) -> Arrays:
        """Samples as they are, with the box of their points; nothing is drawn."""
        return self.arrays(indices, [self._straight(int(index)) for index in indices])

    def arrays(self, indices: NDArray[np.intp], views: Sequence[View]) -> Arrays:
        """``images`` (n, s, s, 3) uint8; ``points`` (n, 68, 2) in fractions of the crop, 0 where not ``known``
        (n, 68); ``row`` (n,) of the scheme; ``pose`` (n, 3) in degrees, NaN where unknown; ``eyes`` (n,): the
        inter-ocular distance in fractions of the crop, NaN where unknown."""
        cut = [self._cut(int(index), view) for index, view in zip(indices, views, strict=True)]
        points = np.stack([each[1] for each in cut]).astype(np.float32)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=2))
        return {
            "images": np.stack([each[0] for each in cut]),
            "points": np.where(known[..., None], points, 0).astype(np.float32),
            "known": known,
            "row": np.array([ROWS.index(self.all[int(i)].scheme) for i in indices], dtype=np.int64),
            "pose": np.stack([each[2] for each in cut]).astype(np.float32),
            "eyes": np.linalg.norm(points[:, 36] - points[:, 45], axis=1).astype(np.float32),
        }

    def _straight(self, index: int) -> View:
        x0, y0, x1, y1 = self._crops[index].tolist()
        width, height = x1 - x0, y1 - y0
        return View((x0 + x1) / 2, (y0 + y1) / 2, width, aspect=height / width)

    def _view(self, index: int, rng: np.random.Generator) -> View:
        """Where a detector that is a little off might look, turned and perhaps mirrored."""
        straight, recipe = self._straight(index), self._recipe
        side = straight.side / self._context
        off = _NEAR if rng.random() < recipe.near else 1.0
        dx, dy, grow, turn = (np.clip(rng.normal(size=4), -2.5, 2.5) * off).tolist()
        return View(
            straight.x + dx * recipe.shift * side,
            straight.y + dy * recipe.shift * side,
            straight.side * float(np.exp(grow * recipe.resize)),
            turn * self._changes.rotation_degrees / 2,
            bool(rng.random() < self._changes.mirror),
            straight.aspect,
        )

    def _cut(self, index: int, view: View) -> tuple[NDArray[np.uint8], NDArray[np.floating], NDArray[np.floating]]:
        sample = self.all[index]
        points = view.points(sample.wide_points)
        yaw, pitch, roll = sample.pose.tolist()
        # A view that turns clockwise sees the face turned the other way.
        roll -= view.degrees
        if view.mirrored:
            points = points[list(SIXTY_EIGHT_MIRROR)]
            yaw, roll = -yaw, -roll
        return view.cut(self._mipmap(index), self._size), points, np.array([yaw, pitch, roll])

    def _mipmap(self, index: int) -> Mipmap:
        """The image of a sample, decoded when first asked for."""
        held = self._mipmaps.get(index)
        if held is None:
            held = Mipmap(read_image(self.all[index].wide))
            with self._lock:
                self._mipmaps[index] = held
        return held

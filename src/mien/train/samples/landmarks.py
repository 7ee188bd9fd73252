"""Crops of faces with 68 landmarks, cut anew for every step from the context images of shards."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from mien.datasets.crop_rules import RULES
from mien.datasets.shards import Sample
from mien.errors import BadRecipe
from mien.geometry import boxes
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.imaging import Mipmap, read_image
from mien.models import SquareBox, StretchedBox
from mien.train.recipe import AtLeastOne, Augmentation, Fraction, NonNegative, Section
from mien.train.samples.augment import augment
from mien.train.samples.views import View
from mien.train.task import Arrays, Images

SCHEMES = ("68", "68-3d")
"""Schemes of the samples, in the order of the networks' contours."""

_REFINEMENT_JITTER = 0.25
"""Jitter of the crop of a second refinement step, relative to the first."""


class LandmarkSamples(Section):
    """How crops are cut.

    Attributes:
        crop: ``SquareBox`` or ``StretchedBox`` of the card; ``context`` belongs to it.
        center_jitter: Standard deviation of the center of a crop, in sides of the face box.
        scale_jitter: Standard deviation of the logarithm of its size.
        refinement_share: Share of crops with a quarter of that jitter, as a second refinement step sees them.
    """

    crop: Literal["square", "stretched"] = "square"
    context: AtLeastOne = RULES["square"].context
    center_jitter: NonNegative = 0.06
    scale_jitter: NonNegative = 0.1
    refinement_share: Fraction = 0.0

    def crop_spec(self) -> SquareBox | StretchedBox:
        """Return the crop of the card."""
        return SquareBox(self.context) if self.crop == "square" else StretchedBox(self.context)


class LandmarkSampler:
    """Draws crops of ``size`` pixels from the context images of shards.

    Attributes:
        all: The samples of the shards.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        probability: NDArray[np.float64],
        options: LandmarkSamples,
        augmentation: Augmentation,
        size: int,
    ) -> None:
        if not probability.sum() > 0:
            raise BadRecipe("all sources with samples have the weight 0")
        self.all = tuple(samples)
        self._options, self._augmentation = options, augmentation
        self._size = size
        points = np.stack([sample.wide_points for sample in samples])
        self._crops = options.crop_spec().crop_boxes(boxes.detected_box(points))
        self._cumulative = np.cumsum(probability)
        self._mipmaps: dict[int, Mipmap] = {}
        self._lock = threading.Lock()

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 3) uint8; ``landmarks`` (68, 2) in fractions of the crop, 0 where not ``known``
        (68,); ``scheme``: index in :data:`SCHEMES`; ``pose`` (3,) in degrees, NaN where unknown; ``eyes``: the
        inter-ocular distance in fractions of the crop, NaN where unknown."""
        index = min(int(np.searchsorted(self._cumulative, rng.random(), side="right")), len(self.all) - 1)
        arrays = self.seen(index, self._jittered_view(index, rng))
        return {**arrays, "images": augment(cast(Images, arrays["images"]), self._augmentation, rng)}

    def centerd(self, index: int) -> Arrays:
        """Return sample ``index`` as :meth:`sample` does, with the crop of inference and without augmentation."""
        return self.seen(index, self.view(index))

    def view(self, index: int) -> View:
        """Return the crop of inference."""
        x0, y0, x1, y1 = self._crops[index].tolist()
        width, height = x1 - x0, y1 - y0
        return View((x0 + x1) / 2, (y0 + y1) / 2, width, aspect=height / width)

    def _jittered_view(self, index: int, rng: np.random.Generator) -> View:
        """Return a crop of an inaccurate detection, rotated and perhaps mirrored."""
        view, options = self.view(index), self._options
        side = view.side / options.context
        jitter = _REFINEMENT_JITTER if rng.random() < options.refinement_share else 1.0
        dx, dy, growth, turn = (np.clip(rng.normal(size=4), -2.5, 2.5) * jitter).tolist()
        return View(
            view.x + dx * options.center_jitter * side,
            view.y + dy * options.center_jitter * side,
            view.side * float(np.exp(growth * options.scale_jitter)),
            turn * self._augmentation.rotation_degrees / 2,
            bool(rng.random() < self._augmentation.mirror),
            view.aspect,
        )

    def seen(self, index: int, view: View) -> Arrays:
        """Return sample ``index`` as it appears in a view."""
        sample = self.all[index]
        points = view.points(sample.wide_points).astype(np.float32)
        yaw, pitch, roll = sample.pose.tolist()
        roll -= view.degrees  # a view rotated clockwise shows the face rotated the other way
        if view.mirrored:
            points = points[list(SIXTY_EIGHT_MIRROR)]
            yaw, roll = -yaw, -roll
        known = np.asarray(np.isfinite(points).all(axis=1))
        return {
            "images": view.crop(self._mipmap(index), self._size),
            "landmarks": np.where(known[:, None], points, np.float32(0)),
            "known": known,
            "scheme": np.array(SCHEMES.index(sample.scheme)),
            "pose": np.array([yaw, pitch, roll], dtype=np.float32),
            "eyes": np.asarray(np.linalg.norm(points[36] - points[45]), dtype=np.float32),
        }

    def _mipmap(self, index: int) -> Mipmap:
        """Return the context image of a sample, decoded when first needed."""
        cached = self._mipmaps.get(index)
        if cached is None:
            cached = Mipmap(read_image(self.all[index].wide))
            with self._lock:
                self._mipmaps[index] = cached
        return cached

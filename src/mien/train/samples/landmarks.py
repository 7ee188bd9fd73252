"""Crops of faces with 68 landmarks, cut anew for every step from the context images of shards."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from mien.datasets.crop_rules import RULES
from mien.datasets.shards import Sample
from mien.errors import BadRecipe
from mien.geometry import boxes
from mien.geometry.pose import fit_pose, upright_roll
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR, to_five
from mien.imaging import Mipmap, read_image
from mien.models import SquareBox, StretchedBox
from mien.train.recipe import AtLeastOne, Augmentation, Fraction, NonNegative, Section
from mien.train.samples.augment import augment
from mien.train.samples.turning import turn_head
from mien.train.samples.views import View
from mien.train.task import Arrays, Images
from mien.types import Floats

SCHEMES = ("68", "68-3d")
"""Schemes of the samples, in the order of the networks' contours."""

_REFINEMENT_JITTER = 0.25
"""Jitter of the crop of a second refinement step, relative to the first."""

_LEAST_TURN, _MOST_TURN, _PROFILE = 10.0, 50.0, 88.0
"""Degrees by which heads are turned further, and the largest yaw that they reach."""


class LandmarkSamples(Section):
    """How crops are cut.

    Attributes:
        crop: ``SquareBox`` or ``StretchedBox`` of the card; ``context`` belongs to it.
        center_jitter: Standard deviation of the center of a crop, in sides of the face box.
        scale_jitter: Standard deviation of the logarithm of its size.
        refinement_share: Share of crops with a quarter of that jitter, as a second refinement step sees them.
        upright_share: Share of crops rotated upright by the keypoints, as those of detected faces are.
        upright_jitter: Standard deviation in degrees of the roll that is left in them.
        turned_share: Share of faces of the scheme 68-3d whose head is turned further from the camera.
    """

    crop: Literal["square", "stretched"] = "square"
    context: AtLeastOne = RULES["square"].context
    center_jitter: NonNegative = 0.06
    scale_jitter: NonNegative = 0.1
    refinement_share: Fraction = 0.0
    upright_share: Fraction = 0.0
    upright_jitter: NonNegative = 5.0
    turned_share: Fraction = 0.0

    def crop_spec(self) -> SquareBox | StretchedBox:
        """Return the crop of the card."""
        return SquareBox(self.context) if self.crop == "square" else StretchedBox(self.context)


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """A face in its context image: points (68, 2) in its pixels, NaN where unknown, and pose (3,) in degrees."""

    image: Mipmap
    points: Floats
    pose: Floats
    scheme: str


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
        self._cumulative = np.cumsum(probability)
        self._mipmaps: dict[int, Mipmap] = {}
        self._lock = threading.Lock()

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 3) uint8; ``landmarks`` (68, 2) in fractions of the crop, 0 where not ``known``
        (68,); ``scheme``: index in :data:`SCHEMES`; ``pose`` (3,) in degrees, NaN where unknown; ``eyes``: the
        inter-ocular distance in fractions of the crop, NaN where unknown."""
        index = min(int(np.searchsorted(self._cumulative, rng.random(), side="right")), len(self.all) - 1)
        face = self._face(index)
        if face.scheme == "68-3d" and rng.random() < self._options.turned_share:
            face = _turned(face, rng)
        arrays = self._seen(face, self._jittered_view(face, rng))
        return {**arrays, "images": augment(cast(Images, arrays["images"]), self._augmentation, rng)}

    def centered(self, index: int) -> Arrays:
        """Return sample ``index`` as :meth:`sample` does, with the crop of inference and without augmentation."""
        face = self._face(index)
        view = self._view(face)
        degrees = upright_roll(to_five(face.points)[None])[0] if self._options.upright_share > 0 else 0.0
        return self._seen(face, replace(view, degrees=float(degrees)))

    def view(self, index: int) -> View:
        """Return the crop of inference."""
        return self._view(self._face(index))

    def seen(self, index: int, view: View) -> Arrays:
        """Return sample ``index`` as it appears in a view."""
        return self._seen(self._face(index), view)

    def _view(self, face: _Face) -> View:
        crop = self._options.crop_spec().crop_boxes(boxes.detected_box(face.points[None]))
        x0, y0, x1, y1 = crop[0].tolist()
        width, height = x1 - x0, y1 - y0
        return View((x0 + x1) / 2, (y0 + y1) / 2, width, aspect=height / width)

    def _jittered_view(self, face: _Face, rng: np.random.Generator) -> View:
        """Return a crop of an inaccurate detection, rotated and perhaps mirrored."""
        view, options = self._view(face), self._options
        side = view.side / options.context
        jitter = _REFINEMENT_JITTER if rng.random() < options.refinement_share else 1.0
        dx, dy, growth, turn = (np.clip(rng.normal(size=4), -2.5, 2.5) * jitter).tolist()
        degrees = turn * self._augmentation.rotation_degrees / 2
        if options.upright_share > 0 and rng.random() < options.upright_share:
            degrees = float(upright_roll(to_five(face.points)[None])[0]) + turn * options.upright_jitter
        return View(
            view.x + dx * options.center_jitter * side,
            view.y + dy * options.center_jitter * side,
            view.side * float(np.exp(growth * options.scale_jitter)),
            degrees,
            bool(rng.random() < self._augmentation.mirror),
            view.aspect,
        )

    def _seen(self, face: _Face, view: View) -> Arrays:
        points = view.points(face.points).astype(np.float32)
        yaw, pitch, roll = face.pose.tolist()
        roll -= view.degrees  # a view rotated clockwise shows the face rotated the other way
        if view.mirrored:
            points = points[list(SIXTY_EIGHT_MIRROR)]
            yaw, roll = -yaw, -roll
        known = np.asarray(np.isfinite(points).all(axis=1))
        return {
            "images": view.crop(face.image, self._size),
            "landmarks": np.where(known[:, None], points, np.float32(0)),
            "known": known,
            "scheme": np.array(SCHEMES.index(face.scheme)),
            "pose": np.array([yaw, pitch, roll], dtype=np.float32),
            "eyes": np.asarray(np.linalg.norm(points[36] - points[45]), dtype=np.float32),
        }

    def _face(self, index: int) -> _Face:
        sample = self.all[index]
        return _Face(self._mipmap(index), sample.wide_points, sample.pose, sample.scheme)

    def _mipmap(self, index: int) -> Mipmap:
        """Return the context image of a sample, decoded when first needed."""
        cached = self._mipmaps.get(index)
        if cached is None:
            cached = Mipmap(read_image(self.all[index].wide))
            with self._lock:
                self._mipmaps[index] = cached
        return cached


def _turned(face: _Face, rng: np.random.Generator) -> _Face:
    """Return the face with its head turned further from the camera, if its pose is known and not yet a profile."""
    yaw = float(fit_pose(face.points[None])[0, 0])
    room = _PROFILE - abs(yaw)
    if not room > _LEAST_TURN or not np.isfinite(face.points).all():
        return face
    degrees = math.copysign(rng.uniform(_LEAST_TURN, min(_MOST_TURN, room)), yaw)
    turned = turn_head(face.image.image, face.points, degrees)
    if turned is None:
        return face
    image, points = turned
    return _Face(Mipmap(image), points, face.pose + np.array([degrees, 0, 0], dtype=np.float32), face.scheme)

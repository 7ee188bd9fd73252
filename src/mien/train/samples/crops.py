"""Single crops around and beside faces, labelled by IoU as in MTCNN (Zhang et al. 2016).

Negative, part and positive crops by their IoU with the nearest face (squared, because crops are square); crops with
keypoints; and mined examples: candidates of the cascade as far as it is trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from mien.geometry import boxes as box
from mien.imaging import Mipmap
from mien.train.recipe import Augmentation, Fraction, Section
from mien.train.samples.augment import augment
from mien.train.samples.faces import FaceImages
from mien.train.samples.mining import Crops, Mined
from mien.train.samples.views import View
from mien.train.task import Arrays
from mien.types import Floats, Image

_UNIT: Floats = np.array([[0, 0, 1, 1]], dtype=np.float32)
_CENTRED: Floats = _UNIT - 0.5
_TRIES = 12

Bounds = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels."""


class CropOptions(Section):
    """IoU thresholds of the labels, and the shares of a batch; the rest of a batch is positive."""

    positive_iou: Fraction = 0.65
    part_iou: Fraction = 0.4
    negative_iou: Fraction = 0.3
    negative_share: Fraction = 0.5
    part_share: Fraction = 0.2
    keypoint_share: Fraction = 0.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.negative_iou <= self.part_iou <= self.positive_iou:
            found = (self.negative_iou, self.part_iou, self.positive_iou)
            raise ValueError(f"negative_iou, part_iou, positive_iou = {found} must rise")
        shares = (self.negative_share, self.part_share, self.keypoint_share)
        if sum(shares) > 1:
            raise ValueError(f"negative_share, part_share, keypoint_share = {shares} must be at most 1 together")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a crop is cut.

    ``image``: its number. ``bounds``: where the image, and with it each face, is cut off, if it is.
    """

    image: int
    view: View
    bounds: Bounds | None = None

    def boxes(self, boxes: Floats) -> Floats:
        """Return boxes (n, 4) of the image in the frame of the view, clipped to the bounds."""
        return self.view.boxes(boxes if self.bounds is None else box.clip(boxes, self.bounds))

    def crop(self, mipmap: Mipmap, size: int, context: float) -> Image:
        """Return the pixels (size, size, 3); those out of bounds are black."""
        if self.bounds is None:
            return self.view.crop(mipmap, size, context)
        # Only what the crop needs: its diagonal around its center.
        reach = self.view.side * context
        near = box.clip(np.array([[-reach, -reach, reach, reach]]) + [self.view.x, self.view.y] * 2, self.bounds)
        x0, y0, x1, y1 = near[0].astype(int)
        part = mipmap.image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        return replace(self.view, x=self.view.x - x0, y=self.view.y - y0).crop(Mipmap(part), size, context)


class CropSampler:
    """Draws crops of ``size`` pixels that show ``context`` times the labelled square.

    Mined examples replace ``mined_share`` of the negatives and half as many of the positives.
    """

    def __init__(
        self,
        images: FaceImages,
        options: CropOptions,
        augmentation: Augmentation,
        size: int,
        *,
        context: float = 1.0,
        mined: Mined | None = None,
        mined_share: float = 0.0,
    ) -> None:
        self._images = images
        self._options = options
        self._augmentation = augmentation
        self._size = size
        self._context = context
        self._mined = mined or Mined.none()
        self._mined_share = mined_share
        # Cumulative: a search in it is much faster than Generator.choice.
        self._faces = images.probability.cumsum()
        known = images.keypoint_probability()
        self._with_keypoints = None if known is None else known.cumsum()

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 3) uint8, ``labels`` in {1, 0, -1 = unlabelled}, ``offsets`` (4,), ``keypoints``
        (5, 2), and whether these two are known: ``has_box``, ``has_keypoints``."""
        options = self._options
        kind = rng.random()
        if kind < options.negative_share or not len(self._images.faces):
            place = self._negative(rng)
        elif kind < options.negative_share + options.keypoint_share and self._with_keypoints is not None:
            place = self._near_face(rng, self._with_keypoints, options.positive_iou, 1.0)
        elif kind < 1 - options.part_share:
            place = self._positive(rng)
        else:
            place = self._near_face(rng, self._faces, options.part_iou, options.positive_iou)
        return self._labelled(place, rng)

    def _labelled(self, place: Place, rng: np.random.Generator) -> Arrays:
        annotated = self._images.all[place.image]
        sample = annotated.sample
        faces = place.boxes(sample.boxes)
        labels, offsets, has_box = label_windows(
            _UNIT, faces, sample.ignored, self._options, background=annotated.background
        )
        keypoints, has_keypoints = np.zeros((5, 2), dtype=np.float32), False
        if has_box[0]:
            nearest = int(np.where(sample.ignored, -1, box.iou(_UNIT, box.square(faces))[0]).argmax())
            if np.isfinite(sample.keypoints[nearest]).all():
                keypoints, has_keypoints = place.view.keypoints(sample.keypoints[nearest]).astype(np.float32), True
        crop = place.crop(self._images.mipmap(place.image), self._size, self._context)
        return {
            "images": augment(crop, self._augmentation, rng),
            "labels": labels[0],
            "offsets": offsets[0],
            "has_box": has_box[0],
            "keypoints": keypoints,
            "has_keypoints": np.array(has_keypoints),
        }

    def _positive(self, rng: np.random.Generator) -> Place:
        if len(self._mined.positives) and rng.random() < self._mined_share / 2:
            return self._mined_crop(self._mined.positives, rng)
        return self._near_face(rng, self._faces, self._options.positive_iou, 1.0)

    def _negative(self, rng: np.random.Generator) -> Place:
        if len(self._mined.negatives) and rng.random() < self._mined_share:
            return self._mined_crop(self._mined.negatives, rng)
        if rng.random() < 0.5 and len(self._images.faces):
            return self._near_face(rng, self._faces, 0.02, self._options.negative_iou)
        index = self._images.draw_background(rng)
        height, width = self._images.mipmap(index).image.shape[:2]
        side = float(np.exp(rng.uniform(np.log(min(12, width)), np.log(max(height, width)))))
        return Place(index, View.random(rng.uniform(0, width), rng.uniform(0, height), side, self._augmentation, rng))

    def _mined_crop(self, crops: Crops, rng: np.random.Generator) -> Place:
        """Return a mined crop, shifted and scaled a little so that it is never twice the same."""
        i = int(rng.integers(len(crops)))
        x0, y0, x1, y1 = (float(v) for v in crops.boxes[i])
        side = max(x1 - x0, y1 - y0)
        dx, dy, growth = rng.uniform(-0.04, 0.04, 3)
        x, y = (x0 + x1) / 2 + dx * side, (y0 + y1) / 2 + dy * side
        return Place(int(crops.images[i]), View.random(x, y, side * (1 + growth), self._augmentation, rng))

    def _near_face(self, rng: np.random.Generator, cumulative: NDArray[np.float64], low: float, high: float) -> Place:
        """Return a square near a face, with an IoU in [low, high)."""
        drawn = min(int(np.searchsorted(cumulative, rng.random(), side="right")), len(cumulative) - 1)
        index, row = (int(i) for i in self._images.faces[drawn])
        face = self._images.all[index].sample.boxes[row : row + 1]
        bounds = None
        if rng.random() < self._augmentation.border:
            height, width = self._images.mipmap(index).image.shape[:2]
            bounds = cut_off(face[0], width, height, rng)
            face = box.clip(face, bounds)
        face = box.square(face)
        side = float(face[0, 2] - face[0, 0])
        x, y = ((face[0, :2] + face[0, 2:]) / 2).tolist()
        # Several tries at once, measured without the rotation, which does not change the distance from the face.
        reach = 1.0 - low
        sides = np.exp(rng.uniform(-0.8, 0.8, _TRIES) * reach)
        shifts = rng.uniform(-0.8, 0.8, (_TRIES, 2)) * reach
        windows = np.concatenate([shifts - sides[:, None] / 2, shifts + sides[:, None] / 2], axis=1)
        overlap = box.iou(windows, _CENTRED)[:, 0]
        fits = np.flatnonzero((overlap >= low) & (overlap < high))
        if not len(fits):  # labels depend on the crop itself, so the face is as good as any
            return Place(index, View.random(x, y, side, self._augmentation, rng), bounds)
        dx, dy = (shifts[fits[0]] * side).tolist()
        view = View.random(x + dx, y + dy, side * float(sides[fits[0]]), self._augmentation, rng)
        return Place(index, view, bounds)


def cut_off(face: Floats, width: int, height: int, rng: np.random.Generator) -> Bounds:
    """Return bounds within the image that cut off 5 to 35 % of a face (4,) at one to four of its sides."""
    part = rng.uniform(0.05, 0.35, 4)
    inside = face + part * np.array([1, 1, -1, -1]) * np.tile(face[2:] - face[:2], 2)
    image = np.array([0, 0, width, height])
    chosen = np.where(rng.permutation(4) < rng.integers(1, 5), inside, image)
    x0, y0, x1, y1 = np.clip(np.round(chosen), 0, np.tile(image[2:], 2)).astype(int).tolist()
    return min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)


def label_windows(
    windows: Floats, faces: Floats, ignored: NDArray[np.bool_], options: CropOptions, *, background: bool
) -> tuple[NDArray[np.int8], Floats, NDArray[np.bool_]]:
    """Label windows (k, 4) among faces (m, 4) in the same frame, by IoU with the squared face.

    Returns:
        Labels (k,): 1 face, 0 background, -1 unlabelled; offsets (k, 4) of the nearest face; where these are
        learned (k,).
    """
    count = len(windows)
    labels = np.zeros(count, dtype=np.int8) if background else np.full(count, -1, dtype=np.int8)
    offsets = np.zeros((count, 4), dtype=np.float32)
    has_box = np.zeros(count, dtype=bool)
    certain = faces[~ignored]
    if ignored.any():
        labels[box.ioa(windows, faces[ignored]).max(axis=1) > options.negative_iou] = -1
    if len(certain):
        overlap = box.iou(windows, box.square(certain))
        nearest, best = overlap.argmax(axis=1), overlap.max(axis=1)
        labels[best >= options.negative_iou] = -1
        labels[best >= options.positive_iou] = 1
        has_box = best >= options.part_iou
        offsets = box.encode_boxes(certain[nearest], windows).astype(np.float32)
    return labels, offsets, has_box

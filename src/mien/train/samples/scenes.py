"""Scenes: what the proposer is trained on. One window of an image, or a mosaic of several.

A mosaic (Bochkovskiy et al. 2020, "YOLOv4") joins windows of different images, so that small faces and
crowds, which are rare in photos of few people, appear in every batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from mien.datasets.samples import DetectionSample
from mien.geometry import boxes as box
from mien.geometry.schemes import FIVE_MIRROR
from mien.imaging import Mipmap
from mien.train.assignment import FACE, IGNORED, TOO_LARGE
from mien.train.recipe import Count, Fraction, Positive, Section
from mien.train.samples.appearance import SceneAugmentation, change_appearance, cover_faces, rotation
from mien.train.samples.faces import AnnotatedImage
from mien.train.samples.image_cache import CachedImages, open_cache
from mien.train.samples.placement import Placement, linear_map
from mien.train.task import Arrays
from mien.types import Doubles, Floats, Image

_MAX_SIDE = 1024
_MAX_COUNTED = 12
"""An image with more faces is drawn no more often than one with this many."""

_AIMED = 0.85
"""Share of windows that aim at a face, and of those that show little beyond the border of the image."""

_MIN_VISIBLE, _MIN_KEPT = 0.3, 0.02
"""A face of which a smaller part lies in the window is ignored, or left out."""


class SceneOptions(Section):
    """Shares of the kinds of scenes, and sizes of faces: geometric means of the sides, in pixels of the scene.

    Attributes:
        size: Side of the scene in pixels, a multiple of 32.
        min_face_size, max_face_size: Size of the face that a window aims at, log-uniform; smaller ones in mosaics.
        close_up_share: Scenes that aim at a face larger than ``max_face_size``.
        mosaic_share, fine_mosaic_share: Mosaics of 4 and of 16 windows. The rest is one window.
        ignored_below: Smaller faces are ignored.
        too_large_above: Larger faces are not learned: they are found in a smaller copy of the image.
    """

    size: Count = 320
    min_face_size: Positive = 9.0
    max_face_size: Positive = 340.0
    close_up_share: Fraction = 0.05
    mosaic_share: Fraction = 0.34
    fine_mosaic_share: Fraction = 0.06
    ignored_below: Positive = 6.5
    too_large_above: Positive = 420.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.size % 32:
            raise ValueError(f"size = {self.size} must be a multiple of 32")
        sizes = (self.ignored_below, self.min_face_size, self.max_face_size, self.too_large_above)
        if sorted(sizes) != list(sizes):
            raise ValueError(f"ignored_below, min_face_size, max_face_size, too_large_above = {sizes} must rise")
        shares = (self.close_up_share, self.mosaic_share, self.fine_mosaic_share)
        if sum(shares) > 1:
            raise ValueError(f"close_up_share, mosaic_share, fine_mosaic_share = {shares} must be at most 1 together")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class SceneLabels:
    """The faces of a scene.

    Attributes:
        boxes: (n, 4) in pixels of the scene, cut at its border.
        kinds: (n,), FACE, IGNORED or TOO_LARGE.
        keypoints: (n, 5, 2), left and right as seen there; NaN where unknown.
    """

    boxes: Floats
    kinds: NDArray[np.int8]
    keypoints: Floats

    @classmethod
    def join(cls, parts: list[SceneLabels]) -> SceneLabels:
        """Return the faces of all parts."""
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            np.concatenate([part.keypoints for part in parts]),
        )

    def shifted(self, x: int, y: int) -> SceneLabels:
        """Return the faces moved by (x, y) pixels."""
        step = np.array([x, y], dtype=np.float32)
        return SceneLabels(self.boxes + np.tile(step, 2), self.kinds, self.keypoints + step)


class SceneImages:
    """Annotated images with their pixels, to be drawn at random.

    Each source gets the share of its weight; within a source, images with more faces are drawn more often.
    """

    def __init__(self, images: tuple[AnnotatedImage, ...], weights: list[float], cache: CachedImages) -> None:
        self._cache = cache
        self.all = tuple(
            replace(image, sample=_scaled(image.sample, scale))
            for image, scale in zip(images, cache.scales.tolist(), strict=True)
        )
        counts = [_attraction(image.sample) for image in images]
        sources = np.array([image.source for image in images])
        totals = np.bincount(sources, counts, minlength=len(weights))
        share = np.asarray(weights)[sources] * counts / np.maximum(totals, 1e-12)[sources]
        self._cumulative = np.cumsum(share / share.sum())

    def draw(self, rng: np.random.Generator) -> int:
        """Return the number of an image."""
        return min(int(np.searchsorted(self._cumulative, rng.random())), len(self.all) - 1)

    def mipmap(self, index: int) -> Mipmap:
        """Return the pixels of an image."""
        return self._cache.mipmap(index)

    @classmethod
    def open(cls, images: tuple[AnnotatedImage, ...], weights: list[float], file: Path) -> SceneImages:
        """Return the images with their pixels in ``file``, which is written first unless it holds them."""
        return cls(images, weights, open_cache([image.sample.path for image in images], file, _MAX_SIDE))


def _attraction(sample: DetectionSample) -> float:
    """Return how often an image is drawn among those of its source; never if all its faces are ignored."""
    faces = int((~sample.ignored).sum())
    return 0.0 if len(sample) and not faces else math.sqrt(min(max(faces, 1), _MAX_COUNTED))


def _scaled(sample: DetectionSample, scale: float) -> DetectionSample:
    if scale == 1:
        return sample
    return replace(sample, boxes=sample.boxes * np.float32(scale), keypoints=sample.keypoints * np.float32(scale))


class SceneSampler:
    """Draws scenes."""

    def __init__(self, images: SceneImages, options: SceneOptions, augmentation: SceneAugmentation) -> None:
        self._images = images
        self._options = options
        self._augmentation = augmentation

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return ``images`` (s, s, 3) uint8 and the arrays of :class:`SceneLabels`."""
        image, labels = self._scene(rng)
        cover_faces(image, labels.boxes[labels.kinds == FACE], self._augmentation.occlusion, rng)
        image = change_appearance(image, self._augmentation, rng)
        return {"images": image, "boxes": labels.boxes, "kinds": labels.kinds, "keypoints": labels.keypoints}

    def _scene(self, rng: np.random.Generator) -> tuple[Image, SceneLabels]:
        options = self._options
        size, low, high = options.size, options.min_face_size, options.max_face_size
        kind = rng.random()
        if kind < options.mosaic_share:
            return self._mosaic(2, max(high / 2, low), rng)
        if kind < options.mosaic_share + options.fine_mosaic_share:
            return self._mosaic(4, max(high / 8, low), rng)
        if kind < options.mosaic_share + options.fine_mosaic_share + options.close_up_share:
            return self._window(size, size, high, 4 * high, rng)
        return self._window(size, size, low, high, rng)

    def _mosaic(self, split: int, high: float, rng: np.random.Generator) -> tuple[Image, SceneLabels]:
        """Return ``split`` times ``split`` windows of unequal sizes."""
        size = self._options.size
        columns, rows = _edges(size, split, rng), _edges(size, split, rng)
        image = np.empty((size, size, 3), dtype=np.uint8)
        parts = []
        for y0, y1 in pairwise(rows):
            for x0, x1 in pairwise(columns):
                tile, labels = self._window(x1 - x0, y1 - y0, self._options.min_face_size, high, rng)
                image[y0:y1, x0:x1] = tile
                parts.append(labels.shifted(x0, y0))
        return image, SceneLabels.join(parts)

    def _window(
        self, width: int, height: int, low: float, high: float, rng: np.random.Generator
    ) -> tuple[Image, SceneLabels]:
        """Return a part of one image; it aims at a face of ``low`` to ``high`` pixels."""
        index = self._images.draw(rng)
        annotated, mipmap = self._images.all[index], self._images.mipmap(index)
        mirrored = bool(rng.random() < self._augmentation.mirror)
        placement = self._place(annotated.sample, mipmap, np.array([width, height]), (low, high), rng, mirrored)
        colored = rng.random() < 0.5
        red, green, blue = rng.integers(0, 256, 3).tolist()
        tile = mipmap.warp(placement.to_image(), width, height, (red, green, blue) if colored else (red, red, red))
        labels = label_scene(annotated.sample, placement, width, height, self._options, mirrored=mirrored)
        if not annotated.background:
            whole = np.array([[0, 0, width, height]], dtype=np.float32)
            unknown = np.full((1, 5, 2), np.nan, dtype=np.float32)
            labels = SceneLabels.join([labels, SceneLabels(whole, np.array([IGNORED], dtype=np.int8), unknown)])
        return tile, labels

    def _place(
        self,
        sample: DetectionSample,
        mipmap: Mipmap,
        extent: Doubles,
        sizes: tuple[float, float],
        rng: np.random.Generator,
        mirrored: bool,
    ) -> Placement:
        full = np.array(mipmap.image.shape[1::-1], dtype=np.float64)
        faces = sample.boxes[~sample.ignored]
        if len(faces) and rng.random() < _AIMED:
            scale, point, shift = _aim_at_face(faces[rng.integers(len(faces))], extent, sizes, rng)
        else:
            scale = math.exp(rng.uniform(math.log(0.3), math.log(1.3))) * min(1.0, 960 / full.max())
            point, shift = rng.uniform(0, 1, 2) * full, np.zeros(2)
        inside = rng.random() < _AIMED
        if inside:  # enlarge an image that would fill less than three quarters of the window
            scale = max(scale, 0.75 * float((extent / full).min()))
        aspect = math.exp(rng.normal(0, 0.05))
        linear = linear_map(scale, rotation(self._augmentation, rng), aspect, mirrored=mirrored)
        middle = point - np.linalg.solve(linear, shift)
        if inside:
            room = extent / scale / 2
            middle = np.clip(middle, np.minimum(room, full / 2), np.maximum(full - room, full / 2))
        return Placement.centered(linear, middle, *extent.tolist())


def _aim_at_face(
    face: Floats, extent: Doubles, sizes: tuple[float, float], rng: np.random.Generator
) -> tuple[float, Doubles, Doubles]:
    """Return a scale, the center of the face, and its distance from the center of the window of ``extent`` (2,)."""
    size = math.sqrt(max(float((face[2] - face[0]) * (face[3] - face[1])), 4.0))
    wanted = math.exp(rng.uniform(math.log(sizes[0]), math.log(sizes[1])))
    scale = min(wanted / size, max(2.5, 20 / size))  # enlarging more would show nothing but blur
    whole = rng.random() < 0.7  # else the border of the window may cut the face
    slack = extent / 2 - 0.4 * size * scale * whole
    shift = rng.uniform(-1, 1, 2) * np.maximum(slack, 0.15 * size * scale)
    return scale, (face[:2] + face[2:]).astype(np.float64) / 2, shift


def label_scene(
    sample: DetectionSample, placement: Placement, width: int, height: int, options: SceneOptions, *, mirrored: bool
) -> SceneLabels:
    """Return the faces of an image that appear in a window, in its pixels."""
    boxes = placement.boxes(sample.boxes)
    shown = np.clip(boxes, 0, np.array([width, height, width, height], dtype=np.float32))
    whole, seen = box.area(boxes), box.area(shown)
    visible = seen / np.maximum(whole, 1e-6)
    too_large = ~sample.ignored & (whole > options.too_large_above**2)
    ignored = sample.ignored | (seen < options.ignored_below**2) | (visible < _MIN_VISIBLE)
    kinds = np.where(too_large, TOO_LARGE, np.where(ignored, IGNORED, FACE)).astype(np.int8)
    points = placement.points(sample.keypoints)
    keypoints = points[:, list(FIVE_MIRROR)] if mirrored else points
    kept = visible > _MIN_KEPT
    return SceneLabels(shown[kept], kinds[kept], keypoints[kept])


def _edges(size: int, split: int, rng: np.random.Generator) -> list[int]:
    inner = np.arange(1, split) + rng.uniform(-0.3, 0.3, split - 1)
    return [0, *np.round(inner * size / split).astype(int).tolist(), size]

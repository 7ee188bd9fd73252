"""The images that detection networks are trained on, cached in memory as far as they fit."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.registry import read_dataset
from mien.datasets.samples import DetectionSample
from mien.errors import BadRecipe
from mien.imaging import Mipmap, read_image
from mien.train.engine.display import report
from mien.train.recipe import Data, Source

_VALIDATION_ONE_IN = 20
_PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """One image of a source.

    ``background``: every face is annotated, so everything else may be used as background. ``source``: number of the
    source in the recipe.
    """

    sample: DetectionSample
    background: bool
    source: int


class FaceImages:
    """Annotated images, and the faces in them as one table.

    Attributes:
        all: The images.
        faces: (m, 2), image and row of each face that is not ignored.
        probability: (m,), of drawing each face; each source gets the share of its weight however many it has.
        has_keypoints: (m,), whether all five keypoints are known.
        with_background: (k,), images whose background is known.
    """

    def __init__(self, images: Sequence[AnnotatedImage], weights: Sequence[float], memory: int = 8 << 30) -> None:
        if not images:
            raise BadRecipe("the sources of this recipe hold no usable image")
        self.all = tuple(images)
        self._memory = memory
        self._cached = 0
        self._mipmaps: OrderedDict[int, Mipmap] = OrderedDict()
        self._lock = threading.Lock()
        rows = [(i, j) for i, image in enumerate(self.all) for j in np.flatnonzero(~image.sample.ignored)]
        self.faces: NDArray[np.intp] = np.array(rows, dtype=np.intp).reshape(-1, 2)
        sources = np.array([self.all[i].source for i in self.faces[:, 0]], dtype=np.intp)
        self.probability = source_probability(sources, weights)
        known = [bool(np.isfinite(self.all[i].sample.keypoints[j]).all()) for i, j in self.faces]
        self.has_keypoints = np.array(known, dtype=bool)
        self.with_background = np.array([i for i, image in enumerate(self.all) if image.background], dtype=np.intp)

    def __len__(self) -> int:
        return len(self.all)

    def keypoint_probability(self) -> NDArray[np.float64] | None:
        """Return the probability (m,) of drawing each face with keypoints; None if no face has any."""
        probability = self.probability * self.has_keypoints
        total = probability.sum()
        return probability / total if total > 0 else None

    def draw_background(self, rng: np.random.Generator) -> int:
        """Return the number of an image whose background is known, or of any if there is none."""
        pool = self.with_background
        return int(rng.choice(pool)) if len(pool) else int(rng.integers(len(self)))

    def mipmap(self, index: int) -> Mipmap:
        """Return image ``index``, read now or taken from the cache."""
        with self._lock:
            cached = self._mipmaps.get(index)
            if cached is not None:
                self._mipmaps.move_to_end(index)
                return cached
        mipmap = Mipmap(read_image(self.all[index].sample.path))
        with self._lock:
            if index not in self._mipmaps:
                self._mipmaps[index] = mipmap
                self._cached += mipmap.image.nbytes
            while self._cached > self._memory and len(self._mipmaps) > 1:
                _, old = self._mipmaps.popitem(last=False)
                self._cached -= old.image.nbytes
        return mipmap


def source_probability(sources: NDArray[np.intp], weights: Sequence[float]) -> NDArray[np.float64]:
    """Return the probability (n,) of drawing each item, given its source (n,) and the weights of the sources."""
    counts = np.maximum(np.bincount(sources, minlength=len(weights)), 1)
    probability = np.asarray(weights, dtype=np.float64)[sources] / counts[sources]
    return np.asarray(probability / max(probability.sum(), 1e-12))


def read_faces(options: Data, data: Path) -> tuple[FaceImages, FaceImages]:
    """Return the training and the held-out images of all sources; unusable ones are counted and named."""
    images: list[AnnotatedImage] = []
    for number, source in enumerate(options.sources.values()):
        dataset = read_dataset(DetectionSample, source.format, data / source.path, source.split)
        for problem in dataset.problems[:_PROBLEMS_SHOWN]:
            report(f"problem: {problem}")
        report(f"{source.path}: {len(dataset)} images, {len(dataset.problems)} problems")
        images += [AnnotatedImage(redraw_boxes(sample, source), source.background, number) for sample in dataset]
    train, held_out = split(images)
    weights = [source.weight for source in options.sources.values()]
    return FaceImages(train, weights), FaceImages(held_out or train, weights)


def redraw_boxes(sample: DetectionSample, source: Source) -> DetectionSample:
    """Return the sample with its boxes scaled and moved as the source says."""
    if source.box_scale == (1.0, 1.0) and source.box_shift == 0:
        return sample
    sides = sample.boxes[:, 2:] - sample.boxes[:, :2]
    center = (sample.boxes[:, :2] + sample.boxes[:, 2:]) / 2 + sides * np.array([0, source.box_shift], np.float32)
    half = sides * np.array(source.box_scale, np.float32) / 2
    return replace(sample, boxes=np.concatenate([center - half, center + half], axis=1))


def split(images: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], list[AnnotatedImage]]:
    """Return training and held-out images; one in twenty, chosen by its file name, is held out."""
    chosen = [zlib.crc32(image.sample.path.name.encode()) % _VALIDATION_ONE_IN == 0 for image in images]
    train = [image for image, held in zip(images, chosen, strict=True) if not held]
    return train, [image for image, held in zip(images, chosen, strict=True) if held]

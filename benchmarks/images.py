"""The images of the benchmarks: WIDER FACE's validation set in its official layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import mien
from mien.datasets.samples import DetectionSample
from mien.datasets.wider import read_wider
from mien.evaluation.metrics.matching import match_boxes
from mien.geometry import boxes as box_geometry
from mien.types import Floats, Image

MIN_IOU = 0.5


@dataclass(frozen=True)
class AnnotatedImage:
    """An image, the boxes (n, 4) of all annotated faces, and which of them are ``valid`` (n,)."""

    name: str
    image: Image
    boxes: Floats
    valid: NDArray[np.bool_]


def load_images(
    data: Path, count: int, long_side: int | None = None, faces: tuple[int, int] = (1, 50)
) -> list[AnnotatedImage]:
    """Return ``count`` images with ``faces`` (minimum, maximum) valid faces, evenly spaced over the sorted list."""
    samples = [s for s in read_wider(data, "val") if faces[0] <= int((~s.ignored).sum()) <= faces[1]]
    samples.sort(key=lambda sample: sample.path)
    if len(samples) < count:
        raise SystemExit(f"{data} has {len(samples)} images with {faces[0]} to {faces[1]} faces; need {count}")
    return [_load(samples[i * len(samples) // count], long_side) for i in range(count)]


def _load(sample: DetectionSample, long_side: int | None) -> AnnotatedImage:
    path, image = sample.path, mien.read_image(sample.path)
    scale = long_side / max(image.shape[:2]) if long_side else 1.0
    if scale != 1.0:
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=interpolation), dtype=np.uint8)
    return AnnotatedImage(f"{path.parent.name}/{path.stem}", image, sample.boxes * np.float32(scale), ~sample.ignored)


def longer_sides(boxes: Floats) -> Floats:
    """Return the longer side (n,) of each box."""
    return np.asarray(np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0))


def count_matches(annotated: AnnotatedImage, detections: Floats, min_face_size: float) -> tuple[int, int, int]:
    """Return the numbers of true positives, of valid faces of at least ``min_face_size``, and of false positives."""
    wanted = annotated.valid & (longer_sides(annotated.boxes) >= min_face_size)
    true_positives = match_boxes(annotated.boxes[wanted], detections, MIN_IOU) >= 0
    false_positives = box_geometry.iou(annotated.boxes, detections).max(axis=0, initial=0) < MIN_IOU
    return int(true_positives.sum()), int(wanted.sum()), int(false_positives.sum())

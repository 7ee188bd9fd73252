"""Precision-recall curves and average precision by the rules of WIDER FACE.

Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark". The rules follow the authors' program (``eval_tools``): 1000
thresholds over scores scaled to [0, 1], boxes with "+1" widths, IoU of 0.5 or more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry import boxes as box_geometry
from mien.types import Doubles, Faces, Floats

Rows = NDArray[np.intp]

MIN_IOU = 0.5

_STEPS = 1000
_THRESHOLDS = 1.0 - np.arange(1, _STEPS + 1) / _STEPS
_INCLUSIVE = np.array([0, 0, 1, 1], dtype=np.float32)
"""The official IoU counts the last pixel: width x1 - x0 + 1."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledImage:
    """The ground truth of one image.

    Attributes:
        boxes: (n, 4), all annotated faces; x0, y0, x1, y1 with x1 = x + width.
        levels: Rows of ``boxes`` that count, by the name of the level; other rows are ignored at that level.

    Raises BadOption for a wrong shape or a row out of range.
    """

    boxes: Floats
    levels: Mapping[str, Rows]

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, dtype=np.float32)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise BadOption(f"boxes has shape {boxes.shape}; it must be (n, 4)")
        levels = {}
        for level, given in self.levels.items():
            rows = np.asarray(given, dtype=np.intp).reshape(-1)
            if rows.size and not (rows.min() >= 0 and rows.max() < len(boxes)):
                raise BadOption(
                    f"level {level!r} names rows {rows.min()} to {rows.max()} of {len(boxes)} boxes; rows count from 0"
                )
            levels[level] = rows
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "levels", levels)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """A precision-recall curve.

    Attributes:
        ap: Average precision.
        faces: Number of faces that count.
        scores: (1000,), the thresholds from the strictest to the loosest, on the detector's scale.
        precision: (1000,), 0 where there is no detection yet.
        recall: (1000,).
    """

    ap: float
    faces: int
    scores: Doubles
    precision: Doubles
    recall: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """Detections of one image, best first: threshold ``steps``, and matched ``rows`` (-1: IoU below MIN_IOU)."""

    steps: Rows
    rows: Rows


def precision_recall(truth: Sequence[LabeledImage], detections: Sequence[Faces]) -> dict[str, PrecisionRecall]:
    """Return the curve of each level at which any face counts.

    A detection matches the face with the highest IoU. If that face is ignored at the level, so is the detection; a
    second detection of a face that counts is a false positive, and so is every detection that matches no face.

    Args:
        truth: The labeled images.
        detections: The faces detected in each image, with scores of any scale. Scores are scaled by the lowest and
            highest of all detections; if all are equal, all detections count at every threshold.
    """
    low, high = _score_range(detections)
    matched = [_match(image.boxes, faces, low, high) for image, faces in zip(truth, detections, strict=True)]
    levels = dict.fromkeys(level for image in truth for level, rows in image.levels.items() if rows.size)
    scores = low + _THRESHOLDS * (high - low)
    return {level: _curve(level, truth, matched, scores) for level in levels}


def average_precision(recall: Doubles, precision: Doubles) -> float:
    """Return the area under a curve (k,), (k,) with rising recall, after making precision fall monotonically.

    This is the interpolation of PASCAL VOC since 2010 (Everingham et al. 2015).
    """
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())


def _score_range(detections: Sequence[Faces]) -> tuple[float, float]:
    scores = [faces.scores for faces in detections if len(faces)]
    if not scores:
        return 0.0, 1.0
    return float(min(s.min() for s in scores)), float(max(s.max() for s in scores))


def _match(boxes: Floats, faces: Faces, low: float, high: float) -> _Matched:
    faces = faces[np.argsort(-faces.scores, kind="stable")]
    scores = faces.scores.astype(np.float64)
    scaled = (scores - low) / (high - low) if high > low else np.ones(len(scores))
    # Thresholds fall, so a detection enters at the first that is not above its score.
    steps = np.searchsorted(-_THRESHOLDS, -scaled, side="left")
    if not len(boxes):
        return _Matched(steps, np.full(len(faces), -1))
    overlap = box_geometry.iou(faces.boxes + _INCLUSIVE, boxes + _INCLUSIVE)
    rows = np.where(overlap.max(axis=1) >= MIN_IOU, overlap.argmax(axis=1), -1)
    return _Matched(steps, rows)


def _curve(level: str, truth: Sequence[LabeledImage], matched: Sequence[_Matched], scores: Doubles) -> PrecisionRecall:
    detected, hits, faces = np.zeros(_STEPS), np.zeros(_STEPS), 0
    for image, matches in zip(truth, matched, strict=True):
        counted = np.zeros(len(image.boxes), dtype=bool)
        counted[image.levels.get(level, np.empty(0, np.intp))] = True
        faces += int(counted.sum())
        steps, rows = matches.steps, matches.rows
        on_counted = np.isin(rows, np.flatnonzero(counted))
        _, first = np.unique(rows[on_counted], return_index=True)
        detected += np.bincount(steps[(rows < 0) | on_counted], minlength=_STEPS)
        hits += np.bincount(steps[on_counted][first], minlength=_STEPS)
    detected, hits = np.cumsum(detected), np.cumsum(hits)
    precision = np.divide(hits, detected, out=np.zeros(_STEPS), where=detected > 0)
    recall = hits / faces
    return PrecisionRecall(average_precision(recall, precision), faces, scores, precision, recall)

"""Average precision on WIDER FACE, as its official evaluation computes it.

Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark"; the rules follow the program of its authors
(``eval_tools``): 1000 thresholds over scores scaled to [0, 1], boxes with "+1" widths, IoU of 0.5 or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.evaluation.detections import Detections, select
from mien.geometry import boxes as box_geometry
from mien.types import Faces, Floats

Doubles = NDArray[np.float64]
Rows = NDArray[np.intp]

MIN_IOU = 0.5

_STEPS = 1000
_THRESHOLDS = 1.0 - np.arange(1, _STEPS + 1) / _STEPS
_INCLUSIVE = np.array([0, 0, 1, 1], dtype=np.float32)
"""The official overlap counts the last pixel: width x1 - x0 + 1."""


@dataclass(frozen=True, slots=True, eq=False)
class WiderTruth:
    """One image: ``boxes`` (n, 4), every annotated row in the official order; ``levels``: rows that count.

    ``levels`` maps a level's name ("easy", "medium", "hard") to row numbers from 0 (the official lists count
    from 1). Rows outside a level are ignored in it. Boxes are x0, y0, x1, y1 with x1 = x + width.
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
class WiderLevel:
    """One level: average precision ``ap``, the number of ``faces``, and the curve behind it.

    ``scores``, ``precision`` and ``recall`` are (1000,), from the strictest threshold to the loosest;
    ``scores`` in the detector's own scale. Precision is 0 where nothing was proposed yet.
    """

    ap: float
    faces: int
    scores: Doubles
    precision: Doubles
    recall: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class WiderResult:
    """The levels by name, without those in which no image has a face, and the number of ``images``."""

    levels: Mapping[str, WiderLevel]
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class _Matched:
    """Detections of one image, best first: threshold ``steps`` and best ``rows`` (-1: below MIN_IOU)."""

    steps: Rows
    rows: Rows


def evaluate_wider(truth: Mapping[str, WiderTruth], detections: Detections) -> WiderResult:
    """Score ``detections`` (boxes in pixels, scores in any scale) on the images of ``truth``.

    A detection belongs to the face that it overlaps most. If that is ignored at the level, the detection
    counts for nothing; a second one on a face that counts is a false alarm, and so is every one on an image
    without faces. Scores are scaled by the lowest and highest of all detections on these images; if all are
    equal they count at every threshold. Raises BadAnnotation when the detections lack an image.
    """
    chosen = select(detections, truth)
    low, high = _score_range(chosen)
    matched = {name: _match(truth[name].boxes, faces, low, high) for name, faces in chosen.items()}
    levels = {}
    for level in dict.fromkeys(level for image in truth.values() for level in image.levels):
        if any(level in image.levels and image.levels[level].size for image in truth.values()):
            levels[level] = _evaluate_level(level, truth, matched, low + _THRESHOLDS * (high - low))
    return WiderResult(levels, len(truth))


def _score_range(chosen: Detections) -> tuple[float, float]:
    scores = [faces.scores for faces in chosen.values() if len(faces)]
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


def _evaluate_level(
    level: str, truth: Mapping[str, WiderTruth], matched: Mapping[str, _Matched], scores: Doubles
) -> WiderLevel:
    proposed, found, faces = np.zeros(_STEPS), np.zeros(_STEPS), 0
    for name, image in truth.items():
        wanted = np.zeros(len(image.boxes), dtype=bool)
        wanted[image.levels.get(level, np.empty(0, np.intp))] = True
        faces += int(wanted.sum())
        steps, rows = matched[name].steps, matched[name].rows
        on_wanted = np.isin(rows, np.flatnonzero(wanted))
        counts = (rows < 0) | on_wanted
        _, first = np.unique(rows[on_wanted], return_index=True)
        proposed += np.bincount(steps[counts], minlength=_STEPS)
        found += np.bincount(steps[on_wanted][first], minlength=_STEPS)
    proposed, found = np.cumsum(proposed), np.cumsum(found)
    precision = np.divide(found, proposed, out=np.zeros(_STEPS), where=proposed > 0)
    recall = found / faces
    return WiderLevel(average_precision(recall, precision), faces, scores, precision, recall)


def average_precision(recall: Doubles, precision: Doubles) -> float:
    """Area under a curve (k,), (k,) with rising recall; each precision counts as the best from there on.

    This is PASCAL VOC's interpolation since 2010 (Everingham et al. 2015).
    """
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())

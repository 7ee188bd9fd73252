"""Errors of facial points, with the length they are divided by in the name of each number.

``inter_ocular``: the distance between the two eye points of the truth. ``box``: the square root of the area
of the true box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry import boxes as box_geometry
from mien.types import Faces, Floats

Doubles = NDArray[np.float64]

LIMIT = 0.1
"""An error above a tenth of the length it is divided by is a failure."""

MIN_IOU = 0.3
"""Least overlap of a detection and its face. Lower than in detection: data sets draw boxes differently."""


@dataclass(frozen=True, slots=True, eq=False)
class PointErrors:
    """Mean error of the points of each face over one length: ``values`` (n,), infinite for a missed face."""

    values: Doubles

    @property
    def nme(self) -> float:
        """Normalised mean error over the faces that were found; NaN when none was."""
        found = self.values[np.isfinite(self.values)]
        return float(found.mean()) if len(found) else float("nan")

    def failure_rate(self, limit: float = LIMIT) -> float:
        """Part of all faces with an error above ``limit``; a missed face is a failure. NaN without faces."""
        return float((self.values > limit).mean()) if len(self.values) else float("nan")

    def auc(self, limit: float = LIMIT) -> float:
        """Area under the cumulative curve from 0 to ``limit``, at best 1; a missed face adds nothing.

        NaN without faces.
        """
        return float(np.maximum(1 - self.values / limit, 0).mean()) if len(self.values) else float("nan")

    def cumulative(self) -> tuple[Doubles, Doubles]:
        """The cumulative curve: sorted errors (k,) of the found faces, and the part of all up to each."""
        errors = np.sort(self.values[np.isfinite(self.values)])
        return errors, np.arange(1, len(errors) + 1) / len(self.values)

    def numbers(self, name: str, limits: Sequence[float] = (LIMIT,)) -> dict[str, float]:
        """Mean, failure rates and areas, each with ``name``, which says what errors are divided by, in its name."""
        out = {f"nme_{name}": self.nme}
        for limit in limits:
            out[f"failure_rate_{100 * limit:.0f}_{name}"] = self.failure_rate(limit)
            out[f"auc_{100 * limit:.0f}_{name}"] = self.auc(limit)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class PointsResult:
    """``faces`` in the truth, how many of them were ``missed``, and the errors by each length."""

    faces: int
    missed: int
    inter_ocular: PointErrors
    box: PointErrors

    def numbers(self) -> dict[str, float]:
        """Every number under a name that says what it is divided by; limits in per cent."""
        out: dict[str, float] = {"faces": self.faces, "missed": self.missed}
        return out | self.inter_ocular.numbers("inter_ocular") | self.box.numbers("box")


def evaluate_points(truth: Floats, found: Floats, boxes: Floats, eyes: tuple[int, int] = (0, 1)) -> PointsResult:
    """Compare points ``found`` (n, k, 2) with the ``truth`` (n, k, 2); true ``boxes`` (n, 4); all in pixels.

    A face with a NaN among its found points is missed. ``eyes`` are the two points whose distance is the
    inter-ocular one. Raises BadOption for shapes that do not fit, no face, unknown points in the truth, or a
    face without extent.
    """
    truth, found = np.asarray(truth, dtype=np.float64), np.asarray(found, dtype=np.float64)
    boxes = np.asarray(boxes)
    if truth.ndim != 3 or truth.shape[2] != 2 or truth.shape != found.shape or boxes.shape != (len(truth), 4):
        raise BadOption(
            f"truth {truth.shape}, found {found.shape} and boxes {boxes.shape} must have the shapes "
            "(n, k, 2), (n, k, 2) and (n, 4)"
        )
    if not len(truth) or not np.isfinite(truth).all():
        raise BadOption(f"the truth has {len(truth)} faces, some without points; give at least one, all known")
    lengths = {
        "the eyes": np.linalg.norm(truth[:, eyes[0]] - truth[:, eyes[1]], axis=1),
        "the box": np.sqrt(box_geometry.area(boxes)),
    }
    for name, length in lengths.items():
        if not (length > 0).all():
            raise BadOption(f"in face {int(np.argmin(length > 0))} of the truth, {name} have no extent to divide by")
    distances = np.linalg.norm(found - truth, axis=2).mean(axis=1)
    missed = np.isnan(distances)
    distances[missed] = np.inf
    by_eyes, by_box = (PointErrors(distances / length) for length in lengths.values())
    return PointsResult(len(truth), int(missed.sum()), by_eyes, by_box)


def pair(boxes: Floats, others: Floats, min_iou: float = MIN_IOU) -> NDArray[np.intp]:
    """Which of ``others`` (m, 4) belongs to each of ``boxes`` (n, 4): (n,), -1 where none does.

    Pairs are made one to one, the greatest IoU first, down to ``min_iou``.
    """
    partners = np.full(len(boxes), -1, dtype=np.intp)
    overlaps = box_geometry.iou(np.asarray(boxes, np.float32), np.asarray(others, np.float32))
    while overlaps.size and overlaps.max() >= min_iou:
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        partners[row] = column
        overlaps[row], overlaps[:, column] = -1, -1
    return partners


def pick_points(boxes: Floats, faces: Faces, min_iou: float = MIN_IOU) -> Floats:
    """The points (n, 5, 2) of the detection that belongs to each true box (n, 4); NaN where there is none."""
    points = np.full((len(boxes), 5, 2), np.nan, dtype=np.float32)
    partners = pair(boxes, faces.boxes, min_iou)
    points[partners >= 0] = faces.keypoints[partners[partners >= 0]]
    return points

"""ROC curves by the rules of FDDB: elliptical faces, discrete and continuous score.

Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings". The official program
compares pixel masks; here IoU is computed from the shapes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption, needs_extra
from mien.geometry import boxes as box_geometry
from mien.types import Doubles, Faces, Floats

MIN_IOU = 0.5

_SLICES = 256
"""Slices for the numerical integration of an ellipse; the error stays below a thousandth of its area."""


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """One point per score (k,), best first: what is found by detections of at least this score.

    Attributes:
        faces: Number of faces.
        scores: (k,), the thresholds.
        false_positives: (k,), number of detections without a discrete match.
        discrete: (k,), fraction of the faces matched with IoU above 0.5.
        continuous: (k,), sum of the IoU of all matches over the number of faces.
    """

    faces: int
    scores: Doubles
    false_positives: Doubles
    discrete: Doubles
    continuous: Doubles

    def discrete_at(self, false_positives: float) -> float:
        """Return the highest discrete rate with at most this number of false positives."""
        return float(self.discrete[self.false_positives <= false_positives].max(initial=0.0))

    def continuous_at(self, false_positives: float) -> float:
        """Return the highest continuous rate with at most this number of false positives."""
        return float(self.continuous[self.false_positives <= false_positives].max(initial=0.0))


@dataclass(frozen=True, slots=True, eq=False)
class ImageMatches:
    """Matches of one image at each of its scores.

    Attributes:
        faces: Number of faces.
        scores: (k,), best first.
        totals: (k, 3), for detections of at least each score: their number, discrete matches, sum of IoU.
    """

    faces: int
    scores: Doubles
    totals: Doubles


def require_scipy() -> None:
    """Raise MissingExtra if scipy, which assigns detections to faces, is not installed."""
    with needs_extra("scoring FDDB", "data"):
        import scipy.optimize  # noqa: F401


def match_ellipses(
    ellipses: NDArray[np.floating], detections: Faces, size: tuple[float, float] = (np.inf, np.inf)
) -> ImageMatches:
    """Assign detections to faces one to one so that the sum of IoU is greatest, at each score of the detections.

    Args:
        ellipses: The faces of an image, as in :func:`ellipse_iou`.
        detections: The faces detected in it.
        size: Width and height of the image.
    """
    scores = detections.scores
    overlaps = ellipse_iou(ellipses, detections.boxes, size)
    touching = (overlaps > 0).any(axis=0)
    thresholds = np.unique(scores)[::-1].astype(np.float64)
    totals = np.zeros((len(thresholds), 3))
    matched = (0.0, 0.0)
    for i, threshold in enumerate(thresholds):
        # Detections that touch no face cannot change the assignment.
        if (touching & (scores == threshold)).any():
            matched = _assign(overlaps[:, touching & (scores >= threshold)])
        totals[i] = (scores >= threshold).sum(), *matched
    return ImageMatches(len(ellipses), thresholds, totals)


def roc_curve(images: Sequence[ImageMatches]) -> RocCurve:
    """Return the curve over all images."""
    faces = sum(image.faces for image in images)
    scores = np.concatenate([np.empty(0), *(image.scores for image in images)])
    changes = np.concatenate([np.empty((0, 3)), *(np.diff(image.totals, axis=0, prepend=0) for image in images)])
    order = np.argsort(-scores, kind="stable")
    scores, totals = scores[order], np.cumsum(changes[order], axis=0)
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    scores, (detected, hits, quality) = scores[last], totals[last].T
    rate = 1 / max(faces, 1)
    return RocCurve(faces, scores, detected - hits, hits * rate, quality * rate)


def ellipse_iou(ellipses: NDArray[np.floating], boxes: Floats, size: tuple[float, float] = (np.inf, np.inf)) -> Doubles:
    """Return the IoU (n, m) of ellipses (n, 5) and boxes (m, 4), both cut off at the image border.

    Args:
        ellipses: Half axes in pixels, above 0; angle of the first from the x axis toward the y axis (clockwise on the
            screen) in degrees; center x and y in pixels.
        boxes: x0, y0, x1, y1 in pixels.
        size: Width and height of the image.

    Raises:
        BadOption: Another shape, or a half axis that is not above 0.
    """
    ellipses = np.asarray(ellipses, dtype=np.float64)
    if ellipses.ndim != 2 or ellipses.shape[1] != 5 or not (ellipses[:, :2] > 0).all():
        raise BadOption(f"ellipses of shape {ellipses.shape}; give (n, 5) with half axes above 0")
    image = np.array([[0.0, 0.0, *size]])
    clipped = np.clip(boxes.astype(np.float64), 0.0, np.tile(size, 2))
    box_areas = box_geometry.area(clipped)  # type: ignore[arg-type]
    out = np.zeros((len(ellipses), len(boxes)))
    for row, ellipse in enumerate(ellipses):
        shared = _shared(ellipse, clipped)
        union = _shared(ellipse, image) + box_areas - shared
        np.divide(shared, union, out=out[row], where=union > 0)
    return out


def _shared(ellipse: Doubles, boxes: Doubles) -> Doubles:
    """Return the intersection (m,) of an ellipse with each box, integrated over vertical slices."""
    a, b, degrees, x, y = ellipse
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    reach = np.hypot(a * cos, b * sin)
    slope = (a * a - b * b) * sin * cos / reach**2
    # With x = reach * cos(t) the height of a slice is smooth up to the ends of the ellipse.
    start, end = (np.arccos(np.clip((boxes[:, side] - x) / reach, -1, 1))[:, None] for side in (2, 0))
    t = start + (end - start) * (np.arange(_SLICES) + 0.5) / _SLICES
    middle = y + slope * reach * np.cos(t)
    half = a * b / reach * np.sin(t)
    height = np.minimum(middle + half, boxes[:, 3:4]) - np.maximum(middle - half, boxes[:, 1:2])
    slices = np.maximum(height, 0) * reach * np.sin(t) * (end - start) / _SLICES
    return np.asarray(slices.sum(axis=1))


def _assign(overlaps: Doubles) -> tuple[float, float]:
    """Return the number of matches above MIN_IOU and the sum of IoU of the assignment with the greatest sum."""
    from scipy.optimize import linear_sum_assignment

    values = overlaps[linear_sum_assignment(overlaps, maximize=True)]
    return float((values > MIN_IOU).sum()), float(values.sum())

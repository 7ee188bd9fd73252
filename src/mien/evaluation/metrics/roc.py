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
from mien.types import Faces, Floats

Doubles = NDArray[np.float64]

MIN_IOU = 0.5

_SLICES = 256
"""Slices for the numerical integration of an ellipse; the error stays below a thousandth of its area."""


@dataclass(frozen=True, slots=True, eq=False)
class Ellipses:
    """The faces of one image.

    Attributes:
        centres: (n, 2), x, y in pixels.
        radii: (n, 2), half axes in pixels.
        degrees: (n,), angle of the first axis from the x axis towards the y axis (clockwise on the screen).
        size: Width and height of the image, at which faces and detections are cut off; infinite if unknown.

    Raises:
        BadOption: Wrong shape, or a half axis that is not above 0.
    """

    centres: Doubles
    radii: Doubles
    degrees: Doubles
    size: tuple[float, float] = (np.inf, np.inf)

    def __post_init__(self) -> None:
        for name, columns in (("centres", 2), ("radii", 2), ("degrees", 0)):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            wanted = (len(self.degrees), columns) if columns else (len(self.degrees),)
            if array.shape != wanted:
                raise BadOption(f"{name} has shape {array.shape}; it must be {wanted}, one row per ellipse")
            object.__setattr__(self, name, array)
        if len(self.radii) and not self.radii.min() > 0:
            raise BadOption(f"an ellipse has a half axis of {self.radii.min()}; it must be above 0")

    def __len__(self) -> int:
        return len(self.degrees)


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


def match_ellipses(ellipses: Ellipses, detections: Faces) -> ImageMatches:
    """Assign detections to faces one to one so that the sum of IoU is greatest, at each score of the detections."""
    scores = detections.scores
    overlaps = overlap(ellipses, detections.boxes)
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


def overlap(ellipses: Ellipses, boxes: Floats) -> Doubles:
    """Return the IoU (n, m) of each ellipse with each box (m, 4), both cut off at the image border."""
    image = np.array([[0.0, 0.0, *ellipses.size]])
    clipped = np.clip(boxes.astype(np.float64), 0.0, np.tile(ellipses.size, 2))
    box_areas = box_geometry.area(clipped)  # type: ignore[arg-type]
    out = np.zeros((len(ellipses), len(boxes)))
    for row in range(len(ellipses)):
        shared = _shared(ellipses, row, clipped)
        union = _shared(ellipses, row, image) + box_areas - shared
        np.divide(shared, union, out=out[row], where=union > 0)
    return out


def _shared(ellipses: Ellipses, row: int, boxes: Doubles) -> Doubles:
    """Area (m,) that one ellipse shares with each box, integrated in vertical slices between the box's sides."""
    (x, y), (a, b) = ellipses.centres[row], ellipses.radii[row]
    cos, sin = np.cos(np.radians(ellipses.degrees[row])), np.sin(np.radians(ellipses.degrees[row]))
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
    """Number of matches above MIN_IOU and sum of IoU, in the assignment with the greatest sum."""
    from scipy.optimize import linear_sum_assignment

    values = overlaps[linear_sum_assignment(overlaps, maximize=True)]
    return float((values > MIN_IOU).sum()), float(values.sum())

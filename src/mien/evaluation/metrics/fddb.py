"""Receiver operating characteristic on FDDB: ellipses, discrete and continuous score.

Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings". The official
program compares masks of whole pixels; here the overlap is computed from the shapes themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.evaluation.detections import Detections, select
from mien.geometry import boxes as box_geometry
from mien.types import Floats

Doubles = NDArray[np.float64]

MIN_IOU = 0.5

_SLICES = 256
"""Slices in which an ellipse is added up; the error stays below a thousandth of its area."""


@dataclass(frozen=True, slots=True, eq=False)
class Ellipses:
    """The faces of one image.

    ``centres`` (n, 2): x, y in pixels. ``radii`` (n, 2): half axes in pixels. ``degrees`` (n,): angle of the
    first axis, from the x axis towards the y axis (clockwise on the screen). ``size``: width and height of
    the image, beyond which neither faces nor detections reach; unknown sides are infinite.
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
                raise BadOption(f"{name} has shape {array.shape}; it must be {wanted}, a row an ellipse")
            object.__setattr__(self, name, array)
        if len(self.radii) and not self.radii.min() > 0:
            raise BadOption(f"an ellipse has a half axis of {self.radii.min()}; it must be above 0")

    def __len__(self) -> int:
        return len(self.degrees)


@dataclass(frozen=True, slots=True, eq=False)
class FddbCurve:
    """One point a score (k,), best first: what is found when detections of this score and above count.

    ``discrete``: part of the faces found with IoU above 0.5. ``continuous``: sum of the IoU of all matches
    over the number of ``faces``. ``false_positives``: detections that are no discrete match.
    """

    faces: int
    scores: Doubles
    false_positives: Doubles
    discrete: Doubles
    continuous: Doubles

    def discrete_at(self, false_positives: float) -> float:
        """The best discrete rate with at most so many false positives."""
        return _best(self.discrete[self.false_positives <= false_positives])

    def continuous_at(self, false_positives: float) -> float:
        """The best continuous rate with at most so many false positives."""
        return _best(self.continuous[self.false_positives <= false_positives])


@dataclass(frozen=True, slots=True, eq=False)
class FddbResult:
    """``curve`` over all images, as the official program draws it, and one a fold."""

    curve: FddbCurve
    folds: tuple[FddbCurve, ...]
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """One image: ``scores`` (k,), best first; ``totals`` (k, 3) down to each: detections, matches, IoU."""

    faces: int
    scores: Doubles
    totals: Doubles


def evaluate_fddb(folds: Sequence[Mapping[str, Ellipses]], detections: Detections) -> FddbResult:
    """Score ``detections`` (boxes in pixels, scores in any scale) on the images of all ``folds``.

    FDDB has ten folds. At each score the detections of an image are assigned to its faces one to one so that
    the sum of IoU is greatest. Raises BadAnnotation when the detections lack an image, BadOption when there
    is no face at all.
    """
    names = [name for fold in folds for name in fold]
    if len(set(names)) < len(names):
        raise BadOption("an image is in two folds; each belongs to one")
    chosen = select(detections, names)
    steps = [[_image_steps(fold[name], chosen[name].boxes, chosen[name].scores) for name in fold] for fold in folds]
    curve = _curve(step for fold in steps for step in fold)
    if not curve.faces:
        raise BadOption(f"there is no face in {len(names)} images; give FDDB's annotated folds")
    return FddbResult(curve, tuple(_curve(fold) for fold in steps), len(names))


def overlap(ellipses: Ellipses, boxes: Floats) -> Doubles:
    """IoU (n, m) of each ellipse with each box (m, 4), both cut at the image's border."""
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
    """Area (m,) that one ellipse shares with each box, added up in upright slices between the box's sides."""
    (x, y), (a, b) = ellipses.centres[row], ellipses.radii[row]
    cos, sin = np.cos(np.radians(ellipses.degrees[row])), np.sin(np.radians(ellipses.degrees[row]))
    reach = np.hypot(a * cos, b * sin)
    slope = (a * a - b * b) * sin * cos / reach**2
    # With x = reach * cos(t) the height of a slice is smooth up to the ellipse's ends.
    start, end = (np.arccos(np.clip((boxes[:, side] - x) / reach, -1, 1))[:, None] for side in (2, 0))
    t = start + (end - start) * (np.arange(_SLICES) + 0.5) / _SLICES
    middle = y + slope * reach * np.cos(t)
    half = a * b / reach * np.sin(t)
    height = np.minimum(middle + half, boxes[:, 3:4]) - np.maximum(middle - half, boxes[:, 1:2])
    slices = np.maximum(height, 0) * reach * np.sin(t) * (end - start) / _SLICES
    return np.asarray(slices.sum(axis=1))


def _image_steps(ellipses: Ellipses, boxes: Floats, scores: Floats) -> _Steps:
    overlaps = overlap(ellipses, boxes)
    touching = (overlaps > 0).any(axis=0)
    thresholds = np.unique(scores)[::-1].astype(np.float64)
    totals = np.zeros((len(thresholds), 3))
    matched = (0.0, 0.0)
    for i, threshold in enumerate(thresholds):
        # Detections that touch no face cannot change the assignment.
        if (touching & (scores == threshold)).any():
            matched = _assign(overlaps[:, touching & (scores >= threshold)])
        totals[i] = (scores >= threshold).sum(), *matched
    return _Steps(len(ellipses), thresholds, totals)


def _assign(overlaps: Doubles) -> tuple[float, float]:
    """Matches above MIN_IOU and the sum of IoU, in the assignment with the greatest sum."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise BadOption("scoring FDDB needs scipy; install it: pip install 'mien[train]'") from error
    values = overlaps[linear_sum_assignment(overlaps, maximize=True)]
    return float((values > MIN_IOU).sum()), float(values.sum())


def _curve(steps: Iterable[_Steps]) -> FddbCurve:
    steps = list(steps)
    faces = sum(step.faces for step in steps)
    scores = np.concatenate([np.empty(0), *(step.scores for step in steps)])
    changes = np.concatenate([np.empty((0, 3)), *(np.diff(step.totals, axis=0, prepend=0) for step in steps)])
    order = np.argsort(-scores, kind="stable")
    scores, totals = scores[order], np.cumsum(changes[order], axis=0)
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    scores, (detected, found, quality) = scores[last], totals[last].T
    rate = 1 / max(faces, 1)
    return FddbCurve(faces, scores, detected - found, found * rate, quality * rate)


def _best(rates: Doubles) -> float:
    return float(rates.max(initial=0.0))

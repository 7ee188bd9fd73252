"""Bounding boxes: x0, y0, x1, y1 in continuous pixels; the corner of the first pixel is (0, 0), width is x1 - x0.

Functions take and return float arrays of shape (n, 4) and never modify their arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.types import Doubles, Floats

DETECTOR_BOX_SCALE = 0.92
"""Side of the detector's squared box, in longer sides of :func:`training_box`."""

_MATRIX_LIMIT = 400
"""Up to this many boxes, one IoU matrix is faster than comparing each kept box with the remaining ones."""


def area(boxes: Floats) -> Floats:
    """Return the area of each box, (n,); an inverted box has area 0."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def intersection(a: Floats, b: Floats) -> Floats:
    """Return the intersection area (n, m) of ``a`` (n, 4) and ``b`` (m, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def iou(a: Floats, b: Floats) -> Floats:
    """Return intersection over union, (n, m)."""
    shared = intersection(a, b)
    return _ratio(shared, area(a)[:, None] + area(b)[None, :] - shared)


def iom(a: Floats, b: Floats) -> Floats:
    """Return intersection over the smaller of the two boxes (IoM), (n, m)."""
    shared = intersection(a, b)
    return _ratio(shared, np.minimum(area(a)[:, None], area(b)[None, :]))


def ioa(a: Floats, b: Floats) -> Floats:
    """Return intersection over the area of the box of ``a`` (IoA), (n, m)."""
    shared = intersection(a, b)
    return _ratio(shared, np.broadcast_to(area(a)[:, None], shared.shape))


_MEASURES = {"union": iou, "min": iom}


def nms(
    boxes: Floats,
    scores: Floats,
    threshold: float,
    measure: Literal["union", "min"] = "union",
    *,
    limit: int | None = None,
) -> NDArray[np.intp]:
    """Return the indices of the boxes that greedy non-maximum suppression keeps, best first.

    Args:
        boxes: (n, 4).
        scores: (n,); equal scores keep their order.
        threshold: A box is dropped when its overlap with a better kept box is above it.
        measure: "union" for IoU, "min" for IoM.
        limit: Stop after this many boxes.
    """
    order = np.argsort(-scores, kind="stable")
    boxes = boxes[order]
    if len(boxes) > _MATRIX_LIMIT:
        return np.asarray(order[_keep_one_by_one(boxes, threshold, measure, limit)])
    apart = _MEASURES[measure](boxes, boxes) <= threshold
    alive = np.ones(len(boxes), dtype=bool)
    kept = []
    for i in range(len(boxes)):
        if alive[i]:
            kept.append(i)
            alive &= apart[i]
    return np.asarray(order[kept[:limit]], dtype=np.intp)


def _keep_one_by_one(boxes: Floats, threshold: float, measure: Literal["union", "min"], limit: int | None) -> list[int]:
    """Do as :func:`nms` for sorted boxes; columns and areas are computed once: five times faster."""
    x0, y0, x1, y1 = np.ascontiguousarray(boxes.T)
    areas = area(boxes)
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left) and (limit is None or len(kept) < limit):
        best, left = left[0], left[1:]
        kept.append(int(best))
        width = np.minimum(x1[left], x1[best]) - np.maximum(x0[left], x0[best])
        height = np.minimum(y1[left], y1[best]) - np.maximum(y0[left], y0[best])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        others = areas[left]
        whole = areas[best] + others - shared if measure == "union" else np.minimum(areas[best], others)
        left = left[_ratio(shared, whole) <= threshold]
    return kept


def clip(boxes: Floats, bounds: Sequence[float]) -> Floats:
    """Return the boxes limited to ``bounds`` (x0, y0, x1, y1); a box outside becomes empty."""
    low, high = np.tile(bounds[:2], 2), np.tile(bounds[2:], 2)
    return np.asarray(np.clip(boxes, low, high), dtype=boxes.dtype)


def map_ellipses(boxes: Floats, linear: NDArray[np.floating], offset: NDArray[np.floating]) -> Doubles:
    """Return the bounding boxes (n, 4) of the ellipses inscribed in ``boxes``, mapped by x -> linear x + offset.

    The box of a rotated face: faces are round, so the box of its rotated box would be too large.
    """
    center = (boxes[:, :2] + boxes[:, 2:]) / 2 @ linear.T + offset
    half = np.sqrt((boxes[:, 2:] - boxes[:, :2]) ** 2 @ (linear**2).T) / 2
    return np.concatenate([center - half, center + half], axis=1)


def square(boxes: Floats) -> Floats:
    """Return the squares with the same centers and the longer sides."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([center - half, center + half], axis=1)


def enlarge(boxes: Floats, factor: float) -> Floats:
    """Return the boxes with the same centers and sides multiplied by ``factor``."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) * (factor / 2)
    return np.concatenate([center - half, center + half], axis=1)


def _sides(windows: Floats) -> Floats:
    return np.asarray(windows[:, 2:] - windows[:, :2])


def encode_boxes(boxes: Floats, windows: Floats) -> Floats:
    """Return the corner offsets of ``boxes`` from ``windows`` (n, 4), in window sides (the regression of MTCNN)."""
    return np.asarray((boxes - windows) / np.tile(_sides(windows), 2))


def decode_boxes(offsets: Floats, windows: Floats) -> Floats:
    """Return boxes from offsets: the inverse of :func:`encode_boxes`."""
    return np.asarray(windows + offsets * np.tile(_sides(windows), 2))


def encode_points(points: Floats, windows: Floats) -> Floats:
    """Return points (n, k, 2) relative to their window (n, 4): (0, 0) is its first corner, (1, 1) its last."""
    return np.asarray((points - windows[:, None, :2]) / _sides(windows)[:, None])


def decode_points(offsets: Floats, windows: Floats) -> Floats:
    """Return points in pixels: the inverse of :func:`encode_points`."""
    return np.asarray(windows[:, None, :2] + offsets * _sides(windows)[:, None])


def mirror_offsets(offsets: Floats) -> Floats:
    """Return the offsets of the horizontally mirrored window and box."""
    return np.asarray(offsets[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], dtype=offsets.dtype))


def mirror_points(offsets: Floats) -> Floats:
    """Return encoded points (..., 2) of the horizontally mirrored window; their order stays."""
    return np.stack([1 - offsets[..., 0], offsets[..., 1]], axis=-1)


def quarter_turn(boxes: Floats, width: float) -> Floats:
    """Return boxes after rotating an image of this ``width`` by 90 degrees counter-clockwise (``numpy.rot90``)."""
    return np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], axis=1)


def quarter_turn_points(points: Floats, width: float) -> Floats:
    """Return points (..., 2) after rotating an image of this ``width`` by 90 degrees counter-clockwise."""
    return np.stack([points[..., 1], width - points[..., 0]], axis=-1)


def bounding_boxes(points: NDArray[np.floating]) -> Floats:
    """Return the bounding boxes (n, 4) of point sets (n, k, 2), ignoring NaN; NaN where all points are NaN."""
    known = np.isfinite(points).all(axis=2, keepdims=True)
    low = np.where(known, points, np.inf).min(axis=1)
    high = np.where(known, points, -np.inf).max(axis=1)
    found = np.concatenate([low, high], axis=1)
    return np.where(known.any(axis=1), found, np.nan).astype(np.float32)


def training_box(points: NDArray[np.floating]) -> Floats:
    """Return the face boxes (n, 4) of 68 landmarks (n, 68, 2): their bounding box plus 30 % above and 5 % elsewhere.

    Landmarks end at the eyebrows; the face does not.
    """
    x0, y0, x1, y1 = bounding_boxes(points).T
    width, height = x1 - x0, y1 - y0
    grown = [x0 - 0.05 * width, y0 - 0.3 * height, x1 + 0.05 * width, y1 + 0.05 * height]
    return np.stack(grown, axis=1).astype(np.float32)


def detected_box(points: NDArray[np.floating]) -> Floats:
    """Return the box (n, 4) that mien's detector would give the face with these 68 landmarks (n, 68, 2)."""
    return enlarge(training_box(points), DETECTOR_BOX_SCALE)


def face_box(points: NDArray[np.floating]) -> Floats:
    """Return the squares (n, 4) that the detector gives, on average, for faces with these 68 landmarks (n, 68, 2).

    Measured on 745 faces of four datasets: the squared boxes of proposer and refiner have the center of
    :func:`training_box` (mean difference at most 2 % of the side, standard deviation 4 %) and 0.92 of its longer side
    (deviation 0.07); those of P-, R- and O-Net have 0.80 (deviation 0.09).
    """
    return enlarge(square(training_box(points)), DETECTOR_BOX_SCALE)

"""Greedy one-to-one matching of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.geometry import boxes as box_geometry
from mien.types import Faces, Floats

MIN_IOU = 0.3
"""Lowest IoU of a match. Lower than in detection, because data sets draw boxes differently."""


def match_boxes(boxes: Floats, others: Floats, min_iou: float = MIN_IOU) -> NDArray[np.intp]:
    """Return the row of ``others`` (m, 4) matched to each of ``boxes`` (n, 4): (n,), -1 for none.

    Pairs are made one to one in descending order of IoU, down to ``min_iou``.
    """
    matches = np.full(len(boxes), -1, dtype=np.intp)
    overlaps = box_geometry.iou(np.asarray(boxes, np.float32), np.asarray(others, np.float32))
    while overlaps.size and overlaps.max() >= min_iou:
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        matches[row] = column
        overlaps[row], overlaps[:, column] = -1, -1
    return matches


def matched_keypoints(boxes: Floats, faces: Faces, min_iou: float = MIN_IOU) -> Floats:
    """Return the keypoints (n, 5, 2) of the face matched to each of ``boxes`` (n, 4); NaN for none."""
    keypoints = np.full((len(boxes), 5, 2), np.nan, dtype=np.float32)
    matches = match_boxes(boxes, faces.boxes, min_iou)
    keypoints[matches >= 0] = faces.keypoints[matches[matches >= 0]]
    return keypoints

"""Measures of a network on held-out samples, for choosing the best checkpoint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def recall_at(scores: NDArray[np.floating], labels: NDArray[np.integer], false_rate: float) -> float:
    """Share of the faces (label 1) that score above all but ``false_rate`` of the rest (label 0)."""
    faces, others = scores[labels == 1], scores[labels == 0]
    if not len(faces) or not len(others):
        return 0.0
    return float(np.mean(faces > np.quantile(others, 1 - false_rate)))


def box_error(found: NDArray[np.floating], truth: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Mean distance of a side of the box from the truth, in sides of the window."""
    return float(np.abs(found[known] - truth[known]).mean()) if known.any() else 0.0


def point_error(found: NDArray[np.floating], truth: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Mean distance of a point from the truth, in distances of the eyes; points (n, 5, 2)."""
    if not known.any():
        return 0.0
    found, truth = found[known], truth[known]
    eyes = np.maximum(np.linalg.norm(truth[:, 0] - truth[:, 1], axis=-1), 0.1)
    return float((np.linalg.norm(found - truth, axis=-1).mean(axis=1) / eyes).mean())

"""Validation metrics, for choosing the best checkpoint of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_FALSE_POSITIVE_RATES = (0.001, 0.01, 0.1)


def recall_at_fpr(scores: NDArray[np.floating], labels: NDArray[np.integer], rate: float) -> float:
    """Return the recall of faces (label 1) at a false positive rate among the background (label 0)."""
    faces, background = scores[labels == 1], scores[labels == 0]
    if not len(faces) or not len(background):
        return 0.0
    return float(np.mean(faces > np.quantile(background, 1 - rate)))


def box_error(predicted: NDArray[np.floating], target: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Return the mean distance of a side of the box from the target, in sides of the window."""
    return float(np.abs(predicted[known] - target[known]).mean()) if known.any() else 0.0


def keypoint_error(predicted: NDArray[np.floating], target: NDArray[np.floating], known: NDArray[np.bool_]) -> float:
    """Return the mean inter-ocular NME of keypoints (n, 5, 2)."""
    if not known.any():
        return 0.0
    predicted, target = predicted[known], target[known]
    eyes = np.maximum(np.linalg.norm(target[:, 0] - target[:, 1], axis=-1), 0.1)
    return float((np.linalg.norm(predicted - target, axis=-1).mean(axis=1) / eyes).mean())


def detection_metrics(
    scores: NDArray[np.floating], offsets: NDArray[np.floating], target: Mapping[str, NDArray[np.generic]]
) -> dict[str, float]:
    """Return recall at several false positive rates, box error, and the quality that combines them.

    Args:
        scores: (n,) or (n, k) of crops or windows.
        offsets: (..., 4), shaped as the scores.
        target: ``labels``, ``offsets`` and ``has_box`` of the samples, in the same shapes.
    """
    metrics = {
        f"recall_at_fpr_{rate:g}": recall_at_fpr(scores, np.asarray(target["labels"], np.int8), rate)
        for rate in _FALSE_POSITIVE_RATES
    }
    known = np.asarray(target["has_box"], dtype=np.bool_)
    metrics["box_error"] = box_error(offsets, np.asarray(target["offsets"], np.float32), known)
    # Not at the lowest rate: most false positives there are faces that nobody annotated.
    recall = (metrics["recall_at_fpr_0.01"] + metrics["recall_at_fpr_0.1"]) / 2
    return {"quality": recall - metrics["box_error"], **metrics}

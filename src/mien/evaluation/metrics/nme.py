"""Normalized mean error (NME) of facial points, failure rate, cumulative error distribution (CED) and its AUC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.errors import BadOption
from mien.geometry import boxes as box_geometry
from mien.types import Doubles, Floats

THRESHOLD = 0.1
"""Normalized error above which a face counts as a failure."""


@dataclass(frozen=True, slots=True, eq=False)
class NormalizedErrors:
    """Mean point error of each face over a normalizing length: ``values`` (n,), infinite for a missed face."""

    values: Doubles

    @property
    def nme(self) -> float:
        """Mean over the detected faces; NaN without any."""
        found = self.values[np.isfinite(self.values)]
        return float(found.mean()) if len(found) else float("nan")

    def failure_rate(self, threshold: float = THRESHOLD) -> float:
        """Return the fraction of faces above ``threshold``; a missed face is a failure. NaN without faces."""
        return float((self.values > threshold).mean()) if len(self.values) else float("nan")

    def auc(self, threshold: float = THRESHOLD) -> float:
        """Return the area under the CED from 0 to ``threshold``, at most 1; a missed face adds 0. NaN without faces."""
        return float(np.maximum(1 - self.values / threshold, 0).mean()) if len(self.values) else float("nan")

    def ced(self) -> tuple[Doubles, Doubles]:
        """Return the sorted errors (k,) of the detected faces, and the fraction of all faces up to each (k,)."""
        errors = np.sort(self.values[np.isfinite(self.values)])
        return errors, np.arange(1, len(errors) + 1) / len(self.values)

    def to_dict(self, norm: str, thresholds: Sequence[float] = (THRESHOLD,)) -> dict[str, float]:
        """Return NME, failure rates and AUCs; each key ends with ``norm``, the normalizing length."""
        out = {f"nme_{norm}": self.nme}
        for threshold in thresholds:
            out[f"failure_rate_{100 * threshold:.0f}_{norm}"] = self.failure_rate(threshold)
            out[f"auc_{100 * threshold:.0f}_{norm}"] = self.auc(threshold)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class KeypointErrors:
    """Errors of the keypoints of labeled faces.

    Attributes:
        faces: Number of labeled faces.
        missed: Number of those without a detection.
        inter_ocular: Errors over the distance between the true eyes.
        box: Errors over the square root of the area of the true box.
    """

    faces: int
    missed: int
    inter_ocular: NormalizedErrors
    box: NormalizedErrors

    def to_dict(self) -> dict[str, float]:
        """Return every number; thresholds in the keys are in percent."""
        counts: dict[str, float] = {"faces": self.faces, "missed": self.missed}
        return counts | self.inter_ocular.to_dict("inter_ocular") | self.box.to_dict("box")


def keypoint_errors(truth: Floats, predicted: Floats, boxes: Floats) -> KeypointErrors:
    """Compare keypoints with the ground truth.

    Args:
        truth: (n, k, 2) in pixels, all known; the first two points are the eyes.
        predicted: (n, k, 2) in pixels; a face with a NaN is missed.
        boxes: (n, 4), the true boxes.

    Raises:
        BadOption: Shapes that do not match, no face, unknown true points, or a face without extent.
    """
    truth, predicted = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    boxes = np.asarray(boxes)
    if truth.ndim != 3 or truth.shape[2] != 2 or truth.shape != predicted.shape or boxes.shape != (len(truth), 4):
        raise BadOption(
            f"truth {truth.shape}, predicted {predicted.shape} and boxes {boxes.shape} must have the shapes "
            "(n, k, 2), (n, k, 2) and (n, 4)"
        )
    if not len(truth) or not np.isfinite(truth).all():
        raise BadOption(f"the truth has {len(truth)} faces, some without points; give at least one, all known")
    lengths = {
        "the eyes": np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1),
        "the box": np.sqrt(box_geometry.area(boxes)),
    }
    for name, length in lengths.items():
        if not (length > 0).all():
            raise BadOption(f"in face {int(np.argmin(length > 0))} of the truth, {name} have no extent to divide by")
    distances = np.linalg.norm(predicted - truth, axis=2).mean(axis=1)
    missed = np.isnan(distances)
    distances[missed] = np.inf
    by_eyes, by_box = (NormalizedErrors(distances / length) for length in lengths.values())
    return KeypointErrors(len(truth), int(missed.sum()), by_eyes, by_box)

"""Normalized mean error of the five keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.keypoint_list import read_keypoint_lists
from mien.datasets.samples import Dataset, DetectionSample, Progress, no_progress
from mien.evaluation.metrics.matching import matched_keypoints
from mien.evaluation.metrics.nme import KeypointErrors, keypoint_errors
from mien.evaluation.plots import plot_keypoint_ced
from mien.evaluation.protocols.result import (
    DetectionModel,
    DetectionResult,
    json_numbers,
    require_samples,
    run_detector,
)


@dataclass(frozen=True, slots=True, eq=False)
class KeypointResult(DetectionResult):
    """``errors`` of the keypoints, normalized by the inter-ocular distance and by the box."""

    errors: KeypointErrors

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {"dataset": "keypoints", "detector": self.name, **json_numbers(self.errors.to_dict())}

    def plot(self, path: Path | str) -> None:
        """Write the cumulative error distributions as PNG. Raises MissingExtra without matplotlib."""
        plot_keypoint_ced({self.name: self.errors}, path)


def evaluate_keypoints(
    data: Path | str | Dataset[DetectionSample],
    model: DetectionModel,
    *,
    name: str = "mien",
    progress: Progress = no_progress,
) -> KeypointResult:
    """Score the keypoints of a detector on labeled faces.

    Of each image, the detections with the highest IoU are matched to the labeled faces; a labeled face without a
    match is missed.

    Args:
        data: A data set whose faces all have keypoints, a list in the format of MTCNN's training code, or the folder
            with ``testImageList.txt``.
        model: A detector, its detections by image (path below the list's folder), or a file of detections.
        name: Name of the model, for legends.

    Raises:
        BadAnnotation: The list cannot be read, or detections lack an image.
        BadImage, BadOption.
    """
    if not isinstance(data, Dataset):
        data = read_keypoint_lists(data, "test" if Path(data).is_dir() else "train")
    require_samples(data)
    images = {data.name(sample): sample.path for sample in data}
    detections, problems = run_detector(model, images, progress)
    samples = [sample for sample in data if data.name(sample) in detections]
    matched = [matched_keypoints(sample.boxes, detections[data.name(sample)]) for sample in samples]
    errors = keypoint_errors(
        np.concatenate([sample.keypoints for sample in samples]),
        np.concatenate(matched),
        np.concatenate([sample.boxes for sample in samples]),
    )
    return KeypointResult(name, data.problems, problems, detections, errors)

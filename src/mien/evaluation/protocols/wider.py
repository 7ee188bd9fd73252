"""WIDER FACE: average precision on the easy, medium and hard levels.

Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error
from mien.datasets.samples import Dataset, DetectionSample, Progress, no_progress
from mien.datasets.wider import read_wider
from mien.datasets.wider_lists import image_key, read_wider_lists
from mien.evaluation.detections import read_wider_text
from mien.evaluation.metrics.average_precision import LabeledImage, PrecisionRecall, precision_recall
from mien.evaluation.plots import plot_precision_recall
from mien.evaluation.protocols.result import DetectionModel, DetectionResult, require_samples, run_detector


@dataclass(frozen=True, slots=True, eq=False)
class WiderResult(DetectionResult):
    """Average precision on WIDER FACE.

    Attributes:
        split: "val" or "train".
        levels: The precision-recall curve of each level at which any face counts.
    """

    split: str
    levels: Mapping[str, PrecisionRecall]

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "dataset": "wider",
            "split": self.split,
            "detector": self.name,
            "images": len(self.detections),
            "levels": {name: {"ap": curve.ap, "faces": curve.faces} for name, curve in self.levels.items()},
        }

    def plot(self, path: Path | str) -> None:
        """Write the precision-recall curves as PNG. Raises MissingExtra without matplotlib."""
        plot_precision_recall({self.name: self.levels}, path)


def evaluate_wider(
    data: Path | str, model: DetectionModel, *, split: str = "val", name: str = "mien", progress: Progress = no_progress
) -> WiderResult:
    """Score a detector on WIDER FACE by the official protocol.

    Args:
        data: Folder with ``WIDER_val``, ``wider_face_split`` and ``eval_tools/ground_truth``; any part of the images.
        model: A detector, its detections by image (``<event>/<name>.jpg``), or a file or folder of detections. Use a
            low score threshold: what a detector does not report cannot raise its recall.
        split: "val", or "train", which has no official lists: all its valid faces are one level.
        name: Name of the model, for legends.

    Raises:
        MissingExtra: scipy, which reads the official lists, is not installed. This is checked before the model runs.
        BadAnnotation: Annotation and lists do not match, or detections lack an image.
        BadImage, BadOption.
    """
    dataset, truth = read_labeled(data, split)
    images = {dataset.name(sample): sample.path for sample in dataset}
    detections, problems = run_detector(model, images, progress, read_wider_text)
    levels = precision_recall([truth[name] for name in detections], list(detections.values()))
    return WiderResult(name, dataset.problems, problems, detections, split, levels)


def read_labeled(data: Path | str, split: str) -> tuple[Dataset[DetectionSample], dict[str, LabeledImage]]:
    """Return the images of a split, and the faces that count in each, by name and level.

    Raises:
        MissingExtra: scipy, which reads the official lists, is not installed.
        BadAnnotation: Annotation and lists do not match.
        BadOption: No such split, or no image of it can be used.
    """
    dataset = read_wider(data, split)
    require_samples(dataset)
    return dataset, _label(dataset, None if split == "train" else Path(data))


def _label(dataset: Dataset[DetectionSample], root: Path | None) -> dict[str, LabeledImage]:
    """Return the faces that count, by the lists below ``root``."""
    if root is None:
        return {dataset.name(s): LabeledImage(s.boxes, {"all": np.flatnonzero(~s.ignored)}) for s in dataset}
    lists = read_wider_lists(root)
    truth = {}
    for sample in dataset:
        key = image_key(sample.path)
        if key not in lists or lists[key].faces != len(sample):
            listed = f"{lists[key].faces} faces" if key in lists else "no such image"
            found = f"{len(sample)} faces in wider_face_split, but {listed} in eval_tools/ground_truth"
            raise annotation_error(sample.path, found, "take both from the official archives")
        truth[dataset.name(sample)] = LabeledImage(sample.boxes, lists[key].counted)
    return truth

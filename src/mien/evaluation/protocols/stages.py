"""Where a detector loses faces: recall on WIDER FACE after each of its stages.

The faces are divided by official level, by size and by the attributes that WIDER labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.datasets.samples import DetectionSample, Progress, no_progress
from mien.datasets.wider import ATTRIBUTES
from mien.evaluation.metrics.average_precision import LabeledImage
from mien.evaluation.metrics.box_fit import BoxFit, box_fit
from mien.evaluation.metrics.matching import match_boxes
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.plots import plot_recall
from mien.evaluation.protocols.result import Result, run_on_images
from mien.evaluation.protocols.wider import read_labeled
from mien.geometry import boxes as box_geometry
from mien.types import Candidates, Faces, Floats, Image

Boxes: TypeAlias = Candidates | Faces
StagedModel: TypeAlias = Callable[[Image], Faces | Mapping[str, Boxes]]
"""A detector, or a function from an image to the boxes after each stage, such as ``FaceDetector.stages``."""

IOUS = (0.5, 0.4)
"""A face is found if the IoU with some box is at least this; the first also matches boxes for :class:`BoxFit`."""

SIZES = (16, 32, 64, 128, 256)
"""Borders between the groups of face sizes, in pixels: a size is the square root of the area of the labeled box."""

ATTRIBUTE_SIZE = 32
"""Least size in pixels of the faces divided by attributes: on smaller ones, the size decides."""

_ONE_STAGE = "detector"


@dataclass(frozen=True, slots=True, eq=False)
class FaceGroup:
    """A group of labeled faces.

    Attributes:
        faces: How many there are.
        recall: Faces found after each stage, by stage and IoU.
        fit: The boxes of the last stage against the labeled ones.
    """

    faces: int
    recall: Mapping[str, Mapping[float, Proportion]]
    fit: BoxFit

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        recall = {
            stage: {f"{iou:g}": each.to_dict() for iou, each in by_iou.items()} for stage, by_iou in self.recall.items()
        }
        return {"faces": self.faces, "recall": recall, "fit": self.fit.to_dict()}


@dataclass(frozen=True, slots=True, eq=False)
class StagesResult(Result):
    """Recall after each stage of a detector on WIDER FACE.

    Attributes:
        split: "val" or "train".
        images: Number of images.
        candidates: Mean number of boxes per image after each stage.
        groups: Groups of faces by division ("level", "size" and WIDER's attributes) and name. Sizes and attributes
            divide the faces of the largest level; attributes only those of at least :data:`ATTRIBUTE_SIZE` pixels.
    """

    split: str
    images: int
    candidates: Mapping[str, float]
    groups: Mapping[str, Mapping[str, FaceGroup]]

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "dataset": "wider",
            "split": self.split,
            "detector": self.name,
            "images": self.images,
            "candidates": dict(self.candidates),
            "groups": {
                division: {name: group.to_dict() for name, group in groups.items()}
                for division, groups in self.groups.items()
            },
        }

    def plot(self, path: Path | str) -> None:
        """Write the recall at the first of :data:`IOUS` as PNG. Raises MissingExtra without matplotlib."""
        panels: dict[str, dict[str, Mapping[str, Proportion]]] = {"level": {}, "size": {}, "attribute": {}}
        for division, groups in self.groups.items():
            for name, group in groups.items():
                recall = {stage: by_iou[IOUS[0]] for stage, by_iou in group.recall.items()}
                panel, label = (division, name) if division in panels else ("attribute", f"{division} {name}")
                panels[panel][label] = recall
        plot_recall(panels, path)


def evaluate_stages(
    data: Path | str, model: StagedModel, *, split: str = "val", name: str = "mien", progress: Progress = no_progress
) -> StagesResult:
    """Measure how many labeled faces each stage of a detector keeps, and how well its boxes fit.

    Several faces may be found by one box, as it is usual for proposals. Boxes are matched one to one for the fit.

    Args:
        data: Folder with ``WIDER_val``, ``wider_face_split`` and ``eval_tools/ground_truth``; any part of the images.
        model: ``FaceDetector(...).stages``, or any detector, whose result counts as its only stage.
        split: "val", or "train", which has no official lists: all its valid faces are one level.
        name: Name of the model.

    Raises:
        MissingExtra: scipy, which reads the official lists, is not installed. This is checked before the model runs.
        BadAnnotation: Annotation and lists do not match.
        BadImage, BadOption.
    """
    dataset, truth = read_labeled(data, split)
    images = {dataset.name(sample): sample.path for sample in dataset}
    outputs, problems = run_on_images(lambda _, image: model(image), images, progress)
    stages = {name: {_ONE_STAGE: o} if isinstance(o, Faces) else o for name, o in outputs.items()}
    samples = {dataset.name(sample): sample for sample in dataset}
    scored = _concatenate([_score(samples[name], truth[name], found) for name, found in stages.items()])
    candidates = {stage: float(np.mean([len(found[stage]) for found in stages.values()])) for stage in scored.overlaps}
    return StagesResult(name, dataset.problems, problems, split, len(stages), candidates, _groups(scored))


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Labeled faces, one per row.

    Attributes:
        boxes: (n, 4), the labels.
        levels: (n,), whether a face counts, by level; the largest level last.
        attributes: (n,), WIDER's values.
        overlaps: (n,), the highest IoU with a box, by stage.
        detected: (n, 4), the matched box of the last stage; NaN for none.
    """

    boxes: Floats
    levels: Mapping[str, NDArray[np.bool_]]
    attributes: Mapping[str, Floats]
    overlaps: Mapping[str, Floats]
    detected: Floats


def _score(sample: DetectionSample, truth: LabeledImage, stages: Mapping[str, Boxes]) -> _Scored:
    rows = np.arange(len(sample))
    overlaps = {
        stage: box_geometry.iou(sample.boxes, found.boxes).max(axis=1, initial=0) for stage, found in stages.items()
    }
    last = list(stages.values())[-1].boxes
    matches = match_boxes(sample.boxes, last, IOUS[0])
    detected = np.full((len(sample), 4), np.nan, dtype=np.float32)
    detected[matches >= 0] = last[matches[matches >= 0]]
    levels = {level: np.isin(rows, counted) for level, counted in truth.levels.items()}
    return _Scored(sample.boxes, levels, sample.attributes, overlaps, detected)


def _concatenate(parts: Sequence[_Scored]) -> _Scored:
    first = parts[0]
    return _Scored(
        np.concatenate([part.boxes for part in parts]),
        {name: np.concatenate([part.levels[name] for part in parts]) for name in first.levels},
        {name: np.concatenate([part.attributes[name] for part in parts]) for name in first.attributes},
        {name: np.concatenate([part.overlaps[name] for part in parts]) for name in first.overlaps},
        np.concatenate([part.detected for part in parts]),
    )


def _groups(faces: _Scored) -> dict[str, dict[str, FaceGroup]]:
    """Divide the faces by level, size and attribute."""
    counted = list(faces.levels.values())[-1]
    size = np.sqrt(box_geometry.area(faces.boxes))
    masks = {"level": dict(faces.levels), "size": {}}
    for low, high in pairwise((0, *SIZES, np.inf)):
        name = f"{low}-{high} px" if low and high < np.inf else f"below {high} px" if high < np.inf else f"{low} px up"
        masks["size"][name] = counted & (size >= low) & (size < high)
    large = counted & (size >= ATTRIBUTE_SIZE)
    for attribute, meanings in ATTRIBUTES.items():
        values = faces.attributes[attribute]
        masks[attribute] = {meaning: large & (values == value) for value, meaning in enumerate(meanings)}
    return {division: {name: _group(faces, mask) for name, mask in named.items()} for division, named in masks.items()}


def _group(faces: _Scored, mask: NDArray[np.bool_]) -> FaceGroup:
    count = int(mask.sum())
    recall = {
        stage: {iou: Proportion(int((overlap[mask] >= iou).sum()), count) for iou in IOUS}
        for stage, overlap in faces.overlaps.items()
    }
    return FaceGroup(count, recall, box_fit(faces.boxes[mask], faces.detected[mask]))

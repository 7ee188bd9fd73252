"""Normalized mean error of 68 landmarks, from true boxes or from those of a detector."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.datasets.parsing import annotation_error
from mien.datasets.samples import Dataset, LandmarkSample, Progress, load_image, no_progress
from mien.errors import BadAnnotation, BadImage, BadOption, MienError
from mien.evaluation.detections import faces_without_keypoints, match_images
from mien.evaluation.landmark_files import Predictions, read_predictions
from mien.evaluation.metrics.landmarks import LandmarkScore, LandmarkScores, LandmarkTruth, Norm, score_landmarks
from mien.evaluation.metrics.matching import match_boxes
from mien.evaluation.plots import plot_landmark_ced
from mien.evaluation.protocols.result import Result, json_numbers, require_readable, require_samples
from mien.geometry import boxes as box_geometry
from mien.geometry.schemes import to_68
from mien.heads.landmarks import Contour
from mien.types import Faces, Floats, Image, Landmarks

Rows = NDArray[np.intp]
_Found = dict[int, Landmarks]
"""Landmarks by the row of a labeled face; missing rows are missed faces."""


class LandmarkPredictor(Protocol):
    """Predicts 68 landmarks, as :class:`mien.LandmarkDetector` does."""

    def __call__(self, image: Image, faces: Faces, *, contour: Contour) -> Sequence[Landmarks]:
        """Return the landmarks of each face."""
        ...


LandmarkModel: TypeAlias = LandmarkPredictor | Predictions | Path | str
"""A landmark detector, its predictions by image, or a file or folder of predictions."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkResult(Result):
    """Errors of 68 landmarks.

    Attributes:
        boxes: "truth", "detector" or "predictions": where the faces come from.
        visible_only: Whether points labeled as occluded are left out.
        scores: Errors over all faces, by subset and by yaw.
    """

    boxes: str
    visible_only: bool
    scores: LandmarkScores

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        scores = self.scores
        return {
            "dataset": "landmarks",
            "model": self.name,
            "boxes": self.boxes,
            "norm": scores.norm,
            "points": "visible" if self.visible_only else "all",
            "all": self._numbers(scores.all),
            "subsets": {name: self._numbers(score) for name, score in scores.subsets.items()},
            "yaw": {name: self._numbers(score) for name, score in scores.yaw.items()},
        }

    def plot(self, path: Path | str) -> None:
        """Write the cumulative error distributions as PNG. Raises MissingExtra without matplotlib."""
        plot_landmark_ced({self.name: self.scores}, path)

    def _numbers(self, score: LandmarkScore) -> dict[str, float | None]:
        return json_numbers(score.to_dict(self.scores.norm))


def evaluate_landmarks(
    dataset: Dataset[LandmarkSample],
    model: LandmarkModel,
    *,
    detector: Callable[[Image], Faces] | None = None,
    contour: Contour | None = None,
    norm: Norm = "inter-ocular",
    visible_only: bool = True,
    name: str = "mien",
    progress: Progress = no_progress,
) -> LandmarkResult:
    """Score 68 landmarks on labeled faces.

    Points of other schemes are reduced to those of the 68 that they contain; the others do not count.

    Args:
        dataset: The labeled faces, for example ``read_dataset(LandmarkSample, "300w-lp", folder)``.
        model: A landmark detector, its predictions by image, or a file or folder of predictions.
        detector: Finds the faces that the model starts from (end to end). A labeled face that is not detected is
            missed. Without a detector, the model starts from boxes drawn around the true landmarks.
        contour: Contour that the model predicts; by default that of the labels.
        norm: The normalizing length.
        visible_only: Leave out points labeled as occluded.
        name: Name of the model, for legends.

    Raises:
        BadOption: No face can be used, or an option does not apply to given predictions.
        BadAnnotation: The predictions cannot be used, or cover none of the images.
        BadImage: No image can be read.
    """
    labeled, truth = _label(dataset)
    readable = np.ones(len(truth), dtype=np.bool_)
    problems: Sequence[MienError]
    if callable(model):
        boxes = "truth" if detector is None else "detector"
        found, readable, problems = _run(labeled, truth, model, detector, contour, progress)
    else:
        if detector is not None or contour is not None:
            raise BadOption("detector and contour do not apply to given predictions; leave them out")
        boxes = "predictions"
        found, problems = _match_predictions(labeled, truth, model)
    points, yaw = _to_arrays(found, len(truth))
    scores = score_landmarks(truth[readable], points[readable], yaw[readable], norm, visible_only=visible_only)
    return LandmarkResult(name, labeled.problems, tuple(problems), boxes, visible_only, scores)


def _label(dataset: Dataset[LandmarkSample]) -> tuple[Dataset[LandmarkSample], LandmarkTruth]:
    """Return the faces whose known points span a box, and their points reduced to 68."""
    samples, points, visible = [], [], []
    problems: list[BadAnnotation] = []
    for sample in dataset:
        reduced, seen = to_68(sample.points, sample.visible, sample.scheme)
        if box_geometry.area(box_geometry.bounding_boxes(reduced[None]))[0] > 0:
            samples.append(sample)
            points.append(reduced)
            visible.append(seen)
        else:
            problems.append(annotation_error(sample.path, "the known points span no box", "correct or remove them"))
    labeled = replace(dataset, samples=tuple(samples), problems=(*dataset.problems, *problems))
    require_samples(labeled)
    yaw = [math.nan if sample.pose is None else sample.pose.yaw for sample in samples]
    subsets = tuple(sample.subset for sample in samples)
    return labeled, LandmarkTruth(np.stack(points), np.stack(visible), np.array(yaw, dtype=np.float32), subsets)


def _run(
    dataset: Dataset[LandmarkSample],
    truth: LandmarkTruth,
    model: LandmarkPredictor,
    detector: Callable[[Image], Faces] | None,
    contour: Contour | None,
    progress: Progress,
) -> tuple[_Found, NDArray[np.bool_], list[MienError]]:
    """Return the landmarks, which faces (n,) are in readable images, and the errors of the other images."""
    boxes = box_geometry.face_box(truth.points)
    found: _Found = {}
    readable = np.zeros(len(truth), dtype=np.bool_)
    problems: list[MienError] = []
    images = _rows_by_image(dataset)
    for (_, scheme), rows in progress(images.items(), len(images)):
        try:
            image = load_image(dataset.samples[rows[0]])
        except BadImage as problem:
            problems.append(problem)
            continue
        readable[rows] = True
        if detector is None:
            faces = faces_without_keypoints(boxes[rows], np.ones(len(rows)))
        else:
            detected = detector(image)
            matches = match_boxes(boxes[rows], detected.boxes)
            rows, faces = rows[matches >= 0], detected[matches[matches >= 0]]
        wanted: Contour = contour or ("3d" if scheme == "68-3d" else "visible")
        found.update(zip(rows.tolist(), model(image, faces, contour=wanted), strict=True))
    require_readable(int(readable.sum()), problems)
    return found, readable, problems


def _match_predictions(
    dataset: Dataset[LandmarkSample], truth: LandmarkTruth, model: Predictions | Path | str
) -> tuple[_Found, tuple[BadAnnotation, ...]]:
    """Return the predictions for the labeled faces, and the problems of their files.

    One prediction in an image with one labeled face belongs to it; otherwise predictions are matched by the IoU of
    the boxes around the points.
    """
    names = {sample.path: dataset.name(sample) for sample in dataset}
    problems: tuple[BadAnnotation, ...] = ()
    if isinstance(model, (str, Path)):
        predictions, problems = read_predictions(model, list(names.values()))
    else:
        predictions = model
    matched = match_images(predictions, list(names.values()))
    if not matched:
        example = next(iter(names.values()))
        raise BadAnnotation(
            f"the predictions have none of the {len(names)} images, such as {example!r}; use these names"
        )
    found: _Found = {}
    for (path, _), rows in _rows_by_image(dataset).items():
        given = predictions[matched[names[path]]] if names[path] in matched else ()
        if len(rows) == len(given) == 1:
            found[int(rows[0])] = given[0]
        elif given:
            boxes = np.concatenate([box_geometry.bounding_boxes(one.points[None]) for one in given])
            matches = match_boxes(box_geometry.bounding_boxes(truth.points[rows]), boxes)
            found |= {int(row): given[i] for row, i in zip(rows, matches, strict=True) if i >= 0}
    return found, problems


def _rows_by_image(dataset: Dataset[LandmarkSample]) -> Mapping[tuple[Path, str], Rows]:
    """Return the rows of the faces in each image, separately by scheme."""
    rows: dict[tuple[Path, str], list[int]] = {}
    for row, sample in enumerate(dataset):
        rows.setdefault((sample.path, sample.scheme), []).append(row)
    return {key: np.array(numbers, dtype=np.intp) for key, numbers in rows.items()}


def _to_arrays(found: _Found, faces: int) -> tuple[Floats, Floats]:
    """Return points (n, 68, 2) and yaw (n,) in degrees; NaN where a face was missed or has no predicted pose."""
    points = np.full((faces, 68, 2), np.nan, dtype=np.float32)
    yaw = np.full(faces, np.nan, dtype=np.float32)
    for row, landmarks in found.items():
        points[row] = landmarks.points
        if landmarks.pose is not None:
            yaw[row] = landmarks.pose.yaw
    return points, yaw

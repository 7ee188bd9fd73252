"""Stress test: the part of easy faces that a detector still finds when they are disturbed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mien.datasets.samples import Progress, no_progress
from mien.errors import BadOption
from mien.evaluation.disturbances import DISTURBANCES, LabeledFace, Window
from mien.evaluation.metrics.average_precision import LabeledImage
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.protocols.result import Result, run_on_images
from mien.evaluation.protocols.wider import read_labeled
from mien.geometry import boxes as box_geometry
from mien.imaging import Color, Mipmap, draw_label, draw_rectangles, resize
from mien.imaging.draw import contact_sheet
from mien.types import Faces, Floats, Image

Detector: TypeAlias = Callable[[Image], Faces]

MIN_IOU = 0.4
"""A face is found if the IoU of some detection with its label is at least this."""

MIN_SIZE = 32
"""Least size of a face, in pixels: the square root of the area of the labeled box."""

FACES_PER_IMAGE = 4
"""Of each image, the first faces in the order of the annotation, so that crowds do not dominate."""

_THUMBNAIL = 128
_FOUND: Color = (60, 200, 90)
_MISSED: Color = (230, 50, 50)
_LABEL: Color = (255, 255, 255)
_DETECTION: Color = (255, 210, 0)


@dataclass(frozen=True, slots=True)
class StressScore:
    """One kind of disturbance.

    Attributes:
        found: Faces found.
        false_alarms: Detections in all windows whose center lies in no labeled box.
    """

    found: Proportion
    false_alarms: int

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {**self.found.to_dict(), "false_alarms": self.false_alarms}


@dataclass(frozen=True, slots=True, eq=False)
class StressResult(Result):
    """Faces found by disturbance.

    Attributes:
        split: "val" or "train".
        images: Number of images that were read.
        scores: By the names of :data:`~mien.evaluation.disturbances.DISTURBANCES`.
        sheet: Some faces with their disturbed copies, one face a row; None if not requested.
    """

    split: str
    images: int
    scores: Mapping[str, StressScore]
    sheet: Image | None

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "dataset": "wider",
            "split": self.split,
            "detector": self.name,
            "images": self.images,
            "disturbances": {name: score.to_dict() for name, score in self.scores.items()},
        }


def evaluate_stress(
    data: Path | str,
    model: Detector,
    *,
    split: str = "val",
    sheet_faces: int = 0,
    name: str = "mien",
    progress: Progress = no_progress,
) -> StressResult:
    """Disturb the easy faces of WIDER FACE of at least :data:`MIN_SIZE` pixels and count those that are still found.

    At most :data:`FACES_PER_IMAGE` faces of an image take part.

    Args:
        data: Folder with ``WIDER_val``, ``wider_face_split`` and ``eval_tools/ground_truth``; any part of the images.
        model: A detector; use the score threshold of the application.
        split: "val", or "train", which has no official lists: all its valid faces take part.
        sheet_faces: Number of faces on the contact sheet, spread evenly over the data set.
        name: Name of the model.

    Raises:
        MissingExtra: scipy, which reads the official lists, is not installed. This is checked before the model runs.
        BadAnnotation: Annotation and lists do not match.
        BadOption: No face can take part, and as for :func:`evaluate_wider`.
        BadImage: No image can be read.
    """
    dataset, truth = read_labeled(data, split)
    rows = {name: chosen for name, image in truth.items() if (chosen := _choose(image))}
    if not rows:
        raise BadOption(f"{data}: no easy face of {MIN_SIZE} px and more; give images with larger faces")
    test = _Test(model, truth, rows, _spread(rows, sheet_faces))
    images = {dataset.name(sample): sample.path for sample in dataset if dataset.name(sample) in rows}
    outcomes, problems = run_on_images(test.run, images, progress)
    scores = _total([each for image in outcomes.values() for each in image])
    sheet = contact_sheet(test.thumbnails, len(DISTURBANCES)) if test.thumbnails else None
    return StressResult(name, dataset.problems, problems, split, len(outcomes), scores, sheet)


def _choose(truth: LabeledImage) -> list[int]:
    """Return the rows of the faces that take part."""
    easy = next(iter(truth.levels.values()))
    size = np.sqrt(box_geometry.area(truth.boxes))
    return [row for row in sorted(easy.tolist()) if size[row] >= MIN_SIZE][:FACES_PER_IMAGE]


def _spread(rows: Mapping[str, Sequence[int]], count: int) -> set[tuple[str, int]]:
    """Return ``count`` faces, spread evenly over all."""
    faces = [(name, row) for name, chosen in rows.items() for row in chosen]
    places = np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(int)
    return {faces[place] for place in places.tolist()}


_Outcome: TypeAlias = Mapping[str, tuple[bool, int]]
"""Of one face: whether it is found and the number of false alarms, by disturbance."""


@dataclass(slots=True, eq=False)
class _Test:
    """The test of one image after another; collects the thumbnails of the faces ``shown``."""

    model: Detector
    truth: Mapping[str, LabeledImage]
    rows: Mapping[str, Sequence[int]]
    shown: set[tuple[str, int]]
    thumbnails: list[Image] = field(default_factory=list)

    def run(self, name: str, image: Image) -> list[_Outcome]:
        """Return the outcome of each chosen face of an image."""
        mipmap, boxes = Mipmap(image), self.truth[name].boxes
        return [self._face(LabeledFace(mipmap, boxes, row), (name, row) in self.shown) for row in self.rows[name]]

    def _face(self, face: LabeledFace, shown: bool) -> _Outcome:
        outcome = {}
        for disturbance, disturb in DISTURBANCES.items():
            window = disturb(face)
            detected = self.model(window.image).boxes
            found = bool(box_geometry.iou(window.box[None], detected).max(initial=0) >= MIN_IOU)
            outcome[disturbance] = found, _false_alarms(window, detected)
            if shown:
                self.thumbnails.append(_thumbnail(window, detected, disturbance, found))
        return outcome


def _false_alarms(window: Window, detected: Floats) -> int:
    """Count the detections whose center lies in no labeled box."""
    x, y = ((detected[:, None, :2] + detected[:, None, 2:]) / 2).transpose(2, 0, 1)
    x0, y0, x1, y1 = np.concatenate([window.labeled, window.box[None]]).T
    inside = (x0 <= x) & (x <= x1) & (y0 <= y) & (y <= y1)
    return int((~inside.any(axis=1)).sum())


def _total(outcomes: Sequence[_Outcome]) -> dict[str, StressScore]:
    scores = {}
    for name in DISTURBANCES:
        found = sum(outcome[name][0] for outcome in outcomes)
        alarms = sum(outcome[name][1] for outcome in outcomes)
        scores[name] = StressScore(Proportion(found, len(outcomes)), alarms)
    return scores


def _thumbnail(window: Window, detected: Floats, name: str, found: bool) -> Image:
    """Draw a window with its label in white, detections in yellow and a frame: green if found, red if missed."""
    height, width = window.image.shape[:2]
    scale = _THUMBNAIL / max(height, width)
    canvas = resize(window.image, max(1, round(width * scale)), max(1, round(height * scale))).copy()
    draw_rectangles(canvas, window.box[None] * np.float32(scale), _LABEL)
    draw_rectangles(canvas, detected * np.float32(scale), _DETECTION)
    color = _FOUND if found else _MISSED
    draw_rectangles(canvas, np.array([[0, 0, canvas.shape[1], canvas.shape[0]]], np.float32), color, 3)
    draw_label(canvas, name, (0, canvas.shape[0]), color)
    return canvas

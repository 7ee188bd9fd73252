"""False alarms: detections in images without faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.folders import read_background
from mien.datasets.samples import Progress, no_progress
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.protocols.result import DetectionModel, DetectionResult, require_samples, run_detector
from mien.geometry import boxes as box_geometry
from mien.imaging import Color, Mipmap, draw_label, draw_rectangles, read_image
from mien.imaging.draw import contact_sheet
from mien.types import Face, Floats, Image

THRESHOLDS = tuple(step / 20 for step in range(1, 20))
"""Score thresholds of the curve."""

_CONTEXT = 2.0
_THUMBNAIL = 128
_COLUMNS = 8
_ALARM: Color = (230, 50, 50)
_BELOW: Color = (150, 150, 150)


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundResult(DetectionResult):
    """Detections in images without faces.

    Attributes:
        threshold: The score from which a detection counts as a false alarm of the detector.
        files: The images, by the names in ``detections``.
    """

    threshold: float
    files: Mapping[str, Path]

    @property
    def scores(self) -> Floats:
        """The scores of all detections, highest first."""
        scores = [faces.scores for faces in self.detections.values()]
        return np.asarray(-np.sort(-np.concatenate(scores)), dtype=np.float32)

    def alarms(self, threshold: float) -> int:
        """Return the number of detections with at least this score."""
        return int((self.scores >= threshold).sum())

    def per_hundred(self, threshold: float) -> float:
        """Return the number of detections with at least this score per 100 images."""
        return 100 * self.alarms(threshold) / len(self.detections)

    def images(self, threshold: float) -> Proportion:
        """Return the images with a detection of at least this score."""
        with_alarm = sum(bool((faces.scores >= threshold).any()) for faces in self.detections.values())
        return Proportion(with_alarm, len(self.detections))

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "dataset": "background",
            "detector": self.name,
            "images": len(self.detections),
            "threshold": self.threshold,
            "alarms": self.alarms(self.threshold),
            "alarms_per_100_images": self.per_hundred(self.threshold),
            "images_with_alarms": self.images(self.threshold).to_dict(),
            "curve": [{"threshold": t, "alarms_per_100_images": self.per_hundred(t)} for t in THRESHOLDS],
        }

    def sheet(self, most: int) -> Image | None:
        """Return a contact sheet of the detections with the highest scores, red from the threshold up; None for none.

        The images are read again. Raises BadImage.
        """
        found = [(face.score, name, face) for name, faces in self.detections.items() for face in faces]
        best = sorted(found, key=lambda each: -each[0])[:most]
        thumbnails = [_thumbnail(read_image(self.files[name]), face, self.threshold) for _, name, face in best]
        return contact_sheet(thumbnails, _COLUMNS) if thumbnails else None


def evaluate_background(
    data: Path | str, model: DetectionModel, *, threshold: float, name: str = "mien", progress: Progress = no_progress
) -> BackgroundResult:
    """Count the detections of a detector in images without faces.

    Args:
        data: A folder of images without faces; folders in it are searched, too.
        model: A detector, its detections by image (path below ``data``), or a file of detections. Use a low score
            threshold: the curve cannot show what a detector does not report.
        threshold: The score threshold of the application.
        name: Name of the model.

    Raises:
        BadAnnotation: ``data`` is no folder, or detections lack an image.
        BadImage, BadOption.
    """
    dataset = read_background(data)
    require_samples(dataset)
    files = {dataset.name(sample): sample.path for sample in dataset}
    detections, problems = run_detector(model, files, progress)
    return BackgroundResult(name, dataset.problems, problems, detections, threshold, files)


def _thumbnail(image: Image, face: Face, threshold: float) -> Image:
    """Draw the surroundings of a detection, its box and its score."""
    window = box_geometry.enlarge(box_geometry.square(face.box[None]), _CONTEXT)
    canvas: Image = Mipmap(image).crops(window, _THUMBNAIL)[0]
    color = _ALARM if face.score >= threshold else _BELOW
    scale = _THUMBNAIL / float(window[0, 2] - window[0, 0])
    draw_rectangles(canvas, (face.box - np.tile(window[0, :2], 2))[None] * np.float32(scale), color)
    draw_rectangles(canvas, np.array([[0, 0, _THUMBNAIL, _THUMBNAIL]], np.float32), color, 3)
    draw_label(canvas, f"{face.score:.2f}", (0, _THUMBNAIL), color)
    return canvas

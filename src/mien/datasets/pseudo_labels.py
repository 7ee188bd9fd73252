"""Pseudo-labels of a stronger detector, as JSON: ``{name: [[x0, y0, x1, y1, score, ten numbers], ...]}``.

The ten numbers are five keypoints x y in the order of :class:`~mien.types.Face`, or null where they are unknown; all in
image pixels. They are not verified: boxes below a score are ignored, and faces may be missing. A box annotated by hand
has score 1, so the format also holds such boxes with keypoints of a detector.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error, require_image
from mien.datasets.samples import Dataset, DetectionSample, Progress, collect, no_progress
from mien.errors import BadOption

_FILE = "teacher_boxes.json"
_LAYOUT = "[x0, y0, x1, y1, score, five x y]"
_COLUMNS = 15


def read_pseudo_labels(
    path: Path | str, min_score: float = 0.5, progress: Progress = no_progress
) -> Dataset[DetectionSample]:
    """Read a JSON file, or the folder with ``teacher_boxes.json``; the images are in ``images`` beside it.

    Args:
        path: File or folder.
        min_score: Boxes with a lower score, in [0, 1], are ``ignored``.
        progress: Wraps the images as they are read.

    Raises:
        BadAnnotation: The file is not such a JSON file.
        BadOption: ``min_score`` is outside [0, 1].
    """
    if not 0 <= min_score <= 1:
        raise BadOption(f"min_score is {min_score}; it must be between 0 and 1")
    path = Path(path)
    file = path / _FILE if path.is_dir() else path
    images = file.parent / "images"

    def parse(entry: tuple[str, object]) -> DetectionSample:
        name, rows = entry
        place = f"{file}: {name!r}"
        return _sample(place, require_image(place, images / name), rows, min_score)

    return Dataset(*collect(parse, list(_entries(file).items()), progress), root=images)


def _entries(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise annotation_error(file, f"cannot be read ({error.strerror})", "give the file of pseudo-labels") from error
    except json.JSONDecodeError as error:
        raise annotation_error(f"{file}:{error.lineno}", f"not JSON ({error.msg})", "write the file again") from error
    except UnicodeDecodeError as error:
        raise annotation_error(file, f"not JSON ({error.reason})", "write the file again") from error
    if not isinstance(content, dict):
        raise annotation_error(file, f"a {type(content).__name__} at the top", "write {name: [[...], ...]}")
    return content


def _sample(place: str, path: Path, rows: object, min_score: float) -> DetectionSample:
    try:
        values = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise annotation_error(place, f"not rows of numbers ({error})", f"write rows {_LAYOUT}") from error
    if values.shape == (0,):
        values = values.reshape(0, _COLUMNS)
    # null becomes NaN.
    if values.ndim != 2 or values.shape[1] != _COLUMNS or np.isnan(values[:, :5]).any() or np.isinf(values).any():
        raise annotation_error(place, f"rows of shape {values.shape}, or numbers missing", f"write rows {_LAYOUT}")
    boxes, scores = values[:, :4], values[:, 4]
    if (boxes[:, 2:] <= boxes[:, :2]).any() or (scores < 0).any() or (scores > 1).any():
        raise annotation_error(place, "an empty box or a score outside [0, 1]", f"write rows {_LAYOUT}")
    keypoints = values[:, 5:].reshape(-1, 5, 2)
    return DetectionSample(path, boxes.astype(np.float32), scores < min_score, keypoints.astype(np.float32))

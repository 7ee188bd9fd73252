"""Boxes by a stronger network, as JSON: ``{name: [[x0, y0, x1, y1, score, ten numbers], ...]}``.

The ten numbers are five points x y in the order of :class:`~mien.types.Face`; all in image pixels. Nobody
checked them: the unsure ones are neither faces nor background, and faces may be missing altogether.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from mien.datasets.annotations import Annotation, Reading, annotation_error, collect, require_image
from mien.errors import BadOption

_LAYOUT = "[x0, y0, x1, y1, score, five x y]"
_COLUMNS = 15


def read_teacher(json_file: Path | str, images_dir: Path | str, sure: float = 0.5) -> Reading:
    """Read teacher boxes; those with a score below ``sure`` (in [0, 1]) are ``ignored``.

    Problems name the file and the image. Raises BadAnnotation when the file is no such JSON, BadOption when
    ``sure`` is outside [0, 1].
    """
    if not 0 <= sure <= 1:
        raise BadOption(f"sure is {sure}; it must be a score between 0 and 1")
    json_file, images_dir = Path(json_file), Path(images_dir)

    def parse(entry: tuple[str, object]) -> Annotation:
        name, rows = entry
        place = f"{json_file}: {name!r}"
        path = require_image(place, images_dir / name)
        return _annotation(place, path, rows, sure)

    annotations, problems = collect(parse, _entries(json_file).items())
    return Reading(tuple(annotations), tuple(problems))


def _entries(json_file: Path) -> dict[str, object]:
    try:
        content = json.loads(json_file.read_bytes())
    except OSError as error:
        raise annotation_error(json_file, f"cannot be read ({error.strerror})", "give the teacher's file") from error
    except json.JSONDecodeError as error:
        raise annotation_error(
            f"{json_file}:{error.lineno}", f"no JSON ({error.msg})", "write the file again"
        ) from error
    except UnicodeDecodeError as error:
        raise annotation_error(json_file, f"no JSON ({error.reason})", "write the file again") from error
    if not isinstance(content, dict):
        raise annotation_error(json_file, f"a {type(content).__name__} at the top", "write {name: [[...], ...]}")
    return content


def _annotation(place: str, path: Path, rows: object, sure: float) -> Annotation:
    try:
        values = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise annotation_error(place, f"not rows of numbers ({error})", f"write rows {_LAYOUT}") from error
    if values.shape == (0,):
        values = values.reshape(0, _COLUMNS)
    if values.ndim != 2 or values.shape[1] != _COLUMNS or not np.isfinite(values).all():
        raise annotation_error(place, f"rows of shape {values.shape}, or not finite", f"write rows {_LAYOUT}")
    boxes, scores = values[:, :4], values[:, 4]
    if (boxes[:, 2:] <= boxes[:, :2]).any() or (scores < 0).any() or (scores > 1).any():
        raise annotation_error(place, "an empty box or a score outside [0, 1]", f"write rows {_LAYOUT}")
    points = values[:, 5:].reshape(-1, 5, 2)
    return Annotation(path, boxes.astype(np.float32), scores < sure, points.astype(np.float32))

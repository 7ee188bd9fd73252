"""Predicted landmarks from files: ``.pts`` or JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np

from mien.datasets.parsing import annotation_error, numbered_lines
from mien.datasets.pts import read_pts
from mien.datasets.samples import collect
from mien.errors import BadAnnotation, BadOption
from mien.types import Floats, Landmarks, Pose

Predictions = Mapping[str, Sequence[Landmarks]]
"""The 68 landmarks of each face, by image."""

_LINE = '{"image": "a/b.jpg", "points": [[x, y], ... 68 pairs]}'


def read_predictions(source: Path | str, names: Sequence[str]) -> tuple[Predictions, tuple[BadAnnotation, ...]]:
    """Return the predictions for the images ``names``, and the problems of their files.

    A folder holds ``a/b.pts`` for the image ``a/b.jpg``, or ``a/b.jpg.0.pts``, ``a/b.jpg.1.pts`` and so on for its
    faces, as ``mien landmarks --pts`` writes them.
    A file holds JSON lines of one face each, or of one image as ``mien landmarks --json`` writes them.

    Raises:
        BadOption: There is no such file or folder.
        BadAnnotation: A line of the JSON file cannot be used.
    """
    source = Path(source)
    if source.is_dir():
        return _read_folder(source, names)
    if source.is_file():
        return _read_json(source), ()
    raise BadOption(f"predictions {source}: no such file or folder (looked in {Path.cwd()})")


def _read_folder(folder: Path, names: Sequence[str]) -> tuple[Predictions, tuple[BadAnnotation, ...]]:
    files = [(name, file) for name in names for file in _pts_files(folder / name)]
    found, problems = collect(lambda named: (named[0], _landmarks(read_pts(named[1]), None, str(named[1]))), files)
    predictions: dict[str, list[Landmarks]] = {}
    for name, landmarks in found:
        predictions.setdefault(name, []).append(landmarks)
    return predictions, problems


def _pts_files(image: Path) -> Iterator[Path]:
    """Yield the file of an image in the folder of predictions, or the files of its faces."""
    file = image.with_suffix(".pts")
    if file.is_file():
        yield file
        return
    numbered = (image.with_name(f"{image.name}.{number}.pts") for number in count())
    yield from takewhile(Path.is_file, numbered)


def _read_json(path: Path) -> dict[str, list[Landmarks]]:
    """Read JSON lines; those of unreadable images (with ``error``) are skipped."""
    predictions: dict[str, list[Landmarks]] = {}
    for number, line in numbered_lines(path):
        place = f"{path}:{number}"
        try:
            record = json.loads(line)
            if "error" in record:
                continue
            faces = predictions.setdefault(str(record["image"]), [])
            faces += [_from_record(face, place) for face in _face_records(record)]
        except (KeyError, TypeError, ValueError) as error:
            found = f"not a face with points ({type(error).__name__}: {error})"
            raise annotation_error(place, found, f"write one line per face: {_LINE}") from error
    return predictions


def _face_records(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the faces of a line that have ``points``."""
    faces = [face["landmarks"] for face in record["faces"]] if "faces" in record else [record]
    return [face for face in faces if face["points"] is not None]


def _from_record(record: Mapping[str, Any], place: str) -> Landmarks:
    pose = record.get("pose")
    yaw = None if pose is None else float(pose["yaw"])
    return _landmarks(np.array(record["points"], dtype=np.float32), yaw, place)


def _landmarks(points: Floats, yaw: float | None, place: str) -> Landmarks:
    if points.shape != (68, 2) or not np.isfinite(points).all():
        found = f"points of shape {points.shape}, or not finite"
        raise annotation_error(place, found, "give 68 pairs of x and y")
    pose = None if yaw is None else Pose(yaw, math.nan, math.nan)
    return Landmarks(points, "68", np.ones(68, dtype=np.float32), pose)

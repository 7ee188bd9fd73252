"""The field names of our JSON: the one place, for the command line and every other door.

Boxes are x0, y0, x1, y1, points x, y: pixels of the upright picture, corner of the first pixel (0, 0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from mien.errors import MienError
from mien.values import Face, Faces

_PIXEL_DIGITS = 3
_SCORE_DIGITS = 6


class FaceRecord(TypedDict):
    """One face; ``points`` is null where the detector gives none."""

    box: list[float]
    score: float
    points: list[list[float]] | None


class PictureRecord(TypedDict):
    """One picture: its name, its size in pixels and its faces, best first."""

    picture: str
    width: int
    height: int
    faces: list[FaceRecord]


class FrameRecord(TypedDict):
    """One frame of a video: ``frame`` counts from 0, ``seconds`` from the first frame."""

    video: str
    frame: int
    seconds: float
    width: int
    height: int
    faces: list[FaceRecord]


class ErrorKind(TypedDict):
    """``kind``: a class of :mod:`mien.errors`; ``message``: what was found and the cure."""

    kind: str
    message: str


class ErrorRecord(TypedDict):
    """A picture that could not be used."""

    picture: str
    error: ErrorKind


def record_of_faces(picture: str, width: int, height: int, faces: Faces) -> PictureRecord:
    """The record of one picture of ``width`` x ``height`` pixels."""
    return {"picture": picture, "width": width, "height": height, "faces": face_records(faces)}


def record_of_frame(video: str, frame: int, seconds: float, width: int, height: int, faces: Faces) -> FrameRecord:
    """The record of one frame of ``width`` x ``height`` pixels."""
    return {
        "video": video,
        "frame": frame,
        "seconds": round(seconds, _PIXEL_DIGITS),
        "width": width,
        "height": height,
        "faces": face_records(faces),
    }


def record_of_error(picture: str, error: MienError) -> ErrorRecord:
    """The record of a picture that could not be used."""
    return {"picture": picture, "error": {"kind": type(error).__name__, "message": str(error)}}


def to_line(record: Mapping[str, object]) -> str:
    """A record as JSON on one line, ASCII only: any terminal and any pipe carries it."""
    return json.dumps(record, allow_nan=False)


def face_records(faces: Faces) -> list[FaceRecord]:
    """The records of faces, in their order."""
    return [_face_record(face) for face in faces]


def faces_of_records(records: Sequence[Mapping[str, Any]]) -> Faces:
    """The faces that records tell of; points that are missing or null become NaN.

    Raises KeyError, TypeError or ValueError (BadOption is one) where they are no records of faces.
    """
    boxes = np.array([record["box"] for record in records], dtype=np.float32).reshape(len(records), 4)
    scores = np.array([record["score"] for record in records], dtype=np.float32)
    points = np.full((len(records), 5, 2), np.nan, dtype=np.float32)
    for row, record in enumerate(records):
        if record.get("points") is not None:
            points[row] = np.array(record["points"], dtype=np.float32).reshape(5, 2)
    return Faces(boxes, scores, points)


def _face_record(face: Face) -> FaceRecord:
    points = None
    if np.isfinite(face.points).all():
        points = [_pixels(point) for point in face.points.tolist()]
    return {"box": _pixels(face.box.tolist()), "score": round(face.score, _SCORE_DIGITS), "points": points}


def _pixels(numbers: list[float]) -> list[float]:
    return [round(number, _PIXEL_DIGITS) for number in numbers]

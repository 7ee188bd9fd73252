"""The field names of our JSON: the one place, for the command line and every other door.

Boxes are x0, y0, x1, y1, points x, y: pixels of the upright image, corner of the first pixel (0, 0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.types import Face, Faces, Landmarks, Pose

_PIXEL_DIGITS = 3
_SCORE_DIGITS = 6
_POINT_SCORE_DIGITS = 3
_DEGREE_DIGITS = 2
_MATRIX_DIGITS = 6


class PoseRecord(TypedDict):
    """How the head is turned, in degrees."""

    yaw: float
    pitch: float
    roll: float


class LandmarksRecord(TypedDict):
    """The points of a scheme and their scores; ``pose`` is null where nobody says."""

    scheme: str
    points: list[list[float]]
    scores: list[float]
    pose: PoseRecord | None


class _FaceRecord(TypedDict):
    box: list[float]
    score: float
    keypoints: list[list[float]] | None


class FaceRecord(_FaceRecord, total=False):
    """One face; ``keypoints`` is null where the detector gives none. ``landmarks`` is absent where nobody asked.

    ``track``: the face's number, the same through a video in which faces are followed.
    """

    track: int
    landmarks: LandmarksRecord


class ImageRecord(TypedDict):
    """One image: its name, its size in pixels and its faces, best first."""

    image: str
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


class AlignedFaceRecord(TypedDict):
    """An aligned face: its file, its side in pixels, and the (2, 3) matrix from aligned face to image pixels."""

    file: str
    size: int
    to_image: list[list[float]]
    box: list[float]
    score: float


class AlignedFacesRecord(TypedDict):
    """One image: its name, its size in pixels and the aligned faces of its faces, best first."""

    image: str
    width: int
    height: int
    aligned_faces: list[AlignedFaceRecord]


class EncodedAlignedFaceRecord(AlignedFaceRecord):
    """An aligned face that travels inside the record; ``png``: base64 of the PNG file."""

    png: str


class EncodedAlignedFacesRecord(TypedDict):
    """A :class:`AlignedFacesRecord` whose aligned faces travel inside."""

    image: str
    width: int
    height: int
    aligned_faces: list[EncodedAlignedFaceRecord]


class AnalysisRecord(ImageRecord, total=False):
    """An image with all that was asked about it; ``aligned_faces`` is absent where nobody asked."""

    aligned_faces: list[EncodedAlignedFaceRecord]


class StreamRecord(TypedDict):
    """A frame of a stream: ``frame`` counts from 0, ``dropped`` those so far that nobody looked at; ``ms``: time."""

    frame: int
    width: int
    height: int
    dropped: int
    ms: float
    faces: list[FaceRecord]


class ErrorKind(TypedDict):
    """``kind``: a class of :mod:`mien.errors`; ``message``: what was found and the cure."""

    kind: str
    message: str


class ErrorRecord(TypedDict):
    """An image that could not be used."""

    image: str
    error: ErrorKind


def record_of_faces(
    image: str, width: int, height: int, faces: Faces, landmarks: Sequence[Landmarks] | None = None
) -> ImageRecord:
    """The record of one image of ``width`` x ``height`` pixels; ``landmarks``, one a face, where asked for."""
    return {"image": image, "width": width, "height": height, "faces": face_records(faces, landmarks)}


def record_of_frame(
    video: str,
    frame: int,
    seconds: float,
    width: int,
    height: int,
    faces: Faces,
    landmarks: Sequence[Landmarks] | None = None,
    tracks: Sequence[int] | None = None,
) -> FrameRecord:
    """The record of one frame of ``width`` x ``height`` pixels; ``landmarks`` and ``tracks``, one a face, if known."""
    return {
        "video": video,
        "frame": frame,
        "seconds": round(seconds, _PIXEL_DIGITS),
        "width": width,
        "height": height,
        "faces": face_records(faces, landmarks, tracks),
    }


def aligned_face_record(file: str, size: int, to_image: NDArray[np.floating], face: Face) -> AlignedFaceRecord:
    """The record of one aligned face; ``to_image`` (2, 3) maps its pixels to those of the image."""
    return {
        "file": file,
        "size": size,
        "to_image": [[round(number, _MATRIX_DIGITS) for number in row] for row in to_image.tolist()],
        "box": _pixels(face.box.tolist()),
        "score": round(face.score, _SCORE_DIGITS),
    }


def record_of_aligned_faces(
    image: str, width: int, height: int, aligned_faces: list[AlignedFaceRecord]
) -> AlignedFacesRecord:
    """The record of the aligned faces of one image of ``width`` x ``height`` pixels."""
    return {"image": image, "width": width, "height": height, "aligned_faces": aligned_faces}


def record_of_error(image: str, error: MienError) -> ErrorRecord:
    """The record of an image that could not be used."""
    return {"image": image, "error": {"kind": type(error).__name__, "message": str(error)}}


def to_line(record: Mapping[str, object]) -> str:
    """A record as JSON on one line, ASCII only: any terminal and any pipe carries it."""
    return json.dumps(record, allow_nan=False)


def face_records(
    faces: Faces, landmarks: Sequence[Landmarks] | None = None, tracks: Sequence[int] | None = None
) -> list[FaceRecord]:
    """The records of faces, in their order, with the ``landmarks`` and the number of each where these are known."""
    records = [_face_record(face) for face in faces]
    for record, track in zip(records, tracks or (), strict=tracks is not None):
        record["track"] = track
    for record, found in zip(records, landmarks or (), strict=landmarks is not None):
        record["landmarks"] = _landmarks_record(found)
    return records


def faces_of_records(records: Sequence[Mapping[str, Any]]) -> Faces:
    """The faces that records tell of; points that are missing or null become NaN.

    Raises KeyError, TypeError or ValueError (BadOption is one) where they are no records of faces.
    """
    boxes = np.array([record["box"] for record in records], dtype=np.float32).reshape(len(records), 4)
    scores = np.array([record["score"] for record in records], dtype=np.float32)
    points = np.full((len(records), 5, 2), np.nan, dtype=np.float32)
    for row, record in enumerate(records):
        if record.get("keypoints") is not None:
            points[row] = np.array(record["keypoints"], dtype=np.float32).reshape(5, 2)
    return Faces(boxes, scores, points)


def _face_record(face: Face) -> FaceRecord:
    points = None
    if np.isfinite(face.keypoints).all():
        points = [_pixels(point) for point in face.keypoints.tolist()]
    return {"box": _pixels(face.box.tolist()), "score": round(face.score, _SCORE_DIGITS), "keypoints": points}


def _landmarks_record(landmarks: Landmarks) -> LandmarksRecord:
    return {
        "scheme": landmarks.scheme,
        "points": [_pixels(point) for point in landmarks.points.tolist()],
        "scores": [round(score, _POINT_SCORE_DIGITS) for score in landmarks.scores.tolist()],
        "pose": None if landmarks.pose is None else _pose_record(landmarks.pose),
    }


def _pose_record(pose: Pose) -> PoseRecord:
    return {
        "yaw": round(pose.yaw, _DEGREE_DIGITS),
        "pitch": round(pose.pitch, _DEGREE_DIGITS),
        "roll": round(pose.roll, _DEGREE_DIGITS),
    }


def _pixels(numbers: list[float]) -> list[float]:
    return [round(number, _PIXEL_DIGITS) for number in numbers]

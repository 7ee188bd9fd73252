"""The JSON of results, defined once for the command line, the HTTP service and its client.

The service derives its OpenAPI document from these types, and the web page derives its TypeScript types from that
document. Frame: boxes are ``[x0, y0, x1, y1]`` and points ``[x, y]`` in pixels of the upright image, with (0, 0) at
the outer corner of the first pixel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import (
    Any,
    NotRequired,  # pydantic rejects typing.TypedDict before Python 3.12
)

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from mien.errors import MienError
from mien.types import Face, Faces, Landmarks, Pose

_PIXEL_DIGITS = 3
_SCORE_DIGITS = 6
_POINT_SCORE_DIGITS = 3
_DEGREE_DIGITS = 2
_MATRIX_DIGITS = 6


class PoseRecord(TypedDict):
    """Head pose in degrees; docs/conventions.md defines the signs."""

    yaw: float
    """Rotation about the vertical axis."""
    pitch: float
    """Rotation about the horizontal axis."""
    roll: float
    """Rotation in the image plane."""


class LandmarksRecord(TypedDict):
    """Facial landmarks and the head pose."""

    scheme: str
    """Landmark scheme: "68" (visible contour) or "68-3d" (projected 3D contour)."""
    points: list[list[float]]
    """One [x, y] per landmark, in image pixels."""
    scores: list[float]
    """One confidence in [0, 1] per landmark."""
    pose: PoseRecord | None
    """Head pose, or null if it could not be estimated."""


class FaceRecord(TypedDict):
    """One detected face."""

    box: list[float]
    """Bounding box [x0, y0, x1, y1] in image pixels."""
    score: float
    """Detection confidence in [0, 1]."""
    keypoints: list[list[float]] | None
    """Left eye, right eye, nose tip, left and right mouth corner, as seen in the image; null if unknown."""
    track: NotRequired[int]
    """Track id of the face; only in videos and streams."""
    landmarks: NotRequired[LandmarksRecord]
    """Only if landmarks were requested."""


class ImageRecord(TypedDict):
    """The faces of one image."""

    image: str
    """Name or path of the image."""
    width: int
    """Width of the upright image in pixels."""
    height: int
    """Height of the upright image in pixels."""
    faces: list[FaceRecord]
    """Detected faces, highest score first."""


class FrameRecord(TypedDict):
    """The faces of one video frame."""

    video: str
    frame: int
    """Frame number, from 0."""
    seconds: float
    """Time since the first frame."""
    width: int
    height: int
    faces: list[FaceRecord]


class AlignedFaceRecord(TypedDict):
    """One aligned face."""

    file: str
    """Name of the PNG file."""
    size: int
    """Side of the aligned image in pixels."""
    to_image: list[list[float]]
    """Similarity transform (2 rows of 3) from aligned-face pixels to image pixels."""
    box: list[float]
    """Bounding box [x0, y0, x1, y1] of the face in image pixels."""
    score: float
    """Detection confidence in [0, 1]."""
    png: NotRequired[str]
    """The PNG file in base64; only if requested."""


class AlignedFacesRecord(TypedDict):
    """The aligned faces of one image."""

    image: str
    """Name or path of the image."""
    width: int
    """Width of the upright image in pixels."""
    height: int
    """Height of the upright image in pixels."""
    aligned_faces: list[AlignedFaceRecord]
    """One aligned face per detected face, highest score first."""


class AnalysisRecord(ImageRecord):
    """The faces of one image with every requested result."""

    aligned_faces: NotRequired[list[AlignedFaceRecord]]
    """Only if aligned faces were requested; in the order of ``faces``."""


class ErrorDetail(TypedDict):
    """Why an image could not be processed."""

    kind: str
    """Name of the exception class in ``mien.errors``."""
    message: str
    """What was found, and what to do about it."""


class ErrorRecord(TypedDict):
    """An image that could not be processed."""

    image: str
    error: ErrorDetail


class ProblemRecord(TypedDict):
    """A problem document (RFC 9457)."""

    type: str
    """URI reference of the problem type: "/problems/" and the code."""
    title: str
    """Summary of the problem type."""
    status: int
    """HTTP status code."""
    detail: str
    """What was found, and what to do about it."""
    code: str
    """Problem type; docs/serve.md lists them."""
    request_id: str
    """Id of the request, as in the X-Request-ID header and the log."""


class StreamRecord(TypedDict):
    """The faces of one stream frame."""

    frame: int
    """Frame number on this connection, from 0."""
    width: int
    height: int
    dropped: int
    """Frames dropped so far because a newer one arrived."""
    ms: float
    """Processing time of this frame in milliseconds, decoding included."""
    faces: list[FaceRecord]
    """Detected faces, each with its track id."""


class StreamErrorRecord(TypedDict):
    """A stream frame that could not be processed; the stream continues."""

    frame: int
    dropped: int
    error: ProblemRecord


class ModelRecord(TypedDict):
    """The card of one network."""

    name: str
    task: str
    input: dict[str, Any]
    """Size, channels, color order and normalization of the input."""
    crop: dict[str, Any]
    """Which crop the network expects; ``kind`` names it."""
    output: dict[str, Any]
    """Names and labels of the outputs."""
    license: str
    training_data: str
    source: str
    """How the network was made."""
    scores: dict[str, float]
    """Measured results by metric."""
    parameters: int
    """Number of trained values."""
    file: str
    """Name of the ONNX file."""
    bytes: int
    """Size of the ONNX file."""


class ModelsRecord(TypedDict):
    """The networks that ship with the package."""

    models: list[ModelRecord]


class StatusRecord(TypedDict):
    """State of the service."""

    status: str


def image_record(
    image: str, width: int, height: int, faces: Faces, landmarks: Sequence[Landmarks] | None = None
) -> ImageRecord:
    """Return the record of an image of ``width`` x ``height`` pixels; ``landmarks``: one per face, or None."""
    return {"image": image, "width": width, "height": height, "faces": face_records(faces, landmarks)}


def frame_record(
    video: str,
    frame: int,
    seconds: float,
    width: int,
    height: int,
    faces: Faces,
    landmarks: Sequence[Landmarks] | None = None,
    tracks: Sequence[int] | None = None,
) -> FrameRecord:
    """Return the record of a video frame; ``landmarks`` and ``tracks``: one per face, or None."""
    return {
        "video": video,
        "frame": frame,
        "seconds": round(seconds, _PIXEL_DIGITS),
        "width": width,
        "height": height,
        "faces": face_records(faces, landmarks, tracks),
    }


def aligned_face_record(file: str, size: int, to_image: NDArray[np.floating], face: Face) -> AlignedFaceRecord:
    """Return the record of an aligned face; ``to_image``: (2, 3) matrix from its pixels to image pixels."""
    return {
        "file": file,
        "size": size,
        "to_image": [[round(number, _MATRIX_DIGITS) for number in row] for row in to_image.tolist()],
        "box": _pixels(face.box.tolist()),
        "score": round(face.score, _SCORE_DIGITS),
    }


def aligned_faces_record(
    image: str, width: int, height: int, aligned_faces: list[AlignedFaceRecord]
) -> AlignedFacesRecord:
    """Return the record of the aligned faces of an image of ``width`` x ``height`` pixels."""
    return {"image": image, "width": width, "height": height, "aligned_faces": aligned_faces}


def error_record(image: str, error: MienError) -> ErrorRecord:
    """Return the record of an image that could not be processed."""
    return {"image": image, "error": {"kind": type(error).__name__, "message": str(error)}}


def to_json_line(record: Mapping[str, object]) -> str:
    """Return a record as JSON on one line, ASCII only. Raises ValueError for NaN."""
    return json.dumps(record, allow_nan=False)


def face_records(
    faces: Faces, landmarks: Sequence[Landmarks] | None = None, tracks: Sequence[int] | None = None
) -> list[FaceRecord]:
    """Return one record per face, in order; ``landmarks`` and ``tracks``: one per face, or None."""
    records = [_face_record(face) for face in faces]
    for record, track in zip(records, tracks or (), strict=tracks is not None):
        record["track"] = track
    for record, found in zip(records, landmarks or (), strict=landmarks is not None):
        record["landmarks"] = _landmarks_record(found)
    return records


def faces_from_records(records: Sequence[Mapping[str, Any]]) -> Faces:
    """Return the faces of face records; missing or null keypoints become NaN.

    Raises KeyError, TypeError or ValueError (BadOption is one) for anything but face records.
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

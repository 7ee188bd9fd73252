"""Where the points that ``mien evaluate landmarks`` scores are from: our network, or files of any other.

What was found is a mapping from the number of a labelled face to its ``Landmarks``; a face that is not in it was
missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.cli.console import Complaints, note, plural, progress
from mien.cli.options import make_detector
from mien.datasets.pts import read_pts
from mien.datasets.samples import LandmarkSample, load_image
from mien.detection import FaceDetector
from mien.errors import BadAnnotation, BadImage, BadOption
from mien.evaluation.detections import faces_without_points, match_images
from mien.evaluation.metrics.keypoints import pair
from mien.evaluation.text_blocks import read_lines
from mien.geometry import boxes as box_geometry
from mien.heads import Contour, LandmarkDetector
from mien.types import Faces, Floats, Image, Landmarks, Pose

BOXES = ("truth", "detector")
"""Whose boxes our network starts from."""

Found = dict[int, Landmarks]
Rows = NDArray[np.intp]

_LINE = '{"image": "a/b.jpg", "points": [[x, y], ... 68 pairs]}'


def our_points(
    args: argparse.Namespace, faces: Sequence[LandmarkSample], points: Floats, complaints: Complaints
) -> tuple[dict[str, Found], NDArray[np.bool_]]:
    """What our network finds from each kind of ``--boxes``, and which faces (n,) are in images that can be read.

    ``points`` (n, 68, 2) are the true ones, round which the true boxes are drawn. An image that cannot be read is
    complained about.
    """
    ways = BOXES if args.boxes is None else (args.boxes,)
    landmarkers = {
        scheme: LandmarkDetector(
            args.network,
            contour=args.contour or _contour(scheme),
            refinement_steps=args.refinement_steps,
            threads=args.threads,
        )
        for scheme in {face.scheme for face in faces}
    }
    detector = make_detector(args) if "detector" in ways else None
    boxes = box_geometry.face_box(points)
    found: dict[str, Found] = {way: {} for way in ways}
    seen = np.zeros(len(faces), dtype=np.bool_)
    images = _by_image(faces)
    start = time.perf_counter()
    for (_, scheme), rows in progress(images.items(), args, len(images), "images"):
        try:
            image = load_image(faces[rows[0]])
        except BadImage as error:
            complaints.add(error)
            continue
        seen[rows] = True
        for way in ways:
            hit, these = _faces(image, boxes[rows], detector if way == "detector" else None)
            found[way].update(zip(rows[hit].tolist(), landmarkers[scheme](image, these), strict=True))
    seconds = time.perf_counter() - start
    note(f"{plural(int(seen.sum()), 'labelled face')} in {plural(len(images), 'image')} in {seconds:.1f} s")
    return found, seen


def _contour(scheme: str) -> Contour:
    """Which jaw to ask for: that of the labels."""
    return "3d" if scheme == "68-3d" else "visible"


def _by_image(faces: Sequence[LandmarkSample]) -> dict[tuple[Path, str], Rows]:
    """The numbers of the faces in each image, apart by scheme."""
    rows: dict[tuple[Path, str], list[int]] = {}
    for row, face in enumerate(faces):
        rows.setdefault((face.path, face.scheme), []).append(row)
    return {key: np.array(numbers, dtype=np.intp) for key, numbers in rows.items()}


def _faces(image: Image, boxes: Floats, detector: FaceDetector | None) -> tuple[NDArray[np.bool_], Faces]:
    """Which of the true boxes (n, 4) have a face (n,), and those faces: as labelled, or as detected."""
    if detector is None:
        return np.ones(len(boxes), dtype=np.bool_), faces_without_points(boxes, np.ones(len(boxes)))
    detected = detector(image)
    partners = pair(boxes, detected.boxes)
    hit = partners >= 0
    return hit, detected[partners[hit]]


def given_points(
    args: argparse.Namespace, faces: Sequence[LandmarkSample], points: Floats, complaints: Complaints
) -> Found:
    """The predictions of ``--predictions`` for the faces with the true ``points`` (n, 68, 2).

    Of an image with one labelled face and one prediction these belong together; else pairs are made by the overlap
    of the boxes round the points. The faces of an image without predictions are missed. Raises BadOption when
    there is no such file or folder, BadAnnotation when it tells of none of the images.
    """
    source: Path = args.predictions
    images = _by_image(faces)
    names = {path: Path(os.path.relpath(path, args.data)).as_posix() for path, _ in images}
    if source.is_dir():
        predictions = _read_folder(source, list(names.values()), complaints)
    elif source.is_file():
        predictions = _read_json(source)
    else:
        raise BadOption(f"--predictions {source}: there is no such file or folder (looked in {Path.cwd()})")
    matched = match_images(predictions, list(names.values()))
    if not matched:
        example = next(iter(names.values()))
        raise BadAnnotation(
            f"--predictions {source} has none of the {len(names)} images, such as {example!r}; name them so"
        )
    if len(matched) < len(names):
        note(f"{plural(len(names) - len(matched), 'image')} without predictions: their faces are missed")
    found: Found = {}
    for (path, _), rows in images.items():
        if names[path] in matched:
            found |= _assign(rows, points[rows], predictions[matched[names[path]]])
    return found


def _assign(rows: Rows, truth: Floats, predictions: Sequence[Landmarks]) -> Found:
    """The prediction of each of the faces ``rows`` with the true points (n, 68, 2)."""
    if len(rows) == len(predictions) == 1:
        return {int(rows[0]): predictions[0]}
    boxes = [box_geometry.bounding_boxes(one.points[None]) for one in predictions]
    partners = pair(box_geometry.bounding_boxes(truth), np.concatenate([np.empty((0, 4), np.float32), *boxes]))
    return {int(row): predictions[i] for row, i in zip(rows, partners, strict=True) if i >= 0}


def _read_folder(folder: Path, names: Sequence[str], complaints: Complaints) -> dict[str, list[Landmarks]]:
    """Of each image ``a/b.jpg`` the file ``a/b.pts``, or of several faces ``a/b_0.pts``, ``a/b_1.pts`` and so on.

    A file that cannot be used is complained about.
    """
    wholes = {folder / Path(name).with_suffix(".pts") for name in names}
    predictions: dict[str, list[Landmarks]] = {}
    for name in names:
        for file in _pts_files(folder / Path(name).with_suffix(".pts"), wholes):
            try:
                predictions.setdefault(name, []).append(_landmarks(read_pts(file), None, str(file)))
            except BadAnnotation as error:
                complaints.add(error)
    return predictions


def _pts_files(whole: Path, wholes: set[Path]) -> Iterator[Path]:
    """The file of an image, else its numbered files, without those named after another image."""
    if whole.is_file():
        yield whole
        return
    for number in count():
        file = whole.with_name(f"{whole.stem}_{number}.pts")
        if file in wholes or not file.is_file():
            return
        yield file


def _read_json(path: Path) -> dict[str, list[Landmarks]]:
    """Lines of one face, or of one image as ``mien landmarks --json`` prints them.

    Lines of images that could not be read (with ``error``) are passed over. Raises BadAnnotation with file and line.
    """
    predictions: dict[str, list[Landmarks]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            record = json.loads(line)
            if "error" in record:
                continue
            faces = predictions.setdefault(str(record["image"]), [])
            faces += [_from_record(found, place) for found in _records(record)]
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnnotation(
                f"{place}: not a face with points ({type(error).__name__}: {error}); write one line a face: {_LINE}"
            ) from error
    return predictions


def _records(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The faces of a line, each with ``points``, which may be null where there is none."""
    faces = [face["landmarks"] for face in record["faces"]] if "faces" in record else [record]
    return [face for face in faces if face["points"] is not None]


def _from_record(record: Mapping[str, Any], place: str) -> Landmarks:
    pose = record.get("pose")
    yaw = None if pose is None else float(pose["yaw"])
    return _landmarks(np.array(record["points"], dtype=np.float32), yaw, place)


def _landmarks(points: Floats, yaw: float | None, place: str) -> Landmarks:
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise BadAnnotation(f"{place}: points of shape {points.shape}, or not finite; give 68 pairs of x and y")
    pose = None if yaw is None else Pose(yaw, math.nan, math.nan)
    return Landmarks(points, "68", np.ones(68, dtype=np.float32), pose)


def as_arrays(found: Found, faces: int) -> tuple[Floats, Floats]:
    """Points (n, 68, 2) and yaws (n,) in degrees of n ``faces``; NaN where one was missed or its yaw not told."""
    points = np.full((faces, 68, 2), np.nan, dtype=np.float32)
    yaw = np.full(faces, np.nan, dtype=np.float32)
    for row, landmarks in found.items():
        points[row] = landmarks.points
        if landmarks.pose is not None:
            yaw[row] = landmarks.pose.yaw
    return points, yaw

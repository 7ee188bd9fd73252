"""Faces through a video: each keeps its number, and the detector need not look at every frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from mien.errors import BadOption
from mien.geometry import boxes
from mien.geometry.schemes import to_five
from mien.imaging import Mipmap, read_image
from mien.pipeline.smoothing import PointFilter, Smoothing
from mien.types import Face, FaceAnalysis, Faces, Floats, Image, Landmarks

FindFaces: TypeAlias = Callable[[Image], Faces]
"""What ``mien.FaceDetector`` is."""

FindLandmarks: TypeAlias = Callable[[Mipmap, Faces], Sequence[Landmarks]]
"""What ``mien.LandmarkDetector`` is; 68 points a face."""

_SAME_FACE = 0.2
"""A detected face that overlaps a tracked one by so much (IoU) is that one, unless it overlaps another more."""

_TWINS = 0.5
"""Of two tracks that overlap by more than this (IoU) one has slid onto the face of the other; the older stays."""

_STEADY = 0.85
"""While the face overlaps the box it is looked for in by so much (IoU), that box stays: one that follows every tremble
of the points makes them tremble the more, by a factor of two on a face at rest."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """When to trust the landmarks and when to ask the detector.

    ``every``: after at most so many frames the detector runs again; only it finds new faces. ``least_score``: a face
    whose landmarks' mean score is lower is lost. ``least_overlap``: so is one whose box overlaps the one it was
    looked for in by less (IoU); and one that overlaps the detector's box by less has drifted and is put back there.
    ``patience``: a face is given up when the detector has not found it for more than so many times ``every`` frames.
    Raises BadOption.
    """

    every: int = 10
    least_score: float = 0.5
    least_overlap: float = 0.4
    patience: int = 2

    def __post_init__(self) -> None:
        if self.every < 1:
            raise BadOption(f"every={self.every}: must be 1 or more (frames)")
        if self.patience < 0:
            raise BadOption(f"patience={self.patience}: must be 0 or more")
        for name in ("least_score", "least_overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadOption(f"{name}={getattr(self, name)}: must lie between 0 and 1")


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """One face in one frame. ``track`` counts from 0 and stays with the face through the video.

    Box and five points of ``portrait.face`` are those of its landmarks, where these can be trusted, else the
    detector's; its score is that of the last detection.
    """

    track: int
    analysis: FaceAnalysis


@dataclass(slots=True, eq=False)
class _Track:
    """What is known of one face.

    ``where``: the box to look for it in. ``seen``: in this frame. ``missed``: frames since the detector found it.
    """

    number: int
    face: Face
    where: Floats
    landmarks: Landmarks | None = None
    filter: PointFilter | None = None
    seen: bool = False
    missed: int = 0


class Tracker:
    """Frames of one video in, in order; the faces of each out, with landmarks.

    On every ``settings.every``-th frame, and when a face is lost, the detector looks for faces; in all others
    landmarks are looked for where the last ones were (``geometry.boxes.face_box``). A face that is not found again
    is left out, and keeps its number if a later detection finds it near. ``fps``: frames per second, by which the
    smoothing knows speeds. ``smoothing``: None leaves the points as they come.

    Keeps the state of one video: make a new one for the next. Not for several threads at once; detector and
    landmarker may be shared. Raises BadOption where ``fps`` is not above 0.
    """

    def __init__(
        self,
        detector: FindFaces,
        landmarker: FindLandmarks,
        fps: float,
        settings: Tracking = Tracking(),
        smoothing: Smoothing | None = Smoothing(),  # noqa: B008 - frozen
    ) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise BadOption(f"fps is {fps}; it must be above 0")
        self._detector = detector
        self._landmarker = landmarker
        self._fps = fps
        self._settings = settings
        self._smoothing = smoothing
        self._tracks: list[_Track] = []  # oldest first
        self._begun = 0
        self._since = settings.every
        self._detections = 0

    @property
    def detections(self) -> int:
        """On how many frames the detector has run."""
        return self._detections

    def __call__(self, image: Image) -> list[Tracked]:
        """The faces of the next frame, RGB uint8 (h, w, 3), oldest first. Raises what the two networks raise."""
        mipmap = Mipmap(read_image(image))
        for track in self._tracks:
            track.missed += 1
        lost = self._follow(mipmap)
        if lost or self._since >= self._settings.every:
            self._since = 0
            self._detect(mipmap)
        self._since += 1
        self._part_twins()
        return [
            Tracked(track.number, FaceAnalysis(track.face, track.landmarks)) for track in self._tracks if track.seen
        ]

    def _follow(self, mipmap: Mipmap) -> bool:
        """Look for each face where it was; says whether any was lost."""
        followed = [track for track in self._tracks if track.seen]
        for track, landmarks in self._look(mipmap, followed):
            track.seen = self._trusts(landmarks, track.where, mipmap.image)
            if track.seen:
                self._move(track, landmarks)
            else:
                track.landmarks = track.filter = None  # old when the face comes back
        return not all(track.seen for track in followed)

    def _detect(self, mipmap: Mipmap) -> None:
        """Confirm faces, find those again that were lost or have drifted, begin new ones."""
        self._detections += 1
        found = self._detector(mipmap.image)
        matched = _match(self._tracks, found)
        anew = []
        for face, known in zip(found, matched, strict=True):
            track = self._begin(face) if known is None else known
            track.missed = 0
            if track.seen and _overlap(track.face.box, face.box) >= self._settings.least_overlap:
                track.face = replace(track.face, score=face.score)
            else:
                track.face, track.where = face, face.box
                anew.append(track)
        for track, landmarks in self._look(mipmap, anew):
            track.seen = bool(np.isfinite(landmarks.points).all())
            if track.seen and self._trusts(landmarks, track.where, mipmap.image):
                self._move(track, landmarks)
            elif track.seen:
                track.landmarks, track.filter = landmarks, None
        longest = self._settings.patience * self._settings.every
        self._tracks = [track for track in self._tracks if track.missed <= longest]

    def _begin(self, face: Face) -> _Track:
        track = _Track(self._begun, face, face.box)
        self._begun += 1
        self._tracks.append(track)
        return track

    def _look(self, mipmap: Mipmap, tracks: Sequence[_Track]) -> Iterator[tuple[_Track, Landmarks]]:
        """The landmarks of each, as they come."""
        if not tracks:
            return iter(())
        return zip(
            tracks,
            self._landmarker(mipmap, together([replace(track.face, box=track.where) for track in tracks])),
            strict=True,
        )

    def _trusts(self, landmarks: Landmarks, looked_in: Floats, image: Image) -> bool:
        """Whether these are a face, near the box they were looked for in, its middle in the image."""
        if not np.isfinite(landmarks.points).all():
            return False
        box = _box_of(landmarks)
        x, y = (box[:2] + box[2:]) / 2
        height, width = image.shape[:2]
        return bool(
            landmarks.scores.mean() >= self._settings.least_score
            and _overlap(box, looked_in) >= self._settings.least_overlap
            and 0 <= x <= width
            and 0 <= y <= height
        )

    def _move(self, track: _Track, landmarks: Landmarks) -> None:
        """Put a face where its landmarks are; after a jump smoothing begins anew."""
        before = None if track.landmarks is None else _box_of(track.landmarks)
        jumped = before is None or _overlap(_box_of(landmarks), before) < self._settings.least_overlap
        if self._smoothing is not None:
            if track.filter is None or jumped:
                track.filter = PointFilter(self._fps, self._smoothing)
            landmarks = replace(landmarks, points=track.filter(landmarks.points))
        box = _box_of(landmarks)
        next_box = box if before is None or jumped else box + _step(before, box)
        if _overlap(next_box, track.where) < _STEADY:
            track.where = next_box
        track.face = Face(box, track.face.score, to_five(landmarks.points).astype(np.float32))
        track.landmarks = landmarks

    def _part_twins(self) -> None:
        """Forget what has slid onto the face of another."""
        seen = [track for track in self._tracks if track.seen]
        if len(seen) < 2:
            return
        age = np.arange(len(seen), 0, -1, dtype=np.float32)
        kept = boxes.nms(np.stack([track.face.box for track in seen]), age, _TWINS).tolist()
        gone = [track for i, track in enumerate(seen) if i not in kept]
        self._tracks = [track for track in self._tracks if track not in gone]


def together(faces: Sequence[Face]) -> Faces:
    """Faces one by one as one value, in their order."""
    if not faces:
        return Faces.empty()
    return Faces(
        np.stack([face.box for face in faces]),
        np.array([face.score for face in faces], np.float32),
        np.stack([face.keypoints for face in faces]),
    )


def _box_of(landmarks: Landmarks) -> Floats:
    box: Floats = boxes.face_box(landmarks.points[None])[0]
    return box


def _step(before: Floats, now: Floats) -> Floats:
    """By how much the middle of a box has moved, (4,): what it may move in the next frame."""
    middle = (now[:2] + now[2:] - before[:2] - before[2:]) / 2
    return np.tile(middle, 2)


def _overlap(a: Floats, b: Floats) -> float:
    """IoU of the squared boxes: those of landmarks are square, those of the detector need not be."""
    return float(boxes.iou(boxes.square(a[None]), boxes.square(b[None]))[0, 0])


def _match(tracks: Sequence[_Track], found: Faces) -> list[_Track | None]:
    """Of each face the track that it goes on with; the pairs that overlap most first, None for a new face."""
    matched: list[_Track | None] = [None] * len(found)
    if not tracks or not len(found):
        return matched
    overlap = boxes.iou(np.stack([track.face.box for track in tracks]), found.boxes)
    while overlap.max() >= _SAME_FACE:
        row, column = divmod(int(overlap.argmax()), len(found))
        matched[column] = tracks[row]
        overlap[row], overlap[:, column] = 0, 0
    return matched

"""Track faces through a video: persistent ids, and detection only on some of the frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from mien.errors import BadOption
from mien.geometry import boxes
from mien.geometry.schemes import to_five
from mien.imaging import Mipmap, read_image
from mien.options import option, validate
from mien.pipeline.analyzer import FaceAnalysis
from mien.pipeline.smoothing import PointFilter, SmoothingConfig
from mien.types import Face, Faces, Floats, Image, Landmarks

_MATCH_IOU = 0.2
"""A detection continues the track that it overlaps most, from this IoU."""

_DUPLICATE_IOU = 0.5
"""Of two tracks that overlap by more than this IoU, one has drifted onto the other's face; the older one is kept."""

_HOLD_IOU = 0.85
"""The search box stays while the face overlaps it by this IoU: a box that follows the landmark noise doubles it."""


class TrackerAnalyzer(Protocol):
    """The methods of :class:`mien.FaceAnalyzer` that the tracker calls."""

    def detect(self, image: Mipmap) -> Faces:
        """Return the faces of an image."""

    def landmarks(self, image: Mipmap, faces: Faces) -> Sequence[Landmarks]:
        """Return the 68 landmarks of each face."""


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Options of :class:`mien.Tracker`. ``smoothing``: None returns the landmarks unsmoothed."""

    detect_every: int = option(10, "run the detector at least every this many frames", unit="frames", minimum=1)
    min_score: float = option(0.5, "mean landmark score below which a face is lost", minimum=0, maximum=1)
    min_iou: float = option(
        0.4, "IoU of the face with its search box and with the detection below which it is lost", minimum=0, maximum=1
    )
    patience: int = option(
        2, "give a face up after the detector has missed it for this many detection intervals", minimum=0
    )
    smoothing: SmoothingConfig | None = SmoothingConfig()

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face in one frame.

    Attributes:
        track: Id that stays with the face through the video; counts from 0.
        analysis: Box and keypoints come from the landmarks where these are reliable, else from the detector; the
            score is that of the last detection.
    """

    track: int
    analysis: FaceAnalysis


@dataclass(slots=True, eq=False)
class _Track:
    """State of one face.

    Attributes:
        search_box: Where its landmarks are searched in the next frame.
        visible: Found in the current frame.
        missed: Frames since the detector found it.
    """

    id: int
    face: Face
    search_box: Floats
    landmarks: Landmarks | None = None
    filter: PointFilter | None = None
    visible: bool = False
    missed: int = 0


class Tracker:
    """Track the faces of one video, frame by frame.

    The detector runs on every ``detect_every``-th frame and whenever a face is lost; on all other frames landmarks
    are searched where the last ones were. A lost face keeps its id if a later detection finds it nearby. Stateful:
    use one tracker per video, from one thread; the analyzer may be shared.

    Args:
        analyzer: Detects faces and landmarks.
        fps: Frames per second, from which the smoothing computes speeds.
        config: See :class:`TrackerConfig`.

    Raises:
        BadOption: ``fps`` is not above 0.
    """

    def __init__(self, analyzer: TrackerAnalyzer, fps: float, config: TrackerConfig = TrackerConfig()) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise BadOption(f"fps={fps}: must be above 0")
        self._analyzer = analyzer
        self._fps = fps
        self._config = config
        self._tracks: list[_Track] = []  # oldest first
        self._next_id = 0
        self._since_detection = config.detect_every
        self._detections = 0

    @property
    def detections(self) -> int:
        """Number of frames on which the detector has run."""
        return self._detections

    def __call__(self, image: Image) -> list[TrackedFace]:
        """Return the faces of the next frame, RGB uint8 (h, w, 3), oldest first. Raises what the analyzer raises."""
        mipmap = Mipmap(read_image(image))
        for track in self._tracks:
            track.missed += 1
        lost = self._follow(mipmap)
        if lost or self._since_detection >= self._config.detect_every:
            self._since_detection = 0
            self._detect(mipmap)
        self._since_detection += 1
        self._drop_duplicates()
        return [
            TrackedFace(track.id, FaceAnalysis(track.face, track.landmarks)) for track in self._tracks if track.visible
        ]

    def _follow(self, mipmap: Mipmap) -> bool:
        """Search each visible face near its last place; return whether any was lost."""
        followed = [track for track in self._tracks if track.visible]
        for track, landmarks in self._find_landmarks(mipmap, followed):
            track.visible = self._is_reliable(landmarks, track.search_box, mipmap.image)
            if track.visible:
                self._move(track, landmarks)
            else:
                track.landmarks = track.filter = None
        return not all(track.visible for track in followed)

    def _detect(self, mipmap: Mipmap) -> None:
        """Confirm tracks, recover those that were lost or have drifted, start new ones."""
        self._detections += 1
        faces = self._analyzer.detect(mipmap)
        restarted = []
        for face, matched in zip(faces, _match(self._tracks, faces), strict=True):
            track = self._start(face) if matched is None else matched
            track.missed = 0
            if track.visible and _square_iou(track.face.box, face.box) >= self._config.min_iou:
                track.face = replace(track.face, score=face.score)
            else:
                track.face, track.search_box = face, face.box
                restarted.append(track)
        for track, landmarks in self._find_landmarks(mipmap, restarted):
            track.visible = bool(np.isfinite(landmarks.points).all())
            if track.visible and self._is_reliable(landmarks, track.search_box, mipmap.image):
                self._move(track, landmarks)
            elif track.visible:
                track.landmarks, track.filter = landmarks, None
        longest = self._config.patience * self._config.detect_every
        self._tracks = [track for track in self._tracks if track.missed <= longest]

    def _start(self, face: Face) -> _Track:
        track = _Track(self._next_id, face, face.box)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _find_landmarks(self, mipmap: Mipmap, tracks: Sequence[_Track]) -> Iterable[tuple[_Track, Landmarks]]:
        if not tracks:
            return ()
        faces = Faces.from_list([replace(track.face, box=track.search_box) for track in tracks])
        return zip(tracks, self._analyzer.landmarks(mipmap, faces), strict=True)

    def _is_reliable(self, landmarks: Landmarks, search_box: Floats, image: Image) -> bool:
        """Return whether these landmarks are a face near its search box, with its center inside the image."""
        if not np.isfinite(landmarks.points).all():
            return False
        box = _box_of(landmarks)
        x, y = (box[:2] + box[2:]) / 2
        height, width = image.shape[:2]
        return bool(
            landmarks.scores.mean() >= self._config.min_score
            and _square_iou(box, search_box) >= self._config.min_iou
            and 0 <= x <= width
            and 0 <= y <= height
        )

    def _move(self, track: _Track, landmarks: Landmarks) -> None:
        """Move a track to its landmarks; a jump restarts the smoothing."""
        before = None if track.landmarks is None else _box_of(track.landmarks)
        jumped = before is None or _square_iou(_box_of(landmarks), before) < self._config.min_iou
        if self._config.smoothing is not None:
            if track.filter is None or jumped:
                track.filter = PointFilter(self._fps, self._config.smoothing)
            landmarks = replace(landmarks, points=track.filter(landmarks.points))
        box = _box_of(landmarks)
        predicted = box if before is None or jumped else box + _motion(before, box)
        if _square_iou(predicted, track.search_box) < _HOLD_IOU:
            track.search_box = predicted
        track.face = Face(box, track.face.score, to_five(landmarks.points).astype(np.float32))
        track.landmarks = landmarks

    def _drop_duplicates(self) -> None:
        visible = [track for track in self._tracks if track.visible]
        if len(visible) < 2:
            return
        age = np.arange(len(visible), 0, -1, dtype=np.float32)
        kept = boxes.nms(np.stack([track.face.box for track in visible]), age, _DUPLICATE_IOU).tolist()
        duplicates = [track for i, track in enumerate(visible) if i not in kept]
        self._tracks = [track for track in self._tracks if track not in duplicates]


def _box_of(landmarks: Landmarks) -> Floats:
    box: Floats = boxes.face_box(landmarks.points[None])[0]
    return box


def _motion(before: Floats, now: Floats) -> Floats:
    """Return the motion of the box center, once for each corner, (4,)."""
    return np.tile((now[:2] + now[2:] - before[:2] - before[2:]) / 2, 2)


def _square_iou(a: Floats, b: Floats) -> float:
    """Return the IoU of the squared boxes: boxes of landmarks are square, those of the detector need not be."""
    return float(boxes.iou(boxes.square(a[None]), boxes.square(b[None]))[0, 0])


def _match(tracks: Sequence[_Track], faces: Faces) -> list[_Track | None]:
    """Return the track that each face continues, by decreasing IoU; None for a new face."""
    matched: list[_Track | None] = [None] * len(faces)
    if not tracks or not len(faces):
        return matched
    overlap = boxes.iou(np.stack([track.face.box for track in tracks]), faces.boxes)
    while overlap.max() >= _MATCH_IOU:
        row, column = divmod(int(overlap.argmax()), len(faces))
        matched[column] = tracks[row]
        overlap[row], overlap[:, column] = 0, 0
    return matched

"""Tracking with fake models: the first pixel of a frame holds its number, from which the fakes know the faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from mien.errors import BadOption
from mien.geometry import boxes
from mien.imaging import Mipmap
from mien.pipeline.smoothing import SmoothingConfig
from mien.pipeline.tracker import TrackedFace, Tracker, TrackerConfig
from mien.types import Face, Faces, Image, Landmarks

Box = tuple[float, float, float, float]
Where = Callable[[int], Sequence[Box]]

UNIT = np.random.default_rng(0).random((68, 2))
UNIT[:2] = [[0, 0], [1, 1]]
WIDTH, HEIGHT = 400, 300


def points_in(box: Sequence[float]) -> np.ndarray:
    """Return 68 points whose ``geometry.boxes.face_box`` is this square."""
    x0, y0, x1, _ = boxes.face_box(UNIT[None])[0]
    return (UNIT - [x0, y0]) * (box[2] - box[0]) / (x1 - x0) + [box[0], box[1]]


def frame_of(image: Image) -> int:
    return int(image[0, 0, 0])


class FaceDetector:
    """Return the boxes of ``where`` for a frame, and record the frames."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.ran: list[int] = []

    def __call__(self, image: Mipmap) -> Faces:
        frame = frame_of(image.image)
        self.ran.append(frame)
        found = np.array(self.where(frame), np.float32).reshape(-1, 4)
        return Faces(found, np.full(len(found), 0.9), np.full((len(found), 5, 2), np.nan))


@dataclass
class Analyzer:
    """The part of FaceAnalyzer that the tracker uses."""

    detect: Callable
    landmarks: Callable


def tracker(detect: Callable, landmarks: Callable, config: TrackerConfig = TrackerConfig(), fps: float = 25) -> Tracker:
    return Tracker(Analyzer(detect, landmarks), fps, config)


class LandmarkDetector:
    """Return the face with the highest IoU with each box; without one, the box itself with score 0.1."""

    def __init__(self, where: Where, score: Callable[[int], float] = lambda frame: 0.9, noise: float = 0) -> None:
        self.where = where
        self.score = score
        self.noise = noise
        self.random = np.random.default_rng(0)

    def __call__(self, mipmap: Mipmap, faces: Faces) -> list[Landmarks]:
        return [self._one(frame_of(mipmap.image), face) for face in faces]

    def _one(self, frame: int, face: Face) -> Landmarks:
        there = np.array(self.where(frame), np.float32).reshape(-1, 4)
        overlap = boxes.iou(face.box[None], there)[0]
        seen = overlap.max(initial=0) > 0
        points = points_in(there[overlap.argmax()] if seen else face.box)
        points = points + self.random.normal(0, self.noise, points.shape)
        return Landmarks(points, "68", np.full(68, self.score(frame) if seen else 0.1))


def watch(tracker: Tracker, frames: int) -> list[list[TrackedFace]]:
    out = []
    for frame in range(frames):
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        image[0, 0] = frame
        out.append(tracker(image))
    return out


def track_ids(seen: list[list[TrackedFace]]) -> list[list[int]]:
    return [[one.track for one in frame] for frame in seen]


def walk(frame: int) -> list[Box]:
    return [(50 + 5 * frame, 60, 130 + 5 * frame, 140)]


HERE: Box = (50, 60, 130, 140)
THERE: Box = (250, 60, 330, 140)


def test_the_detector_runs_on_every_nth_frame_and_the_face_keeps_its_id() -> None:
    detector = FaceDetector(walk)
    faces = tracker(detector, LandmarkDetector(walk), TrackerConfig(detect_every=5, smoothing=None))
    seen = watch(faces, 12)
    assert detector.ran == [0, 5, 10]
    assert faces.detections == 3
    assert track_ids(seen) == [[0]] * 12
    for frame, (one,) in enumerate(seen):
        np.testing.assert_allclose(one.analysis.face.box, walk(frame)[0], atol=0.01)
        assert one.analysis.face.score == pytest.approx(0.9)
        assert one.analysis.landmarks is not None
        np.testing.assert_allclose(one.analysis.landmarks.points, points_in(walk(frame)[0]), atol=0.01)
        np.testing.assert_allclose(one.analysis.face.keypoints[2], one.analysis.landmarks.points[30], atol=0.01)


def test_a_gray_frame() -> None:
    faces = tracker(FaceDetector(walk), LandmarkDetector(walk))
    assert [one.track for one in faces(np.zeros((HEIGHT, WIDTH), np.uint8))] == [0]


def test_a_new_face_appears_at_the_next_detection() -> None:
    def where(frame: int) -> list[Box]:
        return [HERE] if frame < 3 else [THERE, HERE]

    assert track_ids(
        watch(tracker(FaceDetector(where), LandmarkDetector(where), TrackerConfig(detect_every=4)), 6)
    ) == [
        *([[0]] * 4),
        *([[0, 1]] * 2),
    ]


@pytest.mark.parametrize(("jump", "number"), [(40, 0), (60, 1)])
def test_a_jump_triggers_detection(jump: float, number: int) -> None:
    """A jump of 40 of 80 pixels leaves an IoU of 1/3, enough for a detection but not for landmarks; 60 leaves 1/7."""

    def where(frame: int) -> list[Box]:
        return [HERE] if frame < 3 else [(50 + jump, 60, 130 + jump, 140)]

    detector = FaceDetector(where)
    seen = watch(tracker(detector, LandmarkDetector(where), TrackerConfig(detect_every=100)), 5)
    assert detector.ran == [0, 3]
    assert track_ids(seen) == [[0]] * 3 + [[number]] * 2
    np.testing.assert_allclose(seen[3][0].analysis.face.box, where(3)[0], atol=0.01)


def test_poor_landmarks_trigger_detection_on_every_frame() -> None:
    detector = FaceDetector(walk)
    seen = watch(tracker(detector, LandmarkDetector(walk, lambda frame: 0.2)), 6)
    assert track_ids(seen) == [[0]] * 6
    assert detector.ran == list(range(6))
    np.testing.assert_allclose(seen[5][0].analysis.face.box, walk(5)[0], atol=0.01)


def test_a_returning_face_keeps_its_id() -> None:
    def where(frame: int) -> list[Box]:
        return [] if 3 <= frame < 5 else [HERE, THERE]

    detector = FaceDetector(where)
    faces = tracker(detector, LandmarkDetector(where), TrackerConfig(detect_every=2, patience=5))
    assert track_ids(watch(faces, 8)) == [[0, 1]] * 3 + [[]] * 2 + [[0, 1]] * 3
    assert detector.ran == [0, 2, 3, 5, 7]


def test_a_long_lost_face_gets_a_new_id() -> None:
    def where(frame: int) -> list[Box]:
        return [] if 1 <= frame < 7 else [HERE]

    faces = tracker(FaceDetector(where), LandmarkDetector(where), TrackerConfig(detect_every=2, patience=1))
    assert track_ids(watch(faces, 8)) == [[0]] + [[]] * 6 + [[1]]


def test_a_track_without_detections_is_dropped() -> None:
    """Landmarks may keep tracking something that is not a face."""
    detector = FaceDetector(lambda frame: [HERE] if frame == 0 else [])
    seen = watch(
        Tracker(
            Analyzer(detector, LandmarkDetector(lambda frame: [HERE])), 25, TrackerConfig(detect_every=3, patience=2)
        ),
        11,
    )
    assert detector.ran == [0, 3, 6, 9]
    assert track_ids(seen) == [[0]] * 9 + [[]] * 2


def test_a_drifting_box_is_reset() -> None:
    """The landmarks drift by 45 of 80 pixels; only the detector's box brings them back."""

    class Drifting(LandmarkDetector):
        def _one(self, frame: int, face: Face) -> Landmarks:
            x = 50 + 5 * frame
            in_place = frame > 9 and abs(face.box[0] - HERE[0]) < 1
            return Landmarks(points_in(HERE if in_place else (x, 60, x + 80, 140)), "68", np.full(68, 0.9))

    faces = Tracker(
        Analyzer(FaceDetector(lambda frame: [HERE]), Drifting(walk)), 25, TrackerConfig(detect_every=10, smoothing=None)
    )
    seen = watch(faces, 11)
    assert track_ids(seen) == [[0]] * 11
    np.testing.assert_allclose(seen[9][0].analysis.face.box, (95, 60, 175, 140), atol=0.01)
    np.testing.assert_allclose(seen[10][0].analysis.face.box, HERE, atol=0.01)


def test_of_two_tracks_on_one_face_the_older_is_kept() -> None:
    def where(frame: int) -> list[Box]:  # the second slides onto the first
        x = max(250 - 20 * frame, 55)
        return [HERE, (x, 60, x + 80, 140)]

    class Sliding(LandmarkDetector):
        def _one(self, frame: int, face: Face) -> Landmarks:
            first = abs(face.box[0] - HERE[0]) < 3
            return Landmarks(points_in(where(frame)[0 if first else 1]), "68", np.full(68, 0.9))

    seen = watch(tracker(FaceDetector(where), Sliding(where), TrackerConfig(detect_every=100, smoothing=None)), 12)
    assert track_ids(seen)[0] == [0, 1]
    assert track_ids(seen)[-1] == [0]
    assert all(frame[0].track == 0 for frame in seen)


def test_a_face_whose_center_leaves_the_image_is_lost() -> None:
    def where(frame: int) -> list[Box]:
        x = 300 + 15 * frame
        return [(x, 60, x + 80, 140)]

    seen = watch(
        Tracker(
            Analyzer(FaceDetector(lambda frame: where(0)[: frame == 0]), LandmarkDetector(where)),
            25,
            TrackerConfig(smoothing=None),
        ),
        8,
    )
    assert track_ids(seen) == [[0]] * 5 + [[]] * 3  # 300 + 4 * 15 + 40 = 400, the width of the image


def test_nan_landmarks_are_no_face() -> None:
    class Blind(LandmarkDetector):
        def _one(self, frame: int, face: Face) -> Landmarks:
            return Landmarks(np.full((68, 2), np.nan), "68", np.ones(68))

    detector = FaceDetector(walk)
    assert track_ids(watch(tracker(detector, Blind(walk)), 3)) == [[]] * 3


def test_the_search_box_holds_still_and_predicts_motion() -> None:
    class Recording(LandmarkDetector):
        def __call__(self, mipmap: Mipmap, faces: Faces) -> list[Landmarks]:
            search_boxes.append(faces.boxes[0])
            return super().__call__(mipmap, faces)

    search_boxes: list[np.ndarray] = []
    still = [HERE]
    watch(
        Tracker(
            Analyzer(FaceDetector(lambda frame: still), Recording(lambda frame: still, noise=1)),
            25,
            TrackerConfig(smoothing=None),
        ),
        30,
    )
    np.testing.assert_array_equal(search_boxes, [HERE] * 30)

    search_boxes.clear()
    watch(tracker(FaceDetector(walk), Recording(walk), TrackerConfig(detect_every=30, smoothing=None)), 30)
    behind = [walk(frame)[0][0] - box[0] for frame, box in enumerate(search_boxes)]
    assert len({box[0] for box in search_boxes}) < 25
    assert min(behind) == pytest.approx(0, abs=0.01)
    assert max(behind) <= 10  # of 80 pixels, at 5 a frame


def test_smoothing_reduces_jitter() -> None:
    def jitter(smoothing: SmoothingConfig | None) -> float:
        still = [HERE]
        landmark_detector = LandmarkDetector(lambda frame: still, noise=0.8)
        seen = watch(
            Tracker(
                Analyzer(FaceDetector(lambda frame: still), landmark_detector),
                25,
                TrackerConfig(detect_every=7, smoothing=smoothing),
            ),
            80,
        )
        points = [one.analysis.landmarks.points for (one,) in seen if one.analysis.landmarks is not None]
        return float(np.std(points[25:], axis=0).mean())

    assert jitter(None) == pytest.approx(0.8, rel=0.1)
    assert jitter(SmoothingConfig()) < jitter(None) / 4


def test_no_faces_and_independent_trackers() -> None:
    def nowhere(frame: int) -> list[Box]:
        return []

    detector = FaceDetector(nowhere)
    assert watch(tracker(detector, LandmarkDetector(nowhere), TrackerConfig(detect_every=2)), 4) == [[]] * 4
    assert detector.ran == [0, 2]
    for _ in range(2):
        assert track_ids(watch(tracker(FaceDetector(walk), LandmarkDetector(walk)), 2)) == [[0]] * 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TrackerConfig(detect_every=0), "detect_every=0: must be at least 1"),
        (lambda: TrackerConfig(patience=-1), "patience=-1"),
        (lambda: TrackerConfig(min_score=1.5), "min_score=1.5: must be between 0 and 1"),
        (lambda: TrackerConfig(min_iou=-0.1), "min_iou=-0.1"),
        (lambda: tracker(FaceDetector(walk), LandmarkDetector(walk), fps=float("nan")), "fps=nan"),
    ],
)
def test_invalid_options_are_rejected(make: Callable[[], object], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        make()

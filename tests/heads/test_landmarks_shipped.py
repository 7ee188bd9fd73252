"""The shipped landmark network on the example image."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mien import FaceDetector, Faces, LandmarkDetector, Landmarks, read_image
from mien.geometry import boxes
from mien.geometry.schemes import to_five
from mien.imaging import Mipmap, resize

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.jpg"

FACE = np.array([179.0, 68.0, 271.0, 178.0])
"""From hairline to chin and ear to ear, annotated by hand."""

SIDE = 110.0

# The chin and the jaw lie on the border of a face box.
SLACK = 0.05 * SIDE


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return read_image(ASTRONAUT)


@pytest.fixture(scope="module")
def faces(image) -> Faces:
    return FaceDetector(threads=1)(image)


@pytest.fixture(scope="module", params=[1, 2], ids=["one step", "two steps"])
def detector(request) -> LandmarkDetector:
    return LandmarkDetector(refinement_steps=request.param, threads=1)


@pytest.fixture(scope="module")
def found(detector, image, faces) -> Landmarks:
    (one,) = detector(image, faces)
    return one


def moved(faces: Faces, shift: tuple[float, float], scale: float = 1.0) -> Faces:
    """Return the faces shifted by ``shift`` box sides and scaled."""
    center, half = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2, (faces.boxes[:, 2:] - faces.boxes[:, :2]) / 2
    center, half = center + 2 * half.max() * np.float32(shift), half * np.float32(scale)
    return Faces(np.concatenate([center - half, center + half], axis=1), faces.scores, faces.keypoints)


def test_the_points_are_on_the_face(found) -> None:
    assert (found.points >= FACE[:2] - SLACK).all()
    assert (found.points <= FACE[2:] + SLACK).all()
    assert found.scheme == "68"
    assert ((found.scores > 0) & (found.scores <= 1)).all()
    assert found.scores.mean() > 0.5


def test_eyes_agree_with_the_detector(found, faces) -> None:
    side = (faces.boxes[0, 2:] - faces.boxes[0, :2]).max()
    off = np.linalg.norm(to_five(found.points)[:2] - faces.keypoints[0, :2], axis=1)
    assert off.max() < 0.05 * side


def test_parts_are_in_order(found) -> None:
    points = found.points
    left_eye, right_eye, nose, left_mouth, right_mouth = to_five(points)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert (np.diff(points[:17, 0]) > -1).all()  # the jaw runs from left to right
    assert points[8, 1] > points[48:68, 1].max()  # the chin below the mouth
    assert points[17:22, 1].max() < left_eye[1]
    assert points[22:27, 1].max() < right_eye[1]


def test_the_pose_is_nearly_frontal(found) -> None:
    assert abs(found.pose.yaw) < 25
    assert abs(found.pose.pitch) < 30
    assert abs(found.pose.roll) < 12


def test_landmarks_are_stable_under_box_jitter(detector, image, faces, found) -> None:
    side = (faces.boxes[0, 2:] - faces.boxes[0, :2]).max()
    off = [moved(faces, shift) for shift in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1))]
    off += [moved(faces, (0, 0), scale) for scale in (0.9, 1.1)]
    for where in off:
        (again,) = detector(image, where)
        assert np.linalg.norm(again.points - found.points, axis=1).mean() < 0.03 * side


def test_landmarks_scale_with_the_image(detector, image, faces, found) -> None:
    larger = resize(image, 900, 900)
    scale = np.float32(900 / 512)
    (again,) = detector(larger, Faces(faces.boxes * scale, faces.scores, faces.keypoints * scale))
    assert np.linalg.norm(again.points / scale - found.points, axis=1).mean() < 0.01 * SIDE


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_sideways_face(detector, image, faces, found, turns) -> None:
    """Crops and landmarks agree up to rounding."""
    where, points, expected = faces.boxes, faces.keypoints, found.points
    for _ in range(turns):
        where, points = boxes.quarter_turn(where, 512), boxes.quarter_turn_points(points, 512)
        expected = boxes.quarter_turn_points(expected, 512)
    (again,) = detector(np.ascontiguousarray(np.rot90(image, turns)), Faces(where, faces.scores, points))
    assert np.linalg.norm(again.points - expected, axis=1).mean() < 0.01 * SIDE
    difference = (again.pose.roll - found.pose.roll + 90 * turns + 180) % 360 - 180  # rot90 rotates counter-clockwise
    assert abs(difference) < 2


def test_the_3d_contour_differs_in_the_jaw_only(image, faces) -> None:
    (seen,) = LandmarkDetector(threads=1)(image, faces)
    (solid,) = LandmarkDetector(contour="3d", threads=1)(image, faces)
    assert solid.scheme == "68-3d"
    assert np.linalg.norm(solid.points[17:] - seen.points[17:], axis=1).mean() < 0.05 * SIDE


def test_batch_equals_single_calls(detector, image, faces) -> None:
    several = [moved(faces, (i / 200, -i / 300)) for i in range(7)]
    parts = [several[0][:0], *several]
    batched = detector.batch([image] * len(parts), parts)
    for group, part in zip(batched, parts, strict=True):
        for a, b in zip(group, detector(image, part), strict=True):
            np.testing.assert_allclose(a.points, b.points, atol=0.01)
            np.testing.assert_allclose(a.scores, b.scores, atol=1e-3)


def test_threads_share_a_detector(detector, image, faces) -> None:
    several = [moved(faces, (i / 200, -i / 300)) for i in range(8)]
    shared = Mipmap(image)
    single = [detector(image, where)[0].points for where in several]
    with ThreadPoolExecutor(8) as pool:
        batched = list(pool.map(lambda where: detector(shared, where)[0].points, several * 2))
    np.testing.assert_allclose(batched, single * 2, atol=1e-4)

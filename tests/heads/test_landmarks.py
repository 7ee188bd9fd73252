"""68 landmarks: box to crop and back, invalid input, batches."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.errors import BadImage, BadOption, ModelMismatch, ModelMissing
from mien.geometry import boxes
from mien.geometry.mean_face import MEAN_FACE
from mien.geometry.pose import fit_pose, rotation
from mien.geometry.schemes import to_five
from mien.heads import LandmarkConfig, LandmarkDetector, landmarks
from mien.imaging import Mipmap
from mien.models import PointPatches, SquareBox, StretchedBox
from mien.types import Faces

from .conftest import MapReader, map_image, rotated  # isort: skip

BOX = np.array([60, 70, 140, 160], np.float32)
MIDDLE = (100.0, 115.0)

# The map has whole levels from 0 to 255, and the reader fits a plane to thousands of them. Crops are too large to be
# cut from a halved map, whose levels are rounded.
OFF = 0.11


@pytest.fixture(scope="session")
def face(face68) -> NDArray[np.float64]:
    """68 points whose face box is ``BOX``."""
    return face68 * (BOX[2:] - BOX[:2]) + BOX[:2]


def found_at(*where: object, points: object = np.nan) -> Faces:
    rows = np.array(where, np.float32).reshape(-1, 4)
    five = np.broadcast_to(np.asarray(points, np.float32), (len(rows), 5, 2))
    return Faces(rows, np.ones(len(rows), np.float32), five)


def distances(found: object, truth: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.linalg.norm(found.points - truth, axis=1)


def test_points_scores_and_pose_of_a_face(face) -> None:
    (found,) = LandmarkDetector(MapReader([face]))(map_image(), found_at(BOX))
    assert distances(found, face).max() < OFF
    assert found.scheme == "68"
    assert found.scores.shape == (68,)
    assert (found.pose.yaw, found.pose.pitch) == (10, -20)
    assert found.pose.roll == pytest.approx(0, abs=0.5)
    assert found.points.dtype == found.scores.dtype == np.float32


@pytest.mark.parametrize(
    ("crop", "sides"), [(SquareBox(1.3), (90 * 1.3, 90 * 1.3)), (StretchedBox(1.3), (80 * 1.3, 90 * 1.3))]
)
def test_the_crop_follows_the_card(face, crop, sides) -> None:
    network = MapReader([face], crop=crop)
    LandmarkDetector(network, refinement_steps=1)(map_image(), found_at(BOX))
    (shown,) = network.batches[-1].astype(float)
    size = network.size
    across = (shown[size // 2, -1, 0] - shown[size // 2, 0, 0]) / (size - 1) * size
    down = (shown[-1, size // 2, 1] - shown[0, size // 2, 1]) / (size - 1) * size
    np.testing.assert_allclose((across, down), sides, atol=1.1)  # whole levels
    np.testing.assert_allclose(shown[size // 2 - 1 : size // 2 + 1].mean(axis=(0, 1))[:2] + 0.5, MIDDLE, atol=1)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shift=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    stretch=st.tuples(st.floats(0.6, 1.5), st.floats(0.6, 1.5)),
    degrees=st.floats(-60, 60),
    crop=st.sampled_from([SquareBox(1.3), StretchedBox(1.3)]),
    refinement_steps=st.sampled_from([1, 2]),
)
def test_landmarks_map_back_from_any_crop(face, shift, stretch, degrees, crop, refinement_steps) -> None:
    truth = rotated(face, degrees, MIDDLE)
    half = 45 * np.array(stretch)
    center = MIDDLE + 90 * np.array(shift)
    detector = LandmarkDetector(MapReader([truth], crop=crop), refinement_steps=refinement_steps)
    (found,) = detector(map_image(), found_at([*(center - half), *(center + half)]))
    assert distances(found, truth).max() < 0.2  # a crop at the border shows less of the map
    if crop == "square" or refinement_steps == 2:  # a stretched crop bends angles
        assert found.pose.roll == pytest.approx(degrees, abs=1 if crop == "square" else 3)


@pytest.mark.parametrize("degrees", [-70, 30])
def test_the_second_step_crops_the_upright_face(face, degrees) -> None:
    truth = rotated(face, degrees, MIDDLE)
    network = MapReader([truth])
    LandmarkDetector(network, refinement_steps=2)(map_image(), found_at([40, 60, 145, 175]))
    first, second = (network.run(crops)[0][0, 0] for crops in network.batches[-2:])
    across = to_five(first)[1] - to_five(first)[0]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(degrees, abs=1)
    # Upright, the face box is the square's middle part: 1 / 1.3 of it high, in the middle.
    x0, y0, x1, y1 = boxes.face_box(second[None])[0]
    np.testing.assert_allclose((y0, y1), (0.5 - 0.5 / 1.3, 0.5 + 0.5 / 1.3), atol=0.01)
    np.testing.assert_allclose((x0 + x1) / 2, 0.5, atol=0.01)
    np.testing.assert_allclose(to_five(second)[0, 1], to_five(second)[1, 1], atol=0.005)


def test_a_profile_is_rotated_by_the_fitted_pose() -> None:
    profile = (MEAN_FACE @ rotation(85, 0, 20).T)[:, :2]
    truth = (profile - profile.mean(axis=0)) / np.ptp(profile[:, 1]) * 90 + MIDDLE
    truth[42:48, 1] += 3  # the eyes are 4 pixels apart
    network = MapReader([truth])
    LandmarkDetector(network, refinement_steps=2)(map_image(), found_at(BOX))
    second = network.run(network.batches[-1])[0][:, 1]
    assert fit_pose(second)[0, 2] == pytest.approx(0, abs=1)
    assert fit_pose(truth[None])[0, 2] == pytest.approx(20, abs=3)  # the effect of the three pixels


@pytest.mark.parametrize("crop", [SquareBox(1.3), StretchedBox(1.3)])
@pytest.mark.parametrize("degrees", [90, 180, -90, 110, 30])
def test_a_rolled_face_is_rotated_upright_by_its_keypoints(face, degrees, crop) -> None:
    truth = rotated(face, degrees, MIDDLE)
    network = MapReader([truth], crop=crop)
    where = boxes.face_box(truth[None])[0]
    detector = LandmarkDetector(network, refinement_steps=1)
    (found,) = detector(map_image(), found_at(where, points=to_five(truth)))
    eyes = to_five(network.run(network.batches[-1])[0][0, 0])[:2]
    across = eyes[1] - eyes[0]
    assert abs(np.degrees(np.arctan2(across[1], across[0]))) < 1
    assert distances(found, truth).max() < OFF
    assert abs((found.pose.roll - degrees + 180) % 360 - 180) < 1


def test_the_crop_of_a_face_on_its_side_is_as_tall_as_its_box_is_wide() -> None:
    truth = rotated(np.array([[100.0, 115.0]] * 68) + np.random.default_rng(0).uniform(-9, 9, (68, 2)), 0, MIDDLE)
    five = rotated(np.array([[80, 100], [120, 100], [100, 115], [85, 135], [115, 135]]), 90, MIDDLE)
    network = MapReader([truth], crop=StretchedBox(1.0))
    LandmarkDetector(network, refinement_steps=1)(map_image(), found_at([60, 85, 140, 145], points=five))
    (shown,) = network.batches[-1].astype(float)
    half = network.size // 2
    assert shown[half, :, 1].max() - shown[half, :, 1].min() == pytest.approx(60, abs=2)
    assert shown[:, half, 0].max() - shown[:, half, 0].min() == pytest.approx(80, abs=2)


@pytest.mark.parametrize("points", [np.nan, 0, [[1, 9], [5, 9], [3, 12], [1, 15], [5, 15]]])
def test_unknown_or_upright_keypoints_cause_no_rotation(face, points) -> None:
    plain, given_five = (MapReader([face]) for _ in range(2))
    LandmarkDetector(plain)(map_image(), found_at(BOX))
    LandmarkDetector(given_five)(map_image(), found_at(BOX, points=points))
    np.testing.assert_array_equal(plain.batches[-1], given_five.batches[-1])


def test_images_are_read_as_by_the_detector(face) -> None:
    image = map_image()
    gray, clear = image[..., 0], np.dstack([image, np.full_like(image[..., :1], 255)])
    for same, other in ((np.dstack([gray] * 3), gray), (image, clear)):
        seen = []
        for shown in (same, other):
            network = MapReader([face])
            LandmarkDetector(network)(shown, found_at(BOX))
            seen.append(network.batches[-1])
        np.testing.assert_array_equal(*seen)
    with pytest.raises(BadImage, match="float64"):
        LandmarkDetector(MapReader([face]))(image / 255, found_at(BOX))


def test_the_3d_contour(face) -> None:
    (found,) = LandmarkDetector(MapReader([face]), contour="3d")(map_image(), found_at(BOX))
    assert found.scheme == "68-3d"
    assert distances(found, face + np.array([5, 0])).max() < OFF


def test_scores_by_hand(face) -> None:
    def score(uncertainty: float, context: float) -> float:
        network = MapReader([face], uncertainty=uncertainty, crop=SquareBox(context))
        (found,) = LandmarkDetector(network)(map_image(), found_at(BOX))
        assert np.ptp(found.scores) == 0
        return float(found.scores[0])

    assert score(0.05, 1.0) == pytest.approx(1 - 2 / np.e)
    assert score(0.025, 2.0) == pytest.approx(1 - 2 / np.e)  # the crop is twice the box: the same in image pixels
    assert score(0.0, 1.0) == 1
    assert 0 <= score(100.0, 1.0) < 1e-6


def test_scores_are_the_probability_of_a_small_error() -> None:
    """Under the density exp(-r / b) / (2 pi b^2) the radius has a gamma distribution of shape 2."""
    radii = np.random.default_rng(0).gamma(2, 0.03, 20_000)
    assert landmarks._scores(np.float32([0.03]), 1.25)[0] == pytest.approx((radii < 0.05 / 1.25).mean(), abs=0.01)


def test_a_network_without_uncertainty(face) -> None:
    (found,) = LandmarkDetector(MapReader([face], outputs=("landmarks", "pose")))(map_image(), found_at(BOX))
    assert (found.scores == 1).all()


def test_pose_is_fitted_if_the_network_gives_none(face, monkeypatch) -> None:
    asked = []

    def fit(points: NDArray[np.floating]) -> NDArray[np.floating]:
        asked.append(points)
        return np.array([[1.0, 2.0, 190.0]])

    monkeypatch.setattr(landmarks, "fit_pose", fit)
    network = MapReader([face], outputs=("landmarks",))
    (found,) = LandmarkDetector(network, refinement_steps=2)(map_image(), found_at(BOX))
    assert (found.pose.yaw, found.pose.pitch, found.pose.roll) == (1, 2, -170)
    *_, points = asked
    np.testing.assert_allclose(points[0], face + np.array([5, 0]), atol=OFF)  # the second contour, in image pixels


def test_collinear_points_give_no_pose() -> None:
    on_a_line = np.column_stack([np.linspace(60, 140, 68), np.full(68, 115)])
    (found,) = LandmarkDetector(MapReader([on_a_line], outputs=("landmarks",)))(map_image(), found_at(BOX))
    assert found.pose is None


def test_one_contour_and_no_pose(face) -> None:
    network = MapReader([face], outputs=("landmarks",), contours=("visible",))
    (found,) = LandmarkDetector(network, refinement_steps=2)(map_image(), found_at(BOX))
    assert found.pose is None
    assert found.scheme == "68"
    with pytest.raises(BadOption, match="map reader gives the visible contour only"):
        LandmarkDetector(network, contour="3d")


def many(face: NDArray[np.floating], count: int) -> list[NDArray[np.floating]]:
    """Return small faces in rows of ten, each rotated by its own angle."""
    rng = np.random.default_rng(0)
    small = (face - MIDDLE) / 3
    places = [np.array([20 + 23 * (i % 10), 20 + 30 * (i // 10)]) for i in range(count)]
    return [rotated(small, rng.uniform(-40, 40), (0, 0)) + place for place in places]


def test_no_faces_need_no_network_call(face) -> None:
    network = MapReader([face])
    detector = LandmarkDetector(network)
    network.batches.clear()
    assert detector(map_image(), Faces.empty()) == []
    assert detector.batch([], []) == []
    assert detector.batch([map_image()] * 2, [Faces.empty()] * 2) == [[], []]
    assert network.batches == []


@pytest.mark.parametrize("refinement_steps", [1, 2])
def test_batch_equals_single_calls_and_bounds_the_batch_size(face, refinement_steps) -> None:
    truth = many(face, 70)
    where = boxes.face_box(np.stack(truth))
    network = MapReader(truth, size=32)
    detector = LandmarkDetector(network, refinement_steps=refinement_steps)
    network.batches.clear()
    parts = [where[:3], where[:0], where[3:50], where[50:]]
    images = [map_image(), map_image(5, 5), Mipmap(map_image()), map_image()]
    batched = detector.batch(images, [found_at(*part) for part in parts])
    assert [len(found) for found in batched] == [3, 0, 47, 20]
    assert [len(batch) for batch in network.batches] == [size for size in (32, 32, 6) for _ in range(refinement_steps)]
    flat = [found for group in batched for found in group]
    for found, points, box in zip(flat, truth, where, strict=True):
        assert distances(found, points).max() < 0.6  # a face of 30 pixels in a crop of 32, at the border
        (single,) = detector(map_image(), found_at(box))
        np.testing.assert_allclose(found.points, single.points, atol=1e-4)
        np.testing.assert_allclose(found.scores, single.scores, atol=1e-6)
        assert found.pose.roll == pytest.approx(single.pose.roll, abs=1e-3)


def test_threads_share_a_detector(face) -> None:
    truth = many(face, 8)
    where = boxes.face_box(np.stack(truth))
    detector = LandmarkDetector(MapReader(truth), refinement_steps=2)
    shared = Mipmap(map_image())
    single = [detector(map_image(), found_at(box))[0].points for box in where]
    with ThreadPoolExecutor(8) as pool:
        batched = list(pool.map(lambda box: detector(shared, found_at(box))[0].points, np.tile(where, (4, 1))))
    np.testing.assert_array_equal(batched, single * 4)


def test_faces_beyond_the_image_border(face) -> None:
    truth = face - [95, 0]  # a third of it is in the image
    network = MapReader([truth])
    detector = LandmarkDetector(network, refinement_steps=2)
    (found,) = detector(map_image(), found_at(BOX - [95, 0, 95, 0]))
    assert distances(found, truth).max() < 0.5
    (nowhere,) = detector(map_image(), found_at([1000, -500, 1100, -400]))
    assert np.isfinite(nowhere.points).all()
    assert not network.batches[-1].any()
    assert np.isfinite(detector(np.zeros((1, 1, 3), np.uint8), found_at([-5, -5, 5, 5]))[0].points).all()


@pytest.mark.parametrize(
    "box", [[np.nan, 0, 9, 9], [0, 0, np.inf, 9], [5, 5, 5, 9], [0, 9, 9, 9], [9, 0, 0, 9], [0, 9, 9, 0]]
)
def test_invalid_boxes_are_named(face, box) -> None:
    detector = LandmarkDetector(MapReader([face]))
    with pytest.raises(BadOption, match="face 1 of image 1 has the box"):
        detector.batch([map_image()] * 2, [found_at(BOX), found_at(BOX, box, BOX)])


def test_invalid_arguments_are_rejected(face) -> None:
    with pytest.raises(BadOption, match="contour='jaw': must be 'visible' or '3d'"):
        LandmarkDetector(MapReader([face]), contour="jaw")
    with pytest.raises(BadOption, match="refinement_steps=3: must be between 1 and 2"):
        LandmarkDetector(MapReader([face]), refinement_steps=3)
    with pytest.raises(ModelMismatch, match="for the task 'onet'; give a landmarks68 model"):
        LandmarkDetector(MapReader([face], task="onet"))
    with pytest.raises(ModelMismatch, match=r"has outputs \('uncertainty',\) with contours \(\), not landmarks"):
        LandmarkDetector(MapReader([face], outputs=("uncertainty",)))
    with pytest.raises(ModelMismatch, match=r"contours \('jaw',\), not landmarks with"):
        LandmarkDetector(MapReader([face], contours=("jaw",)))
    with pytest.raises(ModelMismatch, match="takes crops of the kind PointPatches; give one that takes SquareBox"):
        LandmarkDetector(MapReader([face], crop=PointPatches(0.25)))
    with pytest.raises(ModelMismatch, match=r"gave landmarks \(1, 2, 5, 2\), not \(1, 2, 68, 2\)"):
        LandmarkDetector(FivePoints([face]))(map_image(), found_at(BOX))
    with pytest.raises(ModelMissing):
        LandmarkDetector("absent.onnx")
    with pytest.raises(BadOption, match="2 images but faces of 1"):
        LandmarkDetector(MapReader([face])).batch([map_image()] * 2, [Faces.empty()])


class FivePoints(MapReader):
    def run(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        points, *rest = super().run(batch)
        return (points[:, :, :5], *rest)


def test_a_landmark_detector_is_frozen(face) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        LandmarkDetector(MapReader([face])).config = LandmarkConfig()

"""The shipped networks on the example image and its variants.

The face and its points were annotated by hand, to about a pixel.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien import DetectorConfig, FaceDetector, Faces, align_faces, read_image
from mien.cli import main
from mien.geometry import boxes
from mien.imaging import resize

ASTRONAUT = Path(__file__).parents[1] / "examples" / "astronaut.jpg"

FACE = np.array([179.0, 68.0, 271.0, 178.0])
"""From hairline to chin and ear to ear."""

POINTS = np.array([[204.2, 100.8], [246.7, 103.3], [225.0, 126.7], [204.2, 140.0], [244.2, 141.3]])
EYES = 42.6

# Data sets and networks draw boxes differently round the same face; WIDER asks for half of the union.
MIN_IOU = 0.5

# A tenth of the eyes' distance, on average over the points, is the usual border of failure.
MAX_ERROR = 0.1


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return read_image(ASTRONAUT)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(threads=1)


def check(faces: Faces, scale: float = 1.0, shift: tuple[float, float] = (0, 0), error: float = MAX_ERROR) -> None:
    """Check for one face: that of the example image, scaled and then shifted."""
    assert len(faces) == 1
    place = FACE * scale + np.tile(shift, 2)
    assert boxes.iou(faces.boxes, place[None].astype(np.float32))[0, 0] > MIN_IOU
    off = np.linalg.norm(faces.keypoints[0] - (POINTS * scale + shift), axis=1)
    assert off.mean() < error * EYES * scale
    left_eye, right_eye, nose, left_mouth, right_mouth = faces.keypoints[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_a_single_face(detector, image) -> None:
    faces = detector(image)
    check(faces)
    assert faces.scores[0] > 0.9


def test_path_bytes_and_array_are_the_same_image(detector, image) -> None:
    for source in (ASTRONAUT, str(ASTRONAUT), ASTRONAUT.read_bytes(), image):
        np.testing.assert_array_equal(detector(source).boxes, detector(image).boxes)


def test_with_refined_keypoints(image) -> None:
    check(FaceDetector(lnet="lnet", threads=1)(image))


def test_twelve_faces(detector, image) -> None:
    head = image[20:220, 120:330]
    crowd = np.tile(head, (3, 4, 1))
    faces = detector(crowd)
    assert len(faces) == 12
    places = [FACE + np.tile([210 * i - 120, 200 * j - 20], 2) for i in range(4) for j in range(3)]
    overlap = boxes.iou(np.array(places, np.float32), faces.boxes)
    assert (overlap.max(axis=1) > MIN_IOU).all()
    assert len(set(overlap.argmax(axis=1))) == 12


# Sides of the face in pixels. Below 40 px one pixel is a tenth of the eyes' distance.
@pytest.mark.parametrize(("side", "error"), [(24, 0.2), (32, 0.15), (48, 0.1), (93, 0.1), (186, 0.1), (372, 0.1)])
def test_scaled(detector, image, side: int, error: float) -> None:
    scale = side / (FACE[2] - FACE[0])
    check(detector(resize(image, round(512 * scale), round(512 * scale))), scale, error=error)


@pytest.mark.parametrize("scale", [1, 4])
def test_a_face_that_fills_the_image(detector, image, scale: int) -> None:
    x, y = 172, 60
    close = image[y:180, x:276]
    faces = detector(resize(close, close.shape[1] * scale, close.shape[0] * scale))
    check(faces, scale, (-x * scale, -y * scale), error=0.15)


def test_a_face_cut_by_the_border(detector, image) -> None:
    """The border cuts through the forehead."""
    faces = detector(image[90:])
    assert len(faces) == 1
    assert np.linalg.norm(faces.keypoints[0] - (POINTS - [0, 90]), axis=1).mean() < 0.2 * EYES


# What a camera that was held so writes: turning by the operation named in the EXIF makes it upright again.
_STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(detector, image, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(_STORED[orientation](image))).save(file, "PNG", exif=exif)
    check(detector(file.getvalue()))


def test_grayscale(detector, image) -> None:
    gray = np.asarray(Image.fromarray(image).convert("L"))
    check(detector(gray))
    check(detector(gray[..., None]))


def test_with_alpha(detector, image) -> None:
    opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    check(detector(opaque))
    cut_out = opaque.copy()
    cut_out[:, :120, 3] = 0
    check(detector(cut_out))


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_rotated_by_multiples_of_90_degrees(image, turns: int) -> None:
    """Boxes and points are in the frame of the rotated image; left and right those of the upright face."""
    every_way = FaceDetector(DetectorConfig(rotations=(0, 90, 180, 270)), threads=1)
    faces = every_way(np.rot90(image, turns))
    where, points = faces.boxes, faces.keypoints
    for _ in range(-turns % 4):
        where, points = boxes.quarter_turn(where, 512), boxes.quarter_turn_points(points, 512)
    check(Faces(where, faces.scores, points))


def test_batch_equals_single_calls(detector, image) -> None:
    sizes = (512, 300, 97, 640)
    images = [resize(image, side, side) for side in sizes]
    for together, alone in zip(detector.batch(images), map(detector, images), strict=True):
        np.testing.assert_allclose(together.boxes, alone.boxes, atol=0.05)
        np.testing.assert_allclose(together.keypoints, alone.keypoints, atol=0.05)


def test_no_face(detector, image) -> None:
    assert len(detector(np.full((200, 300, 3), 127, np.uint8))) == 0
    assert len(detector(image[200:, 360:])) == 0  # the shuttle
    assert len(detector(np.zeros((1, 1, 3), np.uint8))) == 0


def test_the_eyes_are_level_in_the_aligned_face(detector, image) -> None:
    (aligned_face,) = align_faces(image, detector(image))
    found = detector(aligned_face.image)
    assert len(found) == 1
    left, right = found.keypoints[0, :2]
    assert abs(left[1] - right[1]) < 0.1 * (right[0] - left[0])


def test_the_command(capsys, tmp_path) -> None:
    assert main(["detect", str(ASTRONAUT), "--json", "--draw", str(tmp_path)]) == 0
    record = json.loads(capsys.readouterr().out)
    (face,) = record["faces"]
    check(Faces(np.array([face["box"]]), np.array([face["score"]]), np.array([face["keypoints"]])))
    assert read_image(tmp_path / "astronaut.jpg").shape == (512, 512, 3)


def test_the_cards_are_complete(capsys) -> None:
    assert main(["models", "--json"]) == 0
    cards = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {card["task"] for card in cards} >= {"pnet", "rnet", "onet", "lnet"}
    for card in cards:
        assert card["license"]
        assert card["training_data"]
        assert card["scores"]
        assert card["parameters"] > 0

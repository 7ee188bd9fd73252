"""Aligned faces: keypoints lie on the template, and ``to_image`` maps back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.alignment import AlignSpec, align_faces
from mien.errors import BadOption
from mien.geometry.schemes import MXNET_TEMPLATE
from mien.geometry.similarity import Similarity
from mien.imaging import Mipmap
from mien.types import Faces

PLACES = np.array([[60, 80], [110, 70], [92, 105], [75, 130], [115, 122]], np.float32)


def faces(*points: NDArray[np.floating]) -> Faces:
    stacked = np.array(points, dtype=np.float32).reshape(-1, 5, 2)
    boxes = np.concatenate([stacked.min(axis=1), stacked.max(axis=1)], axis=1)
    return Faces(boxes, np.ones(len(stacked), np.float32), stacked)


def coordinates(height: int = 240, width: int = 250) -> NDArray[np.uint8]:
    """An image whose red is x and whose green is y, at the corner of each pixel."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, 0 * x], axis=-1).astype(np.uint8)


def test_the_padded_template_by_hand() -> None:
    # (0.37 + 0.224152) / 1.74 * 144 = 49.1712..., (0.37 + 0.2119465) / 1.74 * 144 = 48.1611...
    spec = AlignSpec.padded()
    assert spec.size == 144
    np.testing.assert_allclose(spec.points[0], [49.17120, 48.16109], atol=1e-4)
    np.testing.assert_allclose(AlignSpec.padded(100, 0).points, MXNET_TEMPLATE * 100)


def test_the_arcface_template() -> None:
    np.testing.assert_allclose(AlignSpec.arcface().points[:2], [[38.2946, 51.6963], [73.5318, 51.5014]])
    np.testing.assert_allclose(AlignSpec.arcface(224).points, AlignSpec.arcface().points * 2)


def test_equal_specs_are_equal() -> None:
    assert AlignSpec.padded() == AlignSpec.padded(144, 0.37)
    assert len({AlignSpec.padded(), AlignSpec.padded(144, 0.37), AlignSpec.arcface()}) == 2
    assert AlignSpec(10, np.zeros((5, 2)).tolist()) == AlignSpec(10, [[0, 0]] * 5)


def test_invalid_specs_are_rejected() -> None:
    with pytest.raises(BadOption, match="size=0"):
        AlignSpec.padded(0)
    with pytest.raises(BadOption, match=r"padding=-0\.5"):
        AlignSpec.padded(144, -0.5)
    with pytest.raises(BadOption, match=r"shape \(4, 2\); it must be five finite points"):
        AlignSpec(144, [[0, 0]] * 4)
    with pytest.raises(BadOption, match="finite"):
        AlignSpec(144, [[0, float("nan")]] * 5)


def test_an_exact_fit_copies_the_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 220, 3), dtype=np.uint8)
    spec = AlignSpec.padded(96)
    (aligned_face,) = align_faces(image, faces(spec.points + np.array([40, 60])), spec=spec)
    np.testing.assert_allclose(aligned_face.to_image.matrix, [[1, 0, 40], [0, 1, 60]], atol=1e-5)
    # float32 points leave a fraction of a level
    np.testing.assert_allclose(aligned_face.image.astype(int), image[60:156, 40:136], atol=1)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.1, 8),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
    size=st.sampled_from([24, 112, 144]),
)
def test_to_image_inverts_the_alignment(degrees: float, scale: float, shift: tuple[float, float], size: int) -> None:
    turn = np.radians(degrees)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    spec = AlignSpec.padded(size)
    truth = Similarity(np.column_stack([linear, shift]))
    found = faces(truth.apply(spec.points))
    (aligned_face,) = align_faces(np.zeros((20, 20, 3), np.uint8), found, spec=spec)
    np.testing.assert_allclose(aligned_face.to_image.apply(spec.points), found.keypoints[0], atol=1e-2)
    assert aligned_face.to_image.scale == pytest.approx(scale, rel=1e-3)
    there_and_back = aligned_face.to_image.apply(aligned_face.to_image.inverse().apply(PLACES))
    np.testing.assert_allclose(there_and_back, PLACES, atol=1e-6)


@pytest.mark.parametrize("size", [48, 144])
def test_pixels_agree_with_to_image(size: int) -> None:
    (aligned_face,) = align_faces(coordinates(), faces(PLACES), size=size)
    assert aligned_face.image.shape == (size, size, 3)
    assert aligned_face.image.dtype == np.uint8
    y, x = np.mgrid[size // 4 : size * 3 // 4, size // 4 : size * 3 // 4]
    where = aligned_face.to_image.apply(np.stack([x, y], axis=-1) + 0.5)  # the center of each aligned face pixel
    shown = aligned_face.image[y, x, :2].astype(float) + 0.5
    np.testing.assert_allclose(shown, where, atol=1.1)  # levels are whole, and the smaller aligned face is halved once


def test_the_eyes_are_level_in_the_aligned_face() -> None:
    image = coordinates()
    (aligned_face,) = align_faces(image, faces(PLACES))
    fitted = aligned_face.to_image.inverse().apply(PLACES)
    wanted = AlignSpec.padded().points
    assert abs(fitted - wanted).max() < 12  # the hand-made face is no perfect template
    before = np.degrees(np.arctan2(*(PLACES[1] - PLACES[0])[::-1]))
    after = np.degrees(np.arctan2(*(fitted[1] - fitted[0])[::-1]))
    assert abs(after) < abs(before)


def test_one_aligned_face_per_face() -> None:
    image = coordinates()
    found = faces(PLACES, PLACES + 20, PLACES * 1.5 - 30)
    plain = align_faces(image, found)
    shared = align_faces(Mipmap(image), found)
    assert len(plain) == len(shared) == 3
    for a, b in zip(plain, shared, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    assert align_faces(image, Faces.empty()) == []


def test_outside_the_image_is_black() -> None:
    (aligned_face,) = align_faces(np.full((40, 40, 3), 200, np.uint8), faces(PLACES + 1000))
    assert not aligned_face.image.any()


def test_coincident_keypoints_are_rejected() -> None:
    with pytest.raises(BadOption, match="coincide"):
        align_faces(coordinates(), faces(np.full((5, 2), 30.0)))


def test_specs_by_template_name():
    assert AlignSpec.of("mxnet") == AlignSpec.padded()
    assert AlignSpec.of("mxnet", 60, 0.1) == AlignSpec.padded(60, 0.1)
    assert AlignSpec.of("arcface", 56) == AlignSpec.arcface(56)
    with pytest.raises(BadOption, match=r"padding=0.1: the arcface template has none"):
        AlignSpec.of("arcface", padding=0.1)
    with pytest.raises(BadOption, match="template='dlib'"):
        AlignSpec.of("dlib")

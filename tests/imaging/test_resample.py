"""Crops and warps against cases made by hand."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.geometry.similarity import Similarity
from mien.imaging import Mipmap, resize


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32)


def test_a_crop_at_its_own_size_is_the_pixels() -> None:
    image = noise(30, 40)
    crops = Mipmap(image).crops(boxes((5, 7, 17, 19), (0, 0, 12, 12)), 12)
    np.testing.assert_array_equal(crops[0], image[7:19, 5:17])
    np.testing.assert_array_equal(crops[1], image[:12, :12])


def test_no_boxes_give_no_crops() -> None:
    assert Mipmap(noise(4, 4)).crops(np.empty((0, 4), np.float32), 12).shape == (0, 12, 12, 3)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    image = noise(20, 20)
    across, down = Mipmap(image).crops(boxes((3.5, 4, 13.5, 14), (3, 4.5, 13, 14.5)), 10).astype(float)
    wide = image.astype(float)
    np.testing.assert_allclose(across, (wide[4:14, 3:13] + wide[4:14, 4:14]) / 2, atol=0.5)
    np.testing.assert_allclose(down, (wide[4:14, 3:13] + wide[5:15, 3:13]) / 2, atol=0.5)


def test_enlarging_keeps_pixels_in_place() -> None:
    # One pixel of 100 in the dark, enlarged four times: its weight stays centered on the middle of that pixel.
    image = np.zeros((9, 9, 3), np.uint8)
    image[3, 5] = 100
    crop = Mipmap(image).crops(boxes((0, 0, 9, 9)), 36)[0, ..., 0].astype(float)
    y, x = np.mgrid[:36, :36] + 0.5
    assert (crop * x).sum() / crop.sum() / 4 == pytest.approx(5.5, abs=0.02)
    assert (crop * y).sum() / crop.sum() / 4 == pytest.approx(3.5, abs=0.02)


@pytest.mark.parametrize("halvings", [1, 2, 3])
def test_a_power_of_two_smaller_is_the_mean_of_each_block(halvings: int) -> None:
    block = 2**halvings
    image = noise(8 * block, 8 * block)
    crop = Mipmap(image).crops(boxes((0, 0, 8 * block, 8 * block)), 8)[0]
    means = image.reshape(8, block, 8, block, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(crop, means, atol=0.5 * halvings)  # each halving rounds once


def test_outside_is_black() -> None:
    image = np.full((10, 10, 3), 200, np.uint8)
    left, below, away = Mipmap(image).crops(boxes((-5, 0, 5, 10), (0, 5, 10, 15), (50, 50, 60, 60)), 10)
    assert (left[:, :5] == 0).all()
    assert (left[:, 5:] == 200).all()
    assert (below[:5] == 200).all()
    assert (below[5:] == 0).all()
    assert not away.any()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    side=st.floats(4, 190),
    left=st.floats(0.5, 8),
    top=st.floats(0.5, 8),
    size=st.sampled_from([12, 24, 48, 144]),
)
def test_a_flat_color_stays_flat_at_every_scale(side: float, left: float, top: float, size: int) -> None:
    image = np.full((256, 256, 3), (10, 130, 250), np.uint8)
    crop = Mipmap(image).crops(boxes((left + 32, top + 32, left + 32 + side, top + 32 + side)), size)[0]
    assert (crop == (10, 130, 250)).all()


@cache
def coordinates() -> Mipmap:
    """red = x / 2 and green = y / 2 at the center of each pixel, so a crop shows where it was taken."""
    y, x = (np.mgrid[:400, :400] + 0.5) / 2
    return Mipmap(np.stack([x, y, 0 * x], axis=-1).round().astype(np.uint8))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(side=st.floats(20, 300), left=st.floats(20, 60), top=st.floats(20, 60), size=st.sampled_from([12, 24, 48]))
def test_crops_sample_the_right_places(side: float, left: float, top: float, size: int) -> None:
    crop = coordinates().crops(boxes((left, top, left + side, top + side)), size)[0]
    step = (np.arange(size) + 0.5) * side / size
    # The image, the crop and each halving round by up to half a level; 0.25 for cv2's 1/32 of a pixel.
    tolerance = 1.25 + 0.5 * max(0, math.floor(math.log2(side / size)))
    np.testing.assert_allclose(crop[size // 2, :, 0], (left + step) / 2, atol=tolerance)
    np.testing.assert_allclose(crop[:, size // 2, 1], (top + step) / 2, atol=tolerance)


def test_a_quarter_turn_equals_rot90() -> None:
    image = noise(16, 24)
    # rot90 turns counter-clockwise: output (x, y) shows image (24 - y, x); the output is 16 wide, 24 high.
    to_image = np.array([[0.0, -1.0, 24.0], [1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(Mipmap(image).warp(to_image, 16, 24), np.rot90(image))


def test_warp_round_trip() -> None:
    y, x = np.mgrid[:60, :60]
    image = np.stack([x * 4, y * 4, x + y], axis=-1).astype(np.uint8)
    turn = Similarity(np.array([[0.96, -0.28, 10.0], [0.28, 0.96, -8.0]]))
    there = Mipmap(image).warp(turn.matrix, 60, 60)
    back = Mipmap(there).warp(turn.inverse().matrix, 60, 60)
    np.testing.assert_allclose(back[20:40, 20:40].astype(int), image[20:40, 20:40], atol=2)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (2, 3), (33, 65)])
def test_images_of_any_size_can_be_shrunk(height: int, width: int) -> None:
    image = np.full((height, width, 3), 77, np.uint8)
    crop = Mipmap(image).crops(boxes((-50, -50, 50, 50)), 12)
    assert crop.shape == (1, 12, 12, 3)


def test_the_input_image_is_unchanged() -> None:
    image = noise(40, 40)
    kept = image.copy()
    image.setflags(write=False)
    mipmap = Mipmap(image)
    mipmap.crops(boxes((0, 0, 40, 40)), 5)
    np.testing.assert_array_equal(mipmap.image, kept)


def test_threads_share_a_mipmap() -> None:
    image = noise(512, 512)
    wanted = boxes((0, 0, 512, 512), (30, 20, 400, 390), (0, 0, 100, 100), (100, 50, 300, 250))
    alone = Mipmap(image).crops(wanted, 12)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(25):
            shared = Mipmap(image)
            for crops in pool.map(lambda _, m=shared: m.crops(wanted, 12), range(8)):  # type: ignore[misc]
                np.testing.assert_array_equal(crops, alone)


def test_resize_averages_when_it_shrinks() -> None:
    image = noise(24, 36)
    np.testing.assert_array_equal(resize(image, 36, 24), image)
    small = resize(image, 12, 8)
    np.testing.assert_allclose(small, image.reshape(8, 3, 12, 3, 3).mean(axis=(1, 3)), atol=0.51)
    assert (resize(np.full((5, 7, 3), 90, np.uint8), 70, 50) == 90).all()


def test_outside_the_image_a_warp_has_the_color_asked_for() -> None:
    image = noise(20, 20)
    found = Mipmap(image).warp(np.array([[1.0, 0, 15], [0, 1.0, 0]]), 10, 10, (1, 2, 3))
    np.testing.assert_array_equal(found[:, :5], image[:10, 15:])
    assert (found[:, 5:] == (1, 2, 3)).all()


def test_halved_copies_at_hand_are_used() -> None:
    image = noise(40, 60)
    levels = Mipmap(image).levels(10)
    assert [level.shape[:2] for level in levels] == [(40, 60), (20, 30), (10, 15)]
    marked = [level.copy() for level in levels]
    marked[1][:] = 77
    found = Mipmap(marked[0], marked[1:]).warp(np.array([[2.0, 0, 0], [0, 2.0, 0]]), 30, 20)
    assert (found == 77).all()


def test_a_small_image_is_its_only_level() -> None:
    assert len(Mipmap(noise(9, 9)).levels(10)) == 1

"""Filters whose results can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.imaging import apply_tables, blur, motion_blur, saturate


def dot(size: int = 15) -> np.ndarray:
    image = np.zeros((size, size, 3), np.uint8)
    image[size // 2, size // 2] = 250
    return image


def test_each_channel_has_a_table_of_its_own():
    tables = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 7)], axis=1).astype(np.uint8)
    image = np.full((2, 3, 3), 10, np.uint8)
    assert apply_tables(image, tables)[1, 2].tolist() == [10, 245, 7]


def test_saturation():
    image = np.full((2, 2, 3), (200, 100, 50), np.uint8)
    gray = saturate(image, 0.0)[0, 0]
    assert gray.tolist() == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)] * 3
    np.testing.assert_array_equal(saturate(image, 1.0), image)
    assert saturate(image, 0.5)[0, 0].tolist() == pytest.approx((np.array([200, 100, 50]) + gray) / 2, abs=1)


def test_blur_keeps_the_sum_and_spreads_evenly():
    found = blur(dot(), 1.0).astype(int)[..., 0]
    assert found.sum() == pytest.approx(250, abs=15)
    assert found[7, 7] == pytest.approx(250 / (2 * np.pi), abs=3)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_motion_blur_keeps_the_sum_and_has_a_direction(degrees):
    found = motion_blur(dot(), 7, degrees).astype(int)[..., 0]
    assert found.sum() == pytest.approx(250, abs=20)
    rows, columns = np.nonzero(found > 20)
    # cv2 rotates the diagonal counterclockwise
    wide, high = np.ptp(columns), np.ptp(rows)
    if degrees == 45:
        assert min(wide, high) <= 1 < max(wide, high)
    else:
        assert min(wide, high) >= 3


def test_filters_leave_their_input_alone():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    before = image.copy()
    for found in (blur(image, 1.0), motion_blur(image, 5, 30.0), saturate(image, 0.3)):
        assert found.shape == image.shape
        np.testing.assert_array_equal(image, before)

"""Crops of boxes that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.errors import ModelMismatch
from mien.models import Grid, PointPatches, SquareBox, StretchedBox, Window

BOX = np.array([[10, 20, 30, 60]], np.float32)  # 20 x 40, center (20, 40)


def test_a_square_box_has_the_longer_side_times_the_context():
    assert SquareBox(1.5).crop_boxes(BOX).tolist() == [[-10, 10, 50, 70]]


def test_a_stretched_box_keeps_its_sides_in_proportion():
    assert StretchedBox(1.5).crop_boxes(BOX).tolist() == [[5, 10, 35, 70]]


def test_patches_are_centered_on_the_keypoints():
    spec = PointPatches(0.25)
    boxes = np.concatenate([BOX, BOX * 2])
    keypoints = np.array([[[15, 30], [25, 30]], [[30, 60], [50, 60]]], np.float32)
    assert spec.sides(boxes).tolist() == [10, 20]
    assert spec.crop_boxes(boxes, keypoints).tolist() == [
        *([10, 25, 20, 35], [20, 25, 30, 35]),
        *([20, 50, 40, 70], [40, 50, 60, 70]),
    ]


def test_the_face_box_is_centered_in_its_window():
    spec = Window(stride=4, cell=12)
    found = spec.face_boxes(np.array([0, 2]), np.array([0, 1]), 31)
    assert found.tolist() == [[9.5, 9.5, 21.5, 21.5], [13.5, 17.5, 25.5, 29.5]]


def test_cells_of_a_grid_are_centered_half_a_stride_from_their_corner():
    grid = Grid((8, 16, 32), 10.0, 340.0)
    rows, columns = np.array([0, 2]), np.array([0, 1])
    assert grid.centers(rows, columns, 8).tolist() == [[4, 4], [12, 20]]
    assert grid.centers(rows, columns, 32).tolist() == [[16, 16], [48, 80]]


@pytest.mark.parametrize(
    ("values", "entry"),
    [
        (((), 10.0, 340.0), "strides"),
        (((16, 8), 10.0, 340.0), "strides"),
        (((8, 12), 10.0, 340.0), "strides"),
        (((8,), 0.0, 340.0), "min_face"),
        (((8,), 10.0, 10.0), "max_face"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(values, entry):
    with pytest.raises(ModelMismatch, match=f"crop.{entry}"):
        Grid(*values)


@pytest.mark.parametrize("spec", [SquareBox(2.0), StretchedBox(2.0)])
def test_no_boxes_give_no_crops(spec):
    assert spec.crop_boxes(BOX[:0]).shape == (0, 4)
    assert PointPatches(0.25).crop_boxes(BOX[:0], np.empty((0, 5, 2), np.float32)).shape == (0, 4)

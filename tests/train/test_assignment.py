"""Which cells learn which face, on inputs small enough to count the cells by hand."""

from __future__ import annotations

import pytest
import torch

from mien.models import Grid
from mien.train.assignment import FACE, IGNORED, TOO_LARGE, Targets, assign, make_cells

GRID = Grid((8, 16, 32), 10.0, 340.0)
CPU = torch.device("cpu")


def targets(*rows):
    """Rows of (owner, box, kind)."""
    return Targets(
        torch.tensor([owner for owner, _, _ in rows], dtype=torch.long),
        torch.tensor([box for _, box, _ in rows], dtype=torch.float32).reshape(-1, 4),
        torch.tensor([kind for _, _, kind in rows], dtype=torch.int8),
        torch.full((len(rows), 5, 2), torch.nan),
    )


def assigned(rows, cells, predicted=None, quality=0.5, images=1):
    """Assign with the same box predicted everywhere, by default a square of 24 around each cell's center."""
    count = len(cells.strides)
    if predicted is None:
        boxes = torch.cat([cells.centers - 12, cells.centers + 12], dim=1).expand(images, count, 4)
    else:
        boxes = torch.tensor(predicted, dtype=torch.float32).expand(images, count, 4)
    return assign(targets(*rows), torch.full((images, count), quality), boxes, cells)


def centers_of(found, cells, image=0):
    return {tuple(center) for center in cells.centers[found.rows[image] >= 0].tolist()}


def test_cells_by_hand():
    cells = make_cells(GRID, 32, 64, CPU)
    assert len(cells.strides) == 4 * 8 + 2 * 4 + 1 * 2
    assert cells.centers[0].tolist() == [4, 4]
    assert cells.centers[9].tolist() == [12, 12]
    assert cells.centers[-1].tolist() == [48, 16]
    assert cells.coarsest.sum() == 2
    assert cells.sizes[0].tolist() == [0, 44]


def test_a_small_face_is_learned_by_central_cells_of_the_finest_grid_alone():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([(0, [16, 16, 40, 40], FACE)], cells)  # centered on (28, 28), itself a cell
    assert centers_of(found, cells) == {(28, 28)}
    assert cells.strides[found.rows[0] >= 0].tolist() == [8]


def test_as_many_cells_as_the_best_overlaps_sum_up_to_and_one():
    cells = make_cells(GRID, 64, 64, CPU)
    face = [12, 12, 44, 44]
    # Candidates are nine cells of the finest grid and one of the next. If all predict the face itself, all learn it.
    assert (assigned([(0, face, FACE)], cells, predicted=face).rows >= 0).sum() == 10
    # An IoU of a quarter each: 2.5, and one.
    assert (assigned([(0, face, FACE)], cells, predicted=[12, 12, 28, 28]).rows >= 0).sum() == 3
    # Nothing overlaps it: a single cell, so that learning can begin.
    assert (assigned([(0, face, FACE)], cells, predicted=[50, 50, 60, 60]).rows >= 0).sum() == 1


def test_a_face_between_two_sizes_is_learned_on_both_grids():
    cells = make_cells(GRID, 96, 96, CPU)
    face = [28, 28, 68, 68]  # 40 px: grids of 8 (below 44) and 16 (from 28)
    found = assigned([(0, face, FACE)], cells, predicted=face)
    assert set(cells.strides[found.rows[0] >= 0].tolist()) <= {8, 16}
    large = [0, 0, 95, 95]
    found = assigned([(0, large, FACE)], cells, predicted=large)
    assert set(cells.strides[found.rows[0] >= 0].tolist()) <= {16, 32}


def test_the_face_that_a_cell_fits_best_wins_it():
    cells = make_cells(GRID, 64, 64, CPU)
    near, shifted = [16, 16, 40, 40], [18, 18, 42, 42]
    found = assigned([(0, shifted, FACE), (0, near, FACE)], cells, predicted=near)
    cell = (cells.centers == 28).all(1) & (cells.strides == 8)
    assert found.rows[0, cell].tolist() == [1]


def test_equal_faces_give_the_first_of_them():
    cells = make_cells(GRID, 64, 64, CPU)
    face = [16, 16, 40, 40]
    found = assigned([(0, face, FACE), (0, face, FACE)], cells, predicted=face)
    assert set(found.rows[0].tolist()) == {-1, 0}


def test_a_face_belongs_to_its_image():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([(1, [16, 16, 40, 40], FACE)], cells, images=2)
    assert (found.rows[0] == -1).all()
    assert (found.weights[0] == 1).all()
    assert (found.rows[1] == 0).any()


def weight_at(found, cells, x, y, stride):
    cell = (cells.centers == torch.tensor([x, y])).all(1) & (cells.strides == stride)
    return found.weights[0, cell].item()


def test_weights_of_cells_without_a_face():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([(0, [16, 16, 40, 40], FACE), (0, [40, 0, 64, 24], IGNORED)], cells)
    assert weight_at(found, cells, 4, 4, 8) == 1.0  # background
    assert weight_at(found, cells, 52, 12, 8) == 0.0  # in an ignored box
    assert weight_at(found, cells, 24, 24, 16) == pytest.approx(0.3)  # in the face, on a grid for larger ones
    assert weight_at(found, cells, 28, 28, 8) == 1.0  # learns it


def test_a_face_in_an_ignored_region_is_a_face():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([(0, [0, 0, 64, 64], IGNORED), (0, [16, 16, 40, 40], FACE)], cells)
    assert weight_at(found, cells, 28, 28, 8) == 1.0
    assert weight_at(found, cells, 24, 24, 16) == pytest.approx(0.3)
    assert weight_at(found, cells, 4, 4, 8) == 0.0


def test_a_face_that_is_too_large_is_background_for_all_but_the_coarsest_grid():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([(0, [0, 0, 64, 64], TOO_LARGE)], cells)
    assert (found.rows == -1).all()
    assert found.weights[0, cells.coarsest].tolist() == [0.0] * 4
    assert (found.weights[0, ~cells.coarsest] == 1).all()


def test_without_faces_everything_is_background():
    cells = make_cells(GRID, 64, 64, CPU)
    found = assigned([], cells)
    assert (found.rows == -1).all()
    assert (found.weights == 1).all()

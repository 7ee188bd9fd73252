"""Meshes: where pixels go, and which triangle covers which."""

import numpy as np

from mien.imaging.mesh import warp_mesh

SQUARE = np.array([[10.0, 10], [30, 10], [30, 30], [10, 30]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def test_a_square_moves_and_the_rest_stays() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    warped = warp_mesh(image, SQUARE, SQUARE + np.array([20, 10]), HALVES)
    np.testing.assert_array_equal(warped[21:39, 31:49], image[11:29, 11:29])
    np.testing.assert_array_equal(warped[:19], image[:19])
    np.testing.assert_array_equal(warped[:, :29], image[:, :29])


def test_later_triangles_cover_earlier_ones_and_flat_ones_do_no_harm() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    image[:, :10], image[:, 10:20] = 50, 200
    left, right = np.array([[0.0, 0], [9, 0], [9, 40]]), np.array([[11.0, 0], [19, 0], [19, 40]])
    target = np.array([[30.0, 5], [50, 5], [50, 45]])
    vertices, moved = np.concatenate([left, right]), np.concatenate([target, target])
    for order, value in (([[0, 1, 2], [3, 4, 5]], 200), ([[3, 4, 5], [0, 1, 2]], 50)):
        warped = warp_mesh(image, vertices, moved, np.array([*order, [0, 0, 1]]))
        assert warped[12, 45].tolist() == [value] * 3

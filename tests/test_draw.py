"""Overlays: on a copy, in the right places, in the colour of their side."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.draw import BOX, LEFT, MIDDLE, RIGHT, contact_sheet, draw_faces
from mien.errors import BadOption
from mien.values import Faces


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    corners = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    inside = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    points = corners[:, None, :2] + inside * (corners[:, 2:] - corners[:, :2])[:, None]
    return Faces(corners, np.linspace(0.99, 0.5, len(corners), dtype=np.float32), points)


def grey(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def test_the_picture_itself_stays_as_it_is() -> None:
    picture = grey(200, 200)
    picture.setflags(write=False)
    drawn = draw_faces(picture, faces((50, 60, 150, 180)))
    assert (picture == 128).all()
    assert (drawn != 128).any()
    np.testing.assert_array_equal(draw_faces(picture, Faces.empty()), picture)


def test_points_have_the_colour_of_their_side() -> None:
    found = faces((50, 50, 150, 150))
    drawn = draw_faces(grey(200, 200), found)
    for point, colour in zip(found.points[0], (LEFT, RIGHT, MIDDLE, LEFT, RIGHT), strict=True):
        x, y = (int(c) for c in point)
        assert tuple(drawn[y, x]) == colour
    assert tuple(drawn[100, 50]) == BOX
    assert tuple(drawn[149, 100]) == BOX


def test_scores_are_written_when_wished() -> None:
    found = faces((50, 50, 150, 150))
    with_scores = draw_faces(grey(200, 200), found)
    without = draw_faces(grey(200, 200), found, scores=False)
    assert (with_scores[30:48] != without[30:48]).any()
    assert (without[:46] == 128).all()


def test_the_best_face_lies_on_top() -> None:
    drawn = draw_faces(grey(300, 300), faces((100, 100, 200, 200), (100, 110, 200, 210)), scores=False)
    assert tuple(drawn[140, 130]) == LEFT  # its left eye


@pytest.mark.parametrize("side", [1, 20, 1500])
def test_any_size_of_picture_and_face(side: int) -> None:
    drawn = draw_faces(grey(side, side), faces((-5, -5, side + 5, side + 5), (0, 0, 8, 8)))
    assert drawn.shape == (side, side, 3)


def test_lines_grow_with_the_picture() -> None:
    def line(side: int) -> int:
        drawn = draw_faces(grey(side, side), faces((side * 0.25,) * 2 + (side * 0.75,) * 2), scores=False)
        return int((drawn[side // 2] == BOX).all(axis=1).sum())

    assert line(1600) >= 4 * line(320) > 0


def test_a_contact_sheet_shows_every_picture_whole() -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    sizes = [(10, 20), (30, 10), (30, 20), (1, 1), (5, 20)]
    pictures = [np.full((*size, 3), colour, np.uint8) for size, colour in zip(sizes, colours, strict=True)]
    sheet = contact_sheet(pictures, columns=3)
    assert sheet.shape == (2 * 30 + 3 * 4, 3 * 20 + 4 * 4, 3)
    for (height, width), colour in zip(sizes, colours, strict=True):
        assert (sheet == colour).all(axis=2).sum() == height * width
    assert contact_sheet(pictures[:1], columns=8).shape == (10 + 8, 20 + 8, 3)


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(BadOption, match="not 0 and 3"):
        contact_sheet([], columns=3)
    with pytest.raises(BadOption, match="not 1 and 0"):
        contact_sheet([grey(4, 4)], columns=0)

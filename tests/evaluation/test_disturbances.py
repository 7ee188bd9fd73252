"""Disturbed copies of a face, on an image whose pixels say where they are."""

from __future__ import annotations

import numpy as np
import pytest

from mien.evaluation.disturbances import (
    CONTEXT,
    DISTURBANCES,
    FACE,
    OVERFILLED_SIDE,
    LabeledFace,
    around,
    blurred,
    covered,
    cut,
    darkened,
    overfilled,
)
from mien.imaging import Mipmap

BOXES = np.array([[100, 60, 140, 120], [160, 70, 180, 90]], np.float32)
"""A face of 40 x 60 around (120, 90), and one of 20 x 20 to the right of it."""


def face(scale: int = 1) -> LabeledFace:
    """The first face in an image where red rises from left to right and green from top to bottom."""
    rows, columns = np.mgrid[0 : 200 * scale, 0 : 250 * scale]
    image = np.stack([columns / scale, rows / scale, np.full_like(rows, 200)], axis=2).astype(np.uint8)
    return LabeledFace(Mipmap(image), BOXES * scale, 0)


def place(window, x: float, y: float) -> tuple[int, int]:
    """Where in the image a pixel of the window comes from."""
    red, green, _ = window.image[round(y), round(x)].tolist()
    return red, green


def test_a_small_face_keeps_its_size() -> None:
    window = around(face())
    side = round(CONTEXT * np.sqrt(40 * 60))
    assert window.image.shape == (side, side, 3)
    assert window.box.tolist() == pytest.approx([side / 2 - 20, side / 2 - 30, side / 2 + 20, side / 2 + 30])
    assert place(window, side / 2, side / 2) == pytest.approx((120, 90), abs=1)
    assert window.labeled[1] - window.box == pytest.approx(BOXES[1] - BOXES[0])


def test_a_large_face_is_reduced() -> None:
    window = around(face(scale=4))
    assert window.image.shape == (CONTEXT * FACE, CONTEXT * FACE, 3)
    width, height = (window.box[2:] - window.box[:2]).tolist()
    assert width * height == pytest.approx(FACE**2)
    assert height / width == pytest.approx(1.5)


def test_a_quarter_turn_is_clockwise_and_swaps_the_sides() -> None:
    window = cut(face(), 1.0, 200, 200, degrees=90)
    assert window.box.tolist() == pytest.approx([70, 80, 130, 120], abs=1e-4)
    # What was above the center is now to its right; the other face, once to the right, is below.
    assert place(window, 120, 100) == pytest.approx((120, 70), abs=1)
    assert window.labeled[1].tolist() == pytest.approx([100 - 10 + 10, 140, 120, 160], abs=1e-4)


@pytest.mark.parametrize("degrees", [30, 45, 60, 180])
def test_the_label_of_a_turned_face_bounds_its_ellipse(degrees: float) -> None:
    window = cut(face(), 1.0, 200, 200, degrees)
    around_it = np.linspace(0, 2 * np.pi, 3600)
    ellipse = np.stack([20 * np.cos(around_it), 30 * np.sin(around_it)], axis=1)
    angle = np.radians(degrees)
    turned = ellipse @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 100
    assert window.box.tolist() == pytest.approx([*turned.min(axis=0), *turned.max(axis=0)], abs=1e-2)


def test_an_overfilled_window_is_the_inner_part_of_the_box() -> None:
    window = overfilled(face(), 0.5)
    assert window.image.shape == (30, 20, 3)
    assert window.box.tolist() == [0, 0, 20, 30]
    assert place(window, 0, 0) == pytest.approx((110, 75), abs=1)
    large = overfilled(face(scale=16), 0.5)
    assert large.image.shape[0] == OVERFILLED_SIDE


def test_pixels_outside_the_image_are_black() -> None:
    window = cut(face(), 1.0, 400, 400)
    assert window.image[0, 0].tolist() == [0, 0, 0]


def test_brightness() -> None:
    plain, dark = around(face()), darkened(face(), 0.25)
    assert np.abs(plain.image * 0.25 - dark.image).max() <= 0.5
    assert dark.box.tolist() == plain.box.tolist()


@pytest.mark.parametrize("upper", [True, False])
def test_a_cover_lies_over_half_of_the_box(upper: bool) -> None:
    plain, window = around(face()), covered(face(), upper=upper)
    gray = (window.image == 128).all(axis=2)
    rows, columns = np.nonzero(gray)
    x0, y0, x1, y1 = window.box
    assert (columns.min(), columns.max() + 1) == pytest.approx((x0 - 4, x1 + 4), abs=1)
    wanted = (y0 - 6, (y0 + y1) / 2) if upper else ((y0 + y1) / 2, y1 + 6)
    assert (rows.min(), rows.max() + 1) == pytest.approx(wanted, abs=1)
    assert (window.image[~gray] == plain.image[~gray]).all()


def test_blur_removes_detail_and_keeps_the_place() -> None:
    pixels = np.zeros((200, 250, 3), np.uint8)
    pixels[:, :120:2] = 255  # stripes of one pixel on the left of the face's center
    window = blurred(LabeledFace(Mipmap(pixels), BOXES, 0))
    middle = window.image.shape[1] // 2
    assert window.image.shape == around(face()).image.shape
    rows = window.image[middle - 20 : middle + 20].astype(int)
    assert np.ptp(rows[:, 20 : middle - 10]) < 80
    assert rows[:, middle + 10 :].max() < 40


@pytest.mark.parametrize("name", DISTURBANCES)
def test_every_window_holds_its_label(name: str) -> None:
    window = DISTURBANCES[name](face())
    height, width = window.image.shape[:2]
    x0, y0, x1, y1 = window.box
    assert -1e-3 <= x0 < x1 <= width + 1e-3
    assert -1e-3 <= y0 < y1 <= height + 1e-3
    assert len(window.labeled) == 2


def test_a_shrunk_face_has_its_size() -> None:
    for size in (20, 12):
        window = DISTURBANCES[f"shrunk to {size} px"](face())
        assert float(np.prod(window.box[2:] - window.box[:2])) == pytest.approx(size**2)

"""Drawing lands where it should; files are whole or not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.imaging import (
    draw_label,
    draw_lines,
    draw_points,
    draw_rectangles,
    encode_jpeg,
    encode_png,
    paint,
    read_image,
    write_image,
)

RED = (255, 0, 0)


def black(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def touched(canvas: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First and last row and column that were drawn on, as x0, y0, x1, y1."""
    rows, columns = np.nonzero(canvas.any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_rectangles_lie_on_their_box() -> None:
    canvas = black()
    draw_rectangles(canvas, np.array([[10, 5, 30, 25]], np.float32), RED)
    assert touched(canvas) == (10, 5, 30, 25)
    assert tuple(canvas[5, 20]) == RED
    assert tuple(canvas[15, 29]) == RED
    assert not canvas[15, 20].any()


def test_points_are_centred() -> None:
    canvas = black()
    draw_points(canvas, np.array([[20.5, 10.5]], np.float32), RED, radius=2)
    x0, y0, x1, y1 = touched(canvas)
    # antialiasing may spill by one pixel on either side
    np.testing.assert_allclose(((x0 + x1) / 2, (y0 + y1) / 2), (20.5, 10.5), atol=0.5)
    assert x1 - x0 in (5, 6, 7)
    assert tuple(canvas[10, 20]) == RED


def test_lines_join_their_points_and_close_when_wished() -> None:
    corners = np.array([[10.5, 5.5], [30.5, 5.5], [30.5, 25.5]], np.float32)
    canvas, closed = black(), black()
    draw_lines(canvas, corners, RED)
    draw_lines(closed, corners, RED, closed=True)
    assert min(canvas[5, 20, 0], canvas[15, 30, 0]) > 200
    assert not canvas[15, 20].any()
    assert closed[15, 20].any()
    assert not closed[20, 15].any()


def test_unknown_and_far_away_shapes_do_no_harm() -> None:
    canvas = black()
    draw_points(canvas, np.array([[np.nan, 3], [1e30, 5], [-np.inf, 0]], np.float32), RED)
    draw_rectangles(canvas, np.array([[np.nan, 0, 9, 9], [1e9, 1e9, 2e9, np.inf]], np.float32), RED)
    draw_points(canvas, np.empty((0, 2), np.float32), RED)
    draw_lines(canvas, np.array([[np.nan, 3], [-1e30, -5], [-np.inf, 0]], np.float32), RED)
    draw_lines(canvas, np.empty((0, 2), np.float32), RED)
    draw_rectangles(canvas, np.empty((0, 4), np.float32), RED)
    assert not canvas.any()


def test_labels_stay_inside_and_grow_with_the_image() -> None:
    heights = []
    for side in (100, 2000):
        canvas = black(side, side)
        draw_label(canvas, "0.98", (side * 2, -50), RED)
        x0, y0, x1, y1 = touched(canvas)
        assert x0 > 0
        assert (y0, x1) == (0, side)
        heights.append(y1 - y0)
    assert heights == [12, 50]


def test_a_label_can_be_read() -> None:
    plain, written = black(100, 300), black(100, 300)
    draw_label(plain, " ", (10, 60), RED, 40)
    draw_label(written, "0.98", (10, 60), RED, 40)
    ink = (written[20:60] == 255).all(axis=2)
    assert ink.mean() > 0.03
    assert not (plain == 255).all(axis=2).any()
    draw_label(black(1, 1), "0.98", (0, 0), RED)


def test_png_keeps_every_pixel_and_jpeg_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(encode_png(image)), image)
    flat = np.full((32, 32, 3), (200, 40, 90), np.uint8)
    assert abs(read_image(encode_jpeg(flat)).astype(int) - flat).max() <= 3
    assert len(encode_jpeg(image, quality=20)) < len(encode_jpeg(image, quality=95))


@pytest.mark.parametrize("array", [black()[..., 0], black().astype(float), black()[:0], np.dstack([black()] * 2)])
def test_only_images_are_encoded(array: NDArray[np.uint8]) -> None:
    with pytest.raises(BadOption, match=r"an image is uint8 \(h, w, 3\)"):
        encode_png(array)


@pytest.mark.parametrize("name", ["a.png", "b.JPG", "c.jpeg"])
def test_images_are_written_and_replace_old_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("old")
    write_image(path, black())
    assert not read_image(path).any()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_text("old")

    def half(partial: Path, data: bytes) -> int:
        with partial.open("wb") as stream:
            stream.write(data[: len(data) // 2])
        raise OSError("no space left on device")

    monkeypatch.setattr(paint.Path, "write_bytes", half)
    with pytest.raises(OSError, match="no space"):
        write_image(path, black())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"a\.xyz: images are written as \.jpg"):
        write_image(tmp_path / "a.xyz", black())

"""Encoded images keep their pixels; files are written atomically."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.imaging import encode_jpeg, encode_png, io, read_image, write_image


def black(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


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

    monkeypatch.setattr(io.Path, "write_bytes", half)
    with pytest.raises(OSError, match="no space"):
        write_image(path, black())
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_unwritable_paths_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"a\.xyz: images are written as \.jpg"):
        write_image(tmp_path / "a.xyz", black())

"""Images come as paths, bytes, file objects, arrays and PIL images; anything else is rejected with a cure."""

from __future__ import annotations

import builtins
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.errors import BadImage, BadOption
from mien.imaging import SUFFIXES, encode_png, image_size, read_image, write_image

PIXELS: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
PNG = encode_png(PIXELS)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("source", [PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG)])
def test_bytes_and_file_objects(source: Any) -> None:
    np.testing.assert_array_equal(read_image(source), PIXELS)
    assert image_size(source) == (30, 20)


def test_a_file_object_is_read_from_its_start() -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG")  # leaves the stream at its end
    np.testing.assert_array_equal(read_image(stream), PIXELS)


def test_an_open_file_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with path.open("rb") as file:
        np.testing.assert_array_equal(read_image(file), PIXELS)
        assert not file.closed
    with pytest.raises(BadImage, match=r"cannot be read .*closed.*; give an open file"):
        read_image(file)
    with path.open(encoding="latin-1") as text, pytest.raises(BadImage, match=r"gives str, not bytes; .*'rb'"):
        read_image(text)  # type: ignore[arg-type]
    with tempfile.SpooledTemporaryFile() as spooled:
        spooled.write(PNG)
        np.testing.assert_array_equal(read_image(spooled), PIXELS)


def test_a_pipe_given_as_a_file_object() -> None:
    reader, writer = os.pipe()
    os.write(writer, PNG)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        np.testing.assert_array_equal(read_image(file), PIXELS)


def test_pil_images() -> None:
    image = Image.fromarray(PIXELS)
    np.testing.assert_array_equal(read_image(image), PIXELS)
    np.testing.assert_array_equal(read_image(Image.open(io.BytesIO(PNG))), PIXELS)
    gray = read_image(image.convert("L"))
    assert (gray[..., 0] == gray[..., 2]).all()
    white = read_image(Image.new("RGBA", (4, 4), (0, 0, 0, 0)))
    assert (white == 255).all()


def test_the_orientation_of_a_pil_image_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(encoded(Image.fromarray(PIXELS), "PNG", exif=exif)))
    np.testing.assert_array_equal(read_image(image), np.rot90(PIXELS, -1))


@pytest.mark.parametrize("image", [Image.new("F", (4, 4)), Image.open(io.BytesIO(PNG[:300])), Image.new("RGB", (0, 4))])
def test_unusable_pil_images(image: Image.Image) -> None:
    with pytest.raises(BadImage, match=r"^PIL image: "):
        read_image(image)


def test_the_channel_order_of_an_array() -> None:
    bgr = np.ascontiguousarray(PIXELS[..., ::-1])
    got = read_image(bgr, color="BGR")
    np.testing.assert_array_equal(got, PIXELS)
    assert got.flags.c_contiguous
    opaque = np.full((20, 30, 1), 255, np.uint8)
    np.testing.assert_array_equal(read_image(np.concatenate([bgr, opaque], axis=2), color="BGR"), PIXELS)
    np.testing.assert_array_equal(read_image(PIXELS[..., 0], color="BGR"), read_image(PIXELS[..., 0]))
    np.testing.assert_array_equal(read_image(PNG, color="BGR"), PIXELS)  # a file knows its own order
    with pytest.raises(BadOption, match="color is 'HSV'; it must be 'RGB' or 'BGR'"):
        read_image(PIXELS, color="HSV")  # type: ignore[arg-type]


@pytest.mark.parametrize("read", [read_image, image_size])
def test_a_pipe_is_rejected_without_blocking(tmp_path: Path, read: Any) -> None:
    pipe = tmp_path / "x.jpg"
    os.mkfifo(pipe)
    with pytest.raises(BadImage, match=r"x\.jpg: a pipe or device, not a file; save the image to a file"):
        read(pipe)
    with pytest.raises(BadImage, match="a pipe or device"):
        read("/dev/null")


@pytest.mark.parametrize("path", ["a" * 300 + ".jpg", "b/" * 5000 + "c.jpg"])
def test_a_name_longer_than_the_file_system_allows(path: str) -> None:
    with pytest.raises(BadImage, match=r"cannot be opened \(File name too long\); check the path"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("max_side", [16, 37, 50, 200, 800, 1000])
def test_max_side_bounds_the_longer_side(name: str, max_side: int, tmp_path: Path) -> None:
    y, x = np.mgrid[:600, :800]
    image = np.stack([x / 4, y / 4, (x + y) / 8], axis=-1).astype(np.uint8)
    write_image(tmp_path / name, image)
    small = read_image(tmp_path / name, max_side=max_side)
    width = min(max_side, 800)
    assert small.shape == (round(width * 3 / 4), width, 3)
    at_y, at_x = (np.linspace(0.5, side - 0.5, 5) for side in small.shape[:2])
    for row in at_y:
        for column in at_x:
            expected = np.array([column / width * 200, row / width * 200, (column + row) / width * 100])
            assert abs(small[int(row), int(column)] - expected).max() < 8


def test_max_side_for_every_kind_of_source() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    rotated = encoded(Image.fromarray(PIXELS), "JPEG", exif=exif)
    assert read_image(rotated, max_side=15).shape == (15, 10, 3)
    for source in (PIXELS, PIXELS[..., 0], Image.fromarray(PIXELS), PNG):
        assert read_image(source, max_side=15).shape == (10, 15, 3)
        assert read_image(source, max_side=30).shape == (20, 30, 3)
    assert read_image(np.zeros((1, 1000, 3), np.uint8), max_side=10).shape == (1, 10, 3)
    with pytest.raises(BadOption, match="max_side is 0; it must be at least 1"):
        read_image(PNG, max_side=0)


@pytest.mark.parametrize(
    ("kind", "value", "cause"),
    [(16, b"\xff" * 8, OverflowError), (12, b"\x00" * 6 + b"\xf0\x3f", TypeError), (2, b"text\0\0\0\0", TypeError)],
)
def test_tiffs_with_invalid_strip_offsets(kind: int, value: bytes, cause: type[Exception]) -> None:
    data = bytearray(encoded(Image.fromarray(PIXELS), "TIFF", big_tiff=True))
    entry = next(at for at in range(24, len(data), 20) if data[at : at + 2] == b"\x11\x01")  # StripOffsets
    data[entry + 2 : entry + 4] = bytes([kind, 0])  # LONG8, DOUBLE or ASCII
    data[entry + 4 : entry + 12] = (8 if kind == 2 else 1).to_bytes(8, "little")
    data[entry + 12 : entry + 20] = value
    with pytest.raises(BadImage, match="bytes: damaged or incomplete") as caught:
        read_image(bytes(data))
    assert type(caught.value.__cause__) is cause


def test_avif() -> None:
    pytest.importorskip("PIL.AvifImagePlugin")
    exif = Image.Exif()
    exif[0x0112] = 6
    smooth = np.add.outer(np.arange(20) * 8, np.arange(30) * 3)[..., None].repeat(3, axis=2).astype(np.uint8)
    data = encoded(Image.fromarray(smooth), "AVIF", quality=95, exif=exif)
    assert image_size(data) == (20, 30)
    assert abs(read_image(data).astype(int) - np.rot90(smooth, -1)).mean() < 3


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    smooth = np.add.outer(np.arange(64) * 3, np.arange(80))[..., None].repeat(3, axis=2).astype(np.uint8)
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(stream, quality=95)
    assert image_size(stream) == (80, 64)
    assert abs(read_image(stream).astype(int) - smooth).mean() < 3


@pytest.mark.parametrize(
    ("brand", "missing", "message"),
    [
        (b"heic", "pillow_heif", "reading HEIC needs pillow_heif"),
        (b"avif", "PIL.AvifImagePlugin", "reading AVIF needs"),
    ],
)
def test_a_missing_decoder_names_the_extra(
    brand: bytes, missing: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, missing, raising=False)
    data = b"\x00\x00\x00\x14ftyp" + brand + bytes(4) + b"mif1" + bytes(50)
    with pytest.raises(BadImage, match=rf"bytes: {message}.*pip install 'mien\[heif\]', or convert .* JPEG") as caught:
        read_image(data)
    assert caught.value.fault == "kind"


def test_a_video_is_no_image() -> None:
    with pytest.raises(BadImage, match="not an image that mien reads") as caught:
        read_image(b"\x00\x00\x00\x18ftypmp42" + bytes(50))
    assert caught.value.fault == "kind"


def test_suffixes_of_images() -> None:
    assert {".jpg", ".jfif", ".heic", ".avif", ".png"} <= SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)

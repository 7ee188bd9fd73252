"""Every kind of file and array becomes the same upright RGB image, or a BadImage that names the cure."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.errors import BadImage, BadOption
from mien.imaging import read_image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
# Two rows, three columns, all pixels different: any flip or turn shows.
SMALL: NDArray[np.uint8] = np.array([[RED, GREEN, BLUE], [WHITE, (0, 0, 0), (9, 99, 199)]], dtype=np.uint8)


def encoded(image: Image.Image | NDArray[Any], kind: str, **options: Any) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def smooth(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A gradient, which JPEG keeps within a few levels."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3, y * 4, (x + y) * 2], axis=-1).astype(np.uint8)


def check(image: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_files_keep_every_pixel(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = encoded(SMALL, kind, **options)
    path = tmp_path / "image.bin"
    path.write_bytes(data)
    check(read_image(data), SMALL)
    check(read_image(path), SMALL)
    check(read_image(str(path)), SMALL)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_files_stay_close(kind: str) -> None:
    error = read_image(encoded(smooth(), kind, quality=95)).astype(int) - smooth()
    assert abs(error).mean() < 3


@pytest.mark.parametrize("size", [(300, 700), (3, 30_000), (30_000, 3)])
def test_images_larger_than_the_copy_strip(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    check(read_image(encoded(image, "BMP")), image)


def test_an_image_of_one_pixel() -> None:
    check(read_image(encoded(SMALL[:1, :1], "PNG")), SMALL[:1, :1])


# What the camera stored, from what is seen: the inverse of each orientation's definition, in numpy.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
def test_orientation_is_applied_once(orientation: int, kind: str) -> None:
    seen = smooth() if kind == "JPEG" else SMALL
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    stored = np.ascontiguousarray(STORED[orientation](seen))
    got = read_image(encoded(stored, kind, exif=exif.tobytes(), **options))
    assert got.shape == seen.shape
    assert abs(got.astype(int) - seen).mean() < (3 if kind == "JPEG" else 1e-9)


def exif_bytes(order: str, kind: int, value: int, entries: int = 1) -> bytes:
    packed = struct.pack(order + "I", value) if kind == 4 else struct.pack(order + "HH", value, 0)
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HIH", 42, 8, entries)
    return b"Exif\0\0" + head + struct.pack(order + "HHI", 0x0112, kind, 1) + packed + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_orientation_in_either_byte_order_and_width(order: str, kind: int) -> None:
    got = read_image(encoded(SMALL, "PNG", exif=exif_bytes(order, kind, 3)))
    check(got, SMALL[::-1, ::-1])


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0" + b"\xff" * 40,
        exif_bytes("<", 3, 77),
        exif_bytes("<", 3, 0),
        exif_bytes("<", 3, 1, entries=500),
    ],
)
def test_damaged_exif_neither_rotates_nor_warns(exif: bytes) -> None:
    assert read_image(encoded(smooth(), "JPEG", exif=exif)).shape == smooth().shape


def test_damaged_density_in_a_jpeg_without_jfif_does_not_warn() -> None:
    # Pillow looks for the density in EXIF when there is no JFIF header, and warns when it points outside.
    entry = struct.pack("<HHII", 0x011A, 5, 1, 4000)
    exif = b"Exif\0\0II" + struct.pack("<HIH", 42, 8, 1) + entry + bytes(4)
    data = encoded(smooth(), "JPEG")
    without_jfif = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[20:]
    with pytest.warns(UserWarning, match=r"EXIF|Truncated"), Image.open(io.BytesIO(without_jfif)):
        pass
    assert read_image(without_jfif).shape == smooth().shape


def test_gray_and_one_bit() -> None:
    gray = np.array([[0, 128, 255]], dtype=np.uint8)
    check(read_image(encoded(gray, "PNG")), np.repeat(gray[..., None], 3, axis=2))
    bits = Image.fromarray(gray).convert("1", dither=Image.Dither.NONE)
    check(read_image(encoded(bits, "PNG")), np.repeat(np.array([[[0], [255], [255]]], dtype=np.uint8), 3, axis=2))


def test_alpha_is_composited_on_white() -> None:
    rgba = np.array([[(200, 100, 0, 255), (200, 100, 0, 0), (200, 100, 0, 51)]], dtype=np.uint8)
    # 51 / 255 = 0.2: 0.2 * 200 + 0.8 * 255 = 244, 0.2 * 100 + 204 = 224, 204
    expected = np.array([[(200, 100, 0), WHITE, (244, 224, 204)]], dtype=np.uint8)
    check(read_image(encoded(rgba, "PNG")), expected)
    check(read_image(rgba), expected)
    gray_alpha = Image.fromarray(rgba[..., 0]).convert("LA")
    gray_alpha.putalpha(Image.fromarray(rgba[..., 3]))
    check(read_image(encoded(gray_alpha, "PNG")), np.array([[(200,) * 3, WHITE, (244,) * 3]], dtype=np.uint8))


def palette_image() -> Image.Image:
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "L").convert("P")
    image.putpalette([*RED, *GREEN, *BLUE])
    return image


def test_palette_with_and_without_transparency() -> None:
    image = palette_image()
    check(read_image(encoded(image, "PNG")), np.array([[RED, GREEN, BLUE]], dtype=np.uint8))
    check(read_image(encoded(image, "PNG", transparency=1)), np.array([[RED, WHITE, BLUE]], dtype=np.uint8))
    check(
        read_image(encoded(image, "PNG", transparency=b"\xff\xff\x00")),
        np.array([[RED, GREEN, WHITE]], dtype=np.uint8),
    )
    check(read_image(encoded(image, "GIF")), np.array([[RED, GREEN, BLUE]], dtype=np.uint8))


def test_a_missing_palette() -> None:
    data = encoded(palette_image(), "PNG")
    start = data.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", data, start)
    with pytest.raises(BadImage, match="it has no palette"):
        read_image(data[:start] + data[start + 12 + length :])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_scaled_not_clipped(kind: str) -> None:
    deep = np.array([[0, 257, 257 * 100, 65535, 300]], dtype=np.uint16)
    expected = np.array([0, 1, 100, 255, 1], dtype=np.uint8)
    check(read_image(encoded(deep, kind)), np.repeat(expected[None, :, None], 3, axis=2))


def test_sixteen_bit_color_is_scaled_not_clipped() -> None:
    row = np.array([(65535, 0, 257 * 50)], dtype=">u2").tobytes()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" + row))
    check(read_image(png + chunk(b"IEND", b"")), np.array([[(255, 0, 50)]], dtype=np.uint8))


def test_cmyk() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
    assert abs(read_image(encoded(image, "JPEG")).astype(int) - RED).max() < 6


@pytest.mark.parametrize("mode", ["F", "I"])
def test_32_bits_are_rejected(mode: str) -> None:
    with pytest.raises(BadImage, match=r"32 bits.*8 or 16"):
        read_image(encoded(Image.new(mode, (4, 4)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, GREEN, BLUE)]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    check(read_image(data), np.full((8, 8, 3), RED, dtype=np.uint8))


def test_arrays() -> None:
    check(read_image(SMALL), SMALL)
    assert read_image(SMALL) is SMALL
    gray = SMALL[..., 0]
    expected = np.repeat(gray[..., None], 3, axis=2)
    check(read_image(gray), expected)
    check(read_image(gray[..., None]), expected)


@pytest.mark.parametrize(
    "view",
    [
        SMALL[:, ::-1],
        SMALL[::-1, ::2],
        SMALL[..., ::-1],
        SMALL.transpose(1, 0, 2),
        np.asfortranarray(SMALL),
        np.dstack([SMALL, np.full((2, 3), 255, dtype=np.uint8)])[:, ::-2],
    ],
)
def test_arrays_of_any_strides(view: NDArray[np.uint8]) -> None:
    check(read_image(view), np.array(view[..., :3], order="C"))


@pytest.mark.parametrize(
    ("array", "cure"),
    [
        (np.zeros((4, 4, 3)), r"float64, not uint8.*\* 255"),
        (np.zeros((4, 4), np.uint16), r"uint16, not uint8.*// 257"),
        (np.zeros((4, 4), bool), r"bool, not uint8.*\* 255"),
        (np.zeros((4, 4), np.int64), r"int64, not uint8.*clip"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\), which has no pixels"),
        (np.zeros((0,), np.uint8), r"shape is \(0,\).*\(h, w\)"),
        (np.zeros((4, 4, 2), np.uint8), r"shape is \(4, 4, 2\).*\(h, w, 4\)"),
        (np.zeros((3, 40, 50), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"shape is \(1, 4, 4, 3\)"),
    ],
)
def test_invalid_arrays_are_rejected_with_a_cure(array: NDArray[Any], cure: str) -> None:
    with pytest.raises(BadImage, match=cure):
        read_image(array)


def test_sources_without_an_image(tmp_path: Path) -> None:
    with pytest.raises(BadImage, match="NoneType is not an image"):
        read_image(None)  # type: ignore[arg-type]
    with pytest.raises(BadImage, match=r"missing\.jpg: there is no such file; check the path"):
        read_image(tmp_path / "missing.jpg")
    with pytest.raises(BadImage, match="a folder, not an image"):
        read_image(tmp_path)
    with pytest.raises(BadImage, match="cannot be opened"):
        read_image("nul\0byte.jpg")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    with pytest.raises(BadImage, match=r"empty\.jpg: empty \(0 bytes\)"):
        read_image(empty)
    with pytest.raises(BadImage, match=r"^bytes: empty"):
        read_image(b"")
    text = tmp_path / "notes.jpg"
    text.write_text("not an image")
    with pytest.raises(BadImage, match=r"notes\.jpg: not an image.*b'not an i'.*convert"):
        read_image(text)
    with pytest.raises(BadImage, match="damaged or incomplete"):
        read_image(b"\xff\xd8\xff\xe0 and nothing more")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
    ],
)
def test_truncated_files_are_rejected(kind: str, options: dict[str, Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    data = encoded(noise, kind, **options)
    whole = read_image(data)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        with pytest.raises(BadImage, match=r"bytes: .*; "):
            read_image(data[: int(len(data) * share)])
    for missing in range(1, 30):  # a missing end mark alone loses no pixel
        try:
            np.testing.assert_array_equal(read_image(data[:-missing]), whole)
        except BadImage:
            continue


def test_an_end_marker_does_not_hide_truncation() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    png, gif = encoded(noise, "PNG"), encoded(noise, "GIF")
    start = png.index(b"IDAT")
    cut = png[start : start + 2000]
    end = struct.pack(">I", zlib.crc32(cut)) + bytes(4) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    for data in (png[: start - 4] + struct.pack(">I", len(cut) - 4) + cut + end, gif[:1500] + b"\x00\x3b"):
        with pytest.raises(BadImage, match="damaged or incomplete"):
            read_image(data)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("size", [(8000, 7000), (30000, 30000), (2_000_000_000, 2_000_000_000)])
def test_the_pixel_limit_is_checked_on_the_header(size: tuple[int, int]) -> None:
    # The file has no pixels at all, so only the header was read; Pillow's own limit must stay silent.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadImage, match=rf"bytes: {size[0]} x {size[1]} is \d+ pixels, more than 50000000"):
            read_image(png_header(*size))


def test_the_limit_can_be_set() -> None:
    data = encoded(SMALL, "PNG")
    check(read_image(data, max_pixels=6), SMALL)
    for source in (data, SMALL):
        with pytest.raises(BadImage, match=r"2 is 6 pixels, more than 5; .*max_pixels"):
            read_image(source, max_pixels=5)
    with pytest.raises(BadOption, match="max_pixels is 0"):
        read_image(data, max_pixels=0)
    with pytest.raises(BadImage, match="damaged"):  # allowed, but then there is nothing to decode
        read_image(png_header(12000, 10000), max_pixels=200_000_000)


def test_sides_beyond_the_warp_limit_are_rejected() -> None:
    with pytest.raises(BadImage, match="40000 x 10 has a side above 32766"):
        read_image(np.zeros((10, 40000, 3), np.uint8))

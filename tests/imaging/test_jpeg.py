"""JPEGs with excessive scans or missing blocks are rejected; complete ones are not."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.errors import BadImage
from mien.imaging import read_image
from mien.imaging.jpeg import jpeg_layout

EOI = b"\xff\xd9"


def jpeg(pixels: NDArray[np.uint8] | Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(stream, "JPEG", **options)
    return stream.getvalue()


def noise(height: int = 64, width: int = 80) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def progressive(width: int, height: int, scans: int) -> bytes:
    """A gray progressive JPEG whose scans say in a few bytes that all blocks stay as they are."""
    blocks = -(-width // 8) * -(-height // 8)
    one_code = bytes([1] + [0] * 15)
    head = b"\xff\xd8" + segment(0xDB, bytes(1) + bytes([1] * 64))
    head += segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
    head += segment(0xC4, b"\x00" + one_code + b"\x00")  # DC: the bit 0 is a difference of 0
    head += segment(0xC4, b"\x10" + one_code + b"\xe0")  # AC: the bit 0 and 14 ones end the next 32767 blocks
    dc = segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(blocks // 8 + 1)
    bits = ("0" + "1" * 14) * -(-blocks // 32767)
    bits += "1" * (-len(bits) % 8)
    runs = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    ac = segment(0xDA, bytes([1, 1, 0, 1, 63, 0])) + runs
    return head + dc + ac * (scans - 1) + EOI


def test_excessive_scans_are_rejected_before_decoding() -> None:
    data = progressive(7000, 7000, 4000)
    assert len(data) < 450_000
    start = time.process_time()
    with pytest.raises(
        BadImage, match=r"bytes: a JPEG of 4000 scans, more than the 20 allowed for 7000 x 7000"
    ) as caught:
        read_image(data)
    assert caught.value.fault == "size"
    assert time.process_time() - start < 5  # decoding takes a minute


@pytest.mark.parametrize(("scans", "allowed"), [(100, True), (101, False)])
def test_the_number_of_scans_is_bounded_for_small_images_too(scans: int, allowed: bool) -> None:
    data = progressive(64, 48, scans)
    if allowed:
        assert (read_image(data) == 128).all()
    else:
        with pytest.raises(BadImage, match="101 scans, more than the 100 allowed"):
            read_image(data)


def test_scans_are_counted_as_a_decoder_meets_them() -> None:
    assert jpeg_layout(jpeg(noise())).scans == 1
    assert jpeg_layout(jpeg(noise())).one_scan
    assert jpeg_layout(jpeg(noise(), progressive=True)).scans == 10
    assert not jpeg_layout(jpeg(noise(), progressive=True)).one_scan
    assert jpeg_layout(jpeg(noise(), restart_marker_rows=1)).scans == 1
    whole = progressive(64, 48, 30)
    comment = segment(0xFE, b"\xff\xda" * 50)  # in a segment these bytes are no markers
    assert jpeg_layout(whole[:2] + comment + whole[2:]).scans == 30
    # After the end marker nothing is decoded: motion photos carry a video there.
    assert jpeg_layout(whole + whole[2:]).scans == 30
    assert jpeg_layout(whole).end == len(whole) - 2
    # Reserved markers have no length, so no scan can hide behind them.
    assert jpeg_layout(whole.replace(b"\xff\xda", b"\xff\x02\xff\xff\xff\xda")).scans == 30


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xc0\x00", b"\xff\xd8\xff\xda", b"\xff\xd8\xff\xda\x00\x00"]
)
def test_damaged_structure_does_not_raise(data: bytes) -> None:
    assert jpeg_layout(data).end == len(data)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_an_end_marker_does_not_hide_missing_blocks(mode: str, options: dict[str, Any], share: float) -> None:
    data = jpeg(Image.fromarray(noise()).convert(mode), **options)
    start = data.rindex(b"\xff\xda")
    cut = data[: start + int((len(data) - start) * share)] + EOI
    with pytest.raises(BadImage, match="its last blocks are missing") as caught:
        read_image(cut)
    assert caught.value.fault == "damage"


def test_a_progressive_jpeg_truncated_in_its_first_scan_is_rejected() -> None:
    data = jpeg(noise(), progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    with pytest.raises(BadImage, match="its last blocks are missing"):
        read_image(data[: (first + second) // 2] + EOI)


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (64, 80)])
def test_a_whole_image_that_ends_in_middle_gray_is_read(
    size: tuple[int, int], mode: str, options: dict[str, Any]
) -> None:
    gray = Image.new(mode, size, (128,) * len(mode) if len(mode) > 1 else 128)
    pixels = read_image(jpeg(gray, **options))
    assert pixels.shape == (*size[::-1], 3)
    assert np.ptp(pixels) <= 2


@pytest.mark.parametrize("max_side", [None, 40])
def test_a_gray_corner_differs_from_a_missing_block(max_side: int | None) -> None:
    pixels = noise()
    pixels[32:] = 128
    data = jpeg(pixels)
    assert read_image(data, max_side=max_side).any()
    with pytest.raises(BadImage, match="its last blocks are missing"):
        read_image(data[: int(len(data) * 0.7)] + EOI, max_side=max_side)

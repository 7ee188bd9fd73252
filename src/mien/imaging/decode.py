"""Decode image files with Pillow (see docs/decisions/0002-reading-images.md)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

import numpy as np
from PIL import Image as PILImage
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mien.errors import BadImage, MissingExtra, needs_extra
from mien.imaging.jpeg import JpegLayout, jpeg_layout
from mien.imaging.resample import resize
from mien.types import Image

MAX_SIDE = 32_766
"""The longest side that OpenCV's warp takes (its coordinates are 16 bits wide before OpenCV 5)."""

_MAX_SCANS = 100
"""The most scans of a JPEG. Encoders write up to a dozen; thousands in a small file keep a decoder busy for minutes."""

_MAX_SCANNED_PIXELS = 1_000_000_000
"""The most pixels times scans of a JPEG: 20 scans of 50 megapixels."""

_READ_AHEAD = 8
"""Bytes that libjpeg's Huffman decoder wants after the last block."""

_STRIP = 65_536
"""Pixels copied at a time from Pillow's memory to an array."""


class _Jpeg(JpegImageFile):
    """JPEG without Pillow's search of the EXIF data for a density, which warns about every damaged entry."""

    def getexif(self) -> PILImage.Exif:
        return PILImage.Exif()


# The plugins are called directly: PILImage.open would apply Pillow's own pixel limit and warn.
_PLUGINS: tuple[tuple[bytes, type[ImageFile]], ...] = (
    (b"\xff\xd8\xff", _Jpeg),
    (b"\x89PNG", PngImageFile),
    (b"RIFF", WebPImageFile),
    (b"BM", BmpImageFile),
    (b"II", TiffImageFile),
    (b"MM", TiffImageFile),
    (b"GIF8", GifImageFile),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})

# What Pillow raises on damaged files, as benchmarks/fuzz.py found it: TIFF alone OverflowError and TypeError, AVIF and
# HEIF RuntimeError. A Warning is raised only where the user turned warnings into errors.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, OverflowError, TypeError, RuntimeError, struct.error, Warning)

_TO_UPRIGHT = {
    2: PILImage.Transpose.FLIP_LEFT_RIGHT,
    3: PILImage.Transpose.ROTATE_180,
    4: PILImage.Transpose.FLIP_TOP_BOTTOM,
    5: PILImage.Transpose.TRANSPOSE,
    6: PILImage.Transpose.ROTATE_270,
    7: PILImage.Transpose.TRANSVERSE,
    8: PILImage.Transpose.ROTATE_90,
}
"""The transposition that makes an image of each EXIF orientation upright."""

_SWAPS_SIDES = frozenset({5, 6, 7, 8})
"""The EXIF orientations that swap width and height."""


def header_size(stream: IO[bytes], name: str, max_pixels: int) -> tuple[int, int]:
    """Return width and height of the upright image, from the header alone."""
    with _opened(stream, name, max_pixels) as image:
        width, height = image.size
        return (height, width) if _orientation(image) in _SWAPS_SIDES else (width, height)


def decode(stream: IO[bytes], name: str, max_pixels: int, max_side: int | None) -> Image:
    """Decode the file in ``stream``: upright RGB, uint8 (h, w, 3). ``name`` is for messages."""
    with _opened(stream, name, max_pixels) as image:
        size = fitted_size(*image.size, max_side)
        if isinstance(image, JpegImageFile):
            _load_jpeg(image, stream, name, size)
        return upright(image, name, size)


def upright(image: PILImage.Image, name: str, size: tuple[int, int]) -> Image:
    """Return a Pillow image as upright RGB (h, w, 3); ``size`` is its width and height before it is rotated."""
    _load(image, name)
    orientation = _orientation(image)
    pixels = _pixels(_rgb(image if orientation not in _TO_UPRIGHT else image.transpose(_TO_UPRIGHT[orientation]), name))
    width, height = size[::-1] if orientation in _SWAPS_SIDES else size
    return pixels if pixels.shape[:2] == (height, width) else resize(pixels, width, height)


def fitted_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Return the size scaled down, where needed, to a longer side of ``max_side``."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))


@contextmanager
def _damage_is_bad_image(name: str) -> Iterator[None]:
    """Raise BadImage for what Pillow raises on damaged data; put only calls of a plugin into the block."""
    try:
        yield
    except PILImage.DecompressionBombError as error:
        raise BadImage(f"{name}: too large ({error}); make it smaller", "size") from error
    except _DAMAGE as error:
        raise BadImage(f"{name}: damaged or incomplete ({error}); copy or download it again") from error


@contextmanager
def _opened(stream: IO[bytes], name: str, max_pixels: int) -> Iterator[ImageFile]:
    """Open the image in ``stream`` without decoding it."""
    with _damage_is_bad_image(name):
        head = stream.read(64)
        stream.seek(0)
        if not head:
            raise BadImage(f"{name}: empty (0 bytes); copy or download it again")
        opened = _plugin(head, name)(stream)
    with opened as image:
        check_size(name, *image.size, max_pixels)
        yield image


def _load(image: PILImage.Image, name: str) -> None:
    with _damage_is_bad_image(name):
        image.load()


def _plugin(head: bytes, name: str) -> type[ImageFile]:
    """Return Pillow's plugin for a file that begins with ``head``."""
    for magic, plugin in _PLUGINS:
        if head.startswith(magic):
            return plugin
    if head[4:8] == b"ftyp":
        end = int.from_bytes(head[:4], "big")
        brands = {head[i : i + 4] for i in range(8, min(end, len(head)), 4)}
        try:
            if brands & _AVIF_BRANDS:
                return _avif()
            if brands & _HEIF_BRANDS:
                return _heif()
        except MissingExtra as error:
            raise BadImage(f"{name}: {error}, or convert the image to JPEG", "kind") from error
    raise BadImage(
        f"{name}: not an image that mien reads (it begins with {head[:8]!r}); "
        "convert it to JPEG, PNG, WebP, BMP, TIFF or GIF",
        "kind",
    )


def _avif() -> type[ImageFile]:
    with needs_extra("reading AVIF", "heif"):
        from PIL.AvifImagePlugin import AvifImageFile
    return AvifImageFile


def _heif() -> type[ImageFile]:
    with needs_extra("reading HEIC", "heif"):
        from pillow_heif import HeifImageFile
    heif: type[ImageFile] = HeifImageFile
    return heif


def check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise BadImage for an image of too many pixels or with too long a side."""
    if width * height > max_pixels:
        raise BadImage(
            f"{name}: {width} x {height} is {width * height} pixels, more than {max_pixels}; "
            "make it smaller, or allow more with max_pixels",
            "size",
        )
    if max(width, height) > MAX_SIDE:
        raise BadImage(
            f"{name}: {width} x {height} has a side above {MAX_SIDE} pixels; crop it or make it smaller", "size"
        )


def _load_jpeg(image: JpegImageFile, stream: IO[bytes], name: str, size: tuple[int, int]) -> None:
    """Decode a JPEG no larger than needed for ``size``; refuse too many scans and missing blocks."""
    stream.seek(0)
    data = stream.read()
    layout = jpeg_layout(data)
    width, height = image.size
    allowed = min(_MAX_SCANS, _MAX_SCANNED_PIXELS // (width * height))
    if layout.scans > allowed:
        raise BadImage(
            f"{name}: a JPEG of {layout.scans} scans, more than the {allowed} allowed for {width} x {height} pixels; "
            "save it again as a baseline JPEG",
            "size",
        )
    if size != image.size:
        image.draft(None, size)  # decode at 1/2, 1/4 or 1/8 where that is still at least ``size``
    _load(image, name)
    if _lacks_blocks(image, data, layout, size):
        raise BadImage(f"{name}: damaged or incomplete (its last blocks are missing); copy or download it again")


def _is_gray(pixel: object) -> bool:
    """Return whether the pixel may belong to a block without data, which libjpeg fills with middle gray."""
    bands = np.array(pixel, dtype=np.float64).reshape(-1)
    if len(bands) == 3:  # blocks next to a missing one lend it some of their chroma, but no luma
        bands = bands @ np.array([0.299, 0.587, 0.114])
    return bool((abs(bands - 128) <= 2).all())


def _lacks_blocks(image: JpegImageFile, data: bytes, layout: JpegLayout, size: tuple[int, int]) -> bool:
    """Return whether the data of a decoded JPEG end before its last block although an end marker follows."""
    if not layout.one_scan:
        return layout.scans < 2  # cut in the first of several scans, which gives each block its mean
    corner = (image.width - 1, image.height - 1)
    last = image.getpixel(corner)
    if not _is_gray(last):
        return False
    # Without an end marker libjpeg waits for more data instead of inventing the missing blocks: the last pixel stays
    # black. The padding is what its bit buffer reads ahead.
    with _Jpeg(io.BytesIO(data[: layout.end] + bytes(_READ_AHEAD))) as again:
        if size != again.size:
            again.draft(None, size)
        with suppress(OSError):
            again.load()
        return bool(again.im.getpixel(corner) != last)


def _orientation(image: PILImage.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where it is absent or damaged. Pillow rotates TIFF by itself.

    Read from the bytes, because Pillow's reader warns about every damaged entry, and such files are common.
    """
    exif = (image.info.get("exif") or b"").removeprefix(b"Exif\0\0")
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, at)
            if tag == 0x0112:
                (value,) = struct.unpack_from(order + ("I" if kind == 4 else "H"), exif, at + 8)
                return int(value)
    except struct.error:
        pass
    return 1


def _rgb(image: PILImage.Image, name: str) -> PILImage.Image:
    """Convert any mode of Pillow to RGB, on white where it is transparent."""
    # Older Pillows open a 16-bit gray PNG as "I", which in TIFF means 32 bits.
    if image.mode.startswith("I;16") or (image.mode == "I" and isinstance(image, PngImageFile)):
        eight = (np.asarray(image).astype(np.uint32) + 128) // 257
        return PILImage.fromarray(eight.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise BadImage(f"{name}: 32 bits a value, whose white is not defined; save it with 8 or 16 bits", "kind")
    if image.mode in ("P", "PA") and image.palette is None:
        raise BadImage(f"{name}: damaged or incomplete (it has no palette); copy or download it again")
    try:
        if not image.has_transparency_data:
            return image if image.mode == "RGB" else image.convert("RGB")
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    except ValueError as error:
        raise BadImage(f"{name}: its colors are not understood ({error}); save it as RGB", "kind") from error
    white = PILImage.new("RGB", image.size, "white")
    white.paste(rgba, mask=rgba)
    return white


def _pixels(image: PILImage.Image) -> Image:
    """Copy the pixels of an RGB image to an array (h, w, 3).

    Strip by strip: ``numpy.array(image)`` holds all of it three times, which costs as much as decoding.
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels

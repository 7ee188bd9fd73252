"""A path, the bytes of a file or an array -> an upright RGB image.

Pillow decodes: it knows a truncated file from a whole one (docs/decisions/0002-reading-images.md).
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from mien.errors import BadImage, BadOption
from mien.types import Image

MAX_PIXELS = 50_000_000
"""The most pixels an image may have, unless the caller allows more."""

MAX_SIDE = 32_766
"""The longest side that OpenCV's warp takes (its coordinates are 16 bits wide before OpenCV 5)."""


_STRIP = 65_536
"""Pixels that are copied at a time from Pillow's memory to an array."""


class _Jpeg(JpegImageFile):
    """JPEG without Pillow's look into EXIF for the density, which warns about every damaged entry."""

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

# What Pillow raises on damaged files. A Warning is raised only where the user turned warnings into errors.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Warning)

_TURNS = {
    2: PILImage.Transpose.FLIP_LEFT_RIGHT,
    3: PILImage.Transpose.ROTATE_180,
    4: PILImage.Transpose.FLIP_TOP_BOTTOM,
    5: PILImage.Transpose.TRANSPOSE,
    6: PILImage.Transpose.ROTATE_270,
    7: PILImage.Transpose.TRANSVERSE,
    8: PILImage.Transpose.ROTATE_90,
}
"""What makes an image of each EXIF orientation upright."""

_QUARTER_TURNS = frozenset({5, 6, 7, 8})
"""The orientations that swap width and height."""

_DTYPE_CURES = {
    "b": "use array.astype(numpy.uint8) * 255",
    "f": "if its values are in [0, 1], use (array * 255).round().astype(numpy.uint8)",
    "u": "if its values span 16 bits, use (array // 257).astype(numpy.uint8)",
}


ImageSource: TypeAlias = str | os.PathLike[str] | bytes | NDArray[Any]
"""An image as it comes: the path or the bytes of a file, or an array."""


def read_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read an image: upright RGB, uint8 (h, w, 3), C-contiguous.

    ``source`` is a path, the bytes of a file (JPEG, PNG, WebP, BMP, TIFF, GIF), or a grey, RGB or RGBA array:
    uint8 (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), of any strides. A contiguous RGB array comes back as it
    is, without a copy.

    The EXIF orientation is applied, once. What is transparent becomes white, as a viewer shows it; 16 bits
    are scaled to 8; colour profiles are not applied; of an animation the first frame is read. The number of
    pixels is checked against ``max_pixels`` before anything is decoded; whoever allows more than
    ``PIL.Image.MAX_IMAGE_PIXELS`` has to raise that too, for TIFF, GIF and WebP. No side may exceed 32766.

    Raises BadImage: missing, empty, damaged, truncated, too large, no image, or an array of another kind.
    """
    if max_pixels < 1:
        raise BadOption(f"max_pixels is {max_pixels}; it must be at least 1")
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, bytes):
        return _from_stream(io.BytesIO(source), "bytes", max_pixels)
    if not isinstance(source, (str, os.PathLike)):
        raise BadImage(f"{type(source).__name__} is not an image; give a path, the bytes of a file or a uint8 array")
    with _opened(Path(source)) as stream:
        return _from_stream(stream, str(source), max_pixels)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise BadImage(f"{path}: there is no such file; check the path (looked in {Path.cwd()})") from error
    except (OSError, ValueError) as error:
        if path.is_dir():
            raise BadImage(f"{path}: a folder, not an image; give the files in it one by one") from error
        raise BadImage(f"{path}: cannot be opened ({error}); check the path and its permissions") from error


def image_size(source: str | os.PathLike[str] | bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return the upright width and height of an image file (path or bytes), read from its header alone.

    Raises BadImage as :func:`read_image` does, except for damage after the header.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else _opened(Path(source)) as stream:
        name = "bytes" if isinstance(source, bytes) else str(source)
        with _image(stream, name, max_pixels) as image:
            width, height = image.size
            return (height, width) if _orientation(image) in _QUARTER_TURNS else (width, height)


def _from_stream(stream: IO[bytes], name: str, max_pixels: int) -> Image:
    with _image(stream, name, max_pixels) as image:
        image.load()
        turn = _TURNS.get(_orientation(image))
        return _array(_rgb(image if turn is None else image.transpose(turn), name))


@contextmanager
def _image(stream: IO[bytes], name: str, max_pixels: int) -> Iterator[ImageFile]:
    """The image in ``stream``, not decoded yet; what goes wrong with it in the block is a BadImage."""
    try:
        head = stream.read(16)
        stream.seek(0)
        if not head:
            raise BadImage(f"{name}: empty (0 bytes); copy or download it again")
        plugin = next((plugin for magic, plugin in _PLUGINS if head.startswith(magic)), None)
        if plugin is None:
            raise BadImage(
                f"{name}: not an image that mien reads (it begins with {head[:8]!r}); "
                "convert it to JPEG, PNG, WebP, BMP, TIFF or GIF",
                "kind",
            )
        with plugin(stream) as image:
            _check_size(name, *image.size, max_pixels)
            yield image
    except PILImage.DecompressionBombError as error:
        raise BadImage(f"{name}: too large ({error}); make it smaller", "size") from error
    except _DAMAGE as error:
        raise BadImage(f"{name}: damaged or incomplete ({error}); copy or download it again") from error


def _check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise BadImage(
            f"{name}: {width} x {height} is {width * height} pixels, more than {max_pixels}; "
            "make it smaller, or allow more with max_pixels",
            "size",
        )
    if max(width, height) > MAX_SIDE:
        raise BadImage(
            f"{name}: {width} x {height} has a side above {MAX_SIDE} pixels; cut it or make it smaller", "size"
        )


def _orientation(image: ImageFile) -> int:
    """The EXIF orientation, 1 (upright) where it is absent or damaged. Pillow turns TIFF by itself.

    Read from the bytes, because Pillow's reader warns about every damaged entry, and such files are common.
    """
    exif = image.info.get("exif", b"").removeprefix(b"Exif\0\0")
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
    """Any mode of Pillow as RGB, on white where it is transparent."""
    # Older Pillows open a 16-bit grey PNG as "I", which in TIFF means 32 bits.
    if image.mode.startswith("I;16") or (image.mode == "I" and isinstance(image, PngImageFile)):
        eight = (np.asarray(image).astype(np.uint32) + 128) // 257
        return PILImage.fromarray(eight.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise BadImage(f"{name}: 32 bits a value, whose white is not defined; save it with 8 or 16 bits", "kind")
    if image.has_transparency_data:
        colours = image if image.mode == "RGBA" else image.convert("RGBA")
        white = PILImage.new("RGB", image.size, "white")
        white.paste(colours, mask=colours)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _array(image: PILImage.Image) -> Image:
    """The pixels of an RGB image, (h, w, 3).

    Strip by strip: ``numpy.array(image)`` holds all of it three times, which costs as much as decoding.
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _from_array(array: NDArray[Any], max_pixels: int) -> Image:
    if array.dtype != np.uint8:
        cure = _DTYPE_CURES.get(array.dtype.kind, "use array.clip(0, 255).astype(numpy.uint8)")
        raise BadImage(f"array: its dtype is {array.dtype}, not uint8; {cure}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        cure = "it must be (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)"
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            cure += "; to move the channels last, use array.transpose(1, 2, 0)"
        raise BadImage(f"array: its shape is {array.shape}; {cure}")
    if array.size == 0:
        raise BadImage(f"array: its shape is {array.shape}, which has no pixels; check how it was cut")
    _check_size("array", array.shape[1], array.shape[0], max_pixels)
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.shape[2] == 4:
        return _array(_rgb(PILImage.fromarray(array), "array"))
    return np.ascontiguousarray(array)

"""Read images from files, bytes and arrays; encode and write them."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from mien.errors import BadImage, BadOption
from mien.imaging.decode import check_size, decode, fitted_size, header_size, upright
from mien.imaging.resample import Mipmap, resize
from mien.io import atomic_write
from mien.types import Image

MAX_PIXELS = 50_000_000
"""The most pixels an image may have, unless the caller allows more."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif"}
)
"""The suffixes of image files in a folder, in lower case. A file given by its name may have any suffix."""

ImageFile: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
"""An encoded image: the path of a file, its bytes, or a binary file object (``open(path, "rb")``, ``BytesIO``)."""

ImageSource: TypeAlias = ImageFile | NDArray[Any] | PILImage.Image
"""An encoded image (:data:`ImageFile`), a uint8 array, or a PIL image."""

_DTYPE_CURES = {
    "b": "use array.astype(numpy.uint8) * 255",
    "f": "if its values are in [0, 1], use (array * 255).round().astype(numpy.uint8)",
    "u": "if its values span 16 bits, use (array // 257).astype(numpy.uint8)",
}


def read_image(
    source: ImageSource,
    *,
    color: Literal["RGB", "BGR"] = "RGB",
    max_pixels: int = MAX_PIXELS,
    max_side: int | None = None,
) -> Image:
    """Read an image: upright RGB, uint8 (h, w, 3), C-contiguous.

    The EXIF orientation is applied, once. Transparent pixels become white; 16 bits are scaled to 8; color
    profiles are not applied; of an animation the first frame is read.

    Args:
        source: A path, the bytes of a file or a binary file object (JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF; HEIC
            with the extra ``heif``), a PIL image, or a uint8 array of any strides: gray (h, w) or (h, w, 1),
            color (h, w, 3), or color with alpha (h, w, 4). A contiguous RGB array is returned without a copy.
        color: Channel order of an array. Arrays from ``cv2.imread`` and ``cv2.VideoCapture`` are BGR: give
            ``color="BGR"``. Files and PIL images know their own order.
        max_pixels: The most pixels accepted, checked before anything is decoded. To allow more than
            ``PIL.Image.MAX_IMAGE_PIXELS``, raise that as well (TIFF, GIF and WebP check it). No side may exceed
            32766 pixels.
        max_side: Shrink the image so that its longer side has at most this many pixels. Large JPEGs are decoded
            at a half, quarter or eighth of their size, which is several times faster.

    Raises:
        BadImage: Missing, empty, damaged, truncated, too large, not an image, or an unsupported array.
        BadOption: Invalid ``color``, ``max_pixels`` or ``max_side``.
    """
    if color not in ("RGB", "BGR"):
        raise BadOption(f"color is {color!r}; it must be 'RGB' or 'BGR'")
    for option, value in (("max_pixels", max_pixels), ("max_side", max_side)):
        if value is not None and value < 1:
            raise BadOption(f"{option} is {value}; it must be at least 1")
    if isinstance(source, np.ndarray):
        return _from_array(source, color, max_pixels, max_side)
    if isinstance(source, PILImage.Image):
        return _from_pillow(source, max_pixels, max_side)
    with _opened(source) as (stream, name):
        return decode(stream, name, max_pixels, max_side)


def read_mipmap(source: ImageSource | Mipmap) -> Mipmap:
    """Return the mipmap of an image; an existing one is returned unchanged."""
    return source if isinstance(source, Mipmap) else Mipmap(read_image(source))


def image_size(source: ImageFile, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return width and height of an image as :func:`read_image` would give it, from the header alone.

    Raises BadImage as :func:`read_image` does, except for damage beyond the header.
    """
    with _opened(source) as (stream, name):
        return header_size(stream, name, max_pixels)


@contextmanager
def _opened(source: ImageFile) -> Iterator[tuple[IO[bytes], str]]:
    """Open a seekable stream on an encoded image; its name is for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source), "bytes"
    elif isinstance(source, (str, os.PathLike)):
        with _opened_path(Path(source)) as stream:
            yield stream, str(source)
    elif hasattr(source, "read"):
        yield _whole(source), str(getattr(source, "name", type(source).__name__))
    else:
        raise BadImage(
            f"{type(source).__name__} is not an image; give a path, the bytes of a file, a binary file object, "
            "a PIL image or a uint8 array"
        )


def _whole(file: IO[bytes]) -> io.BytesIO:
    """Read all of a file object, from its start if it can seek."""
    try:
        if file.seekable():
            file.seek(0)
        data = file.read()
    except (OSError, ValueError) as error:
        raise BadImage(f"{type(file).__name__}: cannot be read ({error}); give an open file") from error
    if not isinstance(data, bytes):
        raise BadImage(f"{type(file).__name__} gives {type(data).__name__}, not bytes; open the file in mode 'rb'")
    return io.BytesIO(data)


def _opened_path(path: Path) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadImage(f"{path}: a folder, not an image; give the files in it one by one")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for whoever writes to it
            raise BadImage(f"{path}: a pipe or device, not a file; save the image to a file, or give its bytes")
        return path.open("rb")
    except FileNotFoundError as error:
        raise BadImage(f"{path}: there is no such file; check the path (looked in {Path.cwd()})") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadImage(f"{path}: cannot be opened ({reason}); check the path and its permissions") from error


def _from_pillow(image: PILImage.Image, max_pixels: int, max_side: int | None) -> Image:
    check_size("PIL image", *image.size, max_pixels)
    if not image.width * image.height:
        raise BadImage(f"PIL image: its size is {image.size}, which has no pixels; check how it was cropped")
    return upright(image, "PIL image", fitted_size(*image.size, max_side))


def _from_array(array: NDArray[Any], color: str, max_pixels: int, max_side: int | None) -> Image:
    if array.dtype != np.uint8:
        cure = _DTYPE_CURES.get(array.dtype.kind, "use array.clip(0, 255).astype(numpy.uint8)")
        raise BadImage(f"array: its dtype is {array.dtype}, not uint8; {cure}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        cure = "it must be (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)"
        if array.ndim == 3 and array.shape[0] in (1, 3, 4):
            cure += "; to move the channels last, use array.transpose(1, 2, 0)"
        raise BadImage(f"array: its shape is {array.shape}; {cure}")
    if array.size == 0:
        raise BadImage(f"array: its shape is {array.shape}, which has no pixels; check how it was cropped")
    height, width = array.shape[:2]
    check_size("array", width, height, max_pixels)
    size = fitted_size(width, height, max_side)
    if array.ndim == 2 or array.shape[2] == 1:
        array = np.repeat(array.reshape(height, width, 1), 3, axis=2)
    elif color == "BGR":
        array = array[..., [2, 1, 0, 3][: array.shape[2]]]
    if array.shape[2] == 4:
        return upright(PILImage.fromarray(array), "array", size)
    array = np.ascontiguousarray(array)
    return array if size == (width, height) else resize(array, *size)


def encode_jpeg(image: Image, quality: int = 92) -> bytes:
    """Encode an RGB image as JPEG; ``quality`` is 1 to 100. Raises BadOption for anything but an image."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(image: Image) -> bytes:
    """Encode an RGB image as PNG, without loss. Raises BadOption for anything but an image."""
    return _encode(".png", image, [])


def _encode(suffix: str, image: Image, options: list[int]) -> bytes:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise BadOption(f"an image is uint8 (h, w, 3), not {image.dtype} {image.shape}; see mien.read_image")
    done, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise BadOption(f"OpenCV cannot encode an image of shape {image.shape} as {suffix}; make it smaller")
    return data.tobytes()


_ENCODERS = {".jpg": encode_jpeg, ".jpeg": encode_jpeg, ".png": encode_png}


def require_image_suffix(path: Path) -> None:
    """Raise BadOption for a path that :func:`write_image` cannot write: check before long work."""
    if path.suffix.lower() not in _ENCODERS:
        raise BadOption(f"{path}: images are written as {', '.join(_ENCODERS)}; choose one of these suffixes")


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write an RGB image as .jpg, .jpeg or .png: the whole file or none. Missing folders are created.

    Raises:
        BadOption: Another suffix, or not an image.
        OSError: The file system refuses.
    """
    target = Path(path)
    require_image_suffix(target)
    data = _ENCODERS[target.suffix.lower()](image)
    with atomic_write(target) as partial:
        partial.write_bytes(data)

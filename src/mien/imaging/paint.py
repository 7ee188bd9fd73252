"""Draw on images, encode and write them.

The ``draw_*`` functions write into ``canvas``, a C-contiguous RGB image; coordinates are continuous image
pixels (the corner of the first pixel is (0, 0)), colours are RGB.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.io import atomic_write
from mien.types import Floats, Image

Colour = tuple[int, int, int]

_SHIFT = 4
"""cv2 takes fixed-point coordinates with so many fractional bits."""

_FAR = 1e6
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def _known(rows: Floats) -> NDArray[np.float64]:
    """The rows without NaN, brought within the reach of cv2's integers."""
    return np.clip(rows[~np.isnan(rows).any(axis=1)].astype(np.float64), -_FAR, _FAR)


def draw_rectangles(canvas: Image, boxes: Floats, colour: Colour, thickness: int = 1) -> None:
    """Outline each box (n, 4) on its outermost pixels; boxes with NaN are left out."""
    for x0, y0, x1, y1 in _known(boxes).tolist():
        last = (math.ceil(x1) - 1, math.ceil(y1) - 1)
        cv2.rectangle(canvas, (math.floor(x0), math.floor(y0)), last, colour, thickness)


def draw_points(canvas: Image, points: Floats, colour: Colour, radius: float = 1.5) -> None:
    """A filled disc round each point (n, 2); points with NaN are left out."""
    for x, y in np.round((_known(points) - 0.5) * 2**_SHIFT).astype(int).tolist():  # from corner to pixel centre
        cv2.circle(canvas, (x, y), round(radius * 2**_SHIFT), colour, -1, cv2.LINE_AA, _SHIFT)


def draw_lines(canvas: Image, points: Floats, colour: Colour, thickness: int = 1, *, closed: bool = False) -> None:
    """A line from each point (n, 2) to the next, and from the last to the first if ``closed``; NaN is left out."""
    places = np.round((_known(points) - 0.5) * 2**_SHIFT).astype(np.int32)
    if len(places):
        cv2.polylines(canvas, [places[:, None]], closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def draw_label(
    canvas: Image, text: str, corner: tuple[float, float], colour: Colour, height: float | None = None
) -> None:
    """Write ``text`` on a plate of this ``colour``, whose lower left corner is ``corner`` if there it fits.

    ``height`` of the plate in pixels; by default a fortieth of the longer side, at least 12. ASCII only.
    """
    rows, columns = canvas.shape[:2]
    plate = max(12, round(height if height is not None else max(rows, columns) / 40))
    scale = plate / 32  # capitals of this font are 22 pixels high at scale 1
    stroke = max(1, round(plate / 16))
    wide = cv2.getTextSize(text, _FONT, scale, stroke)[0][0] + plate // 3
    x = int(np.clip(corner[0], 0, max(0, columns - wide)))
    y = int(np.clip(corner[1], min(plate, rows), rows))
    cv2.rectangle(canvas, (x, y - plate), (x + wide - 1, y - 1), colour, -1)
    light = np.dot(colour, (0.299, 0.587, 0.114)) > 140
    ink = (0, 0, 0) if light else (255, 255, 255)
    cv2.putText(canvas, text, (x + plate // 6, y - round(plate * 0.16)), _FONT, scale, ink, stroke, cv2.LINE_AA)


def _encoded(suffix: str, image: Image, options: list[int]) -> bytes:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise BadOption(f"an image is uint8 (h, w, 3), not {image.dtype} {image.shape}; see mien.read")
    done, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise BadOption(f"OpenCV cannot encode an image of shape {image.shape} as {suffix}; make it smaller")
    return data.tobytes()


def encode_jpeg(image: Image, quality: int = 92) -> bytes:
    """The image as a JPEG file; ``quality`` 1 to 100. BadOption for anything that is no image."""
    return _encoded(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(image: Image) -> bytes:
    """The image as a PNG file, without loss. BadOption for anything that is no image."""
    return _encoded(".png", image, [])


_ENCODERS = {".jpg": encode_jpeg, ".jpeg": encode_jpeg, ".png": encode_png}


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write the image as .jpg, .jpeg or .png: the whole file or none.

    Missing folders are made. Raises BadOption for another suffix, OSError where the disk refuses.
    """
    target = Path(path)
    encoder = _ENCODERS.get(target.suffix.lower())
    if encoder is None:
        raise BadOption(f"{target}: images are written as {', '.join(_ENCODERS)}; choose one of these suffixes")
    data = encoder(image)
    with atomic_write(target) as partial:
        partial.write_bytes(data)

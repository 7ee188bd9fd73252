"""Overlays: faces on their picture, and many pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien.errors import BadOption
from mien.geometry.schemes import FIVE_NAMES
from mien.pixels import Colour, draw_label, draw_points, draw_rectangles
from mien.values import Face, Faces, Picture

BOX: Colour = (94, 234, 142)
LEFT: Colour = (255, 176, 59)
RIGHT: Colour = (64, 196, 255)
MIDDLE: Colour = (255, 82, 120)
_SHADOW: Colour = (20, 20, 20)
_SHEET: Colour = (32, 32, 32)
_GAP = 4


def _side_colour(name: str) -> Colour:
    return LEFT if name.startswith("left") else RIGHT if name.startswith("right") else MIDDLE


def draw_faces(picture: Picture, faces: Faces, *, scores: bool = True) -> Picture:
    """A copy of the RGB picture with boxes, points and, if wished, ``scores``; the best face lies on top.

    Points on the left of the picture are orange, those on the right blue, the nose pink. Lines and text grow
    with the picture, and shrink on small faces so that these stay visible.
    """
    canvas = np.array(picture, order="C")
    for i in reversed(range(len(faces))):
        _draw_face(canvas, faces[i], scores)
    return canvas


def _draw_face(canvas: Picture, face: Face, score: bool) -> None:
    longest = max(canvas.shape[:2])
    width = float(face.box[2] - face.box[0])
    line = max(1, round(min(longest / 320, width / 30)))
    box = face.box[None]
    draw_rectangles(canvas, box, _SHADOW, line + 2)
    draw_rectangles(canvas, box, BOX, line)
    radius = max(1.5, min(longest / 250, width / 28))
    draw_points(canvas, face.points, _SHADOW, radius + 1)
    for name, point in zip(FIVE_NAMES, face.points, strict=True):
        draw_points(canvas, point[None], _side_colour(name), radius)
    if score:
        corner = (float(face.box[0]) - line / 2, float(face.box[1]) - line / 2)
        draw_label(canvas, f"{face.score:.2f}", corner, BOX, min(longest / 40, width / 3))


def contact_sheet(pictures: Sequence[Picture], columns: int) -> Picture:
    """Pictures of any sizes row by row, each centred in a cell as large as the largest; not scaled.

    Raises BadOption without pictures or columns.
    """
    if not pictures or columns < 1:
        raise BadOption(f"a sheet needs pictures and columns, not {len(pictures)} and {columns}")
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    high, wide = (max(picture.shape[axis] for picture in pictures) + _GAP for axis in (0, 1))
    sheet = np.full((rows * high + _GAP, columns * wide + _GAP, 3), _SHEET, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        row, column = divmod(i, columns)
        height, width = picture.shape[:2]
        top = _GAP + row * high + (high - _GAP - height) // 2
        left = _GAP + column * wide + (wide - _GAP - width) // 2
        sheet[top : top + height, left : left + width] = picture
    return sheet

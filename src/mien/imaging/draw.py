"""Overlays: faces on their image, and many images on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien.errors import BadOption
from mien.geometry.schemes import SIXTY_EIGHT_GROUPS
from mien.imaging import Colour, draw_label, draw_lines, draw_points, draw_rectangles
from mien.types import KEYPOINTS, Face, Faces, Image, Landmarks

BOX: Colour = (94, 234, 142)
LEFT: Colour = (255, 176, 59)
RIGHT: Colour = (64, 196, 255)
MIDDLE: Colour = (255, 82, 120)
_SHADOW: Colour = (20, 20, 20)
_SHEET: Colour = (32, 32, 32)
_GAP = 4


_PARTS: tuple[tuple[range, Colour, bool | None], ...] = (
    (SIXTY_EIGHT_GROUPS["jaw"], BOX, False),
    (SIXTY_EIGHT_GROUPS["left_brow"], LEFT, False),
    (SIXTY_EIGHT_GROUPS["right_brow"], RIGHT, False),
    (range(27, 31), MIDDLE, False),
    (range(31, 36), MIDDLE, False),
    (SIXTY_EIGHT_GROUPS["left_eye"], LEFT, True),
    (SIXTY_EIGHT_GROUPS["right_eye"], RIGHT, True),
    (range(48, 60), MIDDLE, True),
    (range(60, 68), MIDDLE, True),
)
"""Of the 68 points: those joined by a line, its colour, and whether the last leads back to the first. None: no line."""


def _side_colour(name: str) -> Colour:
    return LEFT if name.startswith("left") else RIGHT if name.startswith("right") else MIDDLE


def draw_faces(image: Image, faces: Faces, *, scores: bool = True) -> Image:
    """A copy of the RGB image with boxes, points and, if wished, ``scores``; the best face lies on top.

    Points on the left of the image are orange, those on the right blue, the nose pink. Lines and text grow
    with the image, and shrink on small faces so that these stay visible.
    """
    canvas = np.array(image, order="C")
    for i in reversed(range(len(faces))):
        _draw_face(canvas, faces[i], scores)
    return canvas


def _draw_face(canvas: Image, face: Face, score: bool) -> None:
    longest = max(canvas.shape[:2])
    width = float(face.box[2] - face.box[0])
    line = max(1, round(min(longest / 320, width / 30)))
    box = face.box[None]
    draw_rectangles(canvas, box, _SHADOW, line + 2)
    draw_rectangles(canvas, box, BOX, line)
    radius = max(1.5, min(longest / 250, width / 28))
    draw_points(canvas, face.keypoints, _SHADOW, radius + 1)
    for name, point in zip(KEYPOINTS, face.keypoints, strict=True):
        draw_points(canvas, point[None], _side_colour(name), radius)
    if score:
        corner = (float(face.box[0]) - line / 2, float(face.box[1]) - line / 2)
        draw_label(canvas, f"{face.score:.2f}", corner, BOX, min(longest / 40, width / 3))


def draw_landmarks(image: Image, landmarks: Sequence[Landmarks], *, pose: bool = True) -> Image:
    """A copy of the RGB image with the points of each face; the first face lies on top.

    Of 68 points those of a part are joined by thin lines: jaw green, brows and eyes in the colour of their side,
    nose and mouth pink. With ``pose`` the angles are written above the face, or below where there is no room, if they
    are known. All grows with the face. Unknown points (NaN) are left out.
    """
    canvas = np.array(image, order="C")
    for found in reversed(landmarks):
        _draw_landmarks(canvas, found, pose)
    return canvas


def _draw_landmarks(canvas: Image, landmarks: Landmarks, pose: bool) -> None:
    points = landmarks.points
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return
    (x0, y0), (x1, y1) = known.min(axis=0).tolist(), known.max(axis=0).tolist()
    side = max(x1 - x0, y1 - y0)
    parts = _PARTS if landmarks.scheme in ("68", "68-3d") else ((range(len(points)), MIDDLE, None),)
    for part, colour, closed in parts:
        if closed is not None:
            draw_lines(canvas, points[list(part)], colour, max(1, round(side / 250)), closed=closed)
    radius = max(0.6, side / 140)
    draw_points(canvas, points, _SHADOW, radius * 1.5)
    for part, colour, _ in parts:
        draw_points(canvas, points[list(part)], colour, radius)
    if pose and landmarks.pose is not None:
        angles = landmarks.pose
        yaw, pitch, roll = (np.round(angle) + 0.0 for angle in (angles.yaw, angles.pitch, angles.roll))  # no -0
        plate, above = max(12.0, side / 10), y0 - 0.3 * (y1 - y0)
        place = (x0, above if above >= plate else y1 + 2 * plate)
        draw_label(canvas, f"yaw {yaw:.0f} pitch {pitch:.0f} roll {roll:.0f}", place, BOX, plate)


def contact_sheet(images: Sequence[Image], columns: int) -> Image:
    """Images of any sizes row by row, each centred in a cell as large as the largest; not scaled.

    Raises BadOption without images or columns.
    """
    if not images or columns < 1:
        raise BadOption(f"a sheet needs images and columns, not {len(images)} and {columns}")
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    high, wide = (max(image.shape[axis] for image in images) + _GAP for axis in (0, 1))
    sheet = np.full((rows * high + _GAP, columns * wide + _GAP, 3), _SHEET, dtype=np.uint8)
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        height, width = image.shape[:2]
        top = _GAP + row * high + (high - _GAP - height) // 2
        left = _GAP + column * wide + (wide - _GAP - width) // 2
        sheet[top : top + height, left : left + width] = image
    return sheet

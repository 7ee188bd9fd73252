"""Draw on images: rectangles, points, lines and labels; faces and landmarks; contact sheets.

The ``draw_*`` primitives write into ``canvas``, a C-contiguous RGB image; ``draw_faces`` and ``draw_landmarks``
return a copy. Coordinates are continuous image pixels (the corner of the first pixel is (0, 0)), colors are RGB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry.schemes import SIXTY_EIGHT_GROUPS
from mien.types import KEYPOINTS, Face, Faces, Floats, Image, Landmarks

Color = tuple[int, int, int]

BOX: Color = (94, 234, 142)
LEFT: Color = (255, 176, 59)
RIGHT: Color = (64, 196, 255)
MIDDLE: Color = (255, 82, 120)
_SHADOW: Color = (20, 20, 20)
_SHEET: Color = (32, 32, 32)
_GAP = 4

_SMALL = 40
"""Faces narrower than this many pixels get a thin box only: keypoints and tags would hide them."""

_PLATE = 12
"""The least height of a label in pixels."""

_SHIFT = 4
"""Fractional bits of cv2's fixed-point coordinates."""

_FAR = 1e6
_FONT = cv2.FONT_HERSHEY_SIMPLEX

_PARTS: tuple[tuple[range, Color, bool | None], ...] = (
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
"""Runs of the 68 landmarks: indices, color, and whether the connecting line is closed. None: no line."""


def _finite(rows: Floats) -> NDArray[np.float64]:
    """Return the rows without NaN, clipped to the range of cv2's integers."""
    return np.clip(rows[~np.isnan(rows).any(axis=1)].astype(np.float64), -_FAR, _FAR)


def draw_rectangles(canvas: Image, boxes: Floats, color: Color, thickness: int = 1) -> None:
    """Outline each box (n, 4) on its outermost pixels; boxes with NaN are left out."""
    for x0, y0, x1, y1 in _finite(boxes).tolist():
        last = (math.ceil(x1) - 1, math.ceil(y1) - 1)
        cv2.rectangle(canvas, (math.floor(x0), math.floor(y0)), last, color, thickness)


def draw_points(canvas: Image, points: Floats, color: Color, radius: float = 1.5) -> None:
    """Fill a disc around each point (n, 2); points with NaN are left out."""
    for x, y in np.round((_finite(points) - 0.5) * 2**_SHIFT).astype(int).tolist():  # from corner to pixel center
        cv2.circle(canvas, (x, y), round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def draw_lines(canvas: Image, points: Floats, color: Color, thickness: int = 1, *, closed: bool = False) -> None:
    """Connect the points (n, 2) in order, and the last with the first if ``closed``; points with NaN are left out."""
    places = np.round((_finite(points) - 0.5) * 2**_SHIFT).astype(np.int32)
    if len(places):
        cv2.polylines(canvas, [places[:, None]], closed, color, thickness, cv2.LINE_AA, _SHIFT)


def draw_label(
    canvas: Image, text: str, corner: tuple[float, float], color: Color, height: float | None = None
) -> None:
    """Write ``text`` on a plate of this ``color`` with its lower left corner at ``corner``, moved into the canvas.

    ``height`` of the plate in pixels; by default a fortieth of the longer side, at least 12. ASCII only.
    """
    rows, columns = canvas.shape[:2]
    wide, plate = _label_size(text, height if height is not None else max(rows, columns) / 40)
    x = int(np.clip(corner[0], 0, max(0, columns - wide)))
    y = int(np.clip(corner[1], min(plate, rows), rows))
    cv2.rectangle(canvas, (x, y - plate), (x + wide - 1, y - 1), color, -1)
    ink = (0, 0, 0) if np.dot(color, (0.299, 0.587, 0.114)) > 140 else (255, 255, 255)
    scale, stroke = _font(plate)
    cv2.putText(canvas, text, (x + plate // 6, y - round(plate * 0.16)), _FONT, scale, ink, stroke, cv2.LINE_AA)


def _label_size(text: str, height: float) -> tuple[int, int]:
    """Return width and height in pixels of the plate under ``text``."""
    plate = max(_PLATE, round(height))
    return cv2.getTextSize(text, _FONT, *_font(plate))[0][0] + plate // 3, plate


def _font(plate: int) -> tuple[float, int]:
    """Return font scale and stroke width for a plate of this height."""
    return plate / 32, max(1, round(plate / 16))  # capitals of this font are 22 pixels high at scale 1


def draw_faces(image: Image, faces: Faces, *, scores: bool = True, tracks: Sequence[int] | None = None) -> Image:
    """Return a copy of the RGB image with boxes, keypoints and a tag for each face; the best face lies on top.

    Keypoints on the left of the image are orange, those on the right blue, the nose pink. Lines and text grow
    with the image and shrink on small faces; faces narrower than 40 pixels get a thin box only. A tag stands
    above, below or inside its box where it covers no other face and no other tag; otherwise it is left out, as is
    a tag much wider than its face.

    Args:
        image: RGB (h, w, 3).
        faces: Faces in pixels of the image.
        scores: Write the score in the tag.
        tracks: Track number of each face, written in the tag.
    """
    canvas = np.array(image, order="C")
    for face in reversed(list(faces)):
        _draw_box(canvas, face.box)
        _draw_keypoints(canvas, face)
    _draw_tags(canvas, faces.boxes, _tags(canvas, faces, scores, tracks))
    return canvas


def draw_landmarks(
    image: Image,
    landmarks: Sequence[Landmarks],
    faces: Faces | None = None,
    *,
    pose: bool = True,
    scores: bool = True,
    tracks: Sequence[int] | None = None,
) -> Image:
    """Return a copy of the RGB image with the landmarks of each face; the first face lies on top.

    The parts of 68 landmarks are connected by thin lines: jaw green, brows and eyes in the color of their side,
    nose and mouth pink. Sizes scale with the face. Landmarks with NaN are left out; tags as in :func:`draw_faces`.

    Args:
        image: RGB (h, w, 3).
        landmarks: Landmarks in pixels of the image.
        faces: The faces of the landmarks, in the same order: their boxes are drawn as well.
        pose: Write the head pose of each face, where it is known.
        scores: Write the score of each of ``faces``.
        tracks: Track number of each of ``faces``.
    """
    if faces is not None and len(faces) != len(landmarks):
        raise BadOption(f"there are {len(faces)} faces for {len(landmarks)} landmarks; give one face per landmarks")
    canvas = np.array(image, order="C")
    for box in reversed([] if faces is None else list(faces.boxes)):
        _draw_box(canvas, box)
    for found in reversed(landmarks):
        _draw_landmarks(canvas, found)
    extents = np.array([_extent(found.points) for found in landmarks], dtype=np.float32).reshape(-1, 4)
    if faces is None:
        tags = []
        extents[:, 1] -= 0.3 * (extents[:, 3] - extents[:, 1])  # the forehead
    else:
        tags = _tags(canvas, faces, scores, tracks)
        extents[:, :2] = np.fmin(extents[:, :2], faces.boxes[:, :2])
        extents[:, 2:] = np.fmax(extents[:, 2:], faces.boxes[:, 2:])
    if pose:
        tags += _pose_tags(extents, landmarks)
    _draw_tags(canvas, extents, tags)
    return canvas


def _draw_box(canvas: Image, box: Floats) -> None:
    width = float(box[2] - box[0])
    line = max(1, round(min(max(canvas.shape[:2]) / 320, width / 30)))
    if width >= _SMALL:
        draw_rectangles(canvas, box[None], _SHADOW, line + 2)
    draw_rectangles(canvas, box[None], BOX, line)


def _draw_keypoints(canvas: Image, face: Face) -> None:
    if face.width < _SMALL:
        return
    radius = max(1.5, min(max(canvas.shape[:2]) / 250, face.width / 28))
    draw_points(canvas, face.keypoints, _SHADOW, radius + 1)
    for name, point in zip(KEYPOINTS, face.keypoints, strict=True):
        side = LEFT if name.startswith("left") else RIGHT if name.startswith("right") else MIDDLE
        draw_points(canvas, point[None], side, radius)


def _draw_landmarks(canvas: Image, landmarks: Landmarks) -> None:
    points = landmarks.points
    x0, y0, x1, y1 = _extent(points)
    side = max(x1 - x0, y1 - y0)
    if math.isnan(side):
        return
    parts = _PARTS if landmarks.scheme in ("68", "68-3d") else ((range(len(points)), MIDDLE, None),)
    for part, color, closed in parts:
        if closed is not None:
            draw_lines(canvas, points[list(part)], color, max(1, round(side / 250)), closed=closed)
    radius = max(0.6, side / 140)
    draw_points(canvas, points, _SHADOW, radius * 1.5)
    for part, color, _ in parts:
        draw_points(canvas, points[list(part)], color, radius)


def _extent(points: Floats) -> tuple[float, float, float, float]:
    """Return the bounding box of the points (k, 2) without NaN; all NaN if there are none."""
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return (math.nan,) * 4
    return (*known.min(axis=0).tolist(), *known.max(axis=0).tolist())


@dataclass(frozen=True, slots=True)
class _Tag:
    """A label for the face number ``face``, ``height`` pixels high."""

    text: str
    face: int
    height: float


def _tags(canvas: Image, faces: Faces, scores: bool, tracks: Sequence[int] | None) -> list[_Tag]:
    """Return the tags of all faces that are wide enough for one: track number, score."""
    if tracks is not None and len(tracks) != len(faces):
        raise BadOption(f"there are {len(tracks)} tracks for {len(faces)} faces; give one track per face")
    tags = []
    for i, face in enumerate(faces):
        parts = [] if tracks is None else [f"#{tracks[i]}"]
        parts += [f"{face.score:.2f}"] if scores else []
        if parts and face.width >= _SMALL:
            tags.append(_Tag(" ".join(parts), i, min(max(canvas.shape[:2]) / 40, face.width / 3)))
    return tags


def _pose_tags(extents: Floats, landmarks: Sequence[Landmarks]) -> list[_Tag]:
    """Return the tags of all landmarks whose pose is known; ``extents`` (n, 4) are the boxes around them."""
    tags = []
    for i, (x0, y0, x1, y1) in enumerate(extents.tolist()):
        pose = landmarks[i].pose
        if pose is not None and not math.isnan(x0):
            yaw, pitch, roll = (np.round(angle) + 0.0 for angle in (pose.yaw, pose.pitch, pose.roll))  # no -0
            text = f"yaw {yaw:.0f} pitch {pitch:.0f} roll {roll:.0f}"
            tags.append(_Tag(text, i, max(x1 - x0, y1 - y0) / 10))
    return tags


def _draw_tags(canvas: Image, boxes: Floats, tags: Sequence[_Tag]) -> None:
    """Draw each tag above, below or inside its box, where it covers no other of the boxes (n, 4) and no other tag."""
    taken = np.empty((0, 4), dtype=np.float32)
    for tag in tags:
        others = np.concatenate([np.delete(boxes, tag.face, axis=0), taken])
        for place in _places(tag, boxes[tag.face], canvas):
            if not _overlaps(place, others):
                draw_label(canvas, tag.text, (place[0], place[3]), BOX, tag.height)
                taken = np.concatenate([taken, place[None]])
                break


def _places(tag: _Tag, box: Floats, canvas: Image) -> list[Floats]:
    """Return the rectangles where the tag of a box (4,) may stand, best first, all within the canvas."""
    rows, columns = canvas.shape[:2]
    wide, high = _label_size(tag.text, tag.height)
    x0, y0, x1, y1 = (float(side) for side in box)
    if wide > 2 * (x1 - x0):
        return []
    left = min(max(x0 - 1, 0.0), max(0.0, columns - wide))
    bottoms = [y0 - 1, y1 + 1 + high]
    if x1 - x0 >= wide and y1 - y0 >= 8 * high:  # inside only where it hides little of the face
        bottoms += [y0 + 1 + high, y1 - 1]
    return [np.array([left, y - high, left + wide, y], np.float32) for y in bottoms if high <= y <= rows]


def _overlaps(rectangle: Floats, others: Floats) -> bool:
    meet = (rectangle[:2] < others[:, 2:]) & (others[:, :2] < rectangle[2:])
    return bool(meet.all(axis=1).any())


def contact_sheet(images: Sequence[Image], columns: int) -> Image:
    """Return images of any sizes row by row, each centered in a cell as large as the largest; not scaled.

    Raises BadOption without images or columns.
    """
    if not images or columns < 1:
        raise BadOption(f"a contact sheet needs images and columns, not {len(images)} and {columns}")
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

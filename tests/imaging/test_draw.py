"""Primitives draw where they should; overlays draw on a copy, in the color of their side, without covering faces."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.imaging import draw_label, draw_lines, draw_points, draw_rectangles
from mien.imaging.draw import BOX, LEFT, MIDDLE, RIGHT, contact_sheet, draw_faces, draw_landmarks
from mien.types import Faces, Landmarks, Pose


def black(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def touched(canvas: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """First and last row and column that were drawn on, as x0, y0, x1, y1."""
    rows, columns = np.nonzero(canvas.any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_rectangles_lie_on_their_box() -> None:
    canvas = black()
    draw_rectangles(canvas, np.array([[10, 5, 30, 25]], np.float32), (255, 0, 0))
    assert touched(canvas) == (10, 5, 30, 25)
    assert tuple(canvas[5, 20]) == (255, 0, 0)
    assert tuple(canvas[15, 29]) == (255, 0, 0)
    assert not canvas[15, 20].any()


def test_points_are_centered() -> None:
    canvas = black()
    draw_points(canvas, np.array([[20.5, 10.5]], np.float32), (255, 0, 0), radius=2)
    x0, y0, x1, y1 = touched(canvas)
    # antialiasing may spill by one pixel on either side
    np.testing.assert_allclose(((x0 + x1) / 2, (y0 + y1) / 2), (20.5, 10.5), atol=0.5)
    assert x1 - x0 in (5, 6, 7)
    assert tuple(canvas[10, 20]) == (255, 0, 0)


def test_lines_connect_points_and_close_on_request() -> None:
    corners = np.array([[10.5, 5.5], [30.5, 5.5], [30.5, 25.5]], np.float32)
    canvas, closed = black(), black()
    draw_lines(canvas, corners, (255, 0, 0))
    draw_lines(closed, corners, (255, 0, 0), closed=True)
    assert min(canvas[5, 20, 0], canvas[15, 30, 0]) > 200
    assert not canvas[15, 20].any()
    assert closed[15, 20].any()
    assert not closed[20, 15].any()


def test_nan_and_distant_shapes_are_harmless() -> None:
    canvas = black()
    draw_points(canvas, np.array([[np.nan, 3], [1e30, 5], [-np.inf, 0]], np.float32), (255, 0, 0))
    draw_rectangles(canvas, np.array([[np.nan, 0, 9, 9], [1e9, 1e9, 2e9, np.inf]], np.float32), (255, 0, 0))
    draw_points(canvas, np.empty((0, 2), np.float32), (255, 0, 0))
    draw_lines(canvas, np.array([[np.nan, 3], [-1e30, -5], [-np.inf, 0]], np.float32), (255, 0, 0))
    draw_lines(canvas, np.empty((0, 2), np.float32), (255, 0, 0))
    draw_rectangles(canvas, np.empty((0, 4), np.float32), (255, 0, 0))
    assert not canvas.any()


def test_labels_stay_inside_and_grow_with_the_image() -> None:
    heights = []
    for side in (100, 2000):
        canvas = black(side, side)
        draw_label(canvas, "0.98", (side * 2, -50), (255, 0, 0))
        x0, y0, x1, y1 = touched(canvas)
        assert x0 > 0
        assert (y0, x1) == (0, side)
        heights.append(y1 - y0)
    assert heights == [12, 50]


def test_a_label_is_legible() -> None:
    plain, written = black(100, 300), black(100, 300)
    draw_label(plain, " ", (10, 60), (255, 0, 0), 40)
    draw_label(written, "0.98", (10, 60), (255, 0, 0), 40)
    ink = (written[20:60] == 255).all(axis=2)
    assert ink.mean() > 0.03
    assert not (plain == 255).all(axis=2).any()
    draw_label(black(1, 1), "0.98", (0, 0), (255, 0, 0))


def faces(*boxes: tuple[float, float, float, float]) -> Faces:
    corners = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    inside = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)
    points = corners[:, None, :2] + inside * (corners[:, 2:] - corners[:, :2])[:, None]
    return Faces(corners, np.linspace(0.99, 0.5, len(corners), dtype=np.float32), points)


def gray(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def test_the_input_image_is_unchanged() -> None:
    image = gray(200, 200)
    image.setflags(write=False)
    drawn = draw_faces(image, faces((50, 60, 150, 180)))
    assert (image == 128).all()
    assert (drawn != 128).any()
    np.testing.assert_array_equal(draw_faces(image, Faces.empty()), image)


def test_points_have_the_color_of_their_side() -> None:
    found = faces((50, 50, 150, 150))
    drawn = draw_faces(gray(200, 200), found)
    for point, color in zip(found.keypoints[0], (LEFT, RIGHT, MIDDLE, LEFT, RIGHT), strict=True):
        x, y = (int(c) for c in point)
        assert tuple(drawn[y, x]) == color
    assert tuple(drawn[100, 50]) == BOX
    assert tuple(drawn[149, 100]) == BOX


def test_scores_are_optional() -> None:
    found = faces((50, 50, 150, 150))
    with_scores = draw_faces(gray(200, 200), found)
    without = draw_faces(gray(200, 200), found, scores=False)
    assert (with_scores[30:48] != without[30:48]).any()
    assert (without[:46] == 128).all()


def test_the_best_face_lies_on_top() -> None:
    drawn = draw_faces(gray(300, 300), faces((100, 100, 200, 200), (100, 110, 200, 210)), scores=False)
    assert tuple(drawn[140, 130]) == LEFT  # its left eye


@pytest.mark.parametrize("side", [1, 20, 1500])
def test_any_size_of_image_and_face(side: int) -> None:
    drawn = draw_faces(gray(side, side), faces((-5, -5, side + 5, side + 5), (0, 0, 8, 8)))
    assert drawn.shape == (side, side, 3)


def test_lines_grow_with_the_image() -> None:
    def line(side: int) -> int:
        drawn = draw_faces(gray(side, side), faces((side * 0.25,) * 2 + (side * 0.75,) * 2), scores=False)
        return int((drawn[side // 2] == BOX).all(axis=1).sum())

    assert line(1600) >= 4 * line(320) > 0


def landmarks(points: NDArray[np.floating], pose: Pose | None = None, scheme: str = "68") -> Landmarks:
    return Landmarks(points, scheme, np.ones(len(points)), pose)


def test_68_points_have_the_color_of_their_part(face68) -> None:
    points = face68 * 200 + 50
    drawn = draw_landmarks(gray(300, 300), [landmarks(points)])
    for point, color in ((8, BOX), (19, LEFT), (24, RIGHT), (30, MIDDLE), (36, LEFT), (45, RIGHT), (57, MIDDLE)):
        x, y = (int(c) for c in points[point])
        assert tuple(drawn[y, x]) == color


def test_parts_are_joined_and_eyes_and_lips_closed(face68) -> None:
    points = face68 * 400 + 50
    drawn = draw_landmarks(gray(500, 500), [landmarks(points)])

    def between(a: int, b: int) -> bool:
        x, y = (points[a] * 0.75 + points[b] * 0.25).astype(int)
        return bool((drawn[y - 1 : y + 2, x - 1 : x + 2] != 128).any())

    for a, b in ((0, 1), (17, 18), (29, 30), (31, 32), (36, 41), (42, 47), (48, 59), (60, 67)):
        assert between(a, b), f"{a} and {b} belong to one part"
    for a, b in ((0, 16), (21, 22), (26, 27), (30, 31)):
        assert not between(a, b), f"{a} and {b} do not"


def test_landmarks_are_drawn_on_a_copy_with_optional_pose(face68) -> None:
    image = gray(300, 300)
    image.setflags(write=False)
    found = landmarks(face68 * 200 + 50, Pose(10, -5, 3))
    with_pose, without = draw_landmarks(image, [found]), draw_landmarks(image, [found], pose=False)
    assert (image == 128).all()
    assert (without[:95] == 128).all()  # the brows are at 100
    assert (with_pose[:95] == BOX).all(axis=2).any()
    np.testing.assert_array_equal(draw_landmarks(image, []), image)


def test_the_pose_is_written_below_a_face_at_the_top(face68) -> None:
    points = face68 * 200 + [50, -50]  # the brows are at 0
    with_pose, without = (draw_landmarks(gray(300, 300), [landmarks(points, Pose(10, -5, 3))], pose=p) for p in (1, 0))
    changed = (with_pose != without).any(axis=(1, 2)).nonzero()[0]
    assert points[:, 1].max() < changed.min() < changed.max() < 200


def test_a_small_angle_has_no_sign(face68) -> None:
    drawn = [draw_landmarks(gray(300, 300), [landmarks(face68 * 200 + 50, Pose(yaw, 0, 0))]) for yaw in (-0.3, 0)]
    np.testing.assert_array_equal(*drawn)


def test_unknown_points_and_other_schemes(face68) -> None:
    unknown = face68 * 200 + 50
    unknown[::2] = np.nan
    assert (draw_landmarks(gray(300, 300), [landmarks(unknown)]) != 128).any()
    assert (draw_landmarks(gray(9, 9), [landmarks(np.full((68, 2), np.nan))]) == 128).all()
    drawn = draw_landmarks(gray(40, 40), [landmarks(np.array([[10.5, 10.5], [30.5, 30.5]]), scheme="2")])
    assert tuple(drawn[10, 10]) == tuple(drawn[30, 30]) == MIDDLE
    assert (drawn[20, 20] == 128).all()


def test_a_contact_sheet_shows_every_image_in_full() -> None:
    colors = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250)]
    sizes = [(10, 20), (30, 10), (30, 20), (1, 1), (5, 20)]
    images = [np.full((*size, 3), color, np.uint8) for size, color in zip(sizes, colors, strict=True)]
    sheet = contact_sheet(images, columns=3)
    assert sheet.shape == (2 * 30 + 3 * 4, 3 * 20 + 4 * 4, 3)
    for (height, width), color in zip(sizes, colors, strict=True):
        assert (sheet == color).all(axis=2).sum() == height * width
    assert contact_sheet(images[:1], columns=8).shape == (10 + 8, 20 + 8, 3)


def test_an_empty_contact_sheet_is_rejected() -> None:
    with pytest.raises(BadOption, match="not 0 and 3"):
        contact_sheet([], columns=3)
    with pytest.raises(BadOption, match="not 1 and 0"):
        contact_sheet([gray(4, 4)], columns=0)


def plates(drawn: NDArray[np.uint8], plain: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The pixels that tags have changed."""
    return (drawn != plain).any(axis=2)


def test_small_faces_get_a_thin_box_only() -> None:
    small = faces((20, 20, 50, 56))
    drawn = draw_faces(gray(800, 800), small, tracks=[1])
    assert touched(np.where(drawn == 128, 0, 255).astype(np.uint8)) == (20, 20, 50, 56)
    assert (drawn[21:55, 21:49] == 128).all()  # one pixel wide, no shadow, no keypoints
    assert (drawn[20, 20:50] == BOX).all()


def test_tags_grow_with_the_face_up_to_a_share_of_the_image() -> None:
    def height(width: int) -> int:
        found = faces((100, 300, 100 + width, 300 + width))
        tag = plates(draw_faces(gray(1200, 1200), found), draw_faces(gray(1200, 1200), found, scores=False))
        return int(tag.any(axis=1).sum())

    assert [height(width) for width in (30, 45, 75, 600)] == [0, 15, 25, 30]


@pytest.mark.parametrize(
    ("box", "neighbor", "rows"),
    [
        ((100, 100, 180, 180), (300, 300, 380, 380), (87, 99)),  # free: above
        ((100, 100, 180, 180), (100, 20, 180, 98), (181, 193)),  # a face above: below
        ((100, 2, 180, 82), (300, 300, 380, 380), (83, 95)),  # no room above: below
        ((20, 2, 380, 398), (300, 300, 380, 380), (3, 15)),  # neither: inside a large face
        ((100, 100, 180, 180), (90, 10, 190, 390), None),  # nowhere without covering a face
    ],
)
def test_tags_cover_no_neighbor(
    box: tuple[float, ...], neighbor: tuple[float, ...], rows: tuple[int, int] | None
) -> None:
    both = faces(box, neighbor)  # type: ignore[arg-type]
    tagged, plain = (draw_faces(gray(400, 400), both, scores=scores) for scores in (True, False))
    changed = plates(tagged, plain)
    x0, y0, x1, y1 = (int(side) for side in neighbor)
    if rows is None:
        assert not changed[:, :88].any()
    else:
        assert changed[slice(*rows), int(box[0]) : int(box[0]) + 25].mean() > 0.8
    if neighbor[2] - neighbor[0] < 100:
        assert not changed[y0:y1, x0:x1].any()


def test_no_tag_covers_a_face_or_a_tag_in_a_crowd() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 900, (60, 2))
    crowd = faces(*(tuple(row) for row in np.concatenate([corners, corners + rng.uniform(42, 79, (60, 1))], axis=1)))
    tagged, plain = (draw_faces(gray(1000, 1000), crowd, scores=scores) for scores in (True, False))
    changed = plates(tagged, plain)
    assert changed.any()
    for x0, y0, x1, y1 in crowd.boxes.astype(int):  # no face here is large enough for a tag inside
        assert not changed[max(0, y0 + 1) : y1, max(0, x0 + 1) : x1].any()


def test_track_numbers_are_drawn() -> None:
    found = faces((50, 50, 150, 150), (300, 50, 400, 150))
    images = [draw_faces(gray(500, 500), found, scores=False, tracks=tracks) for tracks in (None, [1, 2], [1, 3])]
    assert plates(images[1], images[0])[30:50].any()
    other = plates(images[1], images[2])
    assert other[:, 280:].any()
    assert not other[:, :280].any()
    with pytest.raises(BadOption, match="1 tracks for 2 faces; give one track per face"):
        draw_faces(gray(500, 500), found, tracks=[1])


def test_boxes_and_tracks_are_drawn_with_landmarks(face68) -> None:
    found = faces((50, 50, 250, 250))
    points = landmarks(face68 * 200 + 50, Pose(10, -5, 3))
    plain = draw_landmarks(gray(400, 400), [points])
    drawn = draw_landmarks(gray(400, 400), [points], found, tracks=[7])
    assert (plain[150, 50] == 128).all()
    assert tuple(drawn[150, 50]) == BOX
    changed = plates(drawn, draw_landmarks(gray(400, 400), [points], found, scores=False, pose=False))
    assert changed[30:49].any()  # track and score above
    assert changed[252:275].any()  # pose below
    assert not changed[51:249, 51:249].any()
    with pytest.raises(BadOption, match="1 faces for 2 landmarks"):
        draw_landmarks(gray(400, 400), [points, points], found)


def test_a_pose_much_wider_than_its_face_is_left_out(face68) -> None:
    points = face68 * 30 + 100
    with_pose, without = (
        draw_landmarks(gray(300, 300), [landmarks(points, Pose(10, -5, 3))], pose=pose) for pose in (True, False)
    )
    np.testing.assert_array_equal(with_pose, without)

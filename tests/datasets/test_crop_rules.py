"""Crops of synthetic faces: by hand and by round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.datasets.crop_rules import RULES, WIDE_SIZE, make_sample
from mien.datasets.samples import LandmarkSample, unknown
from mien.errors import BadAnnotation
from mien.geometry import boxes
from mien.geometry.schemes import COFW_TO_68
from mien.imaging import Mipmap, read_image
from mien.types import Pose


def face(points: np.ndarray, scheme: str = "68", **changes: object) -> LandmarkSample:
    fields = {
        "path": Path("folder/one.jpg"),
        "points": points,
        "scheme": scheme,
        "subset": "SET",
        "person": "Ada",
        "visible": np.ones(len(points)),
        "pose": None,
        "box": unknown(4),
    }
    return LandmarkSample(**{**fields, **changes})  # type: ignore[arg-type]


def grid(x: float = 100, y: float = 80, width: float = 60, height: float = 80) -> np.ndarray:
    """Return 68 points that span a box."""
    steps = np.linspace(0, 1, 68)
    points = np.stack([x + width * steps, y + height * steps[::-1]], axis=1)
    return points.astype(np.float32)


def test_the_stretched_box() -> None:
    (box,) = RULES["stretched"].crop_boxes(boxes.detected_box(grid()[None]))
    assert box.tolist() == pytest.approx([97, 56, 163, 164])  # 5 % of 60 and of 80, and 30 % of 80 above


def test_the_square_is_the_detected_box_with_context() -> None:
    (box,) = RULES["square"].crop_boxes(boxes.detected_box(grid()[None]))
    side = 108 * 0.92 * 1.5
    assert box.tolist() == pytest.approx([130 - side / 2, 110 - side / 2, 130 + side / 2, 110 + side / 2])


@pytest.mark.parametrize("rule", RULES)
def test_points_stay_on_their_pixels(rule: str) -> None:
    image = np.zeros((240, 260, 3), np.uint8)
    points = grid()
    image[149:152, 109:112] = 255  # the pixel round (110.5, 150.5) and its neighbors
    points[3] = (110.5, 150.5)
    sample = make_sample(face(points), Mipmap(image), rule)
    for seen, (x, y) in ((sample.image, sample.points[3] * 128), (read_image(sample.wide), sample.wide_points[3])):
        assert seen[int(y), int(x)].min() > 200
        rows, columns = np.nonzero(seen[..., 0] > 127)
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.5)


@settings(max_examples=30, deadline=None)
@given(
    x=st.floats(-50, 200),
    y=st.floats(-50, 200),
    width=st.floats(5, 300),
    height=st.floats(5, 300),
    rule=st.sampled_from(sorted(RULES)),
)
def test_crop_round_trip(x: float, y: float, width: float, height: float, rule: str) -> None:
    points = grid(x, y, width, height)
    sample = make_sample(face(points), Mipmap(np.zeros((50, 50, 3), np.uint8)), rule)
    assert sample.points.min() >= 0
    assert sample.points.max() <= 1
    back = boxes.decode_points(sample.points[None], RULES[rule].crop_boxes(boxes.detected_box(points[None])))[0]
    np.testing.assert_allclose(back, points, atol=1e-3)  # pixels; float32
    high, wide, _ = read_image(sample.wide).shape
    assert high == wide <= WIDE_SIZE
    scale = np.ptp(sample.wide_points, axis=0) / np.ptp(points, axis=0)
    assert scale[0] == pytest.approx(scale[1], rel=1e-3)
    assert scale.max() < 1.05  # never enlarged but for rounding to whole pixels
    x0, _, x1, _ = boxes.face_box(points[None])[0]
    assert wide / scale[0] == pytest.approx(2 * (x1 - x0), rel=1e-3)


def test_fields_of_a_sample() -> None:
    visible = np.where(np.arange(68) < 5, 0, 1)
    made = make_sample(face(grid(), "68-3d", visible=visible, pose=Pose(20, float("nan"), -3)), black(), "stretched")
    assert (made.scheme, made.subset, made.person, made.name, made.rule) == (
        "68-3d",
        "SET",
        "Ada",
        "one.jpg",
        "stretched",
    )
    np.testing.assert_array_equal(made.pose, [20, np.nan, -3])
    assert made.visible.tolist() == visible.tolist()
    assert np.isnan(make_sample(face(grid()), black(), "square").pose).all()


def black() -> Mipmap:
    return Mipmap(np.zeros((200, 200, 3), np.uint8))


def test_other_schemes_become_68_points() -> None:
    steps = np.linspace(20, 120, 98, dtype=np.float32)
    made = make_sample(face(np.stack([steps, steps], axis=1), "98"), black(), "square")
    assert made.scheme == "68"
    assert np.isfinite(made.points).all()
    made = make_sample(face(np.stack([steps[:29], steps[:29]], axis=1), "29"), black(), "square")
    assert np.isfinite(made.points).all(axis=1).sum() == len(COFW_TO_68)
    assert (np.isnan(made.points) == np.isnan(made.wide_points)).all()


def test_unknown_points_do_not_move_the_crop() -> None:
    points = grid()
    with_gap = points.copy()
    with_gap[30:40] = np.nan
    whole, gap = (make_sample(face(p), black(), "square") for p in (points, with_gap))
    assert np.isnan(gap.points[30:40]).all()
    np.testing.assert_array_equal(gap.points[:30], whole.points[:30])
    np.testing.assert_array_equal(gap.image, whole.image)


@pytest.mark.parametrize("points", [grid(width=0, height=0), grid(width=0), grid(width=2, height=2)])
def test_a_face_without_extent(points: np.ndarray) -> None:
    with pytest.raises(BadAnnotation, match=r"one.jpg: the known points span \d.* x \d.* pixels; correct the points"):
        make_sample(face(points), black(), "square")

"""FDDB's scores by hand. A circle of radius 10 in its square of 20 x 20 has IoU 100 pi / 400 = pi / 4."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadOption
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.metrics.roc import ellipse_iou, match_ellipses, roc_curve

QUARTER_PI = math.pi / 4


def circles(*xs, radius=10.0):
    return np.array([[radius, radius, 0, x, 50.0] for x in xs]).reshape(len(xs), 5)


def square(x, half=10.0):
    return [x - half, 50 - half, x + half, 50 + half]


def found(*scored):
    boxes = np.array([box for box, _ in scored], float).reshape(-1, 4)
    return faces_without_keypoints(boxes, np.array([score for _, score in scored], float))


def curve(ellipses, faces):
    return roc_curve([match_ellipses(ellipses, faces)])


def iou(ellipses, box, size=(np.inf, np.inf)):
    return ellipse_iou(np.array(ellipses), np.array([box], np.float32), size)[0, 0]


def test_iou_of_a_circle_and_its_square():
    assert iou(circles(50), square(50)) == pytest.approx(QUARTER_PI, abs=1e-4)


def test_iou_of_a_circle_and_a_quarter_of_its_square():
    # Shared: 25 pi. Union: 100 pi + 100 - 25 pi.
    expected = 25 * math.pi / (75 * math.pi + 100)
    assert iou(circles(50), [50, 50, 60, 60]) == pytest.approx(expected, abs=1e-4)


def test_iou_with_an_inner_and_a_disjoint_box():
    # The inner square of side 10 is all shared: 100 / (100 pi).
    assert iou(circles(50), [45, 45, 55, 55]) == pytest.approx(1 / math.pi, abs=1e-4)
    assert iou(circles(50), [61, 40, 81, 60]) == 0.0


def test_the_angle_turns_from_x_towards_y():
    # A thin ellipse along the falling diagonal (45 degrees, y is down) meets the lower right, not the upper.
    thin = [[20, 2, 45, 50, 50]]
    assert iou(thin, [50, 50, 70, 70]) > 0.1
    assert iou(thin, [50, 30, 70, 50]) < 0.05
    # A quarter turn swaps the axes: all of the area, 20 * 10 * pi, lies in the upright box of 20 x 40.
    upright = [[20, 10, 90, 50, 50]]
    assert iou(upright, [40, 30, 60, 70]) == pytest.approx(QUARTER_PI, abs=1e-4)


def test_both_shapes_are_clipped_at_the_image_border():
    # Half the circle (50 pi) and half the square (200) are in the image.
    half = [[10, 10, 0, 0, 50]]
    assert iou(half, square(0), (100, 100)) == pytest.approx(50 * math.pi / 200, abs=1e-4)
    right = [[10, 10, 0, 100, 50]]
    assert iou(right, square(100), (100, 100)) == pytest.approx(50 * math.pi / 200, abs=1e-4)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.floats(4, 30),
    st.floats(4, 30),
    st.floats(-180, 180),
    st.floats(30, 70),
    st.floats(30, 70),
    st.floats(5, 40),
)
def test_iou_agrees_with_a_pixel_count(a, b, degrees, x, y, side):
    box = np.array([x, y, x + side, y + 0.7 * side], np.float32)
    step = 0.5
    ys, xs = np.mgrid[0:120:step, 0:120:step] + step / 2
    dx, dy, angle = xs - 50, ys - 50, math.radians(degrees)
    u, v = dx * math.cos(angle) + dy * math.sin(angle), dy * math.cos(angle) - dx * math.sin(angle)
    inside = (u / a) ** 2 + (v / b) ** 2 <= 1
    in_box = (xs >= box[0]) & (xs <= box[2]) & (ys >= box[1]) & (ys <= box[3])
    counted = (inside & in_box).sum() / (inside | in_box).sum()
    # Cells of half a pixel are wrong by about a quarter of a pixel along the border of a shape.
    assert iou([[a, b, degrees, 50, 50]], box) == pytest.approx(counted, abs=0.03)


def test_discrete_and_continuous_score():
    # Score 0.9 finds the first of two faces; 0.5 hits nothing; 0.1 meets the second with IoU 1 / pi only.
    result = curve(circles(50, 150), found((square(50), 0.9), (square(300), 0.5), (square(150, half=5), 0.1)))
    np.testing.assert_allclose(result.scores, [0.9, 0.5, 0.1], rtol=1e-6)
    assert result.faces == 2
    assert result.discrete.tolist() == [0.5, 0.5, 0.5]
    assert result.false_positives.tolist() == [0, 1, 2]
    first, weak = QUARTER_PI / 2, 1 / math.pi / 2
    np.testing.assert_allclose(result.continuous, [first, first, first + weak], atol=1e-4)
    assert result.discrete_at(0) == 0.5
    assert result.continuous_at(1) == pytest.approx(first, abs=1e-4)
    assert result.continuous_at(2) == pytest.approx(first + weak, abs=1e-4)


def test_a_duplicate_detection_is_a_false_positive():
    result = curve(circles(50), found((square(50), 0.9), (square(51), 0.8)))
    assert result.discrete.tolist() == [1.0, 1.0]
    assert result.false_positives.tolist() == [0, 1]


def test_the_assignment_is_globally_optimal():
    # Both boxes fit face 0 (x = 50) best, but one can serve face 1 (x = 58) too: greedy would waste it.
    boxes = np.array([square(50), square(53)], np.float32)
    table = ellipse_iou(circles(50, 58), boxes)
    assert table[0].argmax() == 0
    assert table[0, 1] > table[1, 1] > 0.5
    result = curve(circles(50, 58), found((square(53), 0.9), (square(50), 0.8)))
    # Alone, the first box takes face 0; then it makes room for the second and takes face 1.
    np.testing.assert_allclose(result.continuous, [table[0, 1] / 2, (table[0, 0] + table[1, 1]) / 2])
    assert result.discrete.tolist() == [0.5, 1.0]


def test_equal_scores_are_one_point_of_the_curve():
    result = curve(circles(50), found((square(50), 0.5), (square(300), 0.5)))
    assert result.scores.tolist() == [0.5]
    assert result.false_positives.tolist() == [1]


def test_the_curve_sums_over_images():
    images = [
        match_ellipses(circles(50), found((square(50), 0.9))),
        match_ellipses(circles(50, 150), found((square(50), 0.7), (square(300), 0.9))),
        match_ellipses(circles(), found((square(300), 0.8))),
    ]
    result = roc_curve(images)
    np.testing.assert_allclose(result.scores, [0.9, 0.8, 0.7], rtol=1e-6)
    np.testing.assert_allclose(result.discrete, [1 / 3, 1 / 3, 2 / 3])
    assert result.false_positives.tolist() == [1, 2, 2]
    assert result.faces == 3


def test_no_detections_give_an_empty_curve():
    result = curve(circles(50), found())
    assert len(result.scores) == 0
    assert result.discrete_at(1000) == 0.0


@pytest.mark.parametrize("ellipses", [np.ones((1, 4)), np.ones(5), np.array([[1.0, 0, 0, 0, 0]])])
def test_invalid_ellipses_are_refused(ellipses):
    with pytest.raises(BadOption, match="half axes above 0"):
        iou(ellipses, square(50))

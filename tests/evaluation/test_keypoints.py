"""Errors of points by hand: eyes 10 apart, boxes 20 x 20."""

import math

import numpy as np
import pytest

from mien.errors import BadOption
from mien.evaluation.metrics.keypoints import evaluate_points, pair, pick_points
from mien.types import Faces

FACE = np.array([[5, 5], [15, 5], [10, 10], [6, 15], [14, 15]], dtype=float)
BOX = [0, 0, 20, 20]


def moved(*shifts):
    """Copies of FACE, each moved to the right; None is a missed face."""
    return np.array([np.full((5, 2), np.nan) if s is None else FACE + np.array([s, 0]) for s in shifts])


def score(*shifts):
    n = len(shifts)
    return evaluate_points(np.array([FACE] * n), moved(*shifts), np.array([BOX] * n, float))


def test_the_right_points_have_no_error():
    numbers = score(0, 0).numbers()
    assert numbers["nme_inter_ocular"] == numbers["nme_box"] == 0.0
    assert numbers["auc_10_inter_ocular"] == 1.0
    assert numbers["failure_rate_10_inter_ocular"] == 0.0


def test_every_number_by_hand():
    # Moved by 0.5, 2 and 0 px: by the eyes (10 px) 0.05, 0.2, 0; by the box (20 px) 0.025, 0.1, 0.
    numbers = score(0.5, 2, 0).numbers()
    assert numbers == pytest.approx(
        {
            "faces": 3,
            "missed": 0,
            "nme_inter_ocular": (0.05 + 0.2) / 3,
            "failure_rate_10_inter_ocular": 1 / 3,
            "auc_10_inter_ocular": (0.5 + 0 + 1) / 3,
            "nme_box": (0.025 + 0.1) / 3,
            "failure_rate_10_box": 0.0,
            "auc_10_box": (0.75 + 0 + 1) / 3,
        }
    )


def test_the_error_of_a_face_is_the_mean_over_its_points():
    found = FACE.copy()
    found[2] += [3, 4]  # 5 px at one of five points: 1 px on average
    result = evaluate_points(FACE[None], found[None], np.array([BOX], float))
    assert result.inter_ocular.nme == pytest.approx(0.1)


def test_the_box_counts_by_the_root_of_its_area():
    # 10 x 40 has the side 20.
    result = evaluate_points(FACE[None], moved(2), np.array([[0, 0, 10, 40]], float))
    assert result.box.nme == pytest.approx(0.1)


def test_a_missed_face_fails_and_adds_nothing_to_the_area():
    result = score(0.5, None)
    numbers = result.numbers()
    assert (numbers["faces"], numbers["missed"]) == (2, 1)
    assert numbers["nme_inter_ocular"] == pytest.approx(0.05)  # over the face that was found
    assert numbers["failure_rate_10_inter_ocular"] == 0.5
    assert numbers["auc_10_inter_ocular"] == pytest.approx((0.5 + 0) / 2)
    errors, parts = result.inter_ocular.cumulative()
    np.testing.assert_allclose(errors, [0.05])
    assert parts.tolist() == [0.5]


def test_all_missed():
    numbers = score(None).numbers()
    assert math.isnan(numbers["nme_box"])
    assert numbers["failure_rate_10_box"] == 1.0
    assert numbers["auc_10_box"] == 0.0


def test_the_cumulative_curve_is_sorted_and_its_area_is_the_auc():
    result = score(0.8, 0.2, 0.4, 3)
    errors, parts = result.inter_ocular.cumulative()
    np.testing.assert_allclose(errors, [0.02, 0.04, 0.08, 0.3])
    np.testing.assert_allclose(parts, [0.25, 0.5, 0.75, 1.0])
    # Steps: 0.25 from 0.02 to 0.04, 0.5 to 0.08, 0.75 to 0.1.
    area = 0.25 * 0.02 + 0.5 * 0.04 + 0.75 * 0.02
    assert result.inter_ocular.auc() == pytest.approx(area / 0.1)
    assert result.inter_ocular.failure_rate(0.05) == 0.5


def test_other_eyes_can_be_named():
    # Mouth corners (points 3 and 4) are 8 apart.
    result = evaluate_points(FACE[None], moved(0.8), np.array([BOX], float), eyes=(3, 4))
    assert result.inter_ocular.nme == pytest.approx(0.1)


def test_what_cannot_be_scored_is_refused():
    boxes = np.array([BOX], float)
    with pytest.raises(BadOption, match="must have the shapes"):
        evaluate_points(FACE[None], FACE, boxes)
    with pytest.raises(BadOption, match="at least one"):
        evaluate_points(np.empty((0, 5, 2)), np.empty((0, 5, 2)), np.empty((0, 4)))
    with pytest.raises(BadOption, match="all known"):
        evaluate_points(moved(None), moved(0), boxes)
    with pytest.raises(BadOption, match="the eyes have no extent"):
        evaluate_points(np.zeros((1, 5, 2)), moved(0), boxes)
    with pytest.raises(BadOption, match="face 1 of the truth, the box"):
        evaluate_points(np.array([FACE] * 2), moved(0, 0), np.array([BOX, [5, 5, 5, 9]], float))


def detected(*boxes):
    points = np.arange(len(boxes), dtype=float)[:, None, None] * np.ones((1, 5, 2))
    return Faces(np.array(boxes, float).reshape(-1, 4), np.ones(len(boxes)), points)


def picked(boxes, faces):
    """The number of the detection picked for each box, None for a missed one."""
    return [None if np.isnan(row).any() else int(row[0, 0]) for row in pick_points(np.array(boxes, float), faces)]


def test_pairs_are_made_by_overlap():
    assert picked([BOX, [100, 0, 120, 20]], detected([101, 0, 121, 20], [0, 0, 20, 20])) == [1, 0]


def test_one_detection_serves_one_face():
    # The detection overlaps both faces; the second fits better, the first goes without.
    assert picked([[0, 0, 20, 20], [4, 0, 24, 20]], detected([3, 0, 23, 20])) == [None, 0]


def test_a_detection_elsewhere_is_not_taken():
    # A box of 20 x 10 in 20 x 20 has IoU 0.5, one of 20 x 5 only 0.25.
    assert picked([BOX], detected([0, 0, 20, 10])) == [0]
    assert picked([BOX], detected([0, 0, 20, 5])) == [None]
    assert picked([BOX], detected()) == [None]


def test_partners_are_numbers_of_the_others():
    boxes = np.array([BOX, [100, 0, 120, 20], [50, 50, 70, 70]], float)
    assert pair(boxes, boxes[[1, 0]]).tolist() == [1, 0, -1]
    assert pair(boxes, np.empty((0, 4))).tolist() == [-1, -1, -1]

"""Errors of keypoints by hand: eyes 10 apart, boxes 20 x 20."""

import math

import numpy as np
import pytest

from mien.errors import BadOption
from mien.evaluation.metrics.nme import keypoint_errors

FACE = np.array([[5, 5], [15, 5], [10, 10], [6, 15], [14, 15]], dtype=float)
BOX = [0, 0, 20, 20]


def moved(*shifts):
    """Copies of FACE, each moved to the right; None is a missed face."""
    return np.array([np.full((5, 2), np.nan) if s is None else FACE + np.array([s, 0]) for s in shifts])


def score(*shifts):
    n = len(shifts)
    return keypoint_errors(np.array([FACE] * n), moved(*shifts), np.array([BOX] * n, float))


def test_exact_keypoints_have_no_error():
    numbers = score(0, 0).to_dict()
    assert numbers["nme_inter_ocular"] == numbers["nme_box"] == 0.0
    assert numbers["auc_10_inter_ocular"] == 1.0
    assert numbers["failure_rate_10_inter_ocular"] == 0.0


def test_every_number_by_hand():
    # Moved by 0.5, 2 and 0 px: by the eyes (10 px) 0.05, 0.2, 0; by the box (20 px) 0.025, 0.1, 0.
    numbers = score(0.5, 2, 0).to_dict()
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
    result = keypoint_errors(FACE[None], found[None], np.array([BOX], float))
    assert result.inter_ocular.nme == pytest.approx(0.1)


def test_the_box_norm_is_the_square_root_of_its_area():
    # 10 x 40 has the side 20.
    result = keypoint_errors(FACE[None], moved(2), np.array([[0, 0, 10, 40]], float))
    assert result.box.nme == pytest.approx(0.1)


def test_a_missed_face_is_a_failure_and_adds_no_auc():
    result = score(0.5, None)
    numbers = result.to_dict()
    assert (numbers["faces"], numbers["missed"]) == (2, 1)
    assert numbers["nme_inter_ocular"] == pytest.approx(0.05)  # over the face that was found
    assert numbers["failure_rate_10_inter_ocular"] == 0.5
    assert numbers["auc_10_inter_ocular"] == pytest.approx((0.5 + 0) / 2)
    errors, parts = result.inter_ocular.ced()
    np.testing.assert_allclose(errors, [0.05])
    assert parts.tolist() == [0.5]


def test_all_missed():
    numbers = score(None).to_dict()
    assert math.isnan(numbers["nme_box"])
    assert numbers["failure_rate_10_box"] == 1.0
    assert numbers["auc_10_box"] == 0.0


def test_the_cumulative_curve_is_sorted_and_its_area_is_the_auc():
    result = score(0.8, 0.2, 0.4, 3)
    errors, parts = result.inter_ocular.ced()
    np.testing.assert_allclose(errors, [0.02, 0.04, 0.08, 0.3])
    np.testing.assert_allclose(parts, [0.25, 0.5, 0.75, 1.0])
    # Steps: 0.25 from 0.02 to 0.04, 0.5 to 0.08, 0.75 to 0.1.
    area = 0.25 * 0.02 + 0.5 * 0.04 + 0.75 * 0.02
    assert result.inter_ocular.auc() == pytest.approx(area / 0.1)
    assert result.inter_ocular.failure_rate(0.05) == 0.5


def test_invalid_input_is_refused():
    boxes = np.array([BOX], float)
    with pytest.raises(BadOption, match="must have the shapes"):
        keypoint_errors(FACE[None], FACE, boxes)
    with pytest.raises(BadOption, match="at least one"):
        keypoint_errors(np.empty((0, 5, 2)), np.empty((0, 5, 2)), np.empty((0, 4)))
    with pytest.raises(BadOption, match="all known"):
        keypoint_errors(moved(None), moved(0), boxes)
    with pytest.raises(BadOption, match="the eyes have no extent"):
        keypoint_errors(np.zeros((1, 5, 2)), moved(0), boxes)
    with pytest.raises(BadOption, match="face 1 of the truth, the box"):
        keypoint_errors(np.array([FACE] * 2), moved(0, 0), np.array([BOX, [5, 5, 5, 9]], float))

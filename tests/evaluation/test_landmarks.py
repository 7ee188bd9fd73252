"""Errors of 68 landmarks by hand: outer eye corners 100 px apart, a box of 200 x 50."""

import math

import numpy as np
import pytest

from mien.errors import BadOption
from mien.evaluation.metrics.landmarks import NORMS, PARTS, LandmarkTruth, normalizing_lengths, score_landmarks

LEFT, RIGHT = [36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47]


def face():
    """Outer corners at x = 50 and 150, the middles of the eyes at 60 and 140; the box is 0, 0, 200, 50."""
    points = np.full((68, 2), [100.0, 25.0])
    points[0], points[16] = [0, 0], [200, 50]
    points[LEFT], points[RIGHT] = [60, 25], [140, 25]
    points[[36, 39, 45, 42], 0] = [50, 70, 150, 130]
    return points


def truth(*yaws, subsets=None, points=None, visible=None):
    n = len(yaws)
    return LandmarkTruth(
        np.stack([face()] * n) if points is None else points,
        np.full((n, 68), np.nan) if visible is None else visible,
        np.array(yaws, float),
        tuple(subsets or ["A"] * n),
    )


def moved(*shifts):
    """Copies of the face, each moved to the right; None is a missed one."""
    return np.array([np.full((68, 2), np.nan) if s is None else face() + np.array([s, 0]) for s in shifts])


def score(*shifts, norm="inter-ocular"):
    n = len(shifts)
    return score_landmarks(truth(*[0] * n), moved(*shifts), np.zeros(n), norm).all


def test_each_length_by_hand():
    by_norm = {norm: normalizing_lengths(face()[None], norm)[0] for norm in NORMS}
    # sqrt(200 * 50) = 100; the diagonal is sqrt(200^2 + 50^2).
    expected = {"inter-ocular": 100, "inter-pupil": 80, "box": 100, "diagonal": math.hypot(200, 50)}
    assert by_norm == pytest.approx(expected)


@pytest.mark.parametrize(
    ("norm", "unknown", "expected"),
    [
        ("inter-ocular", [36], math.nan),
        ("inter-ocular", [39, 0], 100),
        ("inter-pupil", [42], math.nan),
        ("inter-pupil", [37, 41], 80),
        ("box", [0], math.sqrt(150 * 25)),  # what is left begins at 50, 25
        ("diagonal", [0], math.hypot(150, 25)),
        ("box", range(68), math.nan),
    ],
)
def test_lengths_of_partly_known_faces(norm, unknown, expected):
    points = face()
    points[list(unknown)] = np.nan
    assert normalizing_lengths(points[None], norm)[0] == pytest.approx(expected, nan_ok=True)


def test_a_face_without_extent_has_no_length():
    assert all(math.isnan(normalizing_lengths(np.ones((1, 68, 2)), norm)[0]) for norm in NORMS)


def test_a_uniform_offset_of_five_pixels():
    assert score(5).errors.nme == pytest.approx(0.05)
    assert score(5, norm="inter-pupil").errors.nme == pytest.approx(5 / 80)
    assert score(5, norm="box").errors.nme == pytest.approx(0.05)
    assert score(5, norm="diagonal").errors.nme == pytest.approx(5 / math.hypot(200, 50))


def test_every_number_by_hand():
    # 0, 2, 9 and 11 px over 100 px.
    result = score_landmarks(truth(0, 0, 0, 0), moved(0, 2, 9, 11), np.array([1, -3, 2, np.nan]))
    numbers = result.all.to_dict(result.norm)
    assert numbers == pytest.approx(
        {
            "faces": 4,
            "missed": 0,
            "unscored_inter_ocular": 0,
            "nme_inter_ocular": 0.055,
            "failure_rate_8_inter_ocular": 0.5,
            "auc_8_inter_ocular": (1 + 0.75) / 4,
            "failure_rate_10_inter_ocular": 0.25,
            "auc_10_inter_ocular": (1 + 0.8 + 0.1) / 4,
            **{f"nme_{part}_inter_ocular": 0.055 for part in PARTS},
            "yaw_faces": 3,
            "yaw_error_degrees": 2.0,
        }
    )


def test_half_of_the_faces_missed():
    missed = score(5, None)
    assert (missed.faces, missed.missed, missed.unscored) == (2, 1, 0)
    assert missed.errors.nme == pytest.approx(0.05)  # over the face that was found
    assert missed.errors.failure_rate(0.1) == missed.errors.failure_rate(0.08) == 0.5
    assert missed.errors.auc(0.1) == pytest.approx(0.25)
    assert missed.parts["eyes"].failure_rate() == 0.5


def test_all_missed():
    missed = score(None)
    assert math.isnan(missed.errors.nme)
    assert missed.errors.failure_rate() == 1
    assert missed.errors.auc() == 0


def test_the_parts_of_the_face():
    assert {name: len(points) for name, points in PARTS.items()} == {
        "jaw": 17,
        "brows": 10,
        "nose": 9,
        "eyes": 12,
        "mouth": 20,
    }
    assert sorted(point for points in PARTS.values() for point in points) == list(range(68))
    found = moved(0)
    found[0, LEFT] += [0, 5]
    result = score_landmarks(truth(0), found, np.zeros(1)).all
    assert {name: errors.nme for name, errors in result.parts.items()} == pytest.approx(
        {"jaw": 0, "brows": 0, "nose": 0, "eyes": 0.025, "mouth": 0}
    )
    assert result.errors.nme == pytest.approx(0.05 * 6 / 68)


def test_unknown_points_do_not_count():
    points, found = np.stack([face()] * 2), moved(2, 2)
    points[0, 17:] = np.nan  # only the jaw is left, and no eye to measure by
    points[1, :17] = np.nan
    found[1, :17] += 1000
    result = score_landmarks(truth(0, 0, points=points), found, np.zeros(2), "inter-ocular").all
    assert (result.faces, result.missed, result.unscored) == (2, 0, 1)
    assert result.errors.nme == pytest.approx(0.02)
    assert len(result.parts["jaw"].values) == 0
    assert math.isnan(result.parts["jaw"].nme)
    assert math.isnan(result.parts["jaw"].failure_rate())


def test_occluded_points_count_on_request():
    visible, found = np.full((1, 68), np.nan), moved(0)
    visible[0, 48:] = 1
    visible[0, 48:58] = 0
    found[0, 48:58] += [4, 0]
    labeled = truth(0, visible=visible)
    seen = score_landmarks(labeled, found, np.zeros(1)).all
    every = score_landmarks(labeled, found, np.zeros(1), visible_only=False).all
    assert seen.errors.nme == 0
    assert every.errors.nme == pytest.approx(0.04 * 10 / 68)
    assert every.parts["mouth"].nme == pytest.approx(0.02)


def test_a_missed_face_that_cannot_be_scored_is_still_missed():
    points = face()[None].copy()
    points[0, 36] = np.nan
    result = score_landmarks(truth(0, points=points), moved(None), np.full(1, np.nan)).all
    assert (result.faces, result.missed, result.unscored) == (1, 1, 1)
    assert math.isnan(result.errors.auc())


def test_subsets_and_ranges_of_yaw():
    yaws = [0, -29, 30, -60, 95, np.nan]
    labeled = truth(*yaws, subsets=["A", "B", "A", "B", "A", "B"])
    result = score_landmarks(labeled, moved(0, 1, 2, 3, 4, 5), np.zeros(6))
    assert {name: part.errors.nme for name, part in result.subsets.items()} == pytest.approx({"A": 0.02, "B": 0.03})
    assert {name: part.errors.nme for name, part in result.yaw.items()} == pytest.approx(
        {"0-30": 0.005, "30-60": 0.02, "60-90": 0.035}
    )
    assert result.yaw["60-90"].yaw_error == pytest.approx((60 + 95) / 2)
    assert result.all.errors.nme == pytest.approx(0.025)


def test_ranges_without_faces_are_left_out():
    assert list(score_landmarks(truth(10), moved(0), np.zeros(1)).yaw) == ["0-30"]
    assert not score_landmarks(truth(np.nan), moved(0), np.zeros(1)).yaw


def test_yaw_errors_wrap_around():
    result = score_landmarks(truth(179, 10, 20), moved(0, 0, 0), np.array([-179, 14, np.nan])).all
    np.testing.assert_allclose(result.yaw, [2, 4])
    assert result.yaw_error == pytest.approx(3)
    assert math.isnan(score_landmarks(truth(np.nan), moved(0), np.zeros(1)).all.yaw_error)


def test_indexing_the_truth():
    some = truth(1, 2, 3, subsets=["A", "B", "C"])[np.array([True, False, True])]
    assert some.subsets == ("A", "C")
    assert some.yaw.tolist() == [1, 3]


def test_invalid_input_is_refused():
    with pytest.raises(BadOption, match="no labeled face"):
        truth(points=np.empty((0, 68, 2)))
    with pytest.raises(BadOption, match=r"points has shape \(1, 5, 2\)"):
        truth(0, points=np.zeros((1, 5, 2)))
    with pytest.raises(BadOption, match="points"):
        score_landmarks(truth(0), moved(0, 0), np.zeros(1))
    with pytest.raises(BadOption, match="unknown norm 'eyes'"):
        score_landmarks(truth(0), moved(0), np.zeros(1), "eyes")

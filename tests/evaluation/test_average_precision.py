"""WIDER FACE's protocol by hand: faces are 10 x 10, the arithmetic stands beside each expectation.

The official overlap counts the last pixel, so a 10 x 10 box has the area 11 * 11 = 121.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadOption
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.metrics.average_precision import LabeledImage, average_precision, precision_recall
from mien.types import Faces

FACES = [[0, 0, 10, 10], [100, 0, 110, 10], [200, 0, 210, 10], [300, 0, 310, 10]]
FALSE = [500, 500, 510, 510]


def truth(rows=(0, 1, 2, 3), boxes=FACES):
    return [LabeledImage(np.array(boxes, float).reshape(-1, 4), {"easy": np.array(rows, int)})]


def found(*scored):
    boxes = np.array([box for box, _ in scored], dtype=float).reshape(-1, 4)
    return [faces_without_keypoints(boxes, np.array([score for _, score in scored], dtype=float))]


def easy(given_truth, given_found):
    return precision_recall(given_truth, given_found)["easy"]


def test_perfect_detections_have_ap_one():
    level = easy(truth(), found(*[(box, 0.9 - 0.1 * i) for i, box in enumerate(FACES)]))
    assert level.ap == 1.0
    assert level.faces == 4
    assert level.recall[-1] == 1.0


def test_no_detections_have_ap_zero():
    assert easy(truth(), found()).ap == 0.0


def test_one_false_positive_between_two_of_four_faces():
    # Best first: true, false, true. Recall 1/4 at precision 1, 2/4 at precision 2/3: AP = 1/4 + 1/4 * 2/3.
    level = easy(truth(), found((FACES[0], 0.9), (FALSE, 0.5), (FACES[1], 0.1)))
    assert level.ap == pytest.approx(1 / 4 + 1 / 4 * 2 / 3)


def test_precision_is_made_monotonic():
    # Best first: false, true, true. Precision 0, 1/2, 2/3, so 2/3 all the way to recall 1/2: AP = 1/2 * 2/3.
    level = easy(truth(), found((FALSE, 0.9), (FACES[0], 0.5), (FACES[1], 0.1)))
    assert level.ap == pytest.approx(1 / 2 * 2 / 3)


def test_a_duplicate_detection_is_a_false_positive():
    # True, second hit, true: as with a false positive between two of two faces, AP = 1/2 + 1/2 * 2/3.
    level = easy(truth((0, 1)), found((FACES[0], 0.9), (FACES[0], 0.5), (FACES[1], 0.1)))
    assert level.ap == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


def test_detections_of_ignored_faces_do_not_count():
    # Faces 1 to 3 are not in the level; two hits on face 1, above the only true one, change nothing.
    level = easy(truth((0,)), found((FACES[1], 0.9), (FACES[1], 0.8), (FACES[0], 0.5)))
    assert level.ap == 1.0
    assert level.faces == 1
    assert level.precision[-1] == 1.0


def test_a_detection_matches_the_face_with_the_highest_iou_even_if_ignored():
    # 3 to 13 shares 10 * 11 with the ignored face (4 to 14), 8 * 11 with face 0: IoU 110 / 132 and 88 / 154.
    boxes = [[0, 0, 10, 10], [4, 0, 14, 10]]
    assert easy(truth((0,), boxes), found(([3, 0, 13, 10], 0.9))).recall[-1] == 0.0
    assert easy(truth((0,), boxes[:1]), found(([3, 0, 13, 10], 0.9))).recall[-1] == 1.0


@pytest.mark.parametrize(
    ("width", "hit"),
    [
        (21, True),  # 11 * 11 of 22 * 11: IoU exactly 0.5, which counts; without "+1" it is 10 / 21 = 0.476
        (22, False),  # 121 / (23 * 11) = 0.478
    ],
)
def test_iou_is_inclusive_of_the_last_pixel(width, hit):
    level = easy(truth((0,)), found(([0, 0, width, 10], 0.9)))
    assert level.recall[-1] == float(hit)


def test_equal_scores_count_together():
    # True and false with one score, never one without the other: precision 1/2 at recall 1/4, AP = 1/8.
    level = easy(truth(), found((FACES[0], 0.9), (FALSE, 0.9)))
    assert level.ap == pytest.approx(1 / 8)
    # With a third, true and lower, precision 2/3 at recall 2/4, in either order of the ties: AP = 1/2 * 2/3.
    for tied in ([(FACES[0], 0.9), (FALSE, 0.9)], [(FALSE, 0.9), (FACES[0], 0.9)]):
        assert easy(truth(), found(*tied, (FACES[1], 0.1))).ap == pytest.approx(1 / 2 * 2 / 3)


def test_scores_of_any_scale_give_the_same_curve():
    scored = [(FACES[0], 3.0), (FALSE, 1.0), (FACES[1], -5.0)]
    level = easy(truth(), found(*scored))
    assert level.ap == pytest.approx(1 / 4 + 1 / 4 * 2 / 3)
    # The first threshold is 1/1000 of the range below the best score, the last is the lowest score.
    assert level.scores[-1] == -5.0
    assert level.scores[0] == pytest.approx(3.0 - 8.0 / 1000)


def test_scores_closer_than_a_thousandth_of_the_range_count_together():
    # 1, 0.9999 (true) and 0.9998 all pass the first threshold, 0.999, as if tied: AP = 1/4 * 1/3.
    level = easy(truth(), found((FACES[0], 0.9999), (FALSE, 0.9998), (FALSE, 0.0), (FALSE, 1.0)))
    assert level.ap == pytest.approx(1 / 4 * 1 / 3)


def test_order_of_the_detections_does_not_matter():
    scored = [(FALSE, 0.7), (FACES[1], 0.1), (FACES[0], 0.9), (FACES[0], 0.3)]
    assert easy(truth(), found(*scored)).ap == easy(truth(), found(*scored[::-1])).ap


def test_levels_are_scored_separately_and_empty_ones_left_out():
    image = LabeledImage(np.array(FACES, float), {"easy": [0], "hard": [0, 1], "medium": []})
    levels = precision_recall([image], found((FACES[0], 0.9), (FALSE, 0.5)))
    assert {name: (level.ap, level.faces) for name, level in levels.items()} == {
        "easy": (1.0, 1),
        "hard": (0.5, 2),
    }


def test_several_images_share_one_ranking():
    # b's false positive (0.7) stands between a's face (0.9) and b's face (0.5): AP = 1/2 + 1/2 * 2/3.
    images = [LabeledImage(np.array(FACES[:1], float), {"easy": [0]})] * 2
    detections = [
        faces_without_keypoints(np.array(FACES[:1], float), np.array([0.9])),
        faces_without_keypoints(np.array([FALSE, FACES[0]], float), np.array([0.7, 0.5])),
    ]
    assert easy(images, detections).ap == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)


@pytest.mark.parametrize(
    "boxes",
    [
        [],
        [[0, 0, 0, 0]],  # as the official list writes an image without faces
        [FALSE],  # ignored at this level, and elsewhere than the detection
    ],
)
def test_images_without_counted_faces_still_yield_false_positives(boxes):
    images = [*truth((0,)), LabeledImage(np.array(boxes, float).reshape(-1, 4), {"easy": []})]
    detections = [*found((FACES[0], 0.5)), faces_without_keypoints([FACES[2]], [0.9])]
    assert easy(images, detections).ap == 0.5


@pytest.mark.parametrize("rows", [[4], [-1]])
def test_rows_out_of_range_are_rejected(rows):
    with pytest.raises(BadOption, match="of 4 boxes"):
        truth(rows)


def test_wrong_box_shapes_are_rejected():
    with pytest.raises(BadOption, match=r"\(2, 5\)"):
        LabeledImage(np.zeros((2, 5)), {})


def test_average_precision_is_the_area_under_steps():
    # 0.2 wide at 1.0, 0.3 wide at 0.5 (raised from 0.4), nothing after recall 0.5.
    assert average_precision(np.array([0.2, 0.4, 0.5]), np.array([1.0, 0.4, 0.5])) == pytest.approx(
        0.2 * 1.0 + 0.3 * 0.5
    )


boxes_and_scores = st.lists(
    st.tuples(st.integers(0, 330), st.integers(0, 8), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])),
    max_size=12,
)


def at(items) -> Faces:
    boxes = np.array([[x, y, x + 10, y + 10] for x, y, _ in items], float).reshape(-1, 4)
    return faces_without_keypoints(boxes, np.array([score for _, _, score in items]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(boxes_and_scores)
def test_a_false_positive_with_the_lowest_score_never_raises_ap(items):
    # The lowest score so far is repeated, so that the range of scores, hence the thresholds, stay.
    lowest = min((score for _, _, score in items), default=0.0)
    before = easy(truth((0, 2)), [at(items)])
    after = easy(truth((0, 2)), [at([*items, (5000, 5000, lowest)])])
    assert after.ap <= before.ap
    assert 0.0 <= after.ap <= 1.0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(boxes_and_scores)
def test_the_curve_matches_a_naive_implementation(items):
    """The published rules written as loops."""
    faces = at(items)
    level = easy(truth((0, 2)), [faces])
    scores = faces.scores.astype(float)
    span = scores.max() - scores.min() if len(scores) else 0
    scaled = (scores - scores.min()) / span if span else np.ones(len(scores))
    for step in (0, 10, 99, 100, 499, 500, 749, 750, 899, 900, 999):
        proposals, hit = 0, set()
        for box, score in sorted(zip(faces.boxes, scaled, strict=True), key=lambda pair: -pair[1]):
            if score < 1 - (step + 1) / 1000:
                continue
            best = max(range(4), key=lambda row: _iou(box, FACES[row]))
            if _iou(box, FACES[best]) < 0.5:
                proposals += 1
            elif best in (0, 2):
                proposals += 1
                hit.add(best)
        assert level.recall[step] == len(hit) / 2
        assert level.precision[step] == (len(hit) / proposals if proposals else 0.0)


def _iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    shared = max(width, 0) * max(height, 0)
    return shared / (121 + 121 - shared)

"""Matching by hand: boxes of 20 x 20."""

import numpy as np

from mien.evaluation.metrics.matching import match_boxes, matched_keypoints
from mien.types import Faces

BOX = [0, 0, 20, 20]


def detected(*boxes):
    points = np.arange(len(boxes), dtype=float)[:, None, None] * np.ones((1, 5, 2))
    return Faces(np.array(boxes, float).reshape(-1, 4), np.ones(len(boxes)), points)


def picked(boxes, faces):
    """The number of the detection picked for each box, None for a missed one."""
    return [None if np.isnan(row).any() else int(row[0, 0]) for row in matched_keypoints(np.array(boxes, float), faces)]


def test_boxes_are_matched_by_iou():
    assert picked([BOX, [100, 0, 120, 20]], detected([101, 0, 121, 20], [0, 0, 20, 20])) == [1, 0]


def test_a_detection_matches_one_face_only():
    # The detection overlaps both faces; the second fits better, the first goes without.
    assert picked([[0, 0, 20, 20], [4, 0, 24, 20]], detected([3, 0, 23, 20])) == [None, 0]


def test_a_low_iou_is_no_match():
    # A box of 20 x 10 in 20 x 20 has IoU 0.5, one of 20 x 5 only 0.25.
    assert picked([BOX], detected([0, 0, 20, 10])) == [0]
    assert picked([BOX], detected([0, 0, 20, 5])) == [None]
    assert picked([BOX], detected()) == [None]


def test_matches_are_rows_of_the_others():
    boxes = np.array([BOX, [100, 0, 120, 20], [50, 50, 70, 70]], float)
    assert match_boxes(boxes, boxes[[1, 0]]).tolist() == [1, 0, -1]
    assert match_boxes(boxes, np.empty((0, 4))).tolist() == [-1, -1, -1]

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.geometry import boxes as box

TEN = np.array([[0, 0, 10, 10]], dtype=np.float32)


def some_boxes(count=8):
    corner = arrays(np.float32, (count, 2), elements=st.floats(-50, 50, width=32))
    sides = arrays(np.float32, (count, 2), elements=st.floats(1, 60, width=32))
    return st.tuples(corner, sides).map(lambda cs: np.concatenate([cs[0], cs[0] + cs[1]], axis=1))


def test_area_of_an_inverted_box_is_zero():
    assert box.area(np.array([[0, 0, 10, 10], [5, 5, 1, 9]], dtype=np.float32)).tolist() == [100, 0]


@pytest.mark.parametrize(
    ("other", "union", "smaller", "covered"),
    [
        ([0, 0, 10, 10], 1.0, 1.0, 1.0),
        ([5, 0, 15, 10], 50 / 150, 50 / 100, 50 / 100),  # half of each
        ([0, 0, 5, 5], 25 / 100, 1.0, 25 / 100),  # inside
        ([10, 0, 20, 10], 0.0, 0.0, 0.0),  # sides touch
        ([3, 3, 3, 3], 0.0, 0.0, 0.0),  # no area
    ],
)
def test_overlaps_by_hand(other, union, smaller, covered):
    other = np.array([other], dtype=np.float32)
    assert box.iou(TEN, other)[0, 0] == pytest.approx(union)
    assert box.iom(TEN, other)[0, 0] == pytest.approx(smaller)
    assert box.ioa(TEN, other)[0, 0] == pytest.approx(covered)


def test_nms_by_hand():
    found = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 4, 4]], dtype=np.float32)
    scores = np.array([0.8, 0.9, 0.3, 0.5], dtype=np.float32)
    # 1 and 0 share 90 of 110; the small box shares 12 of 104 with box 1 by union, 12 of its own 16 by the smaller
    assert box.nms(found, scores, 0.5).tolist() == [1, 3, 2]
    assert box.nms(found, scores, 0.9).tolist() == [1, 0, 3, 2]
    assert box.nms(found, scores, 0.5, "min").tolist() == [1, 2]


def test_clip():
    found = box.clip(np.array([[-5, 2, 4, 20], [12, 12, 14, 14]], dtype=np.float32), (0, 0, 10, 10))
    assert found.tolist() == [[0, 2, 4, 10], [10, 10, 10, 10]]
    assert found.dtype == np.float32


def test_nms_of_no_boxes():
    assert box.nms(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0.5).shape == (0,)


@given(some_boxes(), arrays(np.float32, 8, elements=st.floats(0, 1, width=32)), st.floats(0.1, 0.9))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_nms_keeps_the_best_and_no_overlapping_pair(found, scores, threshold):
    kept = box.nms(found, scores, threshold)
    assert scores[kept[0]] == scores.max()
    assert (np.diff(scores[kept]) <= 0).all()
    among = box.iou(found[kept], found[kept])
    assert (among[~np.eye(len(kept), dtype=bool)] <= threshold).all()
    dropped = np.setdiff1d(np.arange(8), kept)
    assert (box.iou(found[dropped], found[kept]).max(axis=1, initial=0) > threshold).all()


@pytest.mark.parametrize("measure", ["union", "min"])
def test_nms_is_the_same_above_the_matrix_limit(monkeypatch, measure):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 100, (200, 2))
    found = np.concatenate([corner, corner + rng.uniform(5, 40, (200, 2))], axis=1).astype(np.float32)
    scores = rng.random(200).astype(np.float32)
    whole = box.nms(found, scores, 0.4, measure).tolist()
    assert box.nms(found, scores, 0.4, measure, limit=20).tolist() == whole[:20]
    monkeypatch.setattr(box, "_MATRIX_LIMIT", 10)
    assert box.nms(found, scores, 0.4, measure).tolist() == whole
    assert box.nms(found, scores, 0.4, measure, limit=20).tolist() == whole[:20]


def test_square_and_enlarge_by_hand():
    tall = np.array([[10, 0, 20, 30]], dtype=np.float32)
    assert box.square(tall).tolist() == [[0, 0, 30, 30]]
    assert box.enlarge(TEN, 1.5).tolist() == [[-2.5, -2.5, 12.5, 12.5]]


def test_encode_by_hand():
    face = np.array([[1, 2, 9, 12]], dtype=np.float32)
    assert box.encode_boxes(face, TEN)[0].tolist() == pytest.approx([0.1, 0.2, -0.1, 0.2])
    points = np.array([[[5, 5], [0, 10]]], dtype=np.float32)
    assert box.encode_points(points, TEN)[0].tolist() == [[0.5, 0.5], [0, 1]]


@given(some_boxes(), some_boxes())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_decode_inverts_encode(faces, windows):
    # float32 over coordinates up to 110 and offsets up to 110 sides of a window: a few hundredths of a pixel
    np.testing.assert_allclose(box.decode_boxes(box.encode_boxes(faces, windows), windows), faces, atol=0.02)
    points = faces.reshape(8, 2, 2)
    np.testing.assert_allclose(box.decode_points(box.encode_points(points, windows), windows), points, atol=0.02)


@given(some_boxes(), some_boxes())
@settings(max_examples=30, derandomize=True, deadline=None)
def test_mirrored_offsets_are_those_of_the_mirrored_boxes(faces, windows):
    def mirrored(found):
        return np.stack([-found[:, 2], found[:, 1], -found[:, 0], found[:, 3]], axis=1)

    offsets = box.encode_boxes(mirrored(faces), mirrored(windows))
    np.testing.assert_allclose(box.mirror_offsets(box.encode_boxes(faces, windows)), offsets, atol=1e-3)
    points = faces.reshape(8, 2, 2)
    places = box.encode_points(points * np.array([-1, 1], np.float32), mirrored(windows))
    np.testing.assert_allclose(box.mirror_points(box.encode_points(points, windows)), places, atol=1e-3)


def test_quarter_turn_follows_rot90():
    image = np.zeros((40, 60), dtype=np.uint8)
    image[5:15, 30:50] = 1
    turned = np.rot90(image)
    x0, y0, x1, y1 = box.quarter_turn(np.array([[30, 5, 50, 15]], dtype=np.float32), 60)[0].astype(int)
    assert turned[y0:y1, x0:x1].all()
    assert turned.sum() == (y1 - y0) * (x1 - x0)
    assert box.quarter_turn_points(np.array([30.0, 5.0]), 60).tolist() == [5, 30]


@given(some_boxes())
@settings(max_examples=30, derandomize=True, deadline=None)
def test_four_quarter_turns_are_the_identity(found):
    turned = found
    for width in (60, 40, 60, 40):
        turned = box.quarter_turn(turned, width)
    np.testing.assert_allclose(turned, found, atol=1e-4)


def test_the_ellipse_in_a_box_keeps_its_size_when_it_is_a_circle():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(box.map_ellipses(TEN, turn, np.zeros(2))[0], np.array([-6, 2, 4, 12]), atol=1e-6)
    wide = np.array([[-2, -1, 2, 1]], dtype=np.float32)
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    np.testing.assert_allclose(box.map_ellipses(wide, quarter, np.array([5, 5])), [[4, 3, 6, 7]], atol=1e-6)

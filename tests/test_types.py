import dataclasses
import json
import sys

import numpy as np
import pytest

from mien.errors import BadOption, DeadlineExceeded, MienError, MissingExtra
from mien.types import Candidates, Deadline, Face, Faces, Landmarks, Pose


def three_faces():
    return Faces(np.arange(12).reshape(3, 4), np.array([0.9, 0.8, 0.7]), np.arange(30).reshape(3, 5, 2))


def test_indexing_keeps_the_arrays_aligned():
    chosen = three_faces()[np.array([False, True, True])]
    assert isinstance(chosen, Faces)
    assert chosen.boxes[:, 0].tolist() == [4, 8]
    assert chosen.scores.tolist() == pytest.approx([0.8, 0.7])
    assert chosen.keypoints[:, 0, 0].tolist() == [10, 20]
    assert len(three_faces()[1:]) == 2


def test_an_integer_index_gives_one_face():
    face = three_faces()[1]
    assert isinstance(face, Face)
    assert face.box.tolist() == [4, 5, 6, 7]
    assert face.score == pytest.approx(0.8)
    assert face.keypoints.shape == (5, 2)
    assert [f.score for f in three_faces()] == pytest.approx([0.9, 0.8, 0.7])


def test_empty_faces_are_valid():
    assert len(Faces.empty()) == 0
    assert list(Faces.empty()) == []


def test_values_are_frozen_and_float32():
    faces = three_faces()
    assert faces.boxes.dtype == faces.scores.dtype == faces.keypoints.dtype == np.float32
    with pytest.raises(dataclasses.FrozenInstanceError):
        faces.boxes = faces.boxes


@pytest.mark.parametrize(
    "make",
    [
        lambda: Faces(np.zeros((2, 4)), np.zeros(3), np.zeros((2, 5, 2))),
        lambda: Faces(np.zeros((2, 5)), np.zeros(2), np.zeros((2, 5, 2))),
        lambda: Candidates(np.zeros((2, 4)), np.zeros((2, 1))),
        lambda: Landmarks(np.zeros((68, 3)), "68", np.ones(68)),
    ],
)
def test_wrong_shapes_are_rejected(make):
    with pytest.raises(BadOption, match=r"shape|lengths"):
        make()


def test_bad_options_are_value_errors_and_mien_errors():
    assert issubclass(BadOption, ValueError)
    assert issubclass(BadOption, MienError)


def test_arrays_are_copied_and_read_only():
    boxes = np.zeros((1, 4), np.float32)
    faces = Faces(boxes, np.ones(1), np.zeros((1, 5, 2)))
    boxes[:] = 7
    assert not faces.boxes.any()
    for array in (faces.boxes, faces[0].box, faces[:1].keypoints, Landmarks(np.zeros((1, 2)), "1", np.ones(1)).points):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)


def test_geometry_and_named_keypoints():
    face = Face(np.array([10, 20, 40, 80]), 0.5, np.arange(10).reshape(5, 2))
    assert (face.width, face.height, face.area, face.center) == (30, 60, 1800, (25, 50))
    assert [face.left_eye.tolist(), face.right_eye.tolist(), face.nose.tolist()] == [[0, 1], [2, 3], [4, 5]]
    assert [face.left_mouth.tolist(), face.right_mouth.tolist()] == [[6, 7], [8, 9]]


def test_to_dict_is_plain_json():
    faces = three_faces()
    assert json.loads(json.dumps(faces.to_dict()))["faces"][1]["box"] == [4, 5, 6, 7]
    unknown = Face(np.zeros(4), 0.5, np.full((5, 2), np.nan))
    assert unknown.to_dict()["keypoints"] is None
    landmarks = Landmarks(np.zeros((1, 2)), "1", np.ones(1), Pose(1, 2, 3))
    assert landmarks.to_dict() == {
        "scheme": "1",
        "points": [[0, 0]],
        "scores": [1],
        "pose": {"yaw": 1, "pitch": 2, "roll": 3},
    }


def test_concatenate_and_from_list_keep_the_order():
    faces = three_faces()
    for again in (Faces.concatenate([faces[:1], Faces.empty(), faces[1:]]), Faces.from_list(list(faces))):
        np.testing.assert_array_equal(again.boxes, faces.boxes)
        np.testing.assert_array_equal(again.keypoints, faces.keypoints)
    assert len(Faces.concatenate([])) == len(Faces.from_list([])) == 0


def test_notebook_representations():
    faces = three_faces()
    assert repr(faces[0]) == "Face(box=[0.0, 1.0, 2.0, 3.0], score=0.900)"
    assert repr(faces).startswith("Faces(3: [Face(")
    assert repr(Faces.empty()) == "Faces(0: [])"
    assert faces._repr_html_().count("<tr>") == 4
    assert (
        repr(Landmarks(np.zeros((2, 2)), "2", np.ones(2)))
        == "Landmarks(2 points, scheme='2', mean score=1.000, pose=None)"
    )


def test_dataframe_has_a_row_per_face():
    frame = three_faces().to_dataframe()
    assert frame.shape == (3, 15)
    assert frame.loc[1, ["x0", "y1", "left_eye_x", "right_mouth_y"]].tolist() == [4, 7, 10, 19]


def test_supervision_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtra, match=r"needs supervision; install it: pip install 'mien\[interop\]'"):
        three_faces().to_supervision()


def test_deadlines_expire():
    Deadline.after(60).check()
    with pytest.raises(DeadlineExceeded, match="deadline passed"):
        Deadline.after(-1).check()

import dataclasses

import numpy as np
import pytest

from mien.errors import BadOption, MienError
from mien.types import Candidates, Face, Faces, Landmarks


def three_faces():
    return Faces(np.arange(12).reshape(3, 4), np.array([0.9, 0.8, 0.7]), np.arange(30).reshape(3, 5, 2))


def test_one_index_keeps_boxes_scores_and_points_in_step():
    chosen = three_faces()[np.array([False, True, True])]
    assert isinstance(chosen, Faces)
    assert chosen.boxes[:, 0].tolist() == [4, 8]
    assert chosen.scores.tolist() == pytest.approx([0.8, 0.7])
    assert chosen.keypoints[:, 0, 0].tolist() == [10, 20]
    assert len(three_faces()[1:]) == 2


def test_a_number_gives_one_face():
    face = three_faces()[1]
    assert isinstance(face, Face)
    assert face.box.tolist() == [4, 5, 6, 7]
    assert face.score == pytest.approx(0.8)
    assert face.keypoints.shape == (5, 2)
    assert [f.score for f in three_faces()] == pytest.approx([0.9, 0.8, 0.7])


def test_empty_is_an_answer():
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
def test_arrays_of_the_wrong_shape_are_refused(make):
    with pytest.raises(BadOption, match=r"shape|lengths"):
        make()


def test_bad_options_are_value_errors_and_ours():
    assert issubclass(BadOption, ValueError)
    assert issubclass(BadOption, MienError)

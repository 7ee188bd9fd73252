"""The whole way: the answers of the parts, put together in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.errors import BadImage
from mien.values import Faces, Landmarks, Picture


@dataclass
class Spots:
    """A face for each white pixel."""

    def batch(self, pictures: Sequence[Picture]) -> list[Faces]:
        return [_faces(np.argwhere(picture[..., 0] == 255)) for picture in pictures]


def _faces(spots: np.ndarray) -> Faces:
    corners = spots[:, ::-1].astype(np.float32)
    n = len(spots)
    return Faces(np.concatenate([corners, corners + 1], axis=1), np.ones(n), np.zeros((n, 5, 2)))


@dataclass
class Corners:
    """The one landmark of a face is the first corner of its box; remembers how many pictures came together."""

    calls: list

    def batch(self, pictures: Sequence[Picture], faces: Sequence[Faces]) -> list[list[Landmarks]]:
        self.calls.append(len(pictures))
        return [[Landmarks(face.box[None, :2], "1", np.ones(1)) for face in found] for found in faces]


def picture(*spots: tuple[int, int]) -> Picture:
    out = np.zeros((20, 30, 3), np.uint8)
    for x, y in spots:
        out[y, x] = 255
    return out


def test_a_portrait_a_face() -> None:
    look = Analyzer(Spots(), Corners([]))
    one, two = look(picture((3, 4), (9, 14)))
    assert one.face.box.tolist() == [3, 4, 4, 5]
    assert one.landmarks.points.tolist() == [[3, 4]]
    assert two.landmarks.points.tolist() == [[9, 14]]
    assert look(picture()) == []


def test_no_landmarks_unless_asked_for() -> None:
    (one,) = Analyzer(Spots(), None)(picture((3, 4)))
    assert one.landmarks is None
    assert one.face.box.tolist() == [3, 4, 4, 5]


def test_batch_gives_the_answers_of_one_by_one_in_groups() -> None:
    corners = Corners([])
    look = Analyzer(Spots(), corners)
    pictures = [picture(*[(i, j) for j in range(i % 3)]) for i in range(20)]
    together = look.batch(iter(pictures))
    assert corners.calls == [16, 4]
    for portraits, single in zip(together, map(look, pictures), strict=True):
        assert [one.landmarks.points.tolist() for one in portraits] == [one.landmarks.points.tolist() for one in single]
    assert look.batch([]) == []


def test_bad_pictures_and_changes_are_refused(tmp_path) -> None:
    look = Analyzer(Spots(), None)
    with pytest.raises(BadImage, match="no such file"):
        look(tmp_path / "gone.jpg")
    with pytest.raises(dataclasses.FrozenInstanceError):
        look.landmarker = None

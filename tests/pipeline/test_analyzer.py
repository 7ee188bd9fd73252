"""The analyzer combines the results of its parts in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from mien.errors import BadImage
from mien.imaging import Mipmap
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.types import Faces, Image, Landmarks


@dataclass
class Spots:
    """Detect a face at each white pixel."""

    def batch(self, images: Sequence[Mipmap], **options: object) -> list[Faces]:
        return [_faces(np.argwhere(image.image[..., 0] == 255)) for image in images]


def _faces(spots: np.ndarray) -> Faces:
    corners = spots[:, ::-1].astype(np.float32)
    n = len(spots)
    return Faces(np.concatenate([corners, corners + 1], axis=1), np.ones(n), np.zeros((n, 5, 2)))


@dataclass
class Corners:
    """Return the first corner of each box as its only landmark; record the batch sizes."""

    calls: list

    def batch(self, images: Sequence[Mipmap], faces: Sequence[Faces], **options: object) -> list[list[Landmarks]]:
        self.calls.append(len(images))
        return [[Landmarks(face.box[None, :2], "1", np.ones(1)) for face in found] for found in faces]


def image(*spots: tuple[int, int]) -> Image:
    out = np.zeros((20, 30, 3), np.uint8)
    for x, y in spots:
        out[y, x] = 255
    return out


def test_one_analysis_per_face() -> None:
    analyzer = FaceAnalyzer(face_detector=Spots(), landmark_detector=Corners([]))
    one, two = analyzer(image((3, 4), (9, 14)))
    assert one.face.box.tolist() == [3, 4, 4, 5]
    assert one.landmarks.points.tolist() == [[3, 4]]
    assert two.landmarks.points.tolist() == [[9, 14]]
    assert analyzer(image()) == []


def test_landmarks_are_optional() -> None:
    (one,) = FaceAnalyzer(AnalyzerConfig(heads=()), face_detector=Spots())(image((3, 4)))
    assert one.landmarks is None
    assert one.face.box.tolist() == [3, 4, 4, 5]


def test_batch_equals_single_calls_in_groups() -> None:
    corners = Corners([])
    analyzer = FaceAnalyzer(face_detector=Spots(), landmark_detector=corners)
    images = [image(*[(i, j) for j in range(i % 3)]) for i in range(20)]
    batched = analyzer.batch(iter(images))
    assert corners.calls == [16, 4]
    for analyses, single in zip(batched, map(analyzer, images), strict=True):
        assert [one.landmarks.points.tolist() for one in analyses] == [one.landmarks.points.tolist() for one in single]
    assert analyzer.batch([]) == []


def test_bad_images_and_mutation_are_rejected(tmp_path) -> None:
    analyzer = FaceAnalyzer(AnalyzerConfig(heads=()), face_detector=Spots())
    with pytest.raises(BadImage, match="no such file"):
        analyzer(tmp_path / "gone.jpg")
    with pytest.raises(dataclasses.FrozenInstanceError):
        analyzer.landmark_detector = None

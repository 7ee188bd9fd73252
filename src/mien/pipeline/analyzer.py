"""The whole way from an image to portraits: detect, then describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from mien.detection import FaceDetector
from mien.heads import LandmarkDetector
from mien.imaging import ImageSource, read_image
from mien.types import FaceAnalysis, Image

_TOGETHER = 16
"""Images that share the networks' calls; a longer list is worked through in groups of so many."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceAnalyzer:
    """Image in, one portrait a face out.

    With ``landmarker=None`` the portraits have no landmarks. Immutable; threads may share it.
    """

    detector: FaceDetector = field(default_factory=FaceDetector)
    landmarker: LandmarkDetector | None = field(default_factory=LandmarkDetector)

    def __call__(self, image: ImageSource) -> list[FaceAnalysis]:
        """The portraits of one image (array, path or bytes), best face first; [] for no faces. Raises BadImage."""
        return self.batch([image])[0]

    def batch(self, images: Iterable[ImageSource]) -> list[list[FaceAnalysis]]:
        """The portraits of each image, as one by one but faster: several share the networks' calls."""
        waiting = iter(images)
        analyses: list[list[FaceAnalysis]] = []
        while group := [read_image(source) for source in islice(waiting, _TOGETHER)]:
            analyses += self._look(group)
        return analyses

    def _look(self, images: list[Image]) -> list[list[FaceAnalysis]]:
        faces = self.detector.batch(images)
        if self.landmarker is None:
            return [[FaceAnalysis(face) for face in found] for found in faces]
        landmarks = self.landmarker.batch(images, faces)
        return [
            [FaceAnalysis(face, points) for face, points in zip(found, seen, strict=True)]
            for found, seen in zip(faces, landmarks, strict=True)
        ]

"""The whole way from a picture to portraits: detect, then describe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from mien.describe import Landmarker
from mien.detect import Detector
from mien.pixels import Source, read
from mien.values import Picture, Portrait

_TOGETHER = 16
"""Pictures that share the networks' calls; a longer list is worked through in groups of so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Analyzer:
    """Picture in, one portrait a face out.

    With ``landmarker=None`` the portraits have no landmarks. Immutable; threads may share it.
    """

    detector: Detector = field(default_factory=Detector)
    landmarker: Landmarker | None = field(default_factory=Landmarker)

    def __call__(self, picture: Source) -> list[Portrait]:
        """The portraits of one picture (array, path or bytes), best face first; [] for no faces. Raises BadImage."""
        return self.batch([picture])[0]

    def batch(self, pictures: Iterable[Source]) -> list[list[Portrait]]:
        """The portraits of each picture, as one by one but faster: several share the networks' calls."""
        waiting = iter(pictures)
        portraits: list[list[Portrait]] = []
        while group := [read(source) for source in islice(waiting, _TOGETHER)]:
            portraits += self._look(group)
        return portraits

    def _look(self, pictures: list[Picture]) -> list[list[Portrait]]:
        faces = self.detector.batch(pictures)
        if self.landmarker is None:
            return [[Portrait(face) for face in found] for found in faces]
        landmarks = self.landmarker.batch(pictures, faces)
        return [
            [Portrait(face, points) for face, points in zip(found, seen, strict=True)]
            for found, seen in zip(faces, landmarks, strict=True)
        ]

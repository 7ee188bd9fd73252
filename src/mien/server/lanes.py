"""The networks, opened once: with several threads for an image that is alone, with one each for images side by side.

Many images side by side on one thread each are more a second; one image on all cores is sooner done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import get_args

from mien.detection import DetectorConfig, FaceDetector
from mien.heads import Contour, LandmarkDetector
from mien.server.problems import Problem


class Networks:
    """What looks at an image; ``threads`` for each network. Threads may share it."""

    def __init__(self, min_face_size: float, threads: int | None) -> None:
        """Raises ModelMissing, ModelMismatch, BadOption."""
        self._detector = FaceDetector(DetectorConfig(min_face_size=min_face_size), threads=threads)
        network = LandmarkDetector(threads=threads).network
        # Made once: each looks at a crop when it is made, to know what its network gives.
        self._landmarkers = {
            (contour, refinement_steps): LandmarkDetector(network, contour=contour, refinement_steps=refinement_steps)
            for contour in get_args(Contour)
            for refinement_steps in (1, 2)
        }

    def detector(self, min_face_size: float | None) -> FaceDetector:
        """The detector for faces of so many pixels. Raises Problem where that is less than the service's own."""
        base = self._detector
        least = base.config.min_face_size
        if min_face_size is None or min_face_size == least:
            return base
        if min_face_size < least:
            raise Problem("bad-option", f"min_face_size={min_face_size:g}: this service takes {least:g} or more")
        settings = replace(base.config, min_face_size=min_face_size)
        return FaceDetector(settings, pnet=base.pnet, rnet=base.rnet, onet=base.onet, lnet=base.lnet)

    def landmarker(self, contour: Contour, refinement_steps: int = 1) -> LandmarkDetector:
        """The landmarker for this contour."""
        return self._landmarkers[contour, refinement_steps]


class Lanes:
    """Which networks look at the next image."""

    def __init__(self, min_face_size: float, threads: int | None) -> None:
        """``threads`` for an image that is alone. Raises ModelMissing, ModelMismatch, BadOption."""
        self.narrow = Networks(min_face_size, 1)
        self._wide = self.narrow if threads == 1 else Networks(min_face_size, threads)
        self._busy = 0
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[Networks]:
        """The networks for one image: the wide ones where no other image has any."""
        with self._lock:
            networks = self.narrow if self._busy else self._wide
            self._busy += 1
        try:
            yield networks
        finally:
            with self._lock:
                self._busy -= 1

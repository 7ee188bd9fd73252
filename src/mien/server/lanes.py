"""The networks, opened once: with several threads for a picture that is alone, with one each for pictures side by side.

Many pictures side by side on one thread each are more a second; one picture on all cores is sooner done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import get_args

from mien.describe import Contour, Landmarker
from mien.detect import Detector, Settings
from mien.server.problems import Problem


class Networks:
    """What looks at a picture; ``threads`` for each network. Threads may share it."""

    def __init__(self, min_face: float, threads: int | None) -> None:
        """Raises ModelMissing, ModelMismatch, BadOption."""
        self._detector = Detector(Settings(min_face=min_face), threads=threads)
        network = Landmarker(threads=threads).network
        # Made once: each looks at a crop when it is made, to know what its network gives.
        self._landmarkers = {
            (contour, passes): Landmarker(network, contour=contour, passes=passes)
            for contour in get_args(Contour)
            for passes in (1, 2)
        }

    def detector(self, min_face: float | None) -> Detector:
        """The detector for faces of so many pixels. Raises Problem where that is less than the service's own."""
        base = self._detector
        least = base.settings.min_face
        if min_face is None or min_face == least:
            return base
        if min_face < least:
            raise Problem("bad-option", f"min_face={min_face:g}: this service takes {least:g} or more")
        settings = replace(base.settings, min_face=min_face)
        return Detector(settings, pnet=base.pnet, rnet=base.rnet, onet=base.onet, lnet=base.lnet)

    def landmarker(self, contour: Contour, passes: int = 1) -> Landmarker:
        """The landmarker for this contour."""
        return self._landmarkers[contour, passes]


class Lanes:
    """Which networks look at the next picture."""

    def __init__(self, min_face: float, threads: int | None) -> None:
        """``threads`` for a picture that is alone. Raises ModelMissing, ModelMismatch, BadOption."""
        self.narrow = Networks(min_face, 1)
        self._wide = self.narrow if threads == 1 else Networks(min_face, threads)
        self._busy = 0
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[Networks]:
        """The networks for one picture: the wide ones where no other picture has any."""
        with self._lock:
            networks = self.narrow if self._busy else self._wide
            self._busy += 1
        try:
            yield networks
        finally:
            with self._lock:
                self._busy -= 1

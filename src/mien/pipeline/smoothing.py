"""Points of one face through time, without their tremble.

Casiez, Roussel and Vogel 2012, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems": a low-pass filter whose cutoff grows with the speed, so that what rests is calm and what moves is not late.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.types import Floats

_LEAST_SIZE = 1e-6

_Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How much to smooth; a size is the longer side of the box round the points.

    ``cutoff``: Hz, of a face at rest. ``follow``: Hz more for each size a second that the face moves, turns and
    grows; a steady movement lags by less than 1 / (2 pi follow) sizes. ``follow_own``: Hz more for each size a
    second that a point moves beyond that, as lips and lids do. ``speed_cutoff``: Hz, of the speeds themselves.
    Lower is calmer and later. Raises BadOption.
    """

    cutoff: float = 0.1
    follow: float = 20.0
    follow_own: float = 3.0
    speed_cutoff: float = 0.7

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            positive = field.name.endswith("cutoff")
            if not (math.isfinite(value) and (value > 0 if positive else value >= 0)):
                raise BadOption(f"{field.name}={value}: must be finite and {'above 0' if positive else '0 or more'}")


class PointFilter:
    """The One Euro filter for the points of one face: call it with those of each frame, in order.

    The paper gives each coordinate a speed of its own. Here speed is in two parts: the affine movement that all
    points share, in which the noise of single points is averaged out so that ``follow`` can be high, and what a
    point moves beyond it. The first frames and speeds are averaged, as a cutoff near 0 would hold on to the first.
    State is kept between calls: one filter a face, not for several threads. Raises BadOption where ``fps``, frames
    per second, is not above 0.
    """

    def __init__(self, fps: float, settings: Smoothing = Smoothing()) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise BadOption(f"fps is {fps}; it must be above 0")
        self._fps = fps
        self._settings = settings
        self._frames = 0
        self._last: _Numbers = np.empty((0, 2))
        self._smooth: _Numbers = np.empty((0, 2))
        self._speeds: _Numbers = np.empty((0, 2))

    def __call__(self, points: NDArray[np.floating]) -> Floats:
        """The points (k, 2) of the next frame, smoothed; pixels, or any unit.

        Raises BadOption where one is not finite, or there are more or fewer than before.
        """
        now = np.asarray(points, dtype=np.float64)
        if now.ndim != 2 or now.shape[1:] != (2,) or not np.isfinite(now).all():
            raise BadOption(f"only finite points (k, 2) can be smoothed, not shape {now.shape}; leave the frame out")
        if self._frames and now.shape != self._last.shape:
            raise BadOption(f"{len(now)} points after {len(self._last)}; use one filter for each face and scheme")
        self._frames += 1
        if self._frames == 1:
            self._smooth, self._speeds = now, np.zeros_like(now)
        else:
            moved = (now - self._last) * self._fps
            weight = np.maximum(self._weight(self._settings.speed_cutoff), 1 / (self._frames - 1))
            self._speeds = self._speeds + weight * (moved - self._speeds)
            weights = np.maximum(self._weight(self._cutoffs()), 1 / self._frames)
            self._smooth = self._smooth + weights * (now - self._smooth)
        self._last = now
        return self._smooth.astype(np.float32)

    def _weight(self, cutoff: float | _Numbers) -> _Numbers:
        """The weight of the new value in a low-pass filter of so many Hz."""
        return np.asarray(1 / (1 + self._fps / (2 * np.pi * cutoff)))

    def _cutoffs(self) -> _Numbers:
        """Hz, one a point (k, 1)."""
        places = self._smooth - self._smooth.mean(axis=0)
        size = max(float(np.ptp(places, axis=0).max()), _LEAST_SIZE)
        terms = np.column_stack([places / size, np.ones(len(places))])
        shared = terms @ np.linalg.lstsq(terms, self._speeds, rcond=None)[0]
        face, own = (np.linalg.norm(part, axis=1, keepdims=True) / size for part in (shared, self._speeds - shared))
        return np.asarray(self._settings.cutoff + self._settings.follow * face + self._settings.follow_own * own)

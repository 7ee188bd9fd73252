"""Temporal smoothing of landmarks with the One Euro filter.

Casiez, Roussel and Vogel 2012, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems": a low-pass filter whose cutoff frequency grows with the speed: little jitter at rest, little lag in motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.options import option, validate
from mien.types import Doubles, Floats

_MIN_SIZE = 1e-6
_MIN_CUTOFF = 1e-6


@dataclass(frozen=True, slots=True)
class SmoothingConfig:
    """Options of the One Euro filter; a face size is the longer side of the box around its points.

    Lower values smooth more and lag more. A steady motion lags by less than 1 / (2 pi beta) face sizes.
    """

    min_cutoff: float = option(0.1, "cutoff frequency of a face at rest", unit="Hz", minimum=_MIN_CUTOFF)
    beta: float = option(
        20.0, "increase of the cutoff with the motion of the face", unit="Hz per face size a second", minimum=0
    )
    local_beta: float = option(
        3.0,
        "increase of the cutoff with the motion of a point relative to the face",
        unit="Hz per face size a second",
        minimum=0,
    )
    derivative_cutoff: float = option(0.7, "cutoff frequency of the speeds", unit="Hz", minimum=_MIN_CUTOFF)

    def __post_init__(self) -> None:
        validate(self)


class PointFilter:
    """One Euro filter for the points of one face; call it with the points of each frame, in order.

    The paper gives each coordinate its own speed. Here the speed has two parts: the affine motion shared by all
    points, in which the noise of single points averages out so that ``beta`` can be high, and the motion of a point
    relative to it. Weights of the first frames are those of a running mean, since a cutoff near 0 would stick to the
    first. Stateful: use one filter per face, from one thread.

    Args:
        fps: Frames per second.
        config: See :class:`SmoothingConfig`.

    Raises:
        BadOption: ``fps`` is not above 0.
    """

    def __init__(self, fps: float, config: SmoothingConfig = SmoothingConfig()) -> None:
        if not (math.isfinite(fps) and fps > 0):
            raise BadOption(f"fps={fps}: must be above 0")
        self._fps = fps
        self._config = config
        self._frames = 0
        self._last: Doubles = np.empty((0, 2))
        self._smooth: Doubles = np.empty((0, 2))
        self._speeds: Doubles = np.empty((0, 2))

    def __call__(self, points: NDArray[np.floating]) -> Floats:
        """Return the smoothed points (k, 2) of the next frame, in the unit they came in.

        Raises:
            BadOption: A point is not finite, or their number changed.
        """
        now = np.asarray(points, dtype=np.float64)
        if now.ndim != 2 or now.shape[1:] != (2,) or not np.isfinite(now).all():
            raise BadOption(f"only finite points (k, 2) can be smoothed, not shape {now.shape}; leave the frame out")
        if self._frames and now.shape != self._last.shape:
            raise BadOption(f"{len(now)} points after {len(self._last)}; use one filter per face and scheme")
        self._frames += 1
        if self._frames == 1:
            self._smooth, self._speeds = now, np.zeros_like(now)
        else:
            speed = (now - self._last) * self._fps
            weight = np.maximum(self._weight(self._config.derivative_cutoff), 1 / (self._frames - 1))
            self._speeds = self._speeds + weight * (speed - self._speeds)
            weights = np.maximum(self._weight(self._cutoffs()), 1 / self._frames)
            self._smooth = self._smooth + weights * (now - self._smooth)
        self._last = now
        return self._smooth.astype(np.float32)

    def _weight(self, cutoff: float | Doubles) -> Doubles:
        """Return the weight of a new value in a low-pass filter with this cutoff frequency in Hz."""
        return np.asarray(1 / (1 + self._fps / (2 * np.pi * cutoff)))

    def _cutoffs(self) -> Doubles:
        """Return the cutoff frequency in Hz of each point, (k, 1)."""
        places = self._smooth - self._smooth.mean(axis=0)
        size = max(float(np.ptp(places, axis=0).max()), _MIN_SIZE)
        terms = np.column_stack([places / size, np.ones(len(places))])
        shared = terms @ np.linalg.lstsq(terms, self._speeds, rcond=None)[0]
        face, local = (np.linalg.norm(part, axis=1, keepdims=True) / size for part in (shared, self._speeds - shared))
        return np.asarray(self._config.min_cutoff + self._config.beta * face + self._config.local_beta * local)

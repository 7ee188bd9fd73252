"""Similarity transforms: rotation, uniform scale and translation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import BadOption
from mien.types import Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """A similarity transform x -> s R x + t.

    Attributes:
        matrix: (2, 3) float64, maps source pixels to target pixels.
    """

    matrix: Doubles

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, dtype=np.float64)
        if matrix.shape != (2, 3):
            raise BadOption(f"a similarity has a (2, 3) matrix, not {matrix.shape}")
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def fit(cls, source: NDArray[np.floating], target: NDArray[np.floating]) -> Similarity:
        """Return the least-squares similarity from ``source`` (k, 2) to ``target`` (k, 2), without reflection.

        Raises:
            BadOption: The source points coincide.

        Reference:
            Umeyama 1991, "Least-squares estimation of transformation parameters between two point patterns".
        """
        a = np.asarray(source, dtype=np.float64)
        b = np.asarray(target, dtype=np.float64)
        if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 2 or len(a) < 2:
            raise BadOption(f"fit needs two (k, 2) arrays of at least two points, not {a.shape} and {b.shape}")
        a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
        a, b = a - a_mean, b - b_mean
        variance = float((a * a).sum())
        if variance < 1e-12:
            raise BadOption("the source points coincide; a similarity needs two distinct points")
        # In two dimensions the solution has a closed form: the complex regression b = z a.
        real = float((a * b).sum()) / variance
        imag = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / variance
        linear = np.array([[real, -imag], [imag, real]])
        return cls(np.column_stack([linear, b_mean - linear @ a_mean]))

    @property
    def scale(self) -> float:
        """Target pixels per source pixel."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def degrees(self) -> float:
        """Rotation in degrees; positive turns the x axis toward the y axis (clockwise on the screen)."""
        return float(np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0])))

    def apply(self, points: ArrayLike) -> Doubles:
        """Return points (..., 2) in the target frame."""
        return np.asarray(points, dtype=np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def inverse(self) -> Similarity:
        """Return the inverse transform."""
        linear = np.linalg.inv(self.matrix[:, :2])
        return Similarity(np.column_stack([linear, -linear @ self.matrix[:, 2]]))

    def compose(self, first: Similarity) -> Similarity:
        """Return the transform that applies ``first``, then this one."""
        linear = self.matrix[:, :2] @ first.matrix[:, :2]
        return Similarity(np.column_stack([linear, self.apply(first.matrix[:, 2])]))

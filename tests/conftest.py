"""Fixtures shared by several test packages."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray


def _ring(count: int, x: float, y: float, across: float, down: float) -> NDArray[np.float64]:
    """Points on an ellipse, from its left end over the top."""
    angles = np.pi + np.arange(count) * 2 * np.pi / count
    return np.column_stack([x + across * np.cos(angles), y + down * np.sin(angles)])


@pytest.fixture(scope="session")
def face68() -> NDArray[np.float64]:
    """68 points of an upright frontal face drawn with ruler and compasses, in the unit square that is its face box."""
    jaw = np.linspace(0, np.pi, 17)
    left = np.linspace(0.15, 0.42, 5)
    return np.concatenate(
        [
            np.column_stack([0.5 - 0.45 * np.cos(jaw), 0.45 + 0.5 * np.sin(jaw)]),
            np.column_stack([left, np.full(5, 0.25)]),
            np.column_stack([1 - left[::-1], np.full(5, 0.25)]),
            np.column_stack([np.full(4, 0.5), np.linspace(0.38, 0.6, 4)]),
            np.column_stack([np.linspace(0.42, 0.58, 5), np.full(5, 0.65)]),
            _ring(6, 0.3, 0.4, 0.07, 0.03),
            _ring(6, 0.7, 0.4, 0.07, 0.03),
            _ring(12, 0.5, 0.78, 0.15, 0.06),
            _ring(8, 0.5, 0.78, 0.1, 0.02),
        ]
    )

"""A 3D mean face in the 68 points of the scheme ``68-3d``, from ``mean_face.csv``.

Mean of the 821 faces of AFLW2000-3D (Zhu et al. 2016; ``pts_3d``, points of fitted 3D models) in the training data,
aligned by similarities (generalized Procrustes, Gower 1975), and symmetric under ``SIXTY_EIGHT_MIRROR``. Made by
``benchmarks/mean_face.py``.

x points right, y down, z away from the viewer; the face looks at the viewer. Yaw 0 and roll 0 follow from symmetry; yaw
0 agrees with ``yaw_deg`` of the data to 0.03 degrees. Pitch 0 is that of the data, the frontal pose of its 3D model, to
0.14 degrees.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MEAN_FACE_FILE = Path(__file__).with_suffix(".csv")
"""Columns x, y, z and the deviation of each point."""

_TABLE: NDArray[np.float64] = np.loadtxt(MEAN_FACE_FILE, delimiter=",", skiprows=1)

MEAN_FACE = np.ascontiguousarray(_TABLE[:, :3])
"""(68, 3), centered; the outer eye corners are 1 apart."""

POINT_DEVIATION = np.ascontiguousarray(_TABLE[:, 3])
"""(68,), root mean square distance of each point from the mean face in the aligned faces."""

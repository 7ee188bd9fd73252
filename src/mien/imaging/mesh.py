"""Warp an image by a mesh of triangles."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Doubles, Image

_SHIFT = 4
"""Fractional bits of the corners of triangles, for OpenCV."""


def warp_mesh(image: Image, source: Doubles, target: Doubles, triangles: NDArray[np.intp]) -> Image:
    """Move each triangle of an image (h, w, 3); pixels outside the mesh stay.

    Args:
        image: The image.
        source, target: Vertices (n, 2) in pixels, before and after.
        triangles: (m, 3), rows of the vertices, in drawing order: later ones cover earlier ones.
    """
    height, width = image.shape[:2]
    owner = np.full((height, width), -1, dtype=np.int32)
    corners = np.round((target[triangles] - 0.5) * (1 << _SHIFT)).astype(np.int32)
    for number, corner in enumerate(corners):
        cv2.fillConvexPoly(owner, corner, number, shift=_SHIFT)
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    place = np.stack([columns, rows, np.ones_like(rows)], axis=-1)
    seen = place[..., :2].copy()
    moved = owner >= 0
    back = _affine_maps(target[triangles], source[triangles])
    seen[moved] = np.einsum("nij,nj->ni", back[owner[moved]], place[moved])
    maps = (seen - 0.5).astype(np.float32)
    warped = cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def _affine_maps(before: Doubles, after: Doubles) -> Doubles:
    """Return the affine maps (m, 2, 3) between triangles (m, 3, 2); arbitrary ones for triangles without area."""
    corners = np.concatenate([before, np.ones((*before.shape[:2], 1))], axis=2)
    corners[np.abs(np.linalg.det(corners)) < 1e-6] = np.eye(3)
    return np.asarray(np.linalg.solve(corners, after).swapaxes(1, 2))

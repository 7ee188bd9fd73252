"""Turn a photographed head: face profiling (Zhu et al. 2016, "Face Alignment Across Large Poses: A 3D Solution").

The landmarks of the scheme ``68-3d`` get the depth of the mean face. They and two rings around them span a mesh, which
is rotated about the head's vertical axis and drawn from back to front. Zhu et al. fit a dense model; 68 points suffice
here, because the landmarks are what is learned and the cheek that is turned away disappears.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mien.geometry.mean_face import MEAN_FACE
from mien.geometry.pose import fit_pose, rotation
from mien.imaging.mesh import warp_mesh
from mien.types import Doubles, Floats, Image

_RING = 20
"""Points of each ring."""

_NEAR, _FAR = 1.3, 2.6
"""Radius of the rings, in radii of the mean face: the near one turns with the head, the far one stays."""


@dataclass(frozen=True, slots=True)
class _Mesh:
    """Vertices (88, 3) in the frame of the mean face: the landmarks, then the near ring; ``far`` (20, 2) around them in
    its image plane; triangles (m, 3) over all of them."""

    vertices: Doubles
    far: Doubles
    triangles: NDArray[np.intp]


@cache
def _mesh() -> _Mesh:
    from scipy.spatial import Delaunay

    angles = np.arange(_RING) * (2 * np.pi / _RING)
    low, high = MEAN_FACE[:, :2].min(axis=0), MEAN_FACE[:, :2].max(axis=0)
    low[1] -= high[1] - low[1]  # the forehead is as high as the face below it
    low[1] *= 0.6
    circle = np.stack([np.sin(angles), -np.cos(angles)], axis=1) * (high - low) / 2
    near, far = circle * _NEAR + (low + high) / 2, circle * _FAR + (low + high) / 2
    depth = np.full((_RING, 1), MEAN_FACE[[0, 16], 2].mean())
    vertices = np.concatenate([MEAN_FACE, np.concatenate([near, depth], axis=1)])
    return _Mesh(vertices, far, Delaunay(np.concatenate([vertices[:, :2], far])).simplices.astype(np.intp))


def turn_head(image: Image, points: Floats, degrees: float) -> tuple[Image, Floats] | None:
    """Return the image (h, w, 3) with the head turned by ``degrees`` of yaw, and its landmarks (68, 2).

    Args:
        image: One face.
        points: (68, 2) in pixels, scheme ``68-3d``, all known.
        degrees: Added to the yaw; turn a head away from the camera, since what it hides cannot be shown.

    Returns:
        None where the points lie on a line and have no pose.
    """
    yaw, pitch, roll = fit_pose(points[None])[0].tolist()
    if not np.isfinite(yaw + pitch + roll):
        return None
    mesh = _mesh()
    before, after = rotation(yaw, pitch, roll), rotation(yaw + degrees, pitch, roll)
    solid = mesh.vertices @ before.T
    scale, origin = _camera(solid[: len(points)], points)
    solid[:, :2] = solid[:, :2] * scale + origin
    solid[:, 2] *= scale
    solid[: len(points), :2] = points
    pivot = solid[[0, 16]].mean(axis=0)
    turned = (solid - pivot) @ (after @ before.T).T + pivot
    far = (mesh.far @ rotation(0, 0, roll)[:2, :2].T) * scale + origin
    source, target = np.concatenate([solid[:, :2], far]), np.concatenate([turned[:, :2], far])
    depth = np.concatenate([turned[:, 2], np.full(len(far), turned[:, 2].max())])
    farthest_first = np.argsort(-depth[mesh.triangles].mean(axis=1), kind="stable")
    redrawn = warp_mesh(image, source, target, mesh.triangles[farthest_first])
    return redrawn, turned[: len(points), :2].astype(np.float32)


def _camera(solid: Doubles, points: Floats) -> tuple[float, Doubles]:
    """Return scale and origin (2,) that project the rotated mean face (68, 3) onto the points (68, 2)."""
    face, seen = solid[:, :2] - solid[:, :2].mean(axis=0), points - points.mean(axis=0)
    scale = float((face * seen).sum() / (face**2).sum())
    return scale, np.asarray(points.mean(axis=0) - scale * solid[:, :2].mean(axis=0))

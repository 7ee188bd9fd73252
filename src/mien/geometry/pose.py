"""Head pose: yaw, pitch and roll in degrees, from landmarks of the scheme ``68-3d``.

The frame is that of the image with depth added: x right, y down, z away from the viewer. A head at 0, 0, 0 faces the
viewer; its nose points along -z. ``rotation(yaw, pitch, roll)`` is its orientation:

    R = Rz(roll) Rx(pitch) Ry(yaw)

Yaw is applied first, about the head's own vertical axis: positive turns the face to the right of the image. Then
pitch: positive looks up. Roll is applied last, in the image plane: positive is clockwise on the screen, so rotating the
image changes roll alone. ``docs/conventions.md`` has a figure.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry.mean_face import MEAN_FACE, POINT_DEVIATION
from mien.types import Doubles

_FLAT = 1e-6
"""Points whose extent across is below this fraction of their extent along lie on a line: the pose is undefined."""


def rotation(yaw: float, pitch: float, roll: float) -> Doubles:
    """Return the rotation matrix (3, 3) of a head with these angles in degrees."""
    return _roll(roll) @ _pitch(pitch) @ _yaw(yaw)


def angles(rotations: NDArray[np.floating]) -> Doubles:
    """Return yaw, pitch, roll (..., 3) in degrees of rotations (..., 3, 3): the inverse of :func:`rotation`.

    Yaw and roll lie in (-180, 180], pitch in [-90, 90].
    """
    r = np.asarray(rotations, dtype=np.float64)
    yaw = np.arctan2(r[..., 2, 0], r[..., 2, 2])
    pitch = -np.arcsin(np.clip(r[..., 2, 1], -1, 1))
    roll = np.arctan2(-r[..., 0, 1], r[..., 1, 1])
    return np.asarray(np.degrees(np.stack([yaw, pitch, roll], axis=-1)))


def from_300w_lp(yaw: float, pitch: float, roll: float) -> Doubles:
    """Convert angles in the order of 300W-LP and AFLW2000-3D (Zhu et al. 2016) to yaw, pitch, roll (3,).

    Their rotation is Rx(pitch) Ry(yaw) Rz(roll): roll first, pitch last. Arguments have the signs of this module (in
    the files, positive yaw turns to the left), in degrees.
    """
    return angles(_pitch(pitch) @ _yaw(yaw) @ _roll(roll))


def to_300w_lp(yaw: float, pitch: float, roll: float) -> Doubles:
    """Convert to the order of 300W-LP: the inverse of :func:`from_300w_lp`, for yaw within 90 degrees."""
    r = rotation(yaw, pitch, roll)
    theirs = [-np.arcsin(np.clip(r[0, 2], -1, 1)), np.arctan2(r[1, 2], r[2, 2]), np.arctan2(-r[0, 1], r[0, 0])]
    return np.asarray(np.degrees(theirs))


def fit_pose(points: NDArray[np.floating], weights: NDArray[np.floating] | None = None) -> Doubles:
    """Fit the mean face under weak perspective; return yaw, pitch, roll (n, 3) in degrees.

    The least-squares affine camera (Tomasi & Kanade 1992) and the nearest rotation by polar decomposition (Higham
    1986). Points that vary more between people weigh less.

    Args:
        points: (n, 68, 2), scheme ``68-3d``, in pixels of any size; NaN is ignored.
        weights: (n, 68), 0 or more, multiplied with the weights of the points.

    Returns:
        Angles; NaN where too few points are known or all lie on a line.

    Raises:
        BadOption: Another shape, or negative or infinite weights.
    """
    seen, known = _checked(points)
    if weights is None and known.all():
        rotations, certain = _nearest_rotations((_SOLUTION @ seen).swapaxes(1, 2))
    else:
        cameras, solvable = _solve_cameras(seen, _checked_weights(known, weights))
        rotations, certain = _nearest_rotations(cameras)
        certain &= solvable
    return np.where(certain[:, None], angles(rotations), np.nan)


def _nearest_rotations(cameras: Doubles) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return the rotations (n, 3, 3) whose first two rows are nearest to affine cameras A (n, 2, 3), and where they are
    certain (n,).

    The rows are (A A')^(-1/2) A. With d = det(A A')^(1/2) and t^2 = trace(A A') + 2 d, the root of A A' is
    (A A' + d) / t (Cayley-Hamilton). For a few faces, plain numbers take a third of the time of arrays.
    """
    out, certain = np.zeros((len(cameras), 3, 3)), np.zeros(len(cameras), dtype=np.bool_)
    for i, ((p, q, r), (s, t, u)) in enumerate(cameras.tolist()):
        a, b, c = p * p + q * q + r * r, p * s + q * t + r * u, s * s + t * t + u * u
        d = math.sqrt(max(a * c - b * b, 0))
        largest = (a + c + math.sqrt((a - c) ** 2 + 4 * b * b)) / 2  # squared singular value
        certain[i] = d > _FLAT * largest
        if certain[i]:
            scale = d * math.sqrt(a + c + 2 * d)
            e, f, g = (c + d) / scale, b / scale, (a + d) / scale
            x0, x1, x2 = e * p - f * s, e * q - f * t, e * r - f * u
            y0, y1, y2 = g * s - f * p, g * t - f * q, g * u - f * r
            out[i] = (x0, x1, x2), (y0, y1, y2), (x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0)
    return out, certain


def _solve_cameras(seen: Doubles, weights: Doubles) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return the affine camera (n, 2, 3) from the mean face to each face, and whether its points determine it (n,)."""
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    seen = seen - weights[:, None] @ seen
    face = MEAN_FACE - (weights @ MEAN_FACE)[:, None]
    weighted = (face * weights[..., None]).swapaxes(1, 2)
    square, mixed = weighted @ face, weighted @ seen
    solvable = np.asarray(np.linalg.eigvalsh(square)[:, 0] > _FLAT)
    square[~solvable] = np.eye(3)
    return np.asarray(np.linalg.solve(square, mixed).swapaxes(1, 2)), solvable


def fit_pose_3d(points: NDArray[np.floating]) -> Doubles:
    """Return yaw, pitch, roll (n, 3) in degrees of points (n, 68, 3) in pixels: x right, y down, z away.

    The rotation of the least-squares similarity from the mean face (Umeyama 1991). NaN where a point is unknown.
    """
    seen = np.asarray(points, dtype=np.float64)
    if seen.ndim != 3 or seen.shape[1:] != MEAN_FACE.shape:
        raise BadOption(f"points of shape {seen.shape}; it must be (n, 68, 3)")
    known = np.asarray(np.isfinite(seen).all(axis=(1, 2)))
    seen = np.where(known[:, None, None], seen, MEAN_FACE)
    left, _, right = np.linalg.svd((seen - seen.mean(axis=1, keepdims=True)).swapaxes(1, 2) @ MEAN_FACE)
    left[:, :, 2] *= np.linalg.det(left @ right)[:, None]
    return np.where(known[:, None], angles(left @ right), np.nan)


def upright_roll(keypoints: NDArray[np.floating]) -> Doubles:
    """Return the roll (n,) in degrees of five keypoints (n, 5, 2); 0 where a point is unknown.

    Measured from the eyes to the mouth: in profile the two eyes are too close together.
    """
    down = (keypoints[:, 3] + keypoints[:, 4] - keypoints[:, 0] - keypoints[:, 1]).astype(np.float64)
    degrees = np.degrees(np.arctan2(-down[:, 0], down[:, 1]))
    return np.where(np.isfinite(degrees), degrees, 0.0)


def _checked(points: NDArray[np.floating]) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return points with 0 for unknown ones, and which are known (n, 68)."""
    seen = np.asarray(points, dtype=np.float64)
    if seen.ndim != 3 or seen.shape[1:] != (len(MEAN_FACE), 2):
        raise BadOption(f"points of shape {seen.shape}; it must be (n, {len(MEAN_FACE)}, 2)")
    known = np.asarray(np.isfinite(seen).all(axis=2))
    return np.where(known[..., None], seen, 0.0), known


def _checked_weights(known: NDArray[np.bool_], weights: NDArray[np.floating] | None) -> Doubles:
    """Return the weight (n, 68) of each point."""
    counts = known / POINT_DEVIATION**2
    if weights is None:
        return counts
    given = np.asarray(weights, dtype=np.float64)
    if given.shape != known.shape or not (given >= 0).all() or np.isinf(given).any():
        raise BadOption(f"weights of shape {given.shape}; they must be {known.shape}, finite and 0 or more")
    return np.asarray(counts * given)


def _solution() -> Doubles:
    """Return the matrix (3, 68) from all points of a face to its camera, transposed."""
    unit = np.eye(len(MEAN_FACE))[:, :, None] * np.ones(2)
    cameras, _ = _solve_cameras(unit, np.broadcast_to(1 / POINT_DEVIATION**2, unit.shape[:2]))
    return np.ascontiguousarray(cameras[:, 0].T)


_SOLUTION = _solution()


def _yaw(degrees: float) -> Doubles:
    c, s = _cos_sin(degrees)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


def _pitch(degrees: float) -> Doubles:
    c, s = _cos_sin(degrees)
    return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])


def _roll(degrees: float) -> Doubles:
    c, s = _cos_sin(degrees)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _cos_sin(degrees: float) -> tuple[float, float]:
    radians = np.radians(degrees)
    return float(np.cos(radians)), float(np.sin(radians))

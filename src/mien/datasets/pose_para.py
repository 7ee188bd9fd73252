"""``Pose_Para`` of 300W-LP and AFLW2000-3D (Zhu et al. 2016): pitch, yaw, roll in radians, then shift and scale.

It rotates a head with y up and z toward the camera by R = Rx(pitch) Ry(yaw) Rz(roll), where

    Rx = 1  0  0      Ry = cos  0  -sin      Rz =  cos  sin  0
         0  cos  sin        0   1   0             -sin  cos  0
         0 -sin  cos       sin  0   cos             0    0   1

so positive pitch looks up and positive roll turns clockwise, as in mien, but positive yaw turns the face to the left
of the image, and the rotation order differs (see ``geometry.pose``). Both are converted.
"""

from __future__ import annotations

import math

import numpy as np

from mien.datasets.parsing import annotation_error, as_numbers
from mien.geometry.pose import fit_pose_3d, from_300w_lp, to_300w_lp
from mien.types import Floats, Pose

_DEPTH_AWAY = (1, 1, -1)
_LAYOUT = "pitch, yaw, roll in radians, shift and scale"


def pose_from_para(place: object, values: object) -> Pose:
    """Return the head pose in degrees with mien's signs. Raises BadAnnotation for less than three angles."""
    angles = as_numbers(place, "Pose_Para", values).ravel()[:3]
    if len(angles) < 3 or not np.isfinite(angles).all() or (np.abs(angles) > 2 * math.pi).any():
        raise annotation_error(place, f"Pose_Para begins with {angles.tolist()}", f"it must be {_LAYOUT}")
    pitch, yaw, roll = np.degrees(angles).tolist()
    return Pose(*from_300w_lp(-yaw, pitch, roll).tolist())


def pose_from_yaw(place: object, values: object, model: Floats | None = None) -> Pose:
    """Return the head pose where only yaw is given, in degrees with the sign of Pose_Para.

    Pitch and roll come from the 3D ``model``, points (68, 3) with z toward the camera. Without it they are NaN, and
    the yaw is that of an upright head.
    """
    angles = as_numbers(place, "yaw_deg", values).ravel()
    if len(angles) != 1 or not abs(angles[0]) <= 180:
        raise annotation_error(place, f"yaw_deg is {angles.tolist()}", "it must be one number of degrees")
    yaw = -float(angles[0])
    if model is None:
        return Pose(yaw, math.nan, math.nan)
    _, pitch, roll = to_300w_lp(*fit_pose_3d(model[None] * _DEPTH_AWAY)[0].tolist()).tolist()
    return Pose(*from_300w_lp(yaw, pitch, roll).tolist())

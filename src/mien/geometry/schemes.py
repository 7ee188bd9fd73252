"""Landmark schemes as data: names, groups, mirror order, conversions and alignment templates.

"Left" is the left of the image, not of the person: the left eye has the smaller x in an upright frontal face.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption

FIVE_MIRROR = (1, 0, 2, 4, 3)
"""After a left-right flip, point i of the mirrored face is point FIVE_MIRROR[i] of the original."""

MXNET_TEMPLATE: NDArray[np.float64] = np.array(
    [
        [0.224152, 0.2119465],
        [0.75610125, 0.2119465],
        [0.490127, 0.628106],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
"""Mean five keypoints in the unit square around them: the alignment template of the MXNet port of MTCNN."""

ARCFACE_TEMPLATE: NDArray[np.float64] = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
    / 112.0
)
"""Five keypoints of the standard 112 x 112 aligned face (Deng et al. 2019, ArcFace), in sides."""

SIXTY_EIGHT_GROUPS: Mapping[str, range] = MappingProxyType(
    {
        "jaw": range(0, 17),
        "left_brow": range(17, 22),
        "right_brow": range(22, 27),
        "nose": range(27, 36),
        "left_eye": range(36, 42),
        "right_eye": range(42, 48),
        "mouth": range(48, 68),
    }
)
"""The 68 points of 300W (Sagonas et al. 2013), counted from 0; each group runs from left to right in the image."""

SIXTY_EIGHT_MIRROR: tuple[int, ...] = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""After a left-right flip, point i of the mirrored face is point SIXTY_EIGHT_MIRROR[i] of the original."""

OUTER_EYE_CORNERS = (36, 45)
"""The two of the 68 points whose distance is the inter-ocular distance."""

SCHEMES: Mapping[str, int] = MappingProxyType({"5": 5, "29": 29, "68": 68, "68-3d": 68, "98": 98})
"""Number of points of each scheme. In ``68`` the jaw points follow the visible edge; in ``68-3d`` they follow the jaw
of the head, hidden behind the cheek of a rotated face (AFLW2000-3D, Zhu et al. 2016). Other points are the same."""


def to_five(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the five keypoints (..., 5, 2) of 68 landmarks (..., 68, 2): eye centers, nose tip, mouth corners."""
    eyes = [points[..., slice(eye.start, eye.stop), :].mean(axis=-2) for eye in _EYES]
    return np.stack([*eyes, points[..., 30, :], points[..., 48, :], points[..., 54, :]], axis=-2)


_EYES = (SIXTY_EIGHT_GROUPS["left_eye"], SIXTY_EIGHT_GROUPS["right_eye"])

WFLW_TO_68: tuple[int, ...] = (
    *range(0, 33, 2),
    *range(33, 38),
    *range(42, 47),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67),
    *(68, 69, 71, 72, 73, 75),
    *range(76, 96),
)
"""The WFLW point (of 98, Wu et al. 2018) that corresponds to each of the 68: every second jaw point, the upper edges
of the eyebrows. WFLW has one more point on each eyelid, so the four eyelid points lie slightly further out."""

COFW_TO_68: Mapping[int, int] = MappingProxyType(
    {
        8: 28,
        **{17: 0, 19: 4, 21: 2, 22: 3, 24: 6, 26: 1},
        **{30: 20, 33: 21},
        **{36: 8, 39: 10, 42: 11, 45: 9},
        **{48: 22, 51: 24, 54: 23, 57: 27, 62: 25, 66: 26},
    }
)
"""The COFW point (29 points, Burgos-Artizzu et al. 2013) of each of the 68 that has one: chin, eyebrows, nose tip and
base, corners of eyes and mouth, lip centers. Pupils, eyelids, lower eyebrows and nostrils have no match."""


def to_68(
    points: NDArray[np.floating], visible: NDArray[np.floating], scheme: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Convert points (..., k, 2) and their visibility (..., k) to (..., 68, 2) and (..., 68).

    Points that the scheme lacks are NaN; points of ``68`` and ``68-3d`` are returned as they are.

    Raises:
        BadOption: The scheme is none of 68, 68-3d, 98 and 29, or the number of points does not match it.
    """
    if scheme not in _SOURCES:
        raise BadOption(f"cannot convert scheme {scheme!r} to 68 points; give one of {', '.join(_SOURCES)}")
    count = SCHEMES[scheme]
    if points.shape[-2:] != (count, 2) or visible.shape != points.shape[:-1]:
        found = f"points of shape {points.shape} and visible of shape {visible.shape}"
        raise BadOption(f"{found}; scheme {scheme!r} needs (..., {count}, 2) and (..., {count})")
    sources = _SOURCES[scheme]
    known = sources >= 0
    reduced = np.where(known[:, None], points[..., sources, :], np.nan)
    return reduced.astype(np.float32), np.where(known, visible[..., sources], np.nan).astype(np.float32)


_SOURCES: Mapping[str, NDArray[np.intp]] = MappingProxyType(
    {
        "68": np.arange(68),
        "68-3d": np.arange(68),
        "98": np.array(WFLW_TO_68),
        "29": np.array([COFW_TO_68.get(i, -1) for i in range(68)]),
    }
)
"""For each scheme, the point that corresponds to each of the 68, -1 for none."""

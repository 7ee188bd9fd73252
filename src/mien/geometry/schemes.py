"""Point schemes as data: names, groups, mirror order, reductions and aligned face templates.

"Left" is the left of the image, not of the person: the left eye has the smaller x in an upright frontal face.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption

FIVE_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")

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
"""Mean five points in the unit square around them, as the MXNet port of MTCNN cuts its aligned faces."""

ARCFACE_TEMPLATE: NDArray[np.float64] = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
    / 112.0
)
"""Five points of the usual 112 x 112 aligned face (Deng et al. 2019, ArcFace), as fractions of the side."""

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
"""The 68 points of 300W (Sagonas et al. 2013), from 0; each group runs from the left of the image to the right."""

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
"""The two of the 68 points whose distance is the inter-ocular one."""

SCHEMES: Mapping[str, int] = MappingProxyType({"5": 5, "29": 29, "68": 68, "68-3d": 68, "98": 98})
"""Points of each scheme. In ``68`` the jaw is the edge that is seen; in ``68-3d`` it is where the jaw of the head
is, behind the cheek of a turned face (AFLW2000-3D, Zhu et al. 2016); the other points are meant alike."""


def to_five(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """68 points (..., 68, 2) as the five: middles of the eyes, nose tip, corners of the mouth."""
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
"""Which of WFLW's 98 points (Wu et al. 2018) is meant by each of the 68: every second one of the jaw, the upper edges
of the brows. WFLW has one point more on each eyelid, so the four points of the lids lie a little further out."""

COFW_TO_68: Mapping[int, int] = MappingProxyType(
    {
        8: 28,
        **{17: 0, 19: 4, 21: 2, 22: 3, 24: 6, 26: 1},
        **{30: 20, 33: 21},
        **{36: 8, 39: 10, 42: 11, 45: 9},
        **{48: 22, 51: 24, 54: 23, 57: 27, 62: 25, 66: 26},
    }
)
"""Those of the 68 points that are among COFW's 29 (Burgos-Artizzu et al. 2013), and where: chin, brows, nose tip and
base, corners of eyes and mouth, middles of the lips. Pupils, lids, lower brows and wings of the nose have no match."""


def to_68(
    points: NDArray[np.floating], visible: NDArray[np.floating], scheme: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., k, 2) of a scheme, and which are seen (..., k), as (..., 68, 2) and (..., 68).

    What the scheme lacks is NaN. Points of ``68`` and ``68-3d`` stay as they are. Raises BadOption for another scheme
    than these, ``98`` and ``29``, or another number of points.
    """
    if scheme not in _SOURCES:
        raise BadOption(f"points of scheme {scheme!r} do not lead to 68; one of {', '.join(_SOURCES)}")
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
"""Of each scheme the point that is meant by each of the 68, -1 where there is none."""

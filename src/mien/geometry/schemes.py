"""Point schemes as data: names, mirror order and chip templates.

"Left" is the left of the picture, not of the person: the left eye has the smaller x in an upright frontal face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
"""Mean five points in the unit square around them, as the MXNet port of MTCNN cuts its chips."""

ARCFACE_TEMPLATE: NDArray[np.float64] = (
    np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
    / 112.0
)
"""Five points of the usual 112 x 112 chip (Deng et al. 2019, ArcFace), as fractions of the side."""

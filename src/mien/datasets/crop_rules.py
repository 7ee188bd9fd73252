"""Crops of faces with 68 landmarks for training: from the image to a :class:`Sample`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mien.datasets.parsing import annotation_error
from mien.datasets.samples import LandmarkSample
from mien.datasets.shards import IMAGE_SIZE, Sample
from mien.geometry import boxes
from mien.geometry.schemes import to_68
from mien.imaging import Mipmap, encode_jpeg
from mien.models import SquareBox, StretchedBox

WIDE = 2.0
"""Side of the context image in sides of the face box."""

WIDE_SIZE = 256
"""Longest side of the context image in pixels; smaller faces are not enlarged."""

_QUALITY = 95
_SMALLEST = 4.0
"""Smallest longer side of the box of the points, in pixels."""


RULES: Mapping[str, SquareBox | StretchedBox] = MappingProxyType(
    {"square": SquareBox(1.5), "stretched": StretchedBox(1 / boxes.DETECTOR_BOX_SCALE)}
)
"""Crops by name.

``square``: the detected box with context, as for the shipped networks. ``stretched``: the enlarged box of the
landmarks, stretched to a square.
"""


def make_sample(face: LandmarkSample, mipmap: Mipmap, rule: str) -> Sample:
    """Return the sample of a face, its points reduced to 68, cropped by a rule of :data:`RULES`.

    Raises BadAnnotation for a face without extent.
    """
    reduced, visible = to_68(face.points, face.visible, face.scheme)
    points = reduced[None]
    x0, y0, x1, y1 = boxes.bounding_boxes(points)[0].tolist()
    if max(x1 - x0, y1 - y0) < _SMALLEST or x1 == x0 or y1 == y0:
        found = f"the known points span {x1 - x0:.1f} x {y1 - y0:.1f} pixels"
        raise annotation_error(face.path, found, "correct the points or remove the face")
    crop = RULES[rule].crop_boxes(boxes.detected_box(points))
    wide_box = boxes.enlarge(boxes.face_box(points), WIDE)
    size = min(WIDE_SIZE, round(float(wide_box[0, 2] - wide_box[0, 0])))
    pose = (np.nan, np.nan, np.nan) if face.pose is None else (face.pose.yaw, face.pose.pitch, face.pose.roll)
    return Sample(
        image=mipmap.crops(crop, IMAGE_SIZE)[0],
        points=boxes.encode_points(points, crop)[0].clip(0, 1),
        wide=encode_jpeg(mipmap.crops(wide_box, size)[0], _QUALITY),
        wide_points=boxes.encode_points(points, wide_box)[0] * np.float32(size),
        visible=visible,
        pose=np.array(pose, dtype=np.float32),
        scheme="68-3d" if face.scheme == "68-3d" else "68",
        subset=face.subset,
        person=face.person,
        name=face.path.name,
        rule=rule,
    )

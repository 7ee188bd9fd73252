"""The knobs of the cascade: all of them, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.errors import BadOption

_FRACTIONS = (
    "pnet_threshold",
    "rnet_threshold",
    "onet_threshold",
    "level_nms_iou",
    "pyramid_nms_iou",
    "rnet_nms_iou",
    "final_nms_iom",
)
_COUNTS = ("pre_nms_top_k", "strip_pixels", "batch_size")


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Everything about the cascade that can be chosen; the defaults suit the shipped networks.

    ``min_face_size``, ``max_face_size``: sides in image pixels of the smallest and largest
    face looked for (None: no limit).
    ``scale_factor``: from one level of the pyramid to the next. ``*_threshold``: scores below it are dropped.
    ``*_nms_iou``: of two boxes that overlap more, the worse is dropped: within a level, over all levels and after
    R-Net by intersection over union; at the end by intersection over the smaller box.
    ``nms_after_regression``: P-Net's boxes are calibrated before they are compared (the paper compares raw windows, of
    which about twice as many stay); the same after R-Net. ``box_voting``: a face is where O-Net puts it on average over
    all crops of it that R-Net kept, instead of where the best of them puts it. ``flip_tta``: O-Net looks at its
    own faces again, mirrored, and score, box and points are the mean of both looks. ``refine_keypoints``: whether
    L-Net runs, where the detector has one.
    ``rotations``: by which quarter turns (degrees, counter-clockwise) the image is turned before looking.

    The others bound memory and time and do not change what is found in an ordinary image. ``pre_nms_top_k``: of
    one level at most so many windows go on, the best; ``strip_pixels``: level pixels that P-Net is shown at once;
    ``batch_size``: crops that another network is shown at once.
    Raises BadOption.
    """

    min_face_size: float = 20.0
    max_face_size: float | None = None
    scale_factor: float = 0.709
    pnet_threshold: float = 0.05
    rnet_threshold: float = 0.1
    onet_threshold: float = 0.75
    level_nms_iou: float = 0.5
    pyramid_nms_iou: float = 0.7
    rnet_nms_iou: float = 0.7
    final_nms_iom: float = 0.5
    nms_after_regression: bool = True
    box_voting: bool = True
    flip_tta: bool = True
    refine_keypoints: bool = True
    rotations: tuple[int, ...] = (0,)
    pre_nms_top_k: int = 2000
    strip_pixels: int = 1 << 17
    batch_size: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", tuple(self.rotations))
        if not (math.isfinite(self.min_face_size) and self.min_face_size >= 1):
            raise BadOption(f"min_face_size={self.min_face_size}: must be at least 1 (pixels)")
        if self.max_face_size is not None and not self.max_face_size >= self.min_face_size:
            raise BadOption(
                f"max_face_size={self.max_face_size}: must be at least min_face_size={self.min_face_size}, or None"
            )
        if not 0.1 <= self.scale_factor <= 0.95:
            raise BadOption(f"scale_factor={self.scale_factor}: must lie between 0.1 and 0.95; the paper's is 0.709")
        for name in _FRACTIONS:
            if not 0 <= getattr(self, name) <= 1:
                raise BadOption(f"{name}={getattr(self, name)}: must lie between 0 and 1")
        for name in _COUNTS:
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise BadOption(f"{name}={getattr(self, name)}: must be a whole number, 1 or more")
        turns = self.rotations
        if not turns or len(set(turns)) < len(turns) or not set(turns) <= {0, 90, 180, 270}:
            raise BadOption(f"rotations={turns}: must be different ones of 0, 90, 180 and 270, at least one")

"""Configuration of the face detector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from mien.errors import BadOption
from mien.options import option, validate

Method: TypeAlias = Literal["two-stage", "mtcnn"]
"""How faces are detected: by the proposer and the refiner, or by P-, R-, O- and L-Net as published."""


_THRESHOLDS: Mapping[Method, float] = MappingProxyType({"two-stage": 0.5, "mtcnn": 0.75})
"""Default score threshold of each method; docs/models.md has the false alarms at these."""

_MAX_FACE_RATIO = 1.2
"""Largest face, in longer sides of the image: a face cut by the border may be larger than the image."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Options of :class:`mien.FaceDetector`; the defaults suit the shipped networks.

    IoU is intersection over union, IoM intersection over the smaller box. ``pre_nms_top_k``, ``max_proposals``,
    ``strip_pixels`` and ``batch_size`` bound memory and time; they do not change the result on ordinary images.

    Raises BadOption for a wrong type or a value out of bounds.
    """

    method: Method = option("two-stage", "two-stage: proposer and refiner; mtcnn: P-, R-, O- and L-Net")
    min_face_size: float = option(20.0, "smallest face to detect; larger is faster", unit="pixels", minimum=1)
    max_face_size: float | None = option(None, "largest face to detect (default: no limit)", unit="pixels", minimum=1)
    score_threshold: float | None = option(
        None, "smallest score of a detected face (default: 0.5; mtcnn: 0.75)", minimum=0, maximum=1
    )
    proposal_nms_iou: float = option(0.6, "NMS of the proposals: IoU threshold", minimum=0, maximum=1)
    max_proposals: int = option(200, "proposals of an image that the refiner sees, best first", minimum=1)
    final_nms_iou: float = option(0.45, "NMS of the refined faces: IoU threshold", minimum=0, maximum=1)
    box_voting: bool = option(True, "replace each face by the score-weighted mean of overlapping boxes")
    flip_tta: bool = option(True, "run the last network on mirrored crops as well and average the results")
    scale_factor: float = option(
        0.709, "mtcnn: step between pyramid levels; closer to 1 finds more and is slower", minimum=0.1, maximum=0.95
    )
    pnet_threshold: float = option(0.05, "mtcnn: P-Net score threshold", minimum=0, maximum=1)
    rnet_threshold: float = option(0.1, "mtcnn: R-Net score threshold", minimum=0, maximum=1)
    level_nms_iou: float = option(0.5, "mtcnn: NMS within a pyramid level: IoU threshold", minimum=0, maximum=1)
    pyramid_nms_iou: float = option(0.7, "mtcnn: NMS over all pyramid levels: IoU threshold", minimum=0, maximum=1)
    rnet_nms_iou: float = option(0.7, "mtcnn: NMS after R-Net: IoU threshold", minimum=0, maximum=1)
    final_nms_iom: float = option(
        0.5, "mtcnn: NMS after O-Net, and either method's NMS over rotations: IoM threshold", minimum=0, maximum=1
    )
    nms_after_regression: bool = option(
        True, "mtcnn: apply bounding-box regression before NMS (the paper compares the raw windows)"
    )
    refine_keypoints: bool = option(True, "refine the five keypoints with L-Net")
    rotations: tuple[int, ...] = option(
        (0,), "also search the image rotated by these multiples of 90 degrees, counter-clockwise", unit="degrees"
    )
    pre_nms_top_k: int = option(2000, "candidates kept before NMS: of the proposer, or of a level by P-Net", minimum=1)
    strip_pixels: int = option(1 << 17, "mtcnn: pyramid pixels processed by P-Net at a time", unit="pixels", minimum=1)
    batch_size: int = option(32, "crops in a batch", minimum=1)

    def largest_face(self, longer_side: float) -> float:
        """Return the largest face to search, in pixels, in an image with this longer side."""
        return min(longer_side * _MAX_FACE_RATIO, math.inf if self.max_face_size is None else self.max_face_size)

    @property
    def threshold(self) -> float:
        """``score_threshold``, or the default of the method."""
        return _THRESHOLDS[self.method] if self.score_threshold is None else self.score_threshold

    def __post_init__(self) -> None:
        validate(self)
        if self.max_face_size is not None and not self.max_face_size >= self.min_face_size:
            raise BadOption(
                f"max_face_size={self.max_face_size}: must be at least min_face_size={self.min_face_size}, or None"
            )
        rotations = self.rotations
        if not rotations or len(set(rotations)) < len(rotations) or not set(rotations) <= {0, 90, 180, 270}:
            raise BadOption(f"rotations={rotations}: must be distinct values of 0, 90, 180 and 270, at least one")

"""Configuration of the face detector."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import BadOption
from mien.options import option, validate


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Options of :class:`mien.FaceDetector`; the defaults suit the shipped networks.

    IoU is intersection over union, IoM intersection over the smaller box. ``pre_nms_top_k``, ``strip_pixels`` and
    ``batch_size`` bound memory and time; they do not change the result on ordinary images.

    Raises BadOption for a wrong type or a value out of bounds.
    """

    min_face_size: float = option(20.0, "smallest face to detect; larger is faster", unit="pixels", minimum=1)
    max_face_size: float | None = option(None, "largest face to detect (default: no limit)", unit="pixels", minimum=1)
    scale_factor: float = option(
        0.709, "step between pyramid levels; closer to 1 finds more and is slower", minimum=0.1, maximum=0.95
    )
    pnet_threshold: float = option(0.05, "P-Net score threshold", minimum=0, maximum=1)
    rnet_threshold: float = option(0.1, "R-Net score threshold", minimum=0, maximum=1)
    onet_threshold: float = option(0.75, "O-Net score threshold: the score of a detected face", minimum=0, maximum=1)
    level_nms_iou: float = option(0.5, "NMS within a pyramid level: IoU threshold", minimum=0, maximum=1)
    pyramid_nms_iou: float = option(0.7, "NMS over all pyramid levels: IoU threshold", minimum=0, maximum=1)
    rnet_nms_iou: float = option(0.7, "NMS after R-Net: IoU threshold", minimum=0, maximum=1)
    final_nms_iom: float = option(0.5, "NMS after O-Net: IoM threshold", minimum=0, maximum=1)
    nms_after_regression: bool = option(
        True, "apply bounding-box regression before NMS (the paper compares the raw windows)"
    )
    box_voting: bool = option(True, "replace each face by the score-weighted mean of overlapping O-Net boxes")
    flip_tta: bool = option(True, "run O-Net on mirrored crops as well and average the results")
    refine_keypoints: bool = option(True, "refine the five keypoints with L-Net")
    rotations: tuple[int, ...] = option(
        (0,), "also search the image rotated by these multiples of 90 degrees, counter-clockwise", unit="degrees"
    )
    pre_nms_top_k: int = option(2000, "windows of a pyramid level kept before NMS", minimum=1)
    strip_pixels: int = option(1 << 17, "pyramid pixels processed by P-Net at a time", unit="pixels", minimum=1)
    batch_size: int = option(32, "crops in a batch of R-, O- and L-Net", minimum=1)

    def __post_init__(self) -> None:
        validate(self)
        if self.max_face_size is not None and not self.max_face_size >= self.min_face_size:
            raise BadOption(
                f"max_face_size={self.max_face_size}: must be at least min_face_size={self.min_face_size}, or None"
            )
        rotations = self.rotations
        if not rotations or len(set(rotations)) < len(rotations) or not set(rotations) <= {0, 90, 180, 270}:
            raise BadOption(f"rotations={rotations}: must be distinct values of 0, 90, 180 and 270, at least one")

"""The proposer: one fully convolutional network over the whole image gives boxes, scores and keypoints.

Faces too large for it at full size are found in smaller copies of the image.

References:
    Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection".
    Li et al. 2020, "Generalized Focal Loss: Learning Qualified and Distributed Bounding Boxes for Dense Object
    Detection" (the score is the expected IoU of the box).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mien.detection.config import DetectorConfig
from mien.errors import ModelMismatch
from mien.geometry import boxes
from mien.imaging import Mipmap, resize
from mien.models import Grid, Model
from mien.types import Deadline, Faces, Floats, Image

_LEVEL_STEP = 4
"""Each level is this many times smaller than the one before; consecutive levels overlap in the faces they find."""

_STRIP_PIXELS = 1 << 20
"""Larger levels are processed in strips of about this many pixels, which bounds memory."""

_MARGIN = 128
"""Rows that a strip sees above and below the rows that it answers for, in pixels."""


def run_proposer(
    images: Sequence[Mipmap], proposer: Model, config: DetectorConfig, deadline: Deadline | None = None
) -> list[Faces]:
    """Return the proposals of each image above the score threshold after NMS, best first; they may leave the image."""
    return [_propose(image.image, proposer, config, deadline) for image in images]


def scales(longer_side: int, grid: Grid, config: DetectorConfig) -> list[float]:
    """Return the scale of each level.

    In the first, a face of ``min_face_size`` is as large as the smallest that the network knows; the last holds faces
    of ``max_face_size``, or that fill the image.
    """
    largest = config.largest_face(longer_side)
    if config.min_face_size > largest:
        return []
    found = [grid.min_face / config.min_face_size]
    while grid.max_face / found[-1] < largest:
        found.append(found[-1] / _LEVEL_STEP)
    return found


def _propose(image: Image, proposer: Model, config: DetectorConfig, deadline: Deadline | None) -> Faces:
    height, width = image.shape[:2]
    found = []
    level = image
    for scale in scales(max(height, width), proposer.card.crop_as(Grid), config):
        level = resize(level, max(1, round(width * scale)), max(1, round(height * scale)))
        to_image = np.array([width / level.shape[1], height / level.shape[0]], dtype=np.float32)
        faces = _run_level(level, proposer, config, deadline)
        found.append(Faces(faces.boxes * np.tile(to_image, 2), faces.scores, faces.keypoints * to_image))
    faces = Faces.concatenate(found)
    if config.max_face_size is not None:
        faces = faces[np.sqrt(boxes.area(faces.boxes)) <= config.max_face_size]
    faces = faces[np.argsort(-faces.scores, kind="stable")[: config.pre_nms_top_k]]
    return faces[boxes.nms(faces.boxes, faces.scores, config.proposal_nms_iou, limit=config.max_proposals)]


def _run_level(level: Image, proposer: Model, config: DetectorConfig, deadline: Deadline | None) -> Faces:
    """Return the cells of one level above the threshold, in its pixels."""
    grid = proposer.card.crop_as(Grid)
    found = []
    for top, bottom, first, strip in _strips(_pad(level, max(grid.strides)), max(grid.strides)):
        if deadline is not None:
            deadline.check()
        maps = proposer.run(strip[None])
        for values, stride in zip(maps, grid.strides, strict=True):
            rows, columns = strip.shape[0] // stride, strip.shape[1] // stride
            if values.shape != (1, 15, rows, columns):
                raise ModelMismatch(
                    f"{proposer.card.name} gave {values.shape} at stride {stride} for {strip.shape}, where its card "
                    f"promises (1, 15, {rows}, {columns}); correct crop.strides"
                )
            own = values[0, :, (top - first) // stride : (bottom - first) // stride]
            found.append(_decode(own, grid, stride, top, config.threshold))
    return Faces.concatenate(found)


def _pad(level: Image, multiple: int) -> Image:
    """Return the level with black below and on the right, so that its sides are multiples of the coarsest stride."""
    height, width = level.shape[:2]
    tall, wide = height + -height % multiple, width + -width % multiple
    padded = np.zeros((tall, wide, 3), dtype=np.uint8)
    padded[:height, :width] = level
    return padded


def _strips(level: Image, multiple: int) -> Iterator[tuple[int, int, int, Image]]:
    """Yield the rows ``top`` to ``bottom`` that a strip answers for, the first row that it sees, and the strip."""
    height, width = level.shape[:2]
    rows = height
    if height * width > _STRIP_PIXELS:
        rows = max(_STRIP_PIXELS // width - 2 * _MARGIN, 2 * _MARGIN) // multiple * multiple
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first = max(top - _MARGIN, 0)
        yield top, bottom, first, level[first : min(bottom + _MARGIN, height)]


def _decode(values: Floats, grid: Grid, stride: int, top: int, threshold: float) -> Faces:
    """Return the faces of one map (15, h, w) whose first cells begin at the row ``top`` of the level."""
    rows, columns = np.nonzero(values[0] >= threshold)
    cells = values[:, rows, columns].T
    center = grid.centers(rows + top // stride, columns, stride)
    where = np.concatenate([center - cells[:, 1:3], center + cells[:, 3:5]], axis=1)
    return Faces(where, cells[:, 0], boxes.decode_points(cells[:, 5:].reshape(-1, 5, 2), where))

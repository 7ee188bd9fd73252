"""Proposals: P-Net on each level of an image pyramid.

Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.detection.config import DetectorConfig
from mien.errors import ModelMismatch
from mien.geometry import boxes
from mien.imaging import resize
from mien.models import Model, ModelCard, Window
from mien.types import Candidates, Deadline, Floats, Image


@dataclass(frozen=True, slots=True, eq=False)
class _Proposals:
    """Windows above the threshold: ``windows`` (n, 4) in image pixels, ``offsets`` (n, 4), ``scores`` (n,)."""

    windows: Floats
    offsets: Floats
    scores: Floats

    def __getitem__(self, index: NDArray[np.intp]) -> _Proposals:
        return _Proposals(self.windows[index], self.offsets[index], self.scores[index])


def run_pnet(image: Image, pnet: Model, config: DetectorConfig, deadline: Deadline | None = None) -> Candidates:
    """Return face candidates after box regression and NMS, in image pixels, best first."""
    found = [_run_level(level, image, pnet, config, deadline) for level in _pyramid(image, pnet.card, config)]
    if not found:
        return Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32))
    proposals = _Proposals(
        np.concatenate([level.windows for level in found]),
        np.concatenate([level.offsets for level in found]),
        np.concatenate([level.scores for level in found]),
    )
    kept = _nms(proposals, config.pyramid_nms_iou, config)
    return Candidates(boxes.decode_boxes(kept.offsets, kept.windows), kept.scores)


def face_sizes(longer_side: int, config: DetectorConfig) -> list[float]:
    """Return the nominal face size, in image pixels, of each pyramid level.

    From ``min_face_size`` to the first that reaches ``max_face_size`` or fills the image.
    """
    largest = config.largest_face(longer_side)
    if config.min_face_size > largest:
        return []
    sizes = [config.min_face_size]
    while sizes[-1] < largest:
        sizes.append(sizes[-1] / config.scale_factor)
    return sizes


def _pyramid(image: Image, card: ModelCard, config: DetectorConfig) -> Iterator[Image]:
    """Yield the levels, largest first, each resized from the one before."""
    height, width = image.shape[:2]
    level = image
    cell = card.crop_as(Window).cell
    for size in face_sizes(max(height, width), config):
        scale = cell / size
        level = resize(level, max(1, round(width * scale)), max(1, round(height * scale)))
        yield level


def _run_level(
    level: Image, image: Image, pnet: Model, config: DetectorConfig, deadline: Deadline | None
) -> _Proposals:
    """Return the windows of one level after NMS."""
    card = pnet.card
    padded, margin = _pad(level, card)
    scores, offsets, rows, columns = _scan(padded, pnet, config, deadline)
    in_level = card.crop_as(Window).face_boxes(rows, columns, card.input.size) - np.float32(margin)
    to_image = np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]], dtype=np.float32)
    found = _Proposals(in_level * np.tile(to_image, 2), offsets, scores)
    if len(scores) > config.pre_nms_top_k:
        found = found[np.sort(np.argsort(-scores, kind="stable")[: config.pre_nms_top_k])]
    return _nms(found, config.level_nms_iou, config)


def _nms(found: _Proposals, iou: float, config: DetectorConfig) -> _Proposals:
    where = boxes.decode_boxes(found.offsets, found.windows) if config.nms_after_regression else found.windows
    return found[boxes.nms(where, found.scores, iou)]


def _pad(level: Image, card: ModelCard) -> tuple[Image, int]:
    """Return the level padded with black, and the margin on its left and top.

    The margin puts a window's center into each corner, in whole strides so that windows do not move; on the right and
    bottom it is widened until the last window ends at the last pixel.
    """
    height, width = level.shape[:2]
    size, stride = card.input.size, card.crop_as(Window).stride
    margin = -(-size // (2 * stride)) * stride
    last = 2 * margin - size
    tall = height + 2 * margin + -(height + last) % stride
    wide = width + 2 * margin + -(width + last) % stride
    padded = np.zeros((tall, wide, 3), dtype=np.uint8)
    padded[margin : margin + height, margin : margin + width] = level
    return padded, margin


def _scan(
    padded: Image, pnet: Model, config: DetectorConfig, deadline: Deadline | None
) -> tuple[Floats, Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return scores (n,), offsets (n, 4), rows and columns (n,) of the windows above the threshold.

    Runs in strips that overlap by one window, which bounds memory and gives the windows of the whole level.
    """
    size, stride = pnet.card.input.size, pnet.card.crop_as(Window).stride
    height, width = padded.shape[:2]
    rows_total, columns_total = (height - size) // stride + 1, (width - size) // stride + 1
    strip_rows = max(1, (config.strip_pixels // width - size) // stride + 1)
    found = []
    for top in range(0, rows_total, strip_rows):
        count = min(strip_rows, rows_total - top)
        strip = padded[top * stride : (top + count - 1) * stride + size]
        if deadline is not None:
            deadline.check()
        scores, offsets = pnet.run(strip[None])
        if scores.shape != (1, count, columns_total) or offsets.shape != (1, count, columns_total, 4):
            raise ModelMismatch(
                f"{pnet.card.name} gave scores {scores.shape} and offsets {offsets.shape} for {strip.shape}, "
                f"where its card promises {count} x {columns_total} windows; correct input.size or crop.stride"
            )
        rows, columns = np.nonzero(scores[0] >= config.pnet_threshold)
        found.append((scores[0, rows, columns], offsets[0, rows, columns], rows + top, columns))
    scores, offsets, rows, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return scores, offsets, rows, columns

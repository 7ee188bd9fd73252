"""The cascade with the conventions of the original MTCNN, for the parity benchmark only.

The Matlab original and its ports count pixels from 1, round every window and crop towards zero to whole pixels, resize
the image and the crops from full size by area averaging, stop the pyramid at the shorter side, and use no windows that
extend beyond the image. mien deliberately does none of this. With these conventions patched in and nothing else
changed, any remaining difference would be an error in the cascade.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import cv2
import numpy as np

from mien.detection import DetectorConfig, propose
from mien.geometry import boxes
from mien.imaging import Mipmap
from mien.models import Model, ModelCard, Window
from mien.types import Deadline, Floats, Image

_FIRST = np.array([1, 1, 0, 0])
"""Added to a box (x0, y0, x1, y1) of mien, it gives a 1-based, inclusive one."""

_square = boxes.square


@contextmanager
def habits() -> Iterator[None]:
    """Patch detectors to resize, crop and round as the original. Not thread-safe."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(propose, "_pyramid", _pyramid))
        stack.enter_context(mock.patch.object(propose, "_pad", _pad))
        stack.enter_context(mock.patch.object(propose, "_run_level", _run_level))
        stack.enter_context(mock.patch.object(boxes, "square", _whole_square))
        stack.enter_context(mock.patch.object(Mipmap, "crops", _crops))
        yield


def _pyramid(image: Image, card: ModelCard, config: DetectorConfig) -> Iterator[Image]:
    height, width = image.shape[:2]
    cell = card.crop_as(Window).cell
    scale = cell / config.min_face_size
    while min(height, width) * scale >= cell:
        size = int(np.ceil(width * scale)), int(np.ceil(height * scale))
        yield np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale *= config.scale_factor


def _pad(level: Image, card: ModelCard) -> tuple[Image, int]:
    """Pad to whole strides only: the original cuts off the last window there as well."""
    more = [(0, -side % card.crop_as(Window).stride) for side in level.shape[:2]]
    return np.pad(level, [*more, (0, 0)]), 0


def _run_level(
    level: Image, image: Image, pnet: Model, config: DetectorConfig, deadline: Deadline | None
) -> propose._Proposals:
    window = pnet.card.crop_as(Window)
    # The exact scale of the level; its size is rounded.
    steps = np.log(level.shape[1] / image.shape[1] * config.min_face_size / window.cell) / np.log(config.scale_factor)
    scale = window.cell / config.min_face_size * config.scale_factor ** round(steps)
    padded, margin = propose._pad(level, pnet.card)
    scores, offsets, rows, columns = propose._scan(padded, pnet, config, deadline)
    corner = np.stack([columns, rows], axis=1).astype(np.float64) * window.stride - margin
    counted = np.fix(np.concatenate([corner + 1, corner + window.cell], axis=1) / scale)
    windows = counted - _FIRST
    # The original decodes by the distance of the inclusive corners, one less than the side of the window.
    shorter = np.tile((counted[:, 2:] - counted[:, :2]) / (windows[:, 2:] - windows[:, :2]), 2)
    offsets, windows = (offsets * shorter).astype(np.float32), windows.astype(np.float32)
    found = propose._Proposals(windows, offsets, scores)
    return found[boxes.nms(found.windows, found.scores, config.level_nms_iou)]


def _whole_square(found: Floats) -> Floats:
    return np.asarray(np.fix(_square(found) + _FIRST) - _FIRST, dtype=np.float32)


def _crops(mipmap: Mipmap, found: Floats, size: int) -> Image:
    height, width = mipmap.image.shape[:2]
    out = np.empty((len(found), size, size, 3), dtype=np.uint8)
    for i, (x0, y0, x1, y1) in enumerate(found.astype(int).tolist()):
        crop = np.zeros((max(y1 - y0, 1), max(x1 - x0, 1), 3), dtype=np.uint8)
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
        if right > left and bottom > top:
            crop[top - y0 : bottom - y0, left - x0 : right - x0] = mipmap.image[top:bottom, left:right]
        out[i] = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return out

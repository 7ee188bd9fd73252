"""Our cascade with the habits of its ancestors, for the parity benchmark alone.

The Matlab original and its ports count pixels from 1, round every window and every crop to whole pixels towards zero,
shrink the image and the crops by area averaging from full size, stop the pyramid at the shorter side, and look for
no windows that reach beyond the image. Ours does none of this, on purpose. With these habits put in, and nothing
else changed, what still differs would be a mistake in the cascade.
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
from mien.types import Floats, Image

_FIRST = np.array([1, 1, 0, 0])
"""A 1-based, inclusive box (x0, y0, x1, y1) is ours plus this."""

_square = boxes.square


@contextmanager
def habits() -> Iterator[None]:
    """Inside, detectors shrink, cut and round as their ancestors did. Not for threads."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(propose, "_pyramid", _pyramid))
        stack.enter_context(mock.patch.object(propose, "_pad", _pad))
        stack.enter_context(mock.patch.object(propose, "_run_level", _run_level))
        stack.enter_context(mock.patch.object(boxes, "square", _whole_square))
        stack.enter_context(mock.patch.object(Mipmap, "crops", _crops))
        yield


def _pyramid(image: Image, card: ModelCard, settings: DetectorConfig) -> Iterator[Image]:
    height, width = image.shape[:2]
    cell = card.crop_as(Window).cell
    scale = cell / settings.min_face_size
    while min(height, width) * scale >= cell:
        size = int(np.ceil(width * scale)), int(np.ceil(height * scale))
        yield np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale *= settings.scale_factor


def _pad(level: Image, card: ModelCard) -> tuple[Image, int]:
    """Only to whole strides: the last window may be cut off there as well."""
    more = [(0, -side % card.crop_as(Window).stride) for side in level.shape[:2]]
    return np.pad(level, [*more, (0, 0)]), 0


def _run_level(level: Image, image: Image, pnet: Model, settings: DetectorConfig) -> propose._Windows:
    card, crop = pnet.card, pnet.card.crop_as(Window)
    # The scale that made the level, which its rounded size does not quite tell.
    steps = np.log(level.shape[1] / image.shape[1] * settings.min_face_size / crop.cell) / np.log(settings.scale_factor)
    scale = crop.cell / settings.min_face_size * settings.scale_factor ** round(steps)
    padded, margin = propose._pad(level, card)
    scores, offsets, rows, columns = propose._scan(padded, pnet, settings)
    corner = np.stack([columns, rows], axis=1).astype(np.float64) * crop.stride - margin
    counted = np.fix(np.concatenate([corner + 1, corner + crop.cell], axis=1) / scale)
    windows = counted - _FIRST
    # They decode by the distance of the inclusive corners, one less than the side of the window.
    shorter = np.tile((counted[:, 2:] - counted[:, :2]) / (windows[:, 2:] - windows[:, :2]), 2)
    offsets, windows = (offsets * shorter).astype(np.float32), windows.astype(np.float32)
    found = propose._Windows(windows, offsets, scores)
    return found[boxes.nms(found.windows, found.scores, settings.level_nms_iou)]


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

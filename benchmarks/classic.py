"""The cascade with the sampling of the Matlab original and its ports, for the parity benchmark only.

They count pixels from 1, round every window and crop to whole pixels towards zero, shrink the image and the crops from
full size by area averaging, end the pyramid at the shorter side, and use no windows beyond the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import cv2
import numpy as np

from mien.detection import DetectorConfig, pyramid
from mien.geometry import boxes
from mien.imaging import Mipmap
from mien.models import Model, ModelCard, Window
from mien.types import Deadline, Floats, Image

_TO_MATLAB = np.array([1, 1, 0, 0])
"""Added to a box, gives 1-based inclusive coordinates."""

_square = boxes.square


@contextmanager
def classic_sampling() -> Iterator[None]:
    """Patch the sampling while the context is open. Not thread-safe."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(pyramid, "_pyramid", _pyramid))
        stack.enter_context(mock.patch.object(pyramid, "_pad", _pad))
        stack.enter_context(mock.patch.object(pyramid, "_run_level", _run_level))
        stack.enter_context(mock.patch.object(boxes, "square", _integer_square))
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
    """Pad to whole strides only: the ports scan an incomplete last window, too."""
    sides = [(0, -side % card.crop_as(Window).stride) for side in level.shape[:2]]
    return np.pad(level, [*sides, (0, 0)]), 0


def _run_level(
    level: Image, image: Image, pnet: Model, config: DetectorConfig, deadline: Deadline | None
) -> pyramid._Proposals:
    card, crop = pnet.card, pnet.card.crop_as(Window)
    # The exact scale of the level, which its rounded size does not give.
    steps = np.log(level.shape[1] / image.shape[1] * config.min_face_size / crop.cell) / np.log(config.scale_factor)
    scale = crop.cell / config.min_face_size * config.scale_factor ** round(steps)
    padded, margin = pyramid._pad(level, card)
    scores, offsets, rows, columns = pyramid._scan(padded, pnet, config, deadline)
    corner = np.stack([columns, rows], axis=1).astype(np.float64) * crop.stride - margin
    matlab = np.fix(np.concatenate([corner + 1, corner + crop.cell], axis=1) / scale)
    windows = matlab - _TO_MATLAB
    # They scale offsets by the distance of the inclusive corners, one less than the side of the window.
    shorter = np.tile((matlab[:, 2:] - matlab[:, :2]) / (windows[:, 2:] - windows[:, :2]), 2)
    found = pyramid._Proposals(windows.astype(np.float32), (offsets * shorter).astype(np.float32), scores)
    return found[boxes.nms(found.windows, found.scores, config.level_nms_iou)]


def _integer_square(windows: Floats) -> Floats:
    return np.asarray(np.fix(_square(windows) + _TO_MATLAB) - _TO_MATLAB, dtype=np.float32)


def _crops(mipmap: Mipmap, windows: Floats, size: int) -> Image:
    height, width = mipmap.image.shape[:2]
    out = np.empty((len(windows), size, size, 3), dtype=np.uint8)
    for i, (x0, y0, x1, y1) in enumerate(windows.astype(int).tolist()):
        crop = np.zeros((max(y1 - y0, 1), max(x1 - x0, 1), 3), dtype=np.uint8)
        left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
        if right > left and bottom > top:
            crop[top - y0 : bottom - y0, left - x0 : right - x0] = mipmap.image[top:bottom, left:right]
        out[i] = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return out

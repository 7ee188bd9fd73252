"""The first stage: a pyramid of the picture, P-Net on each level, windows to candidates.

Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.detect.settings import Settings
from mien.errors import ModelMismatch
from mien.geometry import boxes
from mien.models import ModelCard, Network
from mien.pixels import resize
from mien.values import Candidates, Floats, Picture

_LARGEST = 1.2
"""A face cut by the border may be larger than the picture; beyond so many longer sides none is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Where P-Net sees a face: ``windows`` (n, 4) in picture pixels, ``offsets`` (n, 4), ``scores`` (n,)."""

    windows: Floats
    offsets: Floats
    scores: Floats

    def __getitem__(self, index: NDArray[np.intp]) -> _Windows:
        return _Windows(self.windows[index], self.offsets[index], self.scores[index])


def run_pnet(picture: Picture, pnet: Network, settings: Settings) -> Candidates:
    """What may be a face: calibrated boxes in picture pixels, best first."""
    found = [_run_level(level, picture, pnet, settings) for level in _pyramid(picture, pnet.card, settings)]
    if not found:
        return Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32))
    everything = _Windows(
        np.concatenate([level.windows for level in found]),
        np.concatenate([level.offsets for level in found]),
        np.concatenate([level.scores for level in found]),
    )
    kept = _suppressed(everything, settings.pyramid_overlap, settings)
    return Candidates(boxes.decode(kept.offsets, kept.windows), kept.scores)


def face_sizes(longer_side: int, settings: Settings) -> list[float]:
    """The nominal side of a face, in picture pixels, for each level of the pyramid.

    From ``min_face`` to the first that reaches ``max_face`` or what fills the picture.
    """
    largest = min(longer_side * _LARGEST, settings.max_face or np.inf)
    if settings.min_face > largest:
        return []
    sizes = [settings.min_face]
    while sizes[-1] < largest:
        sizes.append(sizes[-1] / settings.factor)
    return sizes


def _pyramid(picture: Picture, card: ModelCard, settings: Settings) -> Iterator[Picture]:
    """The levels, largest first, each made from the one before."""
    height, width = picture.shape[:2]
    level = picture
    for size in face_sizes(max(height, width), settings):
        scale = card.cell / size
        level = resize(level, max(1, round(width * scale)), max(1, round(height * scale)))
        yield level


def _run_level(level: Picture, picture: Picture, pnet: Network, settings: Settings) -> _Windows:
    """The best windows of one level."""
    card = pnet.card
    padded, margin = _pad(level, card)
    scores, offsets, rows, columns = _scan(padded, pnet, settings)
    first = np.stack([columns, rows], axis=1) * np.float32(card.stride) + np.float32(
        (card.input_size - card.cell) / 2 - margin
    )
    to_picture = np.array([picture.shape[1] / level.shape[1], picture.shape[0] / level.shape[0]], dtype=np.float32)
    windows = np.concatenate([first * to_picture, (first + np.float32(card.cell)) * to_picture], axis=1)
    found = _Windows(windows, offsets, scores)
    if len(scores) > settings.level_windows:
        found = found[np.sort(np.argsort(-scores, kind="stable")[: settings.level_windows])]
    return _suppressed(found, settings.level_overlap, settings)


def _suppressed(found: _Windows, overlap: float, settings: Settings) -> _Windows:
    where = boxes.decode(found.offsets, found.windows) if settings.calibrate_first else found.windows
    return found[boxes.suppress(where, found.scores, overlap)]


def _pad(level: Picture, card: ModelCard) -> tuple[Picture, int]:
    """The level with black around it, and how much on the left and top.

    So much that some window has its centre in each corner, in whole strides so that windows fall where they
    would without padding; on the right and bottom so much more that the last window ends at the last pixel.
    """
    height, width = level.shape[:2]
    margin = -(-card.input_size // (2 * card.stride)) * card.stride
    last = 2 * margin - card.input_size
    tall = height + 2 * margin + -(height + last) % card.stride
    wide = width + 2 * margin + -(width + last) % card.stride
    padded = np.zeros((tall, wide, 3), dtype=np.uint8)
    padded[margin : margin + height, margin : margin + width] = level
    return padded, margin


def _scan(
    padded: Picture, pnet: Network, settings: Settings
) -> tuple[Floats, Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Scores (n,), offsets (n, 4), row and column (n,) of the windows above the threshold.

    Strip by strip: strips overlap by what a window needs, so that all together have the windows of the whole.
    """
    size, stride = pnet.card.input_size, pnet.card.stride
    height, width = padded.shape[:2]
    rows_total, columns_total = (height - size) // stride + 1, (width - size) // stride + 1
    strip_rows = max(1, (settings.strip_pixels // width - size) // stride + 1)
    found = []
    for top in range(0, rows_total, strip_rows):
        count = min(strip_rows, rows_total - top)
        strip = padded[top * stride : (top + count - 1) * stride + size]
        scores, offsets = pnet.run(strip[None])
        if scores.shape != (1, count, columns_total) or offsets.shape != (1, count, columns_total, 4):
            raise ModelMismatch(
                f"{pnet.card.name} gave scores {scores.shape} and offsets {offsets.shape} for {strip.shape}, "
                f"where its card promises {count} x {columns_total} windows; correct input_size or stride"
            )
        rows, columns = np.nonzero(scores[0] >= settings.pnet_threshold)
        found.append((scores[0, rows, columns], offsets[0, rows, columns], rows + top, columns))
    scores, offsets, rows, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return scores, offsets, rows, columns

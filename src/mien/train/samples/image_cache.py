"""Decoded images in one memory-mapped file, which processes share and the system keeps in memory as far as it fits."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.imaging import Mipmap, read_image, resize
from mien.io import atomic_write
from mien.train.engine.display import progress_bar
from mien.train.engine.prefetch import default_workers, prefetched
from mien.types import Doubles, Image

_SMALLEST_LEVEL = 48


@dataclass(frozen=True, slots=True, eq=False)
class CachedImages:
    """Images with their halved copies.

    Attributes:
        scales: (n,), size of each image relative to its file: 1, or less where it was shrunk.
    """

    scales: Doubles
    _levels: tuple[tuple[Image, ...], ...]

    def mipmap(self, index: int) -> Mipmap:
        """Return image ``index``; nothing is copied."""
        image, *halved = self._levels[index]
        return Mipmap(image, halved)


def open_cache(paths: Sequence[Path], file: Path, max_side: int) -> CachedImages:
    """Open ``file``, after writing it unless it holds these images.

    Args:
        paths: The images. A changed path, size or time of a file makes a new cache.
        file: Raw pixels; an index of the same name with the suffix .npz is written beside it.
        max_side: Larger images are shrunk to this longer side, in pixels.

    Raises:
        BadImage: An image cannot be read.
    """
    index, checksum = file.with_suffix(".npz"), _checksum(paths, max_side)
    if not (file.is_file() and _kept_checksum(index) == checksum):
        places, scales = _write(paths, file, max_side)
        with atomic_write(index) as part, part.open("wb") as stream:
            np.savez(stream, checksum=checksum, levels=places, scales=scales)
    with np.load(index) as kept:
        places, scales = kept["levels"], kept["scales"]
    pixels = np.memmap(file, dtype=np.uint8, mode="r").view(np.ndarray)
    levels: list[list[Image]] = [[] for _ in paths]
    offset = 0
    for owner, height, width in places.tolist():
        levels[owner].append(pixels[offset : offset + height * width * 3].reshape(height, width, 3))
        offset += height * width * 3
    return CachedImages(scales, tuple(map(tuple, levels)))


def _checksum(paths: Sequence[Path], max_side: int) -> int:
    checksum = zlib.crc32(f"{max_side} {_SMALLEST_LEVEL}".encode())
    for path in paths:
        found = path.stat()
        text = f"{path} {found.st_size} {found.st_mtime_ns}"
        checksum = zlib.crc32(text.encode("utf-8", "surrogateescape"), checksum)
    return checksum


def _kept_checksum(index: Path) -> int | None:
    if not index.is_file():
        return None
    with np.load(index) as kept:
        return int(kept["checksum"])


def _write(paths: Sequence[Path], file: Path, max_side: int) -> tuple[NDArray[np.int64], Doubles]:
    """Write the pixels of all levels; return image, height and width of each level (m, 3), and the scales (n,)."""

    def levels(index: int) -> tuple[float, list[Image]]:
        image = read_image(paths[index])
        height, width = image.shape[:2]
        scale = min(1.0, max_side / max(height, width))
        if scale < 1:
            image = resize(image, max(1, round(width * scale)), max(1, round(height * scale)))
        return scale, Mipmap(image).levels(_SMALLEST_LEVEL)

    scales, rows = [], []
    with (
        atomic_write(file) as part,
        part.open("wb") as stream,
        prefetched(levels, 0, len(paths), default_workers()) as decoded,
        progress_bar("decoding", len(paths)) as bar,
    ):
        for owner, (scale, images) in enumerate(decoded):
            scales.append(scale)
            for image in images:
                rows.append((owner, *image.shape[:2]))
                stream.write(np.ascontiguousarray(image).data)
            bar.advance(bar.task_ids[0])
    return np.array(rows, dtype=np.int64).reshape(-1, 3), np.array(scales)

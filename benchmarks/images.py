"""Images for the benchmarks, from the validation set of WIDER FACE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import mien
from mien.datasets.wider import read_wider
from mien.geometry import boxes as geometry
from mien.types import Floats, Image


@dataclass(frozen=True)
class Photo:
    """An image with its annotated faces; ``valid`` (n,): False where the annotation is marked invalid."""

    name: str
    image: Image
    boxes: Floats
    valid: np.ndarray


def photos(data: Path, count: int, long_side: int | None = None, faces: tuple[int, int] = (1, 50)) -> list[Photo]:
    """Return ``count`` photos with a number of faces in this range, evenly spread over the list."""
    fitting = [a for a in read_wider(data, "val").samples if faces[0] <= int((~a.ignored).sum()) <= faces[1]]
    fitting.sort(key=lambda a: a.path)
    if len(fitting) < count:
        raise SystemExit(
            f"{data} has {len(fitting)} photos with {faces[0]} to {faces[1]} faces, but {count} are needed"
        )
    chosen = [fitting[i * len(fitting) // count] for i in range(count)]
    return [_photo(a.path, a.boxes, ~a.ignored, long_side) for a in chosen]


def _photo(path: Path, boxes: Floats, valid: np.ndarray, long_side: int | None) -> Photo:
    image = mien.read_image(path)
    scale = long_side / max(image.shape[:2]) if long_side else 1.0
    if scale != 1.0:
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return Photo(f"{path.parent.name}/{path.stem}", image, boxes * np.float32(scale), valid)


def sides(boxes: Floats) -> Floats:
    """Return the longer side of each box."""
    return np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)


def hits(photo: Photo, found: Floats, smallest: float, least: float = 0.5) -> tuple[int, int, int]:
    """Return detected faces, all faces and false positives, for faces of at least ``smallest`` pixels.

    Matching is one to one: a second box on a face does not count as a detection.
    """
    wanted = photo.valid & (sides(photo.boxes) >= smallest)
    overlap = geometry.iou(photo.boxes, np.asarray(found, np.float32).reshape(-1, 4))
    false = int((overlap.max(axis=0, initial=0) < least).sum())
    overlap[~wanted] = 0
    count = 0
    while overlap.size and overlap.max() >= least:
        row, column = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[row], overlap[:, column] = 0, 0
        count += 1
    return count, int(wanted.sum()), false

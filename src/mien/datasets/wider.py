"""WIDER FACE (Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark").

The official folder holds ``WIDER_train/images/<event>/*.jpg``, ``WIDER_val`` alike, and ``wider_face_split``.
Faces keep the order of the list, because the evaluation lists refer to them by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mien.datasets.blocks import Block, block_faces, block_name, read_blocks
from mien.datasets.parsing import annotation_error, require_image
from mien.datasets.samples import Dataset, DetectionSample, Progress, collect, no_progress, unknown
from mien.errors import BadAnnotation, BadOption
from mien.types import Doubles

_LAYOUT = "x y w h blur expression illumination invalid occlusion pose"
_INVALID = 7

ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "blur": ("clear", "normal", "heavy"),
        "expression": ("typical", "exaggerated"),
        "illumination": ("normal", "extreme"),
        "occlusion": ("none", "partial", "heavy"),
        "pose": ("typical", "atypical"),
    }
)
"""The attributes of a face, and what their values 0, 1 and 2 mean."""


def read_wider(root: Path | str, split: str = "train", progress: Progress = no_progress) -> Dataset[DetectionSample]:
    """Read the split train or val of the official folder.

    Raises BadOption for another split, BadAnnotation when its list cannot be read.
    """
    if split not in ("train", "val"):
        raise BadOption(f"WIDER FACE has no annotations for split {split!r}; use 'train' or 'val'")
    file = Path(root) / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt"
    return read_wider_text(file, Path(root) / f"WIDER_{split}" / "images", progress)


def read_wider_text(
    path: Path | str, images: Path | str | None = None, progress: Progress = no_progress
) -> Dataset[DetectionSample]:
    """Read a list in WIDER's text format, or a folder with ``bbx_gt.txt``.

    The images are in the folder ``images``, by default the one of that name beside the list. A face is a line
    ``x y w h blur expression illumination invalid occlusion pose``, x and y in pixels from 0. Faces marked invalid are
    ``ignored``; so are those without width or height, which are problems too. Samples keep the :data:`ATTRIBUTES`. An
    image with an unreadable line is left out: its unknown face would count as background. Raises BadAnnotation when
    the list cannot be read.
    """
    path = Path(path)
    file = path / "bbx_gt.txt" if path.is_dir() else path
    images = file.parent / "images" if images is None else Path(images)
    empty: list[BadAnnotation] = []

    def parse(block: Block) -> DetectionSample:
        path = require_image(block.place, images / block_name(block))
        values = block_faces(block, _LAYOUT)
        empty.extend(_empty_boxes(block, values[:, :4]))
        return _sample(path, values)

    samples, problems = collect(parse, list(read_blocks(file)), progress)
    return Dataset(samples, problems + tuple(empty), images)


def _sample(path: Path, values: Doubles) -> DetectionSample:
    """Make a sample of the numbers (n, 10) of its faces."""
    sizes = values[:, :4]
    # A box without area still marks a face: neither a positive nor background. The official train list has a few;
    # a negative size becomes the box between the same two corners.
    ignored = (values[:, _INVALID] != 0) | (sizes[:, 2:] <= 0).any(axis=1)
    one, other = sizes[:, :2], sizes[:, :2] + sizes[:, 2:]
    boxes = np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)
    attributes = {name: values[:, _LAYOUT.split().index(name)].astype(np.float32) for name in ATTRIBUTES}
    return DetectionSample(path, boxes.astype(np.float32), ignored, unknown(len(boxes), 5, 2), attributes)


def _empty_boxes(block: Block, sizes: Doubles) -> Iterator[BadAnnotation]:
    """Yield a problem for each box x, y, w, h whose width or height is not above 0."""
    for (line, _), (_, _, w, h) in zip(block.rows[1:], sizes.tolist(), strict=False):
        if w <= 0 or h <= 0:
            cure = "correct its width and height; it is ignored"
            yield annotation_error(f"{block.file}:{line}", f"a face of {w:g} x {h:g} pixels", cure)

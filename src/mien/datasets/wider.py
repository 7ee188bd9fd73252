"""WIDER FACE (Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark"), as text list or ``.mat`` file.

The official folder holds ``WIDER_train/images/<event>/*.jpg``, ``WIDER_val`` alike, and ``wider_face_split``.
Faces keep the order of the list, because the evaluation lists refer to them by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.blocks import Block, block_faces, block_name, read_blocks
from mien.datasets.parsing import annotation_error, require_image
from mien.datasets.samples import Dataset, DetectionSample, Progress, collect, no_progress, unknown
from mien.datasets.wider_lists import read_wider_rows
from mien.errors import BadAnnotation, BadOption

_LAYOUT = "x y w h blur expression illumination invalid occlusion pose"
_INVALID = 7

_Numbers = NDArray[np.float64]


def read_wider(root: Path | str, split: str = "train", progress: Progress = no_progress) -> Dataset[DetectionSample]:
    """Read the split train or val of the official folder: its text list or, without one, its ``.mat`` file.

    Raises BadOption for another split, BadAnnotation when neither list can be read.
    """
    if split not in ("train", "val"):
        raise BadOption(f"WIDER FACE has no annotations for split {split!r}; use 'train' or 'val'")
    lists = Path(root) / "wider_face_split"
    images = Path(root) / f"WIDER_{split}" / "images"
    text = lists / f"wider_face_{split}_bbx_gt.txt"
    mat = lists / f"wider_face_{split}.mat"
    if mat.is_file() and not text.is_file():
        return read_wider_mat(mat, images, progress)
    return read_wider_text(text, images, progress)


def read_wider_text(
    path: Path | str, images: Path | str | None = None, progress: Progress = no_progress
) -> Dataset[DetectionSample]:
    """Read a list in WIDER's text format, or a folder with ``bbx_gt.txt``.

    The images are in the folder ``images``, by default the one of that name beside the list. A face is a line
    ``x y w h blur expression illumination invalid occlusion pose``, x and y in pixels from 0. Faces marked invalid are
    ``ignored``; so are those without width or height, which are problems too. An image with an unreadable line is left
    out: its unknown face would count as background. Raises BadAnnotation when the list cannot be read.
    """
    path = Path(path)
    file = path / "bbx_gt.txt" if path.is_dir() else path
    images = file.parent / "images" if images is None else Path(images)
    empty: list[BadAnnotation] = []

    def parse(block: Block) -> DetectionSample:
        path = require_image(block.place, images / block_name(block))
        values = block_faces(block, _LAYOUT)
        empty.extend(_empty_boxes(block.face_places, values[:, :4]))
        return _sample(path, values[:, :4], values[:, _INVALID] != 0)

    samples, problems = collect(parse, list(read_blocks(file)), progress)
    return Dataset(samples, problems + tuple(empty), images)


def read_wider_mat(file: Path | str, images: Path | str, progress: Progress = no_progress) -> Dataset[DetectionSample]:
    """Read ``wider_face_train.mat`` or ``wider_face_val.mat``; needs scipy (the extra ``data``).

    As :func:`read_wider_text`, but problems name the file, the image and the number of the face.
    """
    file, images = Path(file), Path(images)
    empty: list[BadAnnotation] = []

    def parse(row: tuple[str, list[_Numbers]]) -> DetectionSample:
        name, (sizes, invalid) = row
        place = f"{file}: {name}"
        path = require_image(place, images / f"{name}.jpg")
        if not sizes.any():  # one box of zeros means no face, and an empty cell has no columns
            return _sample(path, np.empty((0, 4)), np.empty(0, dtype=np.bool_))
        if sizes.shape != (invalid.size, 4) or not np.isfinite(sizes).all():
            found = f"boxes of shape {sizes.shape} for {invalid.size} labels, or not finite"
            raise annotation_error(place, found, "use the official file")
        empty.extend(_empty_boxes([f"{place}, face {i}" for i in range(1, len(sizes) + 1)], sizes))
        return _sample(path, sizes, invalid.ravel() != 0)

    rows = list(read_wider_rows(file, "face_bbx_list", "invalid_label_list"))
    samples, problems = collect(parse, rows, progress)
    return Dataset(samples, problems + tuple(empty), images)


def _sample(path: Path, sizes: _Numbers, invalid: NDArray[np.bool_]) -> DetectionSample:
    """Make a sample of boxes x, y, w, h."""
    # A box without area still marks a face: neither a positive nor background. The official train list has a few;
    # a negative size becomes the box between the same two corners.
    ignored = invalid | (sizes[:, 2:] <= 0).any(axis=1)
    one, other = sizes[:, :2], sizes[:, :2] + sizes[:, 2:]
    boxes = np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)
    return DetectionSample(path, boxes.astype(np.float32), ignored, unknown(len(boxes), 5, 2))


def _empty_boxes(places: Sequence[str], sizes: _Numbers) -> list[BadAnnotation]:
    """One problem for each box x, y, w, h whose width or height is not above 0."""
    return [
        annotation_error(place, f"a face of {w:g} x {h:g} pixels", "correct its width and height; it is ignored")
        for place, (_, _, w, h) in zip(places, sizes.tolist(), strict=False)
        if w <= 0 or h <= 0
    ]

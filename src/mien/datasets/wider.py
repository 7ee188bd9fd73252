"""WIDER FACE (Yang et al. 2016, "WIDER FACE: A Face Detection Benchmark"), as text list or ``.mat`` file.

The official folder holds ``WIDER_train/images/<event>/*.jpg``, ``WIDER_val`` alike, and ``wider_face_split``.
Faces keep the order of the list, because the evaluation lists name them by their row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.datasets.annotations import (
    Annotation,
    Reading,
    annotation_error,
    collect,
    require_image,
    unknown_points,
)
from mien.datasets.blocks import Block, block_faces, block_name, read_blocks
from mien.datasets.matlab import read_wider_rows
from mien.errors import BadAnnotation, BadOption

_LAYOUT = "x y w h blur expression illumination invalid occlusion pose"
_COLUMNS = 10
_INVALID = 7

_Numbers = NDArray[np.float64]


def read_wider(root: Path | str, split: Literal["train", "val"] = "train") -> Reading:
    """Read one split of the official folder ``root``: the text list or, where there is none, the ``.mat``.

    Raises BadOption for another split, BadAnnotation when neither list can be read; otherwise as
    :func:`read_wider_text`.
    """
    if split not in ("train", "val"):
        raise BadOption(f"WIDER FACE has no annotations for split {split!r}; use 'train' or 'val'")
    lists = Path(root) / "wider_face_split"
    images = Path(root) / f"WIDER_{split}" / "images"
    text = lists / f"wider_face_{split}_bbx_gt.txt"
    mat = lists / f"wider_face_{split}.mat"
    if mat.is_file() and not text.is_file():
        return read_wider_mat(mat, images)
    return read_wider_text(text, images)


def read_wider_text(list_file: Path | str, images_dir: Path | str) -> Reading:
    """Read a list in WIDER's text format: an image's name, its number of faces, ten numbers a face.

    A face is ``x y w h blur expression illumination invalid occlusion pose``, x and y in pixels from 0. Faces
    marked invalid are ``ignored``; so are those without width or height, which are problems too. An image
    with a line that cannot be read is left out: its unknown face would count as background. Raises
    BadAnnotation when the list cannot be read.
    """
    list_file, images_dir = Path(list_file), Path(images_dir)
    sizeless: list[BadAnnotation] = []

    def parse(block: Block) -> Annotation:
        path = require_image(block.place, images_dir / block_name(block))
        values = block_faces(block, _COLUMNS, _LAYOUT)
        sizeless.extend(_sizeless(block.face_places, values[:, :4]))
        return _annotation(path, values[:, :4], values[:, _INVALID] != 0)

    annotations, problems = collect(parse, read_blocks(list_file))
    return Reading(tuple(annotations), tuple(problems + sizeless))


def read_wider_mat(mat_file: Path | str, images_dir: Path | str) -> Reading:
    """Read ``wider_face_train.mat`` or ``wider_face_val.mat``; needs scipy (the extra ``data``).

    As :func:`read_wider_text`, but problems name the file, the image and the number of the face.
    """
    mat_file, images_dir = Path(mat_file), Path(images_dir)
    sizeless: list[BadAnnotation] = []

    def parse(row: tuple[str, list[_Numbers]]) -> Annotation:
        name, (sizes, invalid) = row
        place = f"{mat_file}: {name}"
        path = require_image(place, images_dir / f"{name}.jpg")
        if not sizes.any():  # one box of zeros stands for no face, and an empty cell has no columns
            return _annotation(path, np.empty((0, 4)), np.empty(0, dtype=np.bool_))
        if sizes.shape != (invalid.size, 4) or not np.isfinite(sizes).all():
            found = f"boxes of shape {sizes.shape} for {invalid.size} labels, or not finite"
            raise annotation_error(place, found, "use the official file")
        sizeless.extend(_sizeless([f"{place}, face {i}" for i in range(1, len(sizes) + 1)], sizes))
        return _annotation(path, sizes, invalid.ravel() != 0)

    rows = read_wider_rows(mat_file, "face_bbx_list", "invalid_label_list")
    annotations, problems = collect(parse, rows)
    return Reading(tuple(annotations), tuple(problems + sizeless))


def _annotation(path: Path, sizes: _Numbers, invalid: NDArray[np.bool_]) -> Annotation:
    """Make an annotation of boxes x, y, w, h."""
    # A face of no size is a face somewhere there: neither to be found nor background. The official train list
    # has a few; a negative size becomes the box between the same two corners.
    ignored = invalid | (sizes[:, 2:] <= 0).any(axis=1)
    one, other = sizes[:, :2], sizes[:, :2] + sizes[:, 2:]
    boxes = np.concatenate([np.minimum(one, other), np.maximum(one, other)], axis=1)
    return Annotation(path, boxes.astype(np.float32), ignored, unknown_points(len(boxes)))


def _sizeless(places: Sequence[str], sizes: _Numbers) -> list[BadAnnotation]:
    """One problem for each box x, y, w, h whose width or height is not above 0."""
    return [
        annotation_error(place, f"a face of {w:g} x {h:g} pixels", "correct its width and height; it is ignored")
        for place, (_, _, w, h) in zip(places, sizes.tolist(), strict=False)
        if w <= 0 or h <= 0
    ]

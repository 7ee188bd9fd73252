"""CelebA (Liu et al. 2015, "Deep Learning Face Attributes in the Wild"), in-the-wild images.

One image per line, its name first; the first two lists begin with their length and the column names:

    list_bbox_celeba.txt       x_1 y_1 width height
    list_landmarks_celeba.txt  x y of lefteye, righteye, nose, leftmouth, rightmouth
    list_eval_partition.txt    0 (train), 1 (val) or 2 (test)

CelebA's "lefteye" is the one on the left of the image, as here: in 000001.jpg it is at x = 165, and
"righteye" at 244.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error, numbers, read_lines, require_image
from mien.datasets.samples import Dataset, DetectionSample, Progress, collect, no_progress
from mien.errors import BadAnnotation, BadOption

_BOX = "x_1 y_1 width height"
_POINTS = "five x y"
_PARTS = {"train": 0.0, "val": 1.0, "test": 2.0}

_Rows = dict[str, tuple[str, list[float]]]
"""A list: image name -> (``file:line``, its numbers)."""


def read_celeba(root: Path | str, split: str = "all", progress: Progress = no_progress) -> Dataset[DetectionSample]:
    """Read the official folder: ``Anno``, ``Eval`` and ``Img/img_celeba``, or all of it directly in ``root``.

    ``split``: train, val or test of ``list_eval_partition.txt``, or all. Each image has one face. An image that is
    missing from a list is a problem. Raises BadOption for another split, BadAnnotation when a list cannot be read.
    """
    if split != "all" and split not in _PARTS:
        raise BadOption(f"CelebA has no split {split!r}; use 'all', {', '.join(map(repr, _PARTS))}")
    root = Path(root)
    boxes_file = _place(root, "Anno", "list_bbox_celeba.txt")
    points_file = _place(root, "Anno", "list_landmarks_celeba.txt")
    images = _place(root, "Img", "img_celeba")
    boxes, problems = _read_rows(boxes_file, 2, 4, _BOX)
    points, more = _read_rows(points_file, 2, 10, _POINTS)
    problems += more
    names = sorted(boxes.keys() | points.keys())
    if split != "all":
        parts, more = _read_rows(_place(root, "Eval", "list_eval_partition.txt"), 0, 1, "0, 1 or 2")
        problems += more
        names = [name for name in names if name in parts and parts[name][1] == [_PARTS[split]]]

    def parse(name: str) -> DetectionSample:
        for rows, other, file in ((boxes, points, points_file), (points, boxes, boxes_file)):
            if name in rows and name not in other:
                raise annotation_error(
                    rows[name][0], f"{name!r} has no usable line in {file}", "add or correct it there"
                )
        return _sample(images / name, *boxes[name], points[name][1])

    samples, more = collect(parse, names, progress)
    return Dataset(samples, problems + more, images)


def _place(root: Path, folder: str, name: str) -> Path:
    """Return ``root/folder/name`` as in the official archive if it exists, otherwise ``root/name``."""
    official = root / folder / name
    return official if official.exists() else root / name


def _read_rows(file: Path, head: int, columns: int, layout: str) -> tuple[_Rows, tuple[BadAnnotation, ...]]:
    lines = read_lines(file)
    if head and not (lines[0].strip().isdecimal() and len(lines) >= head):
        cure = "use the official list: its length, the column names, one image per line"
        raise annotation_error(f"{file}:1", f"{lines[0][:80]!r} instead of the number of images", cure)

    def parse(numbered: tuple[int, str]) -> tuple[str, tuple[str, list[float]]]:
        line, text = numbered
        name, *fields = text.strip().rsplit(maxsplit=columns)  # from the right: a name may contain blanks
        place = f"{file}:{line}"
        return name, (place, numbers(place, fields, columns, f"name {layout}"))

    numbered = [(i, text) for i, text in enumerate(lines, start=1) if i > head and text.strip()]
    rows, problems = collect(parse, numbered)
    if head and len(numbered) != int(lines[0]):
        found = f"{int(lines[0])} images announced, {len(numbered)} listed"
        problems += (annotation_error(f"{file}:1", found, "unpack the list again, or correct the number"),)
    return dict(rows), problems


def _sample(path: Path, place: str, size: list[float], keypoints: list[float]) -> DetectionSample:
    require_image(place, path)
    x, y, w, h = size
    if w <= 0 or h <= 0:
        raise annotation_error(place, f"a face of {w:g} x {h:g} pixels", f"write {_BOX}")
    return DetectionSample(
        path=path,
        boxes=np.array([[x, y, x + w, y + h]], dtype=np.float32),
        ignored=np.zeros(1, dtype=np.bool_),
        keypoints=np.array(keypoints, dtype=np.float32).reshape(1, 5, 2),
    )

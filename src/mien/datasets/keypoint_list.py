"""The list format of MTCNN's training code: one face per line, box and five keypoints.

    path left right top bottom, then x y of left eye, right eye, nose tip, left and right mouth corner

Left and right are as seen in the image; pixels from 0. The box has both x first, then both y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error, numbered_lines, numbers, require_image
from mien.datasets.samples import Dataset, DetectionSample, Progress, collect, no_progress
from mien.errors import BadOption

_LISTS = {"train": "trainImageList.txt", "test": "testImageList.txt"}
_LAYOUT = "path left right top bottom and five x y"
_COLUMNS = 14


def read_keypoint_lists(
    path: Path | str, split: str = "train", progress: Progress = no_progress
) -> Dataset[DetectionSample]:
    """Read one list, or the folder with ``trainImageList.txt`` and ``testImageList.txt``.

    Paths in the list are relative to its folder. Each line gives a sample with one face; the image may show others
    that are not annotated. Raises BadAnnotation when the list cannot be read, BadOption for the split of a single
    list.
    """
    path = Path(path)
    if path.is_file() and split != "train":
        raise BadOption(f"{path} is a single list without split {split!r}; give its folder, or no split")
    file = path / _LISTS[split] if path.is_dir() else path

    def parse(numbered: tuple[int, str]) -> DetectionSample:
        line, text = numbered
        return _sample(f"{file}:{line}", file.parent, text)

    return Dataset(*collect(parse, numbered_lines(file), progress), root=file.parent)


def _sample(place: str, root: Path, text: str) -> DetectionSample:
    name, *fields = text.rsplit(maxsplit=_COLUMNS)  # from the right: a path may contain blanks
    values = numbers(place, fields, _COLUMNS, _LAYOUT)
    left, right, top, bottom = values[:4]
    if right <= left or bottom <= top:
        found = f"an empty box: left {left:g} right {right:g} top {top:g} bottom {bottom:g}"
        raise annotation_error(place, found, f"write {_LAYOUT!r}")
    # The lists were made on Windows: lfw_5590\Aaron_Eckhart_0001.jpg
    path = require_image(place, root / name.replace("\\", "/"))
    return DetectionSample(
        path=path,
        boxes=np.array([[left, top, right, bottom]], dtype=np.float32),
        ignored=np.zeros(1, dtype=np.bool_),
        keypoints=np.array(values[4:], dtype=np.float32).reshape(1, 5, 2),
    )

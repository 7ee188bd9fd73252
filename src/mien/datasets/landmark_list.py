"""The list format of MTCNN's training code and of MTFL: one face a line, box and five points.

    path left right top bottom, then x y of left eye, right eye, nose tip, left and right mouth corner

Left and right are as seen in the image; pixels from 0. The box has both x first, then both y.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.annotations import (
    Annotation,
    Reading,
    annotation_error,
    collect,
    numbers,
    read_lines,
    require_image,
)

_LAYOUT = "path left right top bottom and five x y"
_COLUMNS = 14


def read_landmark_list(list_file: Path | str, root: Path | str) -> Reading:
    """Read ``trainImageList.txt`` or ``testImageList.txt``; the paths in it are below ``root``.

    Each line gives one annotation with one face; the image may show others that nobody marked. Raises
    BadAnnotation when the list cannot be read.
    """
    list_file, root = Path(list_file), Path(root)

    def parse(numbered: tuple[int, str]) -> Annotation:
        line, text = numbered
        return _annotation(f"{list_file}:{line}", root, text)

    lines = ((i, text) for i, text in enumerate(read_lines(list_file), start=1) if text.strip())
    annotations, problems = collect(parse, lines)
    return Reading(tuple(annotations), tuple(problems))


def _annotation(place: str, root: Path, text: str) -> Annotation:
    name, *fields = text.strip().rsplit(maxsplit=_COLUMNS)  # from the right: a path may hold blanks
    values = numbers(place, fields, _COLUMNS, _LAYOUT)
    left, right, top, bottom = values[:4]
    if right <= left or bottom <= top:
        found = f"an empty box: left {left:g} right {right:g} top {top:g} bottom {bottom:g}"
        raise annotation_error(place, found, f"write {_LAYOUT!r}")
    # The lists were made on Windows: lfw_5590\Aaron_Eckhart_0001.jpg
    path = require_image(place, root / name.replace("\\", "/"))
    return Annotation(
        path=path,
        boxes=np.array([[left, top, right, bottom]], dtype=np.float32),
        ignored=np.zeros(1, dtype=np.bool_),
        points=np.array(values[4:], dtype=np.float32).reshape(1, 5, 2),
    )

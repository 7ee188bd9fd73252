"""WFLW (Wu et al. 2018, "Look at Boundary: A Boundary-Aware Face Alignment Algorithm"): 98 points, one face per line.

    98 x y, then x0 y0 x1 y1 of the box, then 0 or 1 for pose, expression, illumination, make-up, occlusion and blur,
    then the image below WFLW_images

The official folder holds ``WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{train,test}.txt`` and
``WFLW_images``; the lists may also lie in the folder itself. Coordinates are used unchanged: WFLW does not document
whether they count from 0 or 1. The six attributes are checked and dropped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error, checked_points, numbered_lines, numbers, size_of
from mien.datasets.samples import Dataset, LandmarkSample, Progress, collect, no_progress
from mien.errors import BadOption

SPLITS = ("train", "test")

_POINTS = 98
_COLUMNS = 2 * _POINTS + 4 + 6
_LAYOUT = "98 x y, x0 y0 x1 y1, six attributes, image"
_FOLDERS = (
    "WFLW_annotations/list_98pt_rect_attr_train_test",
    "list_98pt_rect_attr_train_test",
    "WFLW_annotations",
    ".",
)


def read_wflw(root: Path | str, split: str = "all", progress: Progress = no_progress) -> Dataset[LandmarkSample]:
    """Read the train or test list, or both.

    Raises BadOption for another split, BadAnnotation when a list is missing or empty.
    """
    if split != "all" and split not in SPLITS:
        raise BadOption(f"WFLW has no split {split!r}; use 'all', {', '.join(map(repr, SPLITS))}")
    root = Path(root)
    rows = [row for name in (SPLITS if split == "all" else (split,)) for row in _rows(root, name)]

    def parse(row: tuple[str, str]) -> LandmarkSample:
        return _sample(*row, root / "WFLW_images")

    return Dataset(*collect(parse, rows, progress), root=root / "WFLW_images")


def _rows(root: Path, split: str) -> list[tuple[str, str]]:
    """Return the lines of a list, each with its ``file:line``."""
    name = f"list_98pt_rect_attr_{split}.txt"
    places = [root / folder / name for folder in _FOLDERS]
    file = next((place for place in places if place.is_file()), places[0])
    rows = [(f"{file}:{line}", text) for line, text in numbered_lines(file)]
    if not rows:
        raise annotation_error(file, "an empty list", "unpack it again")
    return rows


def _sample(place: str, text: str, images: Path) -> LandmarkSample:
    fields = text.split(maxsplit=_COLUMNS)  # the name comes last and may contain blanks
    if len(fields) != _COLUMNS + 1:
        raise annotation_error(place, f"{len(fields)} fields instead of {_COLUMNS + 1}", f"write {_LAYOUT!r}")
    values = np.array(numbers(place, fields[:_COLUMNS], _COLUMNS, _LAYOUT))
    box, attributes = values[2 * _POINTS : -6], values[-6:]
    if (box[2:] <= box[:2]).any():
        raise annotation_error(place, f"an empty box: {box.tolist()}", f"write {_LAYOUT!r}")
    if not np.isin(attributes, (0, 1)).all():
        raise annotation_error(place, f"attributes {attributes.tolist()}", "each must be 0 or 1")
    path = images / fields[_COLUMNS]
    return LandmarkSample(
        path=path,
        points=checked_points(place, values[: 2 * _POINTS].reshape(_POINTS, 2), _POINTS, size_of(place, path)),
        scheme="98",
        subset="WFLW",
        person=path.stem,
        box=box.astype(np.float32),
    )

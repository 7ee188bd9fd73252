"""The official evaluation lists of WIDER FACE val: which faces of an image count for easy, medium and hard.

They are ``eval_tools/ground_truth/wider_{face,easy,medium,hard}_val.mat`` of the evaluation tools and always
name all 3,226 images, whatever part of them is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.datasets.annotations import annotation_error
from mien.datasets.matlab import read_wider_rows

LEVELS = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True, eq=False)
class WiderLevels:
    """Which faces of one image are to be found.

    ``faces``: how many the image has; the annotation must have as many. ``counted``: for each of
    :data:`LEVELS`, their rows in the annotation, from 0; the other faces are ignored. Boxes come from the
    annotation, not from here: the images at hand may have been made smaller, and their list with them.
    """

    faces: int
    counted: Mapping[str, NDArray[np.intp]]


def image_key(path: Path | str) -> str:
    """``<event>/<name>`` without suffix, as :func:`read_wider_lists` names its images."""
    path = Path(path)
    return f"{path.parent.name}/{path.stem}"


def read_wider_lists(root: Path | str) -> dict[str, WiderLevels]:
    """Read the lists below ``root`` (the WIDER folder, or ``ground_truth`` itself), by :func:`image_key`.

    Needs scipy (the extra ``data``). Raises BadAnnotation when a list is missing or broken, or does not fit
    the others.
    """
    root = Path(root)
    nested = root / "eval_tools" / "ground_truth"
    folder = nested if nested.is_dir() else root
    rows = read_wider_rows(folder / "wider_face_val.mat", "face_bbx_list")
    # One box of zeros stands for no face, as in the reader of annotations.
    faces = {key: len(boxes) if boxes.any() else 0 for key, (boxes,) in rows}
    counted = {level: _read_level(folder / f"wider_{level}_val.mat", faces) for level in LEVELS}
    return {key: WiderLevels(n, {level: counted[level][key] for level in LEVELS}) for key, n in faces.items()}


def _read_level(file: Path, faces: Mapping[str, int]) -> dict[str, NDArray[np.intp]]:
    rows = {key: gt.ravel().astype(np.intp) - 1 for key, (gt,) in read_wider_rows(file, "gt_list")}
    if rows.keys() != faces.keys():
        strange = min(rows.keys() ^ faces.keys())
        raise annotation_error(file, f"{strange!r} is not in all lists", "use the four files of one archive")
    for key, indices in rows.items():
        if ((indices < 0) | (indices >= faces[key])).any():
            found = f"rows {(indices + 1).tolist()} of the {faces[key]} faces of {key!r}"
            raise annotation_error(file, found, "use the four files of one archive")
    return rows

"""The official evaluation lists of WIDER FACE val: which faces of an image count as easy, medium and hard.

They are ``eval_tools/ground_truth/wider_{face,easy,medium,hard}_val.mat`` of the evaluation tools and always list all
3,226 images, even where only some of the images are present.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datasets.matlab import read_mat
from mien.datasets.parsing import annotation_error

LEVELS = ("easy", "medium", "hard")


@dataclass(frozen=True, slots=True, eq=False)
class WiderLevels:
    """Which faces of one image count.

    Boxes come from the annotation, not from these lists: the images may have been reduced together with their
    annotation.

    Attributes:
        faces: Number of faces of the image; the annotation must have as many.
        counted: For each of :data:`LEVELS`, rows of the annotation, from 0; other faces are ignored.
    """

    faces: int
    counted: Mapping[str, NDArray[np.intp]]


def image_key(path: Path | str) -> str:
    """Return ``<event>/<name>`` without suffix, the key of an image in :func:`read_wider_lists`."""
    path = Path(path)
    return f"{path.parent.name}/{path.stem}"


def read_wider_lists(root: Path | str) -> dict[str, WiderLevels]:
    """Read the lists below ``root`` (the WIDER folder, or ``ground_truth`` itself), by :func:`image_key`.

    Needs scipy (the extra ``data``). Raises BadAnnotation when a list is missing or broken, or does not match the
    others.
    """
    root = Path(root)
    nested = root / "eval_tools" / "ground_truth"
    folder = nested if nested.is_dir() else root
    rows = read_wider_rows(folder / "wider_face_val.mat", "face_bbx_list")
    # One box of zeros means no face, as in the reader of annotations.
    faces = {key: len(boxes) if boxes.any() else 0 for key, (boxes,) in rows}
    counted = {level: _read_level(folder / f"wider_{level}_val.mat", faces) for level in LEVELS}
    return {key: WiderLevels(n, {level: counted[level][key] for level in LEVELS}) for key, n in faces.items()}


def read_wider_rows(file: Path, *fields: str) -> Iterator[tuple[str, list[NDArray[Any]]]]:
    """Yield each image of a ``.mat`` file of WIDER as ``<event>/<name>``, and one array (n, columns) per field.

    The file has one cell per event, and in it one cell per image. Raises BadAnnotation when it cannot be read or has
    another layout.
    """
    events, names, *columns = read_mat(file, "event_list", "file_list", *fields)
    try:
        for e, event in enumerate(events[:, 0]):
            for i, name in enumerate(names[e, 0][:, 0]):
                cells = [np.asarray(column[e, 0][i, 0], dtype=np.float64) for column in columns]
                yield f"{event[0]}/{name[0]}", cells
    except (IndexError, TypeError, ValueError) as error:
        raise annotation_error(file, f"not laid out as WIDER's files ({error})", "use the official file") from error


def _read_level(file: Path, faces: Mapping[str, int]) -> dict[str, NDArray[np.intp]]:
    rows = {key: gt.ravel().astype(np.intp) - 1 for key, (gt,) in read_wider_rows(file, "gt_list")}
    if rows.keys() != faces.keys():
        unmatched = min(rows.keys() ^ faces.keys())
        raise annotation_error(file, f"{unmatched!r} is not in all lists", "use the four files of one archive")
    for key, indices in rows.items():
        if ((indices < 0) | (indices >= faces[key])).any():
            found = f"rows {(indices + 1).tolist()} of the {faces[key]} faces of {key!r}"
            raise annotation_error(file, found, "use the four files of one archive")
    return rows

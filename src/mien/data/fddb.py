"""FDDB (Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings").

The official folder holds ``FDDB-folds/FDDB-fold-XX-ellipseList.txt``, XX from 01 to 10, and the pictures
``2002/...`` and ``2003/...``, in it or in ``originalPics``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.annotations import broken, collect, require_picture
from mien.data.blocks import Block, block_faces, block_name, read_blocks
from mien.errors import BadAnnotation
from mien.values import Floats

FOLDS = 10

_LAYOUT = "major minor angle x y 1"
_COLUMNS = 6


@dataclass(frozen=True, slots=True, eq=False)
class EllipsePicture:
    """One picture of FDDB.

    ``name`` as in the list, without suffix (2002/08/11/big/img_591); ``fold`` from 1 to 10. ``ellipses``
    (n, 5): longer and shorter half axis in pixels; angle of the longer one from the x axis towards the y axis
    (clockwise as seen) in degrees, where the list has radians; centre x and y in picture pixels.
    """

    path: Path
    name: str
    fold: int
    ellipses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FddbReading:
    """FDDB as read: the pictures that can be used, and why the others cannot."""

    pictures: tuple[EllipsePicture, ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.pictures)


def read_fddb(root: Path | str) -> FddbReading:
    """Read the ten folds below ``root``; a fold that is missing is a problem.

    Raises BadAnnotation when there is none at all.
    """
    root = Path(root)
    files = {k: root / "FDDB-folds" / f"FDDB-fold-{k:02d}-ellipseList.txt" for k in range(1, FOLDS + 1)}
    if not any(file.is_file() for file in files.values()):
        raise broken(files[1].parent, "no folds of FDDB", "give the folder that holds FDDB-folds")
    originals = root / "originalPics"
    pictures_dir = originals if originals.is_dir() else root
    folds, problems = collect(lambda fold: _read_fold(files[fold], pictures_dir, fold), files)
    pictures = [picture for reading in folds for picture in reading.pictures]
    problems += [problem for reading in folds for problem in reading.problems]
    return FddbReading(tuple(pictures), tuple(problems))


def _read_fold(file: Path, pictures_dir: Path, fold: int) -> FddbReading:
    def parse(block: Block) -> EllipsePicture:
        name = block_name(block)
        path = require_picture(block.place, pictures_dir / f"{name}.jpg")
        ellipses = block_faces(block, _COLUMNS, _LAYOUT)[:, :5]
        if (ellipses[:, :2] <= 0).any():
            worst = ellipses[(ellipses[:, :2] <= 0).any(axis=1)][0]
            raise broken(block.place, f"an ellipse of {worst[0]:g} x {worst[1]:g} pixels", f"write {_LAYOUT!r}")
        ellipses[:, 2] = np.degrees(ellipses[:, 2])
        return EllipsePicture(path, name, fold, ellipses.astype(np.float32))

    pictures, problems = collect(parse, read_blocks(file))
    return FddbReading(tuple(pictures), tuple(problems))

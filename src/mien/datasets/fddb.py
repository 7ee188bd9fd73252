"""FDDB (Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings").

The official folder holds ``FDDB-folds/FDDB-fold-XX-ellipseList.txt``, XX from 01 to 10, and the images
``2002/...`` and ``2003/...``, in it or in ``originalPics``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.annotations import annotation_error, collect, require_image
from mien.datasets.blocks import Block, block_faces, block_name, read_blocks
from mien.errors import BadAnnotation
from mien.types import Floats

FOLDS = 10

_LAYOUT = "major minor angle x y 1"
_COLUMNS = 6


@dataclass(frozen=True, slots=True, eq=False)
class EllipseImage:
    """One image of FDDB.

    ``name`` as in the list, without suffix (2002/08/11/big/img_591); ``fold`` from 1 to 10. ``ellipses``
    (n, 5): longer and shorter half axis in pixels; angle of the longer one from the x axis towards the y axis
    (clockwise as seen) in degrees, where the list has radians; centre x and y in image pixels.
    """

    path: Path
    name: str
    fold: int
    ellipses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FddbReading:
    """FDDB as read: the images that can be used, and why the others cannot."""

    images: tuple[EllipseImage, ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.images)


def read_fddb(root: Path | str) -> FddbReading:
    """Read the ten folds below ``root``; a fold that is missing is a problem.

    Raises BadAnnotation when there is none at all.
    """
    root = Path(root)
    files = {k: root / "FDDB-folds" / f"FDDB-fold-{k:02d}-ellipseList.txt" for k in range(1, FOLDS + 1)}
    if not any(file.is_file() for file in files.values()):
        raise annotation_error(files[1].parent, "no folds of FDDB", "give the folder that holds FDDB-folds")
    originals = root / "originalPics"
    images_dir = originals if originals.is_dir() else root
    folds, problems = collect(lambda fold: _read_fold(files[fold], images_dir, fold), files)
    images = [image for reading in folds for image in reading.images]
    problems += [problem for reading in folds for problem in reading.problems]
    return FddbReading(tuple(images), tuple(problems))


def _read_fold(file: Path, images_dir: Path, fold: int) -> FddbReading:
    def parse(block: Block) -> EllipseImage:
        name = block_name(block)
        path = require_image(block.place, images_dir / f"{name}.jpg")
        ellipses = block_faces(block, _COLUMNS, _LAYOUT)[:, :5]
        if (ellipses[:, :2] <= 0).any():
            worst = ellipses[(ellipses[:, :2] <= 0).any(axis=1)][0]
            raise annotation_error(
                block.place, f"an ellipse of {worst[0]:g} x {worst[1]:g} pixels", f"write {_LAYOUT!r}"
            )
        ellipses[:, 2] = np.degrees(ellipses[:, 2])
        return EllipseImage(path, name, fold, ellipses.astype(np.float32))

    images, problems = collect(parse, read_blocks(file))
    return FddbReading(tuple(images), tuple(problems))

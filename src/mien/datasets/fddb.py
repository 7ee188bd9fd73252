"""FDDB (Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings").

The official folder holds ``FDDB-folds/FDDB-fold-XX-ellipseList.txt``, XX from 01 to 10, and the images
``2002/...`` and ``2003/...``, in it or in ``originalPics``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.blocks import Block, block_faces, block_name, read_blocks
from mien.datasets.parsing import annotation_error, require_image
from mien.datasets.samples import Dataset, EllipseSample, Progress, collect, no_progress

FOLDS = 10

_LAYOUT = "major minor angle x y 1"


def read_fddb(root: Path | str, progress: Progress = no_progress) -> Dataset[EllipseSample]:
    """Read the ten folds below ``root``; a missing fold is a problem.

    Raises BadAnnotation when all folds are missing.
    """
    root = Path(root)
    files = {k: root / "FDDB-folds" / f"FDDB-fold-{k:02d}-ellipseList.txt" for k in range(1, FOLDS + 1)}
    if not any(file.is_file() for file in files.values()):
        raise annotation_error(files[1].parent, "no folds of FDDB", "give the folder that holds FDDB-folds")
    originals = root / "originalPics"
    images = originals if originals.is_dir() else root
    folds, problems = collect(lambda fold: _read_fold(files[fold], images, fold), list(files), progress)
    samples = tuple(sample for fold in folds for sample in fold.samples)
    return Dataset(samples, problems + tuple(problem for fold in folds for problem in fold.problems), images)


def _read_fold(file: Path, images: Path, fold: int) -> Dataset[EllipseSample]:
    def parse(block: Block) -> EllipseSample:
        path = require_image(block.place, images / f"{block_name(block)}.jpg")
        ellipses = block_faces(block, _LAYOUT)[:, :5]
        empty = (ellipses[:, :2] <= 0).any(axis=1)
        if empty.any():
            a, b = ellipses[empty][0, :2]
            raise annotation_error(block.place, f"an ellipse of {a:g} x {b:g} pixels", f"write {_LAYOUT!r}")
        ellipses[:, 2] = np.degrees(ellipses[:, 2])
        return EllipseSample(path, fold, ellipses.astype(np.float32))

    return Dataset(*collect(parse, list(read_blocks(file))))

"""COFW (Burgos-Artizzu et al. 2013, "Robust face landmark estimation under occlusion"): 29 points, many occluded.

``COFW_train_color.mat`` and ``COFW_test_color.mat`` are MATLAB files of version 7.3, which is HDF5; they contain the
images. For n faces they hold, with the endings Tr and T:

    Is          n images, gray or RGB
    phis        (n, 87): 29 x, 29 y, 29 times 1 where the point is occluded, else 0; pixels from 1
    bboxes      (n, 4): x, y, width, height

HDF5 transposes every array: (87, n), and images as (3, width, height).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datasets.parsing import FIRST_CORNER, annotation_error, as_numbers, checked_points
from mien.datasets.samples import Dataset, LandmarkSample, Progress, collect, no_progress
from mien.errors import BadImage, BadOption, needs_extra
from mien.imaging.io import read_image
from mien.types import Image

SPLITS = ("train", "test")

_POINTS = 29
_ENDINGS = {"train": "Tr", "test": "T"}
_CURE = "download it again"


def read_cofw(root: Path | str, split: str = "all", progress: Progress = no_progress) -> Dataset[LandmarkSample]:
    """Read the train or test file in ``root``, or both; no pixels are read.

    ``path`` of a sample is ``<file>/<file>-0001``, counted from 1 as Matlab does; use ``load_image``. Needs h5py (the
    extra ``data``). Raises BadOption for another split, BadAnnotation when a file is missing or broken.
    """
    if split != "all" and split not in SPLITS:
        raise BadOption(f"COFW has no split {split!r}; use 'all', {', '.join(map(repr, SPLITS))}")
    root = Path(root)
    parts = [_read_file(root, name, progress) for name in (SPLITS if split == "all" else (split,))]
    samples = tuple(sample for part in parts for sample in part.samples)
    return Dataset(samples, tuple(problem for part in parts for problem in part.problems), root)


def _read_file(root: Path, split: str, progress: Progress) -> Dataset[LandmarkSample]:
    file, ending = root / f"COFW_{split}_color.mat", _ENDINGS[split]
    if not file.is_file():
        raise annotation_error(file, "no such file", "give the folder of COFW that holds COFW_train_color.mat")
    h5py = _h5py()
    try:
        with h5py.File(file, "r") as content:
            images = content[f"Is{ending}"][()].ravel()
            phis = as_numbers(file, f"phis{ending}", content[f"phis{ending}"][()]).T
            boxes = as_numbers(file, f"bboxes{ending}", content[f"bboxes{ending}"][()]).T
            shapes = [content[reference].shape for reference in images]
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise annotation_error(file, f"not a readable file of COFW ({error})", _CURE) from error
    if phis.shape != (len(shapes), 3 * _POINTS) or boxes.shape != (len(shapes), 4):
        found = f"{len(shapes)} images, phis of shape {phis.shape}, bboxes of shape {boxes.shape}"
        raise annotation_error(file, found, _CURE)

    def parse(index: int) -> LandmarkSample:
        load = partial(read_cofw_image, file, f"Is{ending}", index)
        path = file / f"{file.stem}-{index + 1:04d}"
        return _sample(path, phis[index], boxes[index], shapes[index], load)

    return Dataset(*collect(parse, range(len(shapes)), progress))


def _sample(
    path: Path, phis: NDArray[np.float64], box: NDArray[np.float64], shape: tuple[int, ...], load: partial[Image]
) -> LandmarkSample:
    if len(shape) not in (2, 3):
        raise annotation_error(path, f"an image of shape {shape}", _CURE)
    points, occluded = phis[: 2 * _POINTS].reshape(2, _POINTS).T, phis[2 * _POINTS :]
    if not np.isin(occluded, (0, 1)).all():
        raise annotation_error(path, f"occluded is {np.unique(occluded).tolist()}", "it must be 0 or 1")
    x, y, width, height = box.tolist()
    if not (width > 0 and height > 0):
        raise annotation_error(path, f"a face of {width:g} x {height:g} pixels", _CURE)
    return LandmarkSample(
        path=path,
        points=checked_points(path, points - FIRST_CORNER, _POINTS, (shape[-2], shape[-1])),
        scheme="29",
        subset="COFW",
        person=path.name,
        visible=(1 - occluded).astype(np.float32),
        box=(np.array([x, y, x + width, y + height]) - FIRST_CORNER).astype(np.float32),
        load=load,
    )


def read_cofw_image(file: Path, field: str, index: int) -> Image:
    """Return image ``index``, from 0, in the ``field`` of a file of COFW. Raises BadImage."""
    try:
        with _h5py().File(file, "r") as content:
            pixels: NDArray[Any] = content[content[field][()].ravel()[index]][()]
    except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise BadImage(f"{file}: image {index + 1} cannot be read ({error}); {_CURE}") from error
    return read_image(np.ascontiguousarray(pixels.T))


def _h5py() -> ModuleType:
    with needs_extra("reading COFW", "data"):
        import h5py
    module: ModuleType = h5py
    return module

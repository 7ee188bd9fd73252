"""One door to the readers of landmark data sets, by the names that commands use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mien.datasets import aflw2000, cofw, lp300, pts_folders, wflw
from mien.datasets.annotations import annotation_error
from mien.datasets.points import PointReading, Progress
from mien.errors import BadOption

_ALL = ("all",)


def _lp300(folder: Path, split: str, progress: Progress | None) -> PointReading:
    return lp300.read_lp300(folder, progress)


def _pts_folders(folder: Path, split: str, progress: Progress | None) -> PointReading:
    return pts_folders.read_pts_folders(folder, progress)


def _aflw2000(folder: Path, split: str, progress: Progress | None) -> PointReading:
    return aflw2000.read_aflw2000(folder, progress)


_READERS: dict[str, tuple[tuple[str, ...], Callable[[Path, str, Progress | None], PointReading]]] = {
    "300w-lp": (_ALL, _lp300),
    "300w": (_ALL, _pts_folders),
    "aflw2000": (_ALL, _aflw2000),
    "wflw": ((*_ALL, *wflw.SPLITS), wflw.read_wflw),
    "cofw": ((*_ALL, *cofw.SPLITS), cofw.read_cofw),
}

FORMATS: tuple[str, ...] = tuple(_READERS)


def read_points(format: str, folder: Path | str, split: str = "all", progress: Progress | None = None) -> PointReading:
    """Read the data set in ``folder``, laid out as ``format`` says.

    - ``300w-lp``: subsets with ``landmarks`` beside them; 68 points.
    - ``300w``: ``.pts`` files beside images, read recursively (300W, HELEN, LFPW, AFW, IBUG); 68 points.
    - ``aflw2000``: AFLW2000-3D; 68 points.
    - ``wflw``: splits all, train and test; 98 points.
    - ``cofw``: splits all, train and test; 29 points.

    The others know only the split all. ``progress`` goes over the files or lines. Raises BadOption for an unknown
    format or split, BadAnnotation when nothing can be read.
    """
    if format not in _READERS:
        raise BadOption(f"unknown format {format!r}; one of {', '.join(FORMATS)}")
    splits, reader = _READERS[format]
    if split not in splits:
        raise BadOption(f"format {format!r} has no split {split!r}; one of {', '.join(splits)}")
    folder = Path(folder)
    if not folder.is_dir():
        raise annotation_error(folder, "no such folder", f"give the folder of {format!r}")
    return reader(folder, split, progress)

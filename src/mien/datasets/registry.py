"""The formats of data sets by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

from mien.datasets.aflw2000 import read_aflw2000
from mien.datasets.celeba import read_celeba
from mien.datasets.cofw import read_cofw
from mien.datasets.fddb import read_fddb
from mien.datasets.folders import read_background, read_people
from mien.datasets.keypoint_list import read_keypoint_lists
from mien.datasets.lp300 import read_lp300
from mien.datasets.parsing import annotation_error
from mien.datasets.pseudo_labels import read_pseudo_labels
from mien.datasets.pts_folders import read_pts_folders
from mien.datasets.samples import (
    Dataset,
    DetectionSample,
    EllipseSample,
    IdentitySample,
    LandmarkSample,
    Progress,
    Sample,
    no_progress,
)
from mien.datasets.wflw import read_wflw
from mien.datasets.wider import read_wider, read_wider_text
from mien.errors import BadOption

_S = TypeVar("_S", bound=Sample)
_Read = Callable[[Path, str, Progress], Dataset[Sample]]


@dataclass(frozen=True, slots=True)
class Format:
    """A layout of files: the type of its samples, its splits (the first is the default), and its reader."""

    sample: type[Sample]
    splits: tuple[str, ...]
    read: _Read


def _without_splits(read: Callable[..., Dataset[Sample]]) -> _Read:
    """Adapt the reader of a data set that is not divided."""
    return lambda path, _, progress: read(path, progress=progress)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "wider": Format(DetectionSample, ("train", "val"), read_wider),
        "wider-text": Format(DetectionSample, ("train",), _without_splits(read_wider_text)),
        "keypoint-list": Format(DetectionSample, ("train", "test"), read_keypoint_lists),
        "celeba": Format(DetectionSample, ("train", "val", "test", "all"), read_celeba),
        "pseudo-labels": Format(DetectionSample, ("train",), _without_splits(read_pseudo_labels)),
        "background": Format(DetectionSample, ("train",), _without_splits(read_background)),
        "fddb": Format(EllipseSample, ("all",), _without_splits(read_fddb)),
        "300w-lp": Format(LandmarkSample, ("all",), _without_splits(read_lp300)),
        "300w": Format(LandmarkSample, ("all",), _without_splits(read_pts_folders)),
        "aflw2000": Format(LandmarkSample, ("all",), _without_splits(read_aflw2000)),
        "wflw": Format(LandmarkSample, ("all", "train", "test"), read_wflw),
        "cofw": Format(LandmarkSample, ("all", "train", "test"), read_cofw),
        "people": Format(IdentitySample, ("all",), _without_splits(read_people)),
    }
)
"""Every format; the readers document their layouts."""


def format_names(sample: type[Sample]) -> tuple[str, ...]:
    """Return the names of the formats whose samples are of this type."""
    return tuple(name for name, format in FORMATS.items() if format.sample is sample)


def read_dataset(
    sample: type[_S], format: str, path: Path | str, split: str | None = None, progress: Progress = no_progress
) -> Dataset[_S]:
    """Read the data set at ``path``.

    Args:
        sample: Type of the samples, such as :class:`~mien.datasets.samples.DetectionSample`.
        format: A key of :data:`FORMATS`.
        path: Folder or list, as the format says.
        split: Part of the data set; the format's default without it.
        progress: Wraps the files or lines as they are read.

    Raises:
        BadOption: Unknown format or split, or a format with other samples.
        BadAnnotation: Nothing can be read.
        MissingExtra: The format needs a package that is not installed.
    """
    names = format_names(sample)
    if format not in names:
        raise BadOption(f"unknown format {format!r}; use one of {', '.join(names)}")
    found = FORMATS[format]
    split = found.splits[0] if split is None else split
    if split not in found.splits:
        raise BadOption(f"format {format!r} has no split {split!r}; use one of {', '.join(found.splits)}")
    path = Path(path)
    if not path.exists():
        raise annotation_error(path, "no such file or folder", f"give the path of a data set in the format {format!r}")
    return cast(Dataset[_S], found.read(path, split, progress))

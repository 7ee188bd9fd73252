"""One door to the readers, by the names that recipes use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mien.datasets.annotations import Reading
from mien.datasets.celeba import read_celeba
from mien.datasets.folders import read_faceless
from mien.datasets.landmark_list import read_landmark_list
from mien.datasets.teacher import read_teacher
from mien.datasets.wider import read_wider, read_wider_text
from mien.errors import BadOption

_LANDMARK_LISTS = {"train": "trainImageList.txt", "test": "testImageList.txt"}


def read_source(format: str, path: Path | str, split: str = "train") -> Reading:
    """Read the data set at ``path`` (a folder, or its list) laid out as ``format`` says.

    - ``wider``: the official folder; splits train and val.
    - ``wider-text``: a list in WIDER's text format, or the folder with ``bbx_gt.txt``; images in ``images``
      beside the list.
    - ``landmark-list``: a list, or the folder with ``trainImageList.txt`` and ``testImageList.txt`` (splits
      train and test); the paths in it are below the list's folder.
    - ``celeba``: the official folder; splits train, val, test and all.
    - ``teacher``: the JSON, or the folder with ``teacher_boxes.json``; images in ``images`` beside it.
    - ``faceless``: a folder of images, read recursively.

    Those without splits know only train. Raises BadOption for an unknown format or split, BadAnnotation when
    nothing can be read.
    """
    if format not in _READERS:
        raise BadOption(f"unknown format {format!r}; one of {', '.join(_READERS)}")
    splits, reader = _READERS[format]
    if split not in splits:
        raise BadOption(f"format {format!r} has no split {split!r}; one of {', '.join(splits)}")
    return reader(Path(path), split)


def _wider(path: Path, split: str) -> Reading:
    return read_wider(path, "val" if split == "val" else "train")


def _wider_text(path: Path, split: str) -> Reading:
    file = path / "bbx_gt.txt" if path.is_dir() else path
    return read_wider_text(file, file.parent / "images")


def _landmark_list(path: Path, split: str) -> Reading:
    if path.is_file() and split != "train":
        raise BadOption(f"{path} is one list and has no split {split!r}; give its folder, or no split")
    file = path / _LANDMARK_LISTS[split] if path.is_dir() else path
    return read_landmark_list(file, file.parent)


def _celeba(path: Path, split: str) -> Reading:
    return read_celeba(path, split)


def _teacher(path: Path, split: str) -> Reading:
    file = path / "teacher_boxes.json" if path.is_dir() else path
    return read_teacher(file, file.parent / "images")


def _faceless(path: Path, split: str) -> Reading:
    return read_faceless(path)


_READERS: dict[str, tuple[tuple[str, ...], Callable[[Path, str], Reading]]] = {
    "wider": (("train", "val"), _wider),
    "wider-text": (("train",), _wider_text),
    "landmark-list": (("train", "test"), _landmark_list),
    "celeba": (("train", "val", "test", "all"), _celeba),
    "teacher": (("train",), _teacher),
    "faceless": (("train",), _faceless),
}

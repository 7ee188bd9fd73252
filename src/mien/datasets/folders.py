"""Folders of images without lists: one folder a person (as LFW has them), or images without any face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.annotations import (
    IMAGE_SUFFIXES,
    Annotation,
    Reading,
    annotation_error,
    collect,
    require_image,
    unknown_points,
)
from mien.errors import BadAnnotation


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Images with the name of the person on them, in the order of the names; and what could not be used."""

    images: tuple[tuple[Path, str], ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.images)


def read_people(root: Path | str) -> People:
    """Read LFW-style folders ``root/<person>/<image>``; files beside the folders are passed over.

    Raises BadAnnotation when ``root`` is no folder. A person without images is a problem.
    """
    root = _folder(root)
    images: list[tuple[Path, str]] = []
    problems: list[BadAnnotation] = []
    for person in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = sorted(f for f in person.iterdir() if _is_image(f))
        usable, bad = collect(lambda file: require_image(file.parent, file), files)
        images += [(file, person.name) for file in usable]
        problems += bad
        if not files:
            problems.append(annotation_error(person, "no images", "remove the folder or put the person's images there"))
    return People(tuple(images), tuple(problems))


def read_faceless(root: Path | str) -> Reading:
    """Read every image below ``root`` as one without faces: background for training.

    Raises BadAnnotation when ``root`` is no folder.
    """
    nothing = np.empty((0, 4), dtype=np.float32)

    def parse(file: Path) -> Annotation:
        require_image(file.parent, file)
        return Annotation(file, nothing, np.zeros(0, dtype=np.bool_), unknown_points(0))

    annotations, problems = collect(parse, _images_below(_folder(root)))
    return Reading(tuple(annotations), tuple(problems))


def _folder(root: Path | str) -> Path:
    root = Path(root)
    if not root.is_dir():
        raise annotation_error(root, "no such folder", "give the folder that holds the images")
    return root


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")


def _images_below(root: Path) -> Iterator[Path]:
    """Every image below ``root``, sorted, so that a seed always means the same images."""
    return iter(sorted(file for file in root.rglob("*") if _is_image(file)))

"""Folders of pictures without lists: one folder a person (as LFW has them), or pictures without any face."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.annotations import (
    PICTURE_SUFFIXES,
    Annotation,
    Reading,
    broken,
    collect,
    require_picture,
    unknown_points,
)
from mien.errors import BadAnnotation


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Pictures with the name of the person on them, in the order of the names; and what could not be used."""

    pictures: tuple[tuple[Path, str], ...]
    problems: tuple[BadAnnotation, ...]

    def __len__(self) -> int:
        return len(self.pictures)


def read_people(root: Path | str) -> People:
    """Read LFW-style folders ``root/<person>/<picture>``; files beside the folders are passed over.

    Raises BadAnnotation when ``root`` is no folder. A person without pictures is a problem.
    """
    root = _folder(root)
    pictures: list[tuple[Path, str]] = []
    problems: list[BadAnnotation] = []
    for person in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = sorted(f for f in person.iterdir() if _is_picture(f))
        usable, bad = collect(lambda file: require_picture(file.parent, file), files)
        pictures += [(file, person.name) for file in usable]
        problems += bad
        if not files:
            problems.append(broken(person, "no pictures", "remove the folder or put the person's pictures there"))
    return People(tuple(pictures), tuple(problems))


def read_faceless(root: Path | str) -> Reading:
    """Read every picture below ``root`` as one without faces: background for training.

    Raises BadAnnotation when ``root`` is no folder.
    """
    nothing = np.empty((0, 4), dtype=np.float32)

    def parse(file: Path) -> Annotation:
        require_picture(file.parent, file)
        return Annotation(file, nothing, np.zeros(0, dtype=np.bool_), unknown_points(0))

    annotations, problems = collect(parse, _pictures_below(_folder(root)))
    return Reading(tuple(annotations), tuple(problems))


def _folder(root: Path | str) -> Path:
    root = Path(root)
    if not root.is_dir():
        raise broken(root, "no such folder", "give the folder that holds the pictures")
    return root


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")


def _pictures_below(root: Path) -> Iterator[Path]:
    """Every picture below ``root``, sorted, so that a seed always means the same pictures."""
    return iter(sorted(file for file in root.rglob("*") if _is_picture(file)))

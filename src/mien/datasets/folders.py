"""Folders of images without lists: one folder per person (LFW) or images without faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.datasets.parsing import annotation_error, require_image
from mien.datasets.samples import Dataset, DetectionSample, IdentitySample, Progress, collect, no_progress, unknown
from mien.errors import BadAnnotation
from mien.imaging import SUFFIXES


def read_people(root: Path | str, progress: Progress = no_progress) -> Dataset[IdentitySample]:
    """Read LFW-style folders ``root/<person>/<image>``; files beside the folders are skipped.

    A person without images is a problem. Raises BadAnnotation when ``root`` is not a folder.
    """
    root = _folder(root)
    samples: list[IdentitySample] = []
    problems: list[BadAnnotation] = []
    people = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    for person in progress(people, len(people)):
        files = sorted(file for file in person.iterdir() if _is_image(file))
        usable, bad = collect(lambda file: require_image(file.parent, file), files)
        samples += [IdentitySample(file, person.name) for file in usable]
        problems += bad
        if not files:
            problems.append(annotation_error(person, "no images", "remove the folder or put the person's images there"))
    return Dataset(tuple(samples), tuple(problems), root)


def read_background(root: Path | str, progress: Progress = no_progress) -> Dataset[DetectionSample]:
    """Read every image below ``root`` as background, sorted by name.

    Raises BadAnnotation when ``root`` is not a folder.
    """
    root = _folder(root)
    nothing = np.empty((0, 4), dtype=np.float32)

    def parse(file: Path) -> DetectionSample:
        require_image(file.parent, file)
        return DetectionSample(file, nothing, np.zeros(0, dtype=np.bool_), unknown(0, 5, 2))

    files = sorted(file for file in root.rglob("*") if _is_image(file))
    return Dataset(*collect(parse, files, progress), root=root)


def _folder(root: Path | str) -> Path:
    root = Path(root)
    if not root.is_dir():
        raise annotation_error(root, "no such folder", "give the folder that holds the images")
    return root


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")

"""Base classes of the results, and running a detector on a data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from mien.datasets.samples import Dataset, Progress, Sample
from mien.errors import BadAnnotation, BadImage, BadOption, MienError
from mien.evaluation.detections import Detections, read_detections, select
from mien.imaging import read_image
from mien.types import Faces, Image

_Output = TypeVar("_Output")

DetectionModel: TypeAlias = Callable[[Image], Faces] | Detections | Path | str
"""A detector, its detections by image, or a file or folder of detections."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The result of a protocol.

    Attributes:
        name: Name of the model, for legends.
        skipped: Annotations that could not be used; normal where only a part of a data set is present.
        problems: Images or predictions that could not be read.
    """

    name: str
    skipped: tuple[BadAnnotation, ...]
    problems: tuple[MienError, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DetectionResult(Result):
    """A result with its ``detections`` by image."""

    detections: Detections


def require_samples(dataset: Dataset[Sample]) -> None:
    """Raise BadOption naming the first problem if nothing in the data set can be used."""
    if not len(dataset):
        first = f"; the first problem: {dataset.problems[0]}" if dataset.problems else ""
        raise BadOption(f"no image of the data set can be used{first}")


def run_detector(
    model: DetectionModel,
    images: Mapping[str, Path],
    progress: Progress,
    read_text: Callable[[Path], dict[str, Faces]] | None = None,
) -> tuple[dict[str, Faces], tuple[MienError, ...]]:
    """Return the detections in each image by name, and the errors of images that cannot be read.

    Detections that are given must cover every image. ``read_text`` reads the official text format of the data set.

    Raises:
        BadImage: No image can be read.
        BadAnnotation, BadOption: The given detections cannot be used.
    """
    if not callable(model):
        given = read_detections(model, read_text) if isinstance(model, (str, Path)) else model
        return select(given, images), ()
    return run_on_images(lambda _, image: model(image), images, progress)


def run_on_images(
    run: Callable[[str, Image], _Output], images: Mapping[str, Path], progress: Progress
) -> tuple[dict[str, _Output], tuple[MienError, ...]]:
    """Return what ``run`` gives for each name and image, by name, and the errors of images that cannot be read.

    Raises BadImage if no image can be read.
    """
    outputs: dict[str, _Output] = {}
    problems: list[MienError] = []
    for name, path in progress(images.items(), len(images)):
        try:
            image = read_image(path)
        except BadImage as problem:
            problems.append(problem)
            continue
        outputs[name] = run(name, image)
    require_readable(len(outputs), problems)
    return outputs, tuple(problems)


def require_readable(count: int, problems: list[MienError]) -> None:
    """Raise BadImage naming the first problem if no image could be read."""
    if not count:
        raise BadImage(f"none of {len(problems)} images can be read; the first problem: {problems[0]}")


def json_numbers(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Replace NaN, a mean over no face, by None: JSON has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}

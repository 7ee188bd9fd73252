"""Prepare shards for training from a landmark data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mien.datasets.crop_rules import make_sample
from mien.datasets.parsing import annotation_error
from mien.datasets.samples import Dataset, LandmarkSample, Progress, load_image, no_progress
from mien.datasets.shard_plans import PlannedShard, ShardOptions, claim_folder, plan_shards
from mien.datasets.shards import Sample, count_samples, write_shard
from mien.errors import BadAnnotation, BadImage, BadOption, MienError
from mien.imaging import Mipmap

_CURE = "repair or remove the images, and make the shards again in another folder"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The result of :func:`prepare_shards`.

    Attributes:
        sets: The shards by subset and split.
        kept: Number of shards kept from an earlier run.
        damaged: Shards of an earlier run that were damaged and made again.
        problems: Faces that could not be used, and shards without any.
    """

    sets: tuple[ShardSet, ...]
    kept: int
    damaged: tuple[BadAnnotation, ...]
    problems: tuple[MienError, ...]


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The shards of a subset and split: their number, and the number of faces and people in them."""

    subset: str
    split: str
    shards: int
    faces: int
    people: int


def without_people_of(dataset: Dataset[LandmarkSample], other: Dataset[LandmarkSample]) -> Dataset[LandmarkSample]:
    """Return the faces of people who are not in ``other``, such as a test set; with the problems of both.

    Raises BadOption when no face is left.
    """
    people = {sample.person for sample in other}
    kept = tuple(sample for sample in dataset if sample.person not in people)
    if not kept:
        raise BadOption(f"all people of {dataset.root} are in {other.root}; no face is left")
    return replace(dataset, samples=kept, problems=dataset.problems + other.problems)


def prepare_shards(
    dataset: Dataset[LandmarkSample], out: Path, format: str, options: ShardOptions, progress: Progress = no_progress
) -> Prepared:
    """Write the shards of a data set; an interrupted run continues where it stopped.

    Args:
        dataset: The labeled faces.
        out: Folder for the shards, empty or with shards of the same plan.
        format: Name of the format, recorded in the plan.
        options: Crop, splits and size of the shards.
        progress: Wraps the shards that are checked, then the faces that are written.

    Raises:
        BadOption: ``out`` has shards of another plan or cannot be written to.
        MissingExtra: The package tfrecord is not installed.
    """
    claim_folder(out, format, dataset.samples, options)
    plan = plan_shards(dataset.samples, out, options)
    problems: list[MienError] = list(dataset.problems)
    counts, damaged = _check([shard for shard in plan if shard.path.exists()], progress, problems)
    kept = len(counts)
    counts |= _write([shard for shard in plan if shard.path not in counts], options.rule, progress, problems)
    return Prepared(tuple(_sets(plan, counts)), kept, tuple(damaged), tuple(problems))


def _check(
    shards: Sequence[PlannedShard], progress: Progress, problems: list[MienError]
) -> tuple[dict[Path, int], list[BadAnnotation]]:
    """Return the number of faces in each intact existing shard, and the errors of the others."""
    counts: dict[Path, int] = {}
    damaged: list[BadAnnotation] = []
    for shard in progress(shards, len(shards)) if shards else ():
        try:
            counts[shard.path] = count_samples(shard.path)
        except BadAnnotation as error:
            damaged.append(error)
            continue
        missing = len(shard.faces) - counts[shard.path]
        if missing:
            problems.append(annotation_error(shard.path, f"lacks {missing} faces that could not be used", _CURE))
    return counts, damaged


def _write(shards: Sequence[PlannedShard], rule: str, progress: Progress, problems: list[MienError]) -> dict[Path, int]:
    """Write these shards and return the number of faces in each."""
    total = sum(len(shard.faces) for shard in shards)
    faces = iter(progress((face for shard in shards for face in shard.faces), total))
    counts = {}
    for shard in shards:
        samples = list(_crops(islice(faces, len(shard.faces)), rule, problems))
        if samples:
            write_shard(shard.path, samples)
        else:
            found = f"no face can be used, and the split {shard.split!r} cannot be read without this shard"
            problems.append(annotation_error(shard.path, found, _CURE))
        counts[shard.path] = len(samples)
    return counts


def _crops(faces: Iterable[LandmarkSample], rule: str, problems: list[MienError]) -> Iterator[Sample]:
    for face in faces:
        try:
            yield make_sample(face, Mipmap(load_image(face)), rule)
        except (BadImage, BadAnnotation) as error:
            problems.append(error)


def _sets(plan: Sequence[PlannedShard], counts: dict[Path, int]) -> Iterator[ShardSet]:
    sets: dict[tuple[str, str], list[PlannedShard]] = defaultdict(list)
    for shard in plan:
        sets[shard.subset, shard.split].append(shard)
    for (subset, split), shards in sets.items():
        people = {face.person for shard in shards for face in shard.faces}
        yield ShardSet(subset, split, len(shards), sum(counts[shard.path] for shard in shards), len(people))

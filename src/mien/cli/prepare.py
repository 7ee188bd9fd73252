"""``mien prepare``: public data sets -> the shards that training reads."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from mien.cli.console import Complaints, add_progress_option, file_bar, note, plural, progress, say, table
from mien.cli.options import Commands, add_command, existing_folder
from mien.datasets.crop_rules import RULES, make_sample
from mien.datasets.parsing import annotation_error
from mien.datasets.record_files import tfrecord_library
from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample, load_image
from mien.datasets.shard_plans import SHARD_SIZE, PlannedShard, ShardOptions, claim_folder, plan_shards
from mien.datasets.shards import SPLITS, Sample, count_samples, write_shard
from mien.errors import BadAnnotation, BadImage, BadOption
from mien.imaging import Mipmap
from mien.schema import to_json_line

_AGAIN = "mend or remove the images, and make the shards again in another folder"


def add_to(commands: Commands) -> None:
    """Add the command, and a command below it for each kind of data."""
    parser = add_command(
        commands,
        "prepare",
        "make the shards that training reads from a public data set",
        "mien prepare landmarks --format 300w-lp --data 300W_LP --out shards",
    )
    kinds = parser.add_subparsers(title="kinds of data", metavar="KIND", required=True)
    _add_landmarks(kinds)


def _add_landmarks(kinds: Commands) -> None:
    parser = add_command(
        kinds,
        "landmarks",
        "cut faces with 68 points and write them as TFRecords; a run that was cut off goes on where it stopped",
        "mien prepare landmarks --format 300w-lp --data 300W_LP --out shards --validation 0.05",
    )
    parser.add_argument("--format", choices=format_names(LandmarkSample), required=True, help="layout of the data set")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, metavar="SHARDS", help="folder for the shards")
    parser.add_argument(
        "--part",
        choices=("all", "train", "test"),
        default="all",
        help="part of the data set, where its authors divided it: wflw and cofw (default: %(default)s)",
    )
    parser.add_argument(
        "--rule",
        choices=tuple(RULES),
        default="square",
        help="the crop: the squared face box with some context, or the face box stretched as in the series that "
        "the points come from (default: %(default)s)",
    )
    parser.add_argument(
        "--validation",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of the people whose faces validate (default: %(default)g)",
    )
    parser.add_argument(
        "--apart-from",
        type=Path,
        metavar="DIR",
        help="leave out the people who are in this data set of the same layout, such as the one to be tested on",
    )
    parser.add_argument("--split", choices=SPLITS, help="put all faces into this split instead")
    parser.add_argument(
        "--shard-size", type=int, default=SHARD_SIZE, metavar="N", help="most faces a shard (default: %(default)d)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    add_progress_option(parser)
    parser.set_defaults(run=run_landmarks)


def run_landmarks(args: argparse.Namespace) -> int:
    """Write the shards and say what is in them; 1 when a face could not be used."""
    options = ShardOptions(args.rule, args.validation, args.split, args.shard_size)
    complaints = Complaints()
    tfrecord_library(args.out)  # before the long reading
    reading = read_dataset(LandmarkSample, args.format, existing_folder(args.data, "--data"), args.part, file_bar(args))
    for problem in reading.problems:
        complaints.add(problem)
    if not reading.samples:
        raise BadOption(f"--data {args.data} has no face that can be used as {args.format}; see the messages above")
    faces = reading.samples if args.apart_from is None else _strangers(reading.samples, args, complaints)
    claim_folder(args.out, args.format, faces, options)
    plan = plan_shards(faces, args.out, options)
    counts = _kept([shard for shard in plan if shard.path.exists()], args, complaints)
    if counts:
        note(f"{plural(len(counts), 'shard')} kept, of a run before")
    counts |= _made([shard for shard in plan if shard.path not in counts], args, complaints)
    rows = _rows(plan, counts)
    say(to_json_line({"out": str(args.out), "sets": rows}) if args.json else _table(rows))
    return complaints.status


def _strangers(
    faces: Sequence[LandmarkSample], args: argparse.Namespace, complaints: Complaints
) -> tuple[LandmarkSample, ...]:
    """The faces of people who are not in the other data set; whom that cannot name may still be among them."""
    others = read_dataset(
        LandmarkSample, args.format, existing_folder(args.apart_from, "--apart-from"), "all", file_bar(args)
    )
    for problem in others.problems:
        complaints.add(problem)
    people = {face.person for face in others.samples}
    kept = tuple(face for face in faces if face.person not in people)
    note(f"{plural(len(faces) - len(kept), 'face')} left out, of people who are in {args.apart_from}")
    if not kept:
        raise BadOption(f"--apart-from {args.apart_from}: everybody in --data {args.data} is there; nobody is left")
    return kept


def _kept(there: Sequence[PlannedShard], args: argparse.Namespace, complaints: Complaints) -> dict[Path, int]:
    """The shards that are whole of those that are there already, and how many faces they have."""
    counts = {}
    for shard in progress(there, args, len(there), "shards") if there else ():
        try:
            counts[shard.path] = count_samples(shard.path)
        except BadAnnotation as error:
            note(f"made again: {error}")
            continue
        missing = len(shard.faces) - counts[shard.path]
        if missing:
            found = f"{plural(missing, 'face')} could not be used when it was made"
            complaints.add(annotation_error(shard.path, found, _AGAIN))
    return counts


def _made(todo: Sequence[PlannedShard], args: argparse.Namespace, complaints: Complaints) -> dict[Path, int]:
    """Write these shards; how many faces each has."""
    total = sum(len(shard.faces) for shard in todo)
    everyone = (face for shard in todo for face in shard.faces)
    faces = iter(progress(everyone, args, total, "faces"))
    counts = {}
    for shard in todo:
        samples = list(_samples(islice(faces, len(shard.faces)), args.rule, complaints))
        if samples:
            write_shard(shard.path, samples)
        else:
            found = f"no face for it, and the split {shard.split!r} cannot be read without it"
            complaints.add(annotation_error(shard.path, found, _AGAIN))
        counts[shard.path] = len(samples)
    return counts


def _samples(faces: Iterable[LandmarkSample], rule: str, complaints: Complaints) -> Iterator[Sample]:
    for face in faces:
        try:
            yield make_sample(face, Mipmap(load_image(face)), rule)
        except (BadImage, BadAnnotation) as error:
            complaints.add(error)


def _rows(plan: Sequence[PlannedShard], counts: dict[Path, int]) -> list[dict[str, object]]:
    """What each set holds, subset by subset."""
    sets: dict[tuple[str, str], list[PlannedShard]] = defaultdict(list)
    for shard in plan:
        sets[shard.subset, shard.split].append(shard)
    return [
        {
            "subset": subset,
            "split": split,
            "shards": len(shards),
            "faces": sum(counts[shard.path] for shard in shards),
            "people": len({face.person for shard in shards for face in shard.faces}),
        }
        for (subset, split), shards in sets.items()
    ]


def _table(rows: Sequence[dict[str, object]]) -> str:
    head = ("subset", "split", "shards", "faces", "people")
    return table(head, [[str(row[name]) for name in head] for row in rows])

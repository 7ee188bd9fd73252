"""``mien prepare``: public data sets to the shards that training reads."""

from __future__ import annotations

import argparse
from dataclasses import asdict, astuple, fields
from pathlib import Path

from mien.cli.argparse_commands import passthrough
from mien.cli.console import Complaints, add_progress_option, file_bar, note, plural, progress_bar, say, table
from mien.cli.options import Commands, add_command, existing_folder
from mien.datasets.crop_rules import RULES
from mien.datasets.prepare import Prepared, ShardSet, prepare_shards, without_people_of
from mien.datasets.record_files import tfrecord_library
from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample
from mien.datasets.shard_plans import ShardOptions
from mien.datasets.shards import SPLITS
from mien.errors import BadOption, MienError
from mien.schema import to_json_line


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
        "crop faces with 68 landmarks and write them as TFRecords; an interrupted run continues",
        "mien prepare landmarks --format 300w-lp --data 300W_LP --out shards --validation 0.05",
    )
    parser.add_argument("--format", choices=format_names(LandmarkSample), required=True, help="layout of the data set")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, metavar="SHARDS", help="folder for the shards")
    parser.add_argument(
        "--part",
        choices=("all", "train", "test"),
        default="all",
        help="official split of wflw and cofw (default: %(default)s)",
    )
    parser.add_argument(
        "--rule",
        choices=tuple(RULES),
        default="square",
        help="square face box with context, or stretched box of the points (default: %(default)s)",
    )
    parser.add_argument(
        "--validation",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="share of the people used for validation (default: %(default)g)",
    )
    parser.add_argument(
        "--apart-from",
        type=Path,
        metavar="DIR",
        help="leave out people who are in this data set of the same layout, such as the test set",
    )
    parser.add_argument("--split", choices=SPLITS, help="put all faces into this split")
    parser.add_argument(
        "--shard-size",
        type=int,
        default=ShardOptions().shard_size,
        metavar="N",
        help="faces per shard (default: %(default)d)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    add_progress_option(parser)
    parser.set_defaults(run=run_landmarks)


def run_landmarks(args: argparse.Namespace) -> int:
    """Write the shards and print what is in them; 1 when a face could not be used."""
    options = ShardOptions(args.rule, args.validation, args.split, args.shard_size)
    tfrecord_library(args.out)  # before the long reading
    data = existing_folder(args.data, "--data")
    dataset = read_dataset(LandmarkSample, args.format, data, args.part, file_bar(args))
    if not dataset.samples:
        _complain(dataset.problems)
        raise BadOption(f"--data {args.data} has no face that can be used as {args.format}; see the messages above")
    if args.apart_from is not None:
        folder = existing_folder(args.apart_from, "--apart-from")
        other = read_dataset(LandmarkSample, args.format, folder, progress=file_bar(args))
        faces = len(dataset)
        dataset = without_people_of(dataset, other)
        note(f"{plural(faces - len(dataset), 'face')} left out, of people who are in {args.apart_from}")
    prepared = prepare_shards(dataset, args.out, args.format, options, progress_bar(args, "faces"))
    return _report(args, prepared)


def _report(args: argparse.Namespace, prepared: Prepared) -> int:
    if prepared.kept:
        note(f"{plural(prepared.kept, 'shard')} kept from an earlier run")
    for error in prepared.damaged:
        note(f"made again: {error}")
    head = [field.name for field in fields(ShardSet)]
    json = {"out": str(args.out), "sets": [asdict(one) for one in prepared.sets]}
    rows = [[str(cell) for cell in astuple(one)] for one in prepared.sets]
    say(to_json_line(json) if args.json else table(head, rows))
    return _complain(prepared.problems)


def _complain(problems: tuple[MienError, ...]) -> int:
    complaints = Complaints()
    for problem in problems:
        complaints.add(problem)
    return complaints.status


app = passthrough(add_to)

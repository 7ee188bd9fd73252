"""``mien prepare``: public data sets to the shards that training reads."""

from __future__ import annotations

from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mien.cli.evaluate_landmarks import DataFolder, Format
from mien.cli.parameters import Json, ShowProgress, config_options, existing_folder
from mien.cli.terminal import echo, note, plural, print_table, report_problems, wrap_progress
from mien.datasets.prepare import ShardSet, prepare_shards, without_people_of
from mien.datasets.record_files import tfrecord_library
from mien.datasets.registry import read_dataset
from mien.datasets.samples import LandmarkSample
from mien.datasets.shard_plans import ShardOptions
from mien.errors import BadOption
from mien.schema import to_json_line

app = typer.Typer(add_completion=False)


@app.callback()
def prepare() -> None:
    """Convert a public data set to training shards."""


@app.command(epilog="Example: [bold]mien prepare landmarks --format 300w-lp --data 300W_LP --out shards[/]")
@config_options("options", ShardOptions, panel="Shards")
def landmarks(
    format: Format,
    data: DataFolder,
    options: dict[str, Any],
    out: Annotated[Path, typer.Option(metavar="SHARDS", help="Folder for the shards.")],
    part: Annotated[Literal["all", "train", "test"], typer.Option(help="Official split of wflw and cofw.")] = "all",
    apart_from: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Leave out people who are in this data set of the same layout, such as the test set.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    progress: ShowProgress = None,
) -> int:
    """Crop faces with 68 landmarks and write them as TFRecords; an interrupted run continues."""
    shards = ShardOptions(**options)
    tfrecord_library(out)  # before the long reading
    files = wrap_progress("files", progress)
    dataset = read_dataset(LandmarkSample, format, existing_folder(data, "--data"), part, files)
    if not dataset.samples:
        report_problems((), dataset.problems)
        raise BadOption(f"--data {data} has no face that can be used as {format}; see the messages above")
    if apart_from is not None:
        other = read_dataset(LandmarkSample, format, existing_folder(apart_from, "--apart-from"), progress=files)
        faces = len(dataset)
        dataset = without_people_of(dataset, other)
        note(f"{plural(faces - len(dataset), 'face')} left out, of people who are in {apart_from}")
    prepared = prepare_shards(dataset, out, format, shards, wrap_progress("faces", progress))
    if prepared.kept:
        note(f"{plural(prepared.kept, 'shard')} kept from an earlier run")
    for error in prepared.damaged:
        note(f"made again: {error}")
    if json:
        echo(to_json_line({"out": str(out), "sets": [asdict(one) for one in prepared.sets]}))
    else:
        rows = [[str(cell) for cell in astuple(one)] for one in prepared.sets]
        print_table([field.name for field in fields(ShardSet)], rows)
    return report_problems((), prepared.problems)

"""``mien evaluate points``: the error of the five points."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mien.cli.console import Complaints, note_left_out, say, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import detections, source_name
from mien.datasets.registry import read_dataset
from mien.datasets.samples import DetectionSample
from mien.evaluation.detections import Detections, select
from mien.evaluation.metrics.keypoints import PointErrors, PointsResult, evaluate_points, pick_points
from mien.evaluation.plots import plot_ced
from mien.schema import to_json_line

SETTINGS: MappingProxyType[str, object] = MappingProxyType({})
"""The detector as it comes."""


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "points",
        "error of the five points on a landmark list such as MTFL's",
        "mien evaluate points --data MTFL/testImageList.txt --plot ced.png",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="LIST",
        help="a list in the format of MTCNN and MTFL, or the folder with testImageList.txt",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image could not be read."""
    complaints = Complaints()
    reading = read_dataset(DetectionSample, "keypoint-list", args.data, "test" if args.data.is_dir() else "train")
    note_left_out(reading.problems)
    root = args.data if args.data.is_dir() else args.data.parent
    names = {a.path: a.path.relative_to(root).as_posix() for a in reading.samples}
    found = detections(args, {name: path for path, name in names.items()}, None, complaints)
    annotations = reading.samples
    if args.detections is None:
        annotations = tuple(a for a in annotations if names[a.path] in found)
    chosen = select(found, dict.fromkeys(names[a.path] for a in annotations))
    result = _evaluate(annotations, {a.path.as_posix(): chosen[names[a.path]] for a in annotations})
    if args.plot is not None:
        plot_ced({source_name(args): result}, args.plot)
    say(_json(args, result) if args.json else _table(args, result))
    return complaints.status


def _evaluate(annotations: Sequence[DetectionSample], found: Detections) -> PointsResult:
    """Of each image the faces that overlap the labelled ones best; a face without such a one is missed."""
    picked = [pick_points(a.boxes, found[a.path.as_posix()]) for a in annotations]
    return evaluate_points(
        np.concatenate([np.empty((0, 5, 2), np.float32), *(a.keypoints for a in annotations)]),
        np.concatenate([np.empty((0, 5, 2), np.float32), *picked]),
        np.concatenate([np.empty((0, 4), np.float32), *(a.boxes for a in annotations)]),
    )


def _table(args: argparse.Namespace, result: PointsResult) -> str:
    title = f"five points, {result.faces} faces, {result.missed} missed, {source_name(args)}"
    head = ("error by", "NME", "failures > 10 %", "AUC to 10 %")
    rows = [_row("inter-ocular", result.inter_ocular), _row("box", result.box)]
    return title + "\n" + table(head, rows)


def _row(name: str, errors: PointErrors) -> tuple[str, ...]:
    return (name, f"{errors.nme:.2%}", f"{errors.failure_rate():.2%}", f"{errors.auc():.4f}")


def _json(args: argparse.Namespace, result: PointsResult) -> str:
    # A mean over no face is null: JSON has no NaN.
    numbers: dict[str, object] = {
        name: value if math.isfinite(value) else None for name, value in result.numbers().items()
    }
    return to_json_line({"dataset": "points", "detector": source_name(args), **numbers})

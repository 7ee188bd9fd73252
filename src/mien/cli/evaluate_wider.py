"""``mien evaluate wider``: average precision on WIDER FACE by the official protocol."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from mien.cli.console import Complaints, note_left_out, say, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import detections, source_name
from mien.datasets.samples import DetectionSample
from mien.datasets.wider import read_wider
from mien.datasets.wider_lists import image_key, read_wider_lists
from mien.errors import BadAnnotation
from mien.evaluation.detections import read_wider_text
from mien.evaluation.metrics.wider import WiderResult, WiderTruth, evaluate_wider
from mien.evaluation.plots import plot_precision_recall
from mien.schema import to_json_line

SETTINGS = MappingProxyType({"min_face_size": 10.0, "scale_factor": 0.79, "threshold": 0.01, "refine": False})
"""Where the options of the detector begin: average precision looks at all scores, and at faces from 10 pixels."""


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "wider",
        "average precision on WIDER FACE, easy, medium and hard",
        "mien evaluate wider --data WIDER_FACE --plot curves.png",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with WIDER_val, wider_face_split and eval_tools/ground_truth",
    )
    parser.add_argument(
        "--split",
        choices=["val", "train"],
        default="val",
        help="train has no official lists: all its valid faces are one level (default: %(default)s)",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image could not be read."""
    complaints = Complaints()
    split: Literal["train", "val"] = args.split
    reading = read_wider(args.data, split)
    note_left_out(reading.problems)
    images = {_name(annotation.path): annotation.path for annotation in reading.samples}
    found = detections(args, images, read_wider_text, complaints)
    truth = _truth(args.data, split, reading.samples)
    if args.detections is None:
        truth = {name: image for name, image in truth.items() if name in found}
    result = evaluate_wider(truth, found)
    if args.plot is not None:
        plot_precision_recall({source_name(args): result}, args.plot)
    say(_json(args, result) if args.json else _table(args, result))
    return complaints.status


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _truth(root: Path, split: str, annotations: Sequence[DetectionSample]) -> dict[str, WiderTruth]:
    if split == "train":
        return {_name(a.path): WiderTruth(a.boxes, {"all": np.flatnonzero(~a.ignored)}) for a in annotations}
    lists = read_wider_lists(root)
    truth = {}
    for annotation in annotations:
        key = image_key(annotation.path)
        if key not in lists or lists[key].faces != len(annotation):
            known = f"{lists[key].faces} faces" if key in lists else "not there"
            raise BadAnnotation(
                f"{annotation.path}: {len(annotation)} faces in wider_face_split, but {known} in "
                "eval_tools/ground_truth; take both from the official archives"
            )
        truth[_name(annotation.path)] = WiderTruth(annotation.boxes, lists[key].counted)
    return truth


def _table(args: argparse.Namespace, result: WiderResult) -> str:
    rows = [(name, f"{level.ap:.4f}", f"{level.faces}") for name, level in result.levels.items()]
    title = f"WIDER FACE {args.split}, {result.images} images, {source_name(args)}"
    return title + "\n" + table(("level", "AP", "faces"), rows)


def _json(args: argparse.Namespace, result: WiderResult) -> str:
    levels = {name: {"ap": level.ap, "faces": level.faces} for name, level in result.levels.items()}
    return to_json_line(
        {
            "dataset": "wider",
            "split": args.split,
            "detector": source_name(args),
            "images": result.images,
            "levels": levels,
        }
    )

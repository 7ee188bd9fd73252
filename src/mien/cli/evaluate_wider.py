"""``mien evaluate wider``: average precision on WIDER FACE by the official protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType

from mien.cli.console import progress_bar, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import deliver, detection_model
from mien.evaluation.protocols import WiderResult, evaluate_wider

SETTINGS = MappingProxyType({"min_face_size": 10.0, "scale_factor": 0.79, "threshold": 0.01, "refine": False})
"""Defaults of the detector: average precision needs low scores, and faces from 10 pixels."""


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
    model, name = detection_model(args)
    result = evaluate_wider(args.data, model, split=args.split, name=name, progress=progress_bar(args, "images"))
    return deliver(args, result, _table(result))


def _table(result: WiderResult) -> str:
    rows = [(name, f"{curve.ap:.4f}", f"{curve.faces}") for name, curve in result.levels.items()]
    title = f"WIDER FACE {result.split}, {len(result.detections)} images, {result.name}"
    return title + "\n" + table(("level", "AP", "faces"), rows)

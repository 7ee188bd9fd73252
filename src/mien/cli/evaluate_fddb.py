"""``mien evaluate fddb``: ROC on the ten folds of FDDB, discrete and continuous."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType

from mien.cli.console import progress_bar, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import deliver, detection_model
from mien.evaluation.protocols import FddbResult, evaluate_fddb
from mien.evaluation.protocols.fddb import FALSE_POSITIVES

SETTINGS = MappingProxyType({"threshold": 0.01, "refine": False})
"""Defaults of the detector: the curves go up to 2000 false positives."""


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "fddb",
        "true positive rate on FDDB, discrete and continuous",
        "mien evaluate fddb --data FDDB --plot roc.png",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with FDDB-folds, and the images in it or in originalPics",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image could not be read."""
    model, name = detection_model(args)
    result = evaluate_fddb(args.data, model, name=name, progress=progress_bar(args, "images"))
    return deliver(args, result, _table(result))


def _table(result: FddbResult) -> str:
    title = f"FDDB, {len(result.detections)} images, {result.curve.faces} faces, {result.name}"
    curve = result.curve
    rows = [(str(n), f"{curve.discrete_at(n):.4f}", f"{curve.continuous_at(n):.4f}") for n in FALSE_POSITIVES]
    return title + "\n" + table(("false positives", "discrete", "continuous"), rows)

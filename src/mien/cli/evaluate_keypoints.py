"""``mien evaluate keypoints``: error of the five keypoints."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType

from mien.cli.console import progress_bar, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import deliver, detection_model
from mien.evaluation.metrics.nme import NormalizedErrors
from mien.evaluation.protocols import KeypointResult, evaluate_keypoints

SETTINGS: MappingProxyType[str, object] = MappingProxyType({})
"""The detector with its own defaults."""


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "keypoints",
        "error of the five keypoints on a list such as MTFL's",
        "mien evaluate keypoints --data MTFL --plot ced.png",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="LIST",
        help="a list in the format of MTCNN's training code, or the folder with testImageList.txt",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image could not be read."""
    model, name = detection_model(args)
    result = evaluate_keypoints(args.data, model, name=name, progress=progress_bar(args, "images"))
    return deliver(args, result, _table(result))


def _table(result: KeypointResult) -> str:
    errors = result.errors
    title = f"five keypoints, {errors.faces} faces, {errors.missed} missed, {result.name}"
    rows = [_row("inter-ocular", errors.inter_ocular), _row("box", errors.box)]
    return title + "\n" + table(("error over", "NME", "failures > 10 %", "AUC to 10 %"), rows)


def _row(name: str, errors: NormalizedErrors) -> tuple[str, ...]:
    return (name, f"{errors.nme:.2%}", f"{errors.failure_rate():.2%}", f"{errors.auc():.4f}")

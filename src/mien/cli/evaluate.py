"""``mien evaluate``: our networks, or what any other found, against a public data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.cli import evaluate_fddb, evaluate_keypoints, evaluate_landmarks, evaluate_wider
from mien.cli.argparse_commands import passthrough
from mien.cli.console import add_progress_option
from mien.cli.options import Commands, add_command, add_detector_options

_DETECTION_TASKS = (evaluate_wider, evaluate_fddb, evaluate_keypoints)


def add_to(commands: Commands) -> None:
    """Add the command, and a command below it for each data set."""
    parser = add_command(
        commands,
        "evaluate",
        "score our networks, or what another tool found, on a data set",
        "mien evaluate wider --data WIDER_FACE",
    )
    tasks = parser.add_subparsers(title="data sets", metavar="DATASET", required=True)
    for task in _DETECTION_TASKS:
        task_parser = task.add_to(tasks)
        _add_detections(task_parser)
        _add_shared(task_parser)
        task_parser.set_defaults(**task.SETTINGS)
    _add_shared(evaluate_landmarks.add_to(tasks))


def _add_detections(parser: argparse.ArgumentParser) -> None:
    """What the data sets have in common for which detections are scored."""
    parser.add_argument(
        "--detections",
        type=Path,
        metavar="FILE|DIR",
        help="score these instead of running our detector: JSON lines as mien detect --json prints them, or "
        "the data set's official text files",
    )
    parser.add_argument("--save", type=Path, metavar="FILE.jsonl", help="write the detections as JSON lines")


def _add_shared(parser: argparse.ArgumentParser) -> None:
    """What all data sets have in common."""
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the curves")
    add_progress_option(parser)
    add_detector_options(parser)


app = passthrough(add_to)

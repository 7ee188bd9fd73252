"""``mien evaluate fddb``: ten folds of ellipses, discrete and continuous ROC."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType

import numpy as np

from mien.cli.console import Complaints, note_left_out, say, table
from mien.cli.options import Commands, add_command
from mien.cli.scoring import detections, source_name
from mien.datasets.fddb import FOLDS, read_fddb
from mien.datasets.samples import EllipseSample
from mien.errors import BadImage
from mien.evaluation.detections import read_fddb_text
from mien.evaluation.metrics.fddb import Ellipses, FddbCurve, FddbResult, evaluate_fddb
from mien.evaluation.plots import plot_roc
from mien.imaging import read_image
from mien.schema import to_json_line

_FALSE_POSITIVES = (100, 500, 1000, 2000)
_IN_A_FOLD = 100


SETTINGS = MappingProxyType({"threshold": 0.01, "refine": False})
"""Where the options of the detector begin: the curves go on to 2000 false positives."""


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
    complaints = Complaints()
    reading = read_fddb(args.data)
    note_left_out(reading.problems)
    images = {reading.name(image): image.path for image in reading}
    found = detections(args, images, read_fddb_text, complaints)
    folds: list[dict[str, Ellipses]] = [{} for _ in range(FOLDS)]
    for image in reading:
        try:
            ellipses = _ellipses(image)
        except BadImage as error:
            if args.detections is not None:  # our detector has complained about it already
                complaints.add(error)
            continue
        folds[image.fold - 1][reading.name(image)] = ellipses
    result = evaluate_fddb(folds, found)
    if args.plot is not None:
        plot_roc({source_name(args): result}, args.plot)
    say(_json(args, result) if args.json else _table(args, result))
    return complaints.status


def _ellipses(image: EllipseSample) -> Ellipses:
    """The faces of an image and its size, which the lists do not give."""
    height, width = read_image(image.path).shape[:2]
    numbers = image.ellipses.astype(np.float64)
    return Ellipses(numbers[:, 3:5], numbers[:, :2], numbers[:, 2], (width, height))


def _rates(curve: FddbCurve, limit: int) -> dict[str, float]:
    return {
        "false_positives": limit,
        "discrete": curve.discrete_at(limit),
        "continuous": curve.continuous_at(limit),
    }


def _table(args: argparse.Namespace, result: FddbResult) -> str:
    title = f"FDDB, {result.images} images, {result.curve.faces} faces, {source_name(args)}"
    rows = []
    for limit in _FALSE_POSITIVES:
        rates = _rates(result.curve, limit)
        rows.append((str(limit), f"{rates['discrete']:.4f}", f"{rates['continuous']:.4f}"))
    return title + "\n" + table(("false positives", "discrete", "continuous"), rows)


def _json(args: argparse.Namespace, result: FddbResult) -> str:
    return to_json_line(
        {
            "dataset": "fddb",
            "detector": source_name(args),
            "images": result.images,
            "faces": result.curve.faces,
            "rates": [_rates(result.curve, limit) for limit in _FALSE_POSITIVES],
            "folds": [_rates(curve, _IN_A_FOLD) | {"faces": curve.faces} for curve in result.folds],
        }
    )

"""``mien evaluate landmarks``: error of 68 landmarks, from true boxes and from the detector's."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from mien.cli.console import file_bar, plural, progress_bar, say, table
from mien.cli.options import Commands, add_command, make_detector
from mien.cli.scoring import report_problems
from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample
from mien.errors import BadOption
from mien.evaluation.metrics.landmarks import NORMS, PARTS, THRESHOLDS, LandmarkScore
from mien.evaluation.plots import plot_landmark_ced, require_matplotlib
from mien.evaluation.protocols import LandmarkResult, evaluate_landmarks
from mien.heads import LandmarkDetector
from mien.schema import to_json_line

BOXES = ("truth", "detector")
"""Boxes that the network starts from."""


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "landmarks",
        "error of 68 landmarks, from true boxes and from the detector's",
        "mien evaluate landmarks --data 300W_LP --format 300w-lp --plot ced.png",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument("--format", choices=format_names(LandmarkSample), required=True, help="layout of the data set")
    parser.add_argument("--split", help="part of the data set, such as test (default: all)")
    parser.add_argument("--norm", choices=NORMS, default=NORMS[0], help="normalizing length (default: %(default)s)")
    parser.add_argument("--all-points", action="store_true", help="count points that are labelled as occluded")
    parser.add_argument("--boxes", choices=BOXES, help="start from true boxes or the detector's (default: both)")
    parser.add_argument("--network", default="senet68", metavar="FILE", help="an .onnx file, or a shipped network")
    parser.add_argument("--contour", choices=("visible", "3d"), help="jaw to predict (default: that of the labels)")
    parser.add_argument("--refinement-steps", type=int, default=2, metavar="N", help="1 or 2 (default: %(default)s)")
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="DIR|FILE.jsonl",
        help="score these instead of our network: .pts files named after the images, or JSON lines",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image or prediction could not be read."""
    if args.plot is not None:
        require_matplotlib()
    results = _evaluate(args)
    if args.plot is not None:
        plot_landmark_ced({result.name: result.scores for result in results}, args.plot)
    records = {result.boxes: result.to_dict() for result in results}
    json = {"dataset": "landmarks", "format": args.format, "boxes": records}
    say(to_json_line(json) if args.json else "\n\n".join(_tables(args.format, result) for result in results))
    return report_problems(results[0])


def _evaluate(args: argparse.Namespace) -> list[LandmarkResult]:
    if args.predictions is not None and (args.boxes is not None or args.contour is not None):
        raise BadOption("--predictions: --boxes and --contour do not apply to given points; leave them out")
    dataset = read_dataset(LandmarkSample, args.format, args.data, args.split, file_bar(args))
    options = {"norm": args.norm, "visible_only": not args.all_points, "progress": progress_bar(args, "images")}
    if args.predictions is not None:
        return [evaluate_landmarks(dataset, args.predictions, name=args.predictions.stem, **options)]
    model = LandmarkDetector(args.network, refinement_steps=args.refinement_steps, threads=args.threads)
    detectors = {"truth": ("mien, true boxes", None), "detector": ("mien, detector's boxes", make_detector(args))}
    chosen = [detectors[way] for way in ([args.boxes] if args.boxes else BOXES)]
    return [
        evaluate_landmarks(dataset, model, detector=detector, contour=args.contour, name=name, **options)
        for name, detector in chosen
    ]


def _tables(format: str, result: LandmarkResult) -> str:
    """Errors by subset and by yaw, then NME by part of the face."""
    scores = result.scores
    which = "visible points" if result.visible_only else "all known points"
    title = f"{format}, {result.name}, {which}: error over {scores.norm}"
    if scores.all.unscored:
        title += f"\n{plural(scores.all.unscored, 'face')} without a known {scores.norm} length or a point that counts"
    failures = [f"> {100 * threshold:.0f} %" for threshold in THRESHOLDS]
    areas = [f"AUC {100 * threshold:.0f} %" for threshold in THRESHOLDS]
    head = ("faces", "missed", f"NME {scores.norm}", *failures, *areas, "yaw error")
    subsets = {**scores.subsets, "all": scores.all} if len(scores.subsets) > 1 else scores.subsets
    parts = [title, table(("subset", *head), [_row(name, score) for name, score in subsets.items()])]
    if scores.yaw:
        parts.append(table(("yaw", *head), [_row(name, score) for name, score in scores.yaw.items()]))
    rows = [(name, *(_number(e.nme, ".2%") for e in score.parts.values())) for name, score in subsets.items()]
    return "\n\n".join([*parts, table((f"NME {scores.norm}", *PARTS), rows)])


def _row(name: str, score: LandmarkScore) -> tuple[str, ...]:
    errors = score.errors
    failures = (_number(errors.failure_rate(threshold), ".2%") for threshold in THRESHOLDS)
    areas = (_number(errors.auc(threshold), ".4f") for threshold in THRESHOLDS)
    counts = (str(score.faces), str(score.missed))
    return (name, *counts, _number(errors.nme, ".2%"), *failures, *areas, _number(score.yaw_error, ".2f"))


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"

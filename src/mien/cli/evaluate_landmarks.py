"""``mien evaluate landmarks``: the error of 68 points, from true boxes and from the detector's."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mien.cli.console import Complaints, file_bar, note, note_left_out, plural, say, table
from mien.cli.landmark_scoring import BOXES, as_arrays, given_points, our_points
from mien.cli.options import Commands, add_command
from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample
from mien.errors import BadOption
from mien.evaluation.metrics.landmarks import (
    GROUPS,
    LIMITS,
    NORMS,
    LandmarkResult,
    LandmarkScore,
    LandmarkTruth,
    evaluate_landmarks,
)
from mien.evaluation.plots import plot_landmark_ced
from mien.geometry.boxes import area, bounding_boxes
from mien.geometry.schemes import to_68
from mien.schema import to_json_line


def add_to(tasks: Commands) -> argparse.ArgumentParser:
    """Add the command to the parser of ``evaluate``."""
    parser = add_command(
        tasks,
        "landmarks",
        "error of 68 points, from true boxes and from the detector's",
        "mien evaluate landmarks --data 300W_LP --format 300w-lp --plot ced.png",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the data set")
    parser.add_argument("--format", choices=format_names(LandmarkSample), required=True, help="layout of the data set")
    parser.add_argument(
        "--split", default="all", help="part of the data set, where it has parts, such as test (default: %(default)s)"
    )
    parser.add_argument(
        "--norm", choices=NORMS, default=NORMS[0], help="what errors are divided by (default: %(default)s)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--visible-only",
        action="store_true",
        default=True,
        help="leave points that are labelled as covered out (the default)",
    )
    which.add_argument(
        "--all-points", dest="visible_only", action="store_false", help="count covered points whose place is labelled"
    )
    _add_sources(parser)
    parser.set_defaults(run=run)
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    """Where the points come from that are scored."""
    parser.add_argument(
        "--boxes", choices=BOXES, help="start from the boxes of the labels or of our detector (default: both, apart)"
    )
    parser.add_argument(
        "--network",
        default="senet68",
        metavar="FILE",
        help="another network: an .onnx file, or the name of a shipped one (default: %(default)s)",
    )
    parser.add_argument(
        "--contour",
        choices=("visible", "3d"),
        help="the jaw that our network is asked for (default: that of the labels)",
    )
    parser.add_argument(
        "--refinement-steps", type=int, default=2, metavar="N", help="2 looks at each face again (default: %(default)s)"
    )
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="DIR|FILE.jsonl",
        help="score these instead of running our network: .pts files named as the images, or JSON lines",
    )


def run(args: argparse.Namespace) -> int:
    """Score and print; 1 when an image or prediction could not be read."""
    if args.predictions is not None and (args.boxes is not None or args.contour is not None):
        raise BadOption("--predictions: --boxes and --contour say nothing about points that are given; leave them out")
    complaints = Complaints()
    faces, truth = _labelled(args)
    if args.predictions is None:
        found, seen = our_points(args, faces, truth.points, complaints)
    else:
        found = {"predictions": given_points(args, faces, truth.points, complaints)}
        seen = np.ones(len(truth), dtype=np.bool_)
    if not seen.any():
        raise BadOption(f"no image of --data {args.data} could be read; see the messages above")
    results = {}
    for way, landmarks in found.items():
        points, yaw = as_arrays(landmarks, len(truth))
        results[way] = evaluate_landmarks(
            truth[seen], points[seen], yaw[seen], args.norm, visible_only=args.visible_only
        )
    if args.plot is not None:
        plot_landmark_ced({_source(args, way): result for way, result in results.items()}, args.plot)
    say(_json(args, results) if args.json else "\n\n".join(_tables(args, way, r) for way, r in results.items()))
    return complaints.status


def _labelled(args: argparse.Namespace) -> tuple[list[LandmarkSample], LandmarkTruth]:
    """The faces of the data set whose points span a box; those that a smaller scheme lacks are unknown.

    Raises BadOption when there is none.
    """
    reading = read_dataset(LandmarkSample, args.format, args.data, args.split, file_bar(args))
    note_left_out(reading.problems)
    reduced = [(face, *to_68(face.points, face.visible, face.scheme)) for face in reading.samples]
    known = [(face, points, seen) for face, points, seen in reduced if area(bounding_boxes(points[None]))[0] > 0]
    if len(known) < len(reduced):
        note(f"left out: {plural(len(reduced) - len(known), 'face')} whose known points span no box")
    if not known:
        raise BadOption(f"--data {args.data} has no face that can be used; see the messages above")
    faces = [face for face, _, _ in known]
    truth = LandmarkTruth(
        points=np.stack([points for _, points, _ in known]),
        visible=np.stack([seen for _, _, seen in known]),
        yaw=np.array([math.nan if face.pose is None else face.pose.yaw for face in faces], dtype=np.float32),
        subsets=tuple(face.subset for face in faces),
    )
    return faces, truth


def _source(args: argparse.Namespace, way: str) -> str:
    """Whose points these are."""
    if args.predictions is not None:
        return str(args.predictions.stem)
    return "mien, true boxes" if way == "truth" else "mien, detector's boxes"


def _tables(args: argparse.Namespace, way: str, result: LandmarkResult) -> str:
    """Errors by subset and by yaw, then the means of the parts of the face."""
    which = "visible points" if args.visible_only else "all known points"
    title = f"{args.format}, {_source(args, way)}, {which}: error by {result.norm}"
    if result.all.unscored:
        faces = plural(result.all.unscored, "face")
        title += f"\n{faces} without a known {result.norm} length or a point that counts: in no error"
    subsets = _with_all(result)
    numbers = [f"> {100 * limit:.0f} %" for limit in LIMITS] + [f"AUC {100 * limit:.0f} %" for limit in LIMITS]
    head = ("faces", "missed", f"NME {result.norm}", *numbers, "yaw error")
    parts = [title, table(("subset", *head), [_row(name, score) for name, score in subsets.items()])]
    if result.yaw:
        parts.append(table(("yaw", *head), [_row(name, score) for name, score in result.yaw.items()]))
    rows = [(name, *(_percent(errors.nme) for errors in score.groups.values())) for name, score in subsets.items()]
    parts.append(table((f"NME {result.norm}", *GROUPS), rows))
    return "\n\n".join(parts)


def _with_all(result: LandmarkResult) -> dict[str, LandmarkScore]:
    """The subsets, and after several of them all faces together."""
    return {**result.subsets, "all": result.all} if len(result.subsets) > 1 else {**result.subsets}


def _row(name: str, score: LandmarkScore) -> tuple[str, ...]:
    errors = score.errors
    failures = (_percent(errors.failure_rate(limit)) for limit in LIMITS)
    areas = (_number(errors.auc(limit), ".4f") for limit in LIMITS)
    yaw = _number(score.yaw_error, ".2f")
    return (name, str(score.faces), str(score.missed), _percent(errors.nme), *failures, *areas, yaw)


def _percent(value: float) -> str:
    return _number(value, ".2%")


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "-"


def _json(args: argparse.Namespace, results: Mapping[str, LandmarkResult]) -> str:
    records = {
        way: {
            "all": _record(result, result.all),
            "subsets": {name: _record(result, score) for name, score in result.subsets.items()},
            "yaw": {name: _record(result, score) for name, score in result.yaw.items()},
        }
        for way, result in results.items()
    }
    return to_json_line(
        {
            "dataset": "landmarks",
            "format": args.format,
            "norm": args.norm,
            "points": "visible" if args.visible_only else "all",
            "source": "mien" if args.predictions is None else args.predictions.stem,
            "boxes": records,
        }
    )


def _record(result: LandmarkResult, score: LandmarkScore) -> dict[str, float | None]:
    # A mean over no face is null: JSON has no NaN.
    return {name: value if math.isfinite(value) else None for name, value in result.numbers(score).items()}

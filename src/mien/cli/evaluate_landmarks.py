"""``mien evaluate landmarks``: error of 68 landmarks, from true boxes and from the detector's."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mien.cli.parameters import Json, ShowProgress, analyzer_options, is_given
from mien.cli.terminal import echo, plural, print_table, report_problems, wrap_progress
from mien.datasets.registry import format_names, read_dataset
from mien.datasets.samples import LandmarkSample
from mien.errors import BadOption
from mien.evaluation.metrics.landmarks import PARTS, THRESHOLDS, LandmarkScore, Norm
from mien.evaluation.plots import plot_landmark_ced, require_matplotlib
from mien.evaluation.protocols import LandmarkResult, evaluate_landmarks
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import to_json_line

EXAMPLE = "Example: [bold]mien evaluate landmarks --data 300W_LP --format 300w-lp --plot ced.png[/]"

Plot = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the curves.", show_default=False)]
DataFolder = Annotated[Path, typer.Option(metavar="DIR", help="Folder of the data set.")]
Format = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Layout of the data set: {', '.join(format_names(LandmarkSample))}.",
        autocompletion=lambda: list(format_names(LandmarkSample)),
    ),
]

_NAMES = {"truth": "mien, true boxes", "detector": "mien, detector's boxes"}


@analyzer_options()
def landmarks(
    ctx: typer.Context,
    data: DataFolder,
    format: Format,
    config: AnalyzerConfig,
    split: Annotated[
        str | None, typer.Option(help="Part of the data set, such as test (default: all).", show_default=False)
    ] = None,
    norm: Annotated[Norm, typer.Option(help="Length that errors are divided by.")] = "inter-ocular",
    all_points: Annotated[bool, typer.Option("--all-points", help="Count points labelled as occluded, too.")] = False,
    boxes: Annotated[
        Literal["truth", "detector"] | None,
        typer.Option(help="Start from the labelled boxes or from the detector's (default: both).", show_default=False),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE.jsonl",
            help="Score these instead: .pts files named after the images, or JSON lines of mien landmarks.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    plot: Plot = None,
    progress: ShowProgress = None,
) -> int:
    """Error of 68 landmarks, by subset, head pose and part of the face.

    Without --contour the contour of the labels is predicted.
    """
    contour = config.landmarks.contour if is_given(ctx, "contour") else None
    if predictions is not None and (boxes is not None or contour is not None):
        raise BadOption("--predictions: --boxes and --contour do not apply to given points; leave them out")
    if plot is not None:
        require_matplotlib()
    dataset = read_dataset(LandmarkSample, format, data, split, wrap_progress("files", progress))
    options: dict[str, Any] = {
        "norm": norm,
        "visible_only": not all_points,
        "progress": wrap_progress("images", progress),
    }
    if predictions is not None:
        results = [evaluate_landmarks(dataset, predictions, name=predictions.stem, **options)]
    else:
        analyzer = FaceAnalyzer(replace(config, heads=("landmarks",)))
        results = [
            evaluate_landmarks(
                dataset,
                analyzer.landmarks,
                detector=analyzer.detect if start == "detector" else None,
                contour=contour,
                name=_NAMES[start],
                **options,
            )
            for start in ([boxes] if boxes else _NAMES)
        ]
    if plot is not None:
        plot_landmark_ced({result.name: result.scores for result in results}, plot)
    if json:
        records = {result.boxes: result.to_dict() for result in results}
        echo(to_json_line({"dataset": "landmarks", "format": format, "boxes": records}))
    else:
        for index, result in enumerate(results):
            if index:
                echo("")
            _print_tables(format, result)
    return report_problems(results[0].skipped, results[0].problems)


def _print_tables(format: str, result: LandmarkResult) -> None:
    """Print errors by subset and by yaw, then NME by part of the face."""
    scores = result.scores
    which = "visible points" if result.visible_only else "all known points"
    echo((f"{format}, {result.name}, {which}: error over {scores.norm}", "bold"))
    if scores.all.unscored:
        echo(f"{plural(scores.all.unscored, 'face')} without a known {scores.norm} length or a point that counts")
    failures = [f"> {100 * threshold:.0f} %" for threshold in THRESHOLDS]
    areas = [f"AUC {100 * threshold:.0f} %" for threshold in THRESHOLDS]
    columns = ("faces", "missed", f"NME {scores.norm}", *failures, *areas, "yaw error")
    subsets = {**scores.subsets, "all": scores.all} if len(scores.subsets) > 1 else scores.subsets
    for title, group in (("subset", subsets), ("yaw", scores.yaw)):
        if group:
            echo("")
            print_table((title, *columns), [_row(name, score) for name, score in group.items()])
    echo("")
    rows = [(name, *(_number(e.nme, ".2%") for e in score.parts.values())) for name, score in subsets.items()]
    print_table((f"NME {scores.norm}", *PARTS), rows)


def _row(name: str, score: LandmarkScore) -> tuple[str, ...]:
    errors = score.errors
    failures = (_number(errors.failure_rate(threshold), ".2%") for threshold in THRESHOLDS)
    areas = (_number(errors.auc(threshold), ".4f") for threshold in THRESHOLDS)
    counts = (str(score.faces), str(score.missed))
    return (name, *counts, _number(errors.nme, ".2%"), *failures, *areas, _number(score.yaw_error, ".2f"))


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "-"

"""``mien evaluate``: score the networks, or other tools' predictions, on a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.cli import evaluate_background, evaluate_landmarks, evaluate_stages, evaluate_stress
from mien.cli.evaluate_landmarks import Plot
from mien.cli.evaluate_options import LOW_SCORE, with_score_threshold
from mien.cli.parameters import Json, ShowProgress, analyzer_options
from mien.cli.terminal import echo, print_table, report_problems, wrap_progress
from mien.errors import BadOption
from mien.evaluation import protocols
from mien.evaluation.detections import write_json
from mien.evaluation.metrics.nme import NormalizedErrors
from mien.evaluation.plots import require_matplotlib
from mien.evaluation.protocols import FddbResult, KeypointResult, WiderResult
from mien.evaluation.protocols.fddb import FALSE_POSITIVES
from mien.evaluation.protocols.result import DetectionModel
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import to_json_line

app = typer.Typer(add_completion=False)

Detections = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|DIR",
        help="Score these detections: JSON lines of mien detect, or the text files of the data set's own evaluation.",
        show_default=False,
    ),
]
Save = Annotated[
    Path | None, typer.Option(metavar="FILE.jsonl", help="Write the detections as JSON lines.", show_default=False)
]

_FOR_CURVES = {"refine_keypoints": False}
"""Curves need no keypoints."""


@app.command(epilog="Example: [bold]mien evaluate wider --data WIDER_FACE --plot curves.png[/]")
@analyzer_options(with_landmarks=False, detector={"min_face_size": 10.0, "scale_factor": 0.79, **_FOR_CURVES})
def wider(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with WIDER_val, wider_face_split and eval_tools/ground_truth.")
    ],
    config: AnalyzerConfig,
    split: Annotated[
        Literal["val", "train"],
        typer.Option(help="Train has no official lists: all its valid faces are one level."),
    ] = "val",
    stages: Annotated[
        bool, typer.Option("--stages", help="Instead of AP: recall after each stage, by face size and attributes.")
    ] = False,
    detections: Detections = None,
    json: Json = False,
    plot: Plot = None,
    save: Save = None,
    progress: ShowProgress = None,
) -> int:
    """Average precision on WIDER FACE: of detections from score 0.01 unless --threshold is given."""
    if stages:
        if detections is not None or save is not None:
            raise BadOption("--stages: runs the detector and keeps no detections; leave out --detections and --save")
        config = replace(config, heads=())
        return evaluate_stages.stages(config, data, split, json=json, plot=plot, progress=progress)
    model, name = _model(_for_curves(config), detections, plot)
    bar = wrap_progress("images", progress)
    result = protocols.evaluate_wider(data, model, split=split, name=name, progress=bar)
    if _deliver(result, json, plot, save):
        title = f"WIDER FACE {result.split}, {len(result.detections)} images, {result.name}"
        rows = [(name, f"{curve.ap:.4f}", f"{curve.faces}") for name, curve in result.levels.items()]
        print_table(("level", "AP", "faces"), rows, title)
    return report_problems(result.skipped, result.problems)


@app.command(epilog="Example: [bold]mien evaluate fddb --data FDDB --plot roc.png[/]")
@analyzer_options(with_landmarks=False, detector=_FOR_CURVES)
def fddb(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with FDDB-folds, and the images in it or in originalPics.")
    ],
    config: AnalyzerConfig,
    detections: Detections = None,
    json: Json = False,
    plot: Plot = None,
    save: Save = None,
    progress: ShowProgress = None,
) -> int:
    """True positive rate on the ten folds of FDDB; of detections from score 0.01, unless --threshold is given."""
    model, name = _model(_for_curves(config), detections, plot)
    result = protocols.evaluate_fddb(data, model, name=name, progress=wrap_progress("images", progress))
    if _deliver(result, json, plot, save):
        curve = result.curve
        title = f"FDDB, {len(result.detections)} images, {curve.faces} faces, {result.name}"
        rows = [(str(n), f"{curve.discrete_at(n):.4f}", f"{curve.continuous_at(n):.4f}") for n in FALSE_POSITIVES]
        print_table(("false positives", "discrete", "continuous"), rows, title)
    return report_problems(result.skipped, result.problems)


@app.command(epilog="Example: [bold]mien evaluate keypoints --data MTFL --plot ced.png[/]")
@analyzer_options(with_landmarks=False)
def keypoints(
    data: Annotated[
        Path,
        typer.Option(
            metavar="LIST", help="A list in the format of MTCNN's training code, or the folder with testImageList.txt."
        ),
    ],
    config: AnalyzerConfig,
    detections: Detections = None,
    json: Json = False,
    plot: Plot = None,
    save: Save = None,
    progress: ShowProgress = None,
) -> int:
    """Error of the five keypoints on a list such as MTFL's."""
    model, name = _model(config, detections, plot)
    result = protocols.evaluate_keypoints(data, model, name=name, progress=wrap_progress("images", progress))
    if _deliver(result, json, plot, save):
        errors = result.errors
        title = f"five keypoints, {errors.faces} faces, {errors.missed} missed, {result.name}"
        rows = [_row("inter-ocular", errors.inter_ocular), _row("box", errors.box)]
        print_table(("error over", "NME", "failures > 10 %", "AUC to 10 %"), rows, title)
    return report_problems(result.skipped, result.problems)


app.command("landmarks", epilog=evaluate_landmarks.EXAMPLE)(evaluate_landmarks.landmarks)
app.command("background", epilog=evaluate_background.EXAMPLE)(evaluate_background.background)
app.command("stress", epilog=evaluate_stress.EXAMPLE)(evaluate_stress.stress)


def _for_curves(config: AnalyzerConfig) -> AnalyzerConfig:
    chosen = config.detector.score_threshold
    return with_score_threshold(config, LOW_SCORE if chosen is None else chosen)


def _model(config: AnalyzerConfig, detections: Path | None, plot: Path | None) -> tuple[DetectionModel, str]:
    """Return the detector, or the file of detections, and its name. Raises MissingExtra before the work."""
    if plot is not None:
        require_matplotlib()
    if detections is not None:
        return detections, detections.stem
    return FaceAnalyzer(replace(config, heads=())).detect, "mien"


def _deliver(
    result: WiderResult | FddbResult | KeypointResult, json: bool, plot: Path | None, save: Path | None
) -> bool:
    """Write the files and the JSON of a result; tell whether a table is wanted."""
    if save is not None:
        write_json(save, result.detections)
    if plot is not None:
        result.plot(plot)
    if json:
        echo(to_json_line(result.to_dict()))
    return not json


def _row(name: str, errors: NormalizedErrors) -> Sequence[str]:
    return (name, f"{errors.nme:.2%}", f"{errors.failure_rate():.2%}", f"{errors.auc():.4f}")

"""``mien evaluate stress``: disturbed copies of easy faces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from mien.cli.evaluate_options import Sheet, write_sheet
from mien.cli.parameters import Json, ShowProgress, analyzer_options
from mien.cli.terminal import echo, plural, print_table, report_problems, wrap_progress
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.protocols import StressResult, evaluate_stress
from mien.imaging.io import require_image_suffix
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import to_json_line

EXAMPLE = "Example: [bold]mien evaluate stress --data WIDER_FACE --sheet stress.png[/]"

_SHEET_FACES = 16


@analyzer_options(with_landmarks=False, detector={"min_face_size": 10.0, "refine_keypoints": False})
def stress(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with WIDER_val, wider_face_split and eval_tools/ground_truth.")
    ],
    config: AnalyzerConfig,
    split: Annotated[
        Literal["val", "train"], typer.Option(help="Train has no official lists: all its valid faces take part.")
    ] = "val",
    json: Json = False,
    sheet: Sheet = None,
    progress: ShowProgress = None,
) -> int:
    """Easy faces of WIDER FACE found when they are turned, dark, covered, overfilled, shrunk or blurred."""
    if sheet is not None:
        require_image_suffix(sheet)
    detect = FaceAnalyzer(replace(config, heads=())).detect
    shown = _SHEET_FACES if sheet is not None else 0
    bar = wrap_progress("images", progress)
    result = evaluate_stress(data, detect, split=split, sheet_faces=shown, progress=bar)
    write_sheet(sheet, result.sheet)
    if json:
        echo(to_json_line(result.to_dict()))
    else:
        _print(result)
    return report_problems(result.skipped, result.problems)


def _print(result: StressResult) -> None:
    rows = [
        (name, *_rate_and_interval(score.found), str(score.found.found), str(score.false_alarms))
        for name, score in result.scores.items()
    ]
    faces = next(iter(result.scores.values())).found.count
    title = f"stress test, {plural(faces, 'face')} of {plural(result.images, 'image')}, {result.name}"
    print_table(("disturbance", "found", "95 % interval", "faces", "false alarms"), rows, title)


def _rate_and_interval(found: Proportion) -> tuple[str, str]:
    low, high = found.interval
    return f"{found.rate:.3f}", f"{low:.3f} to {high:.3f}"

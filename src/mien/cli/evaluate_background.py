"""``mien evaluate background``: false alarms in images without faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.evaluate_options import LOW_SCORE, Sheet, with_score_threshold, write_sheet
from mien.cli.parameters import Json, ShowProgress, analyzer_options
from mien.cli.terminal import echo, plural, print_table, report_problems, wrap_progress
from mien.evaluation.protocols import BackgroundResult, evaluate_background
from mien.imaging.io import require_image_suffix
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import to_json_line

EXAMPLE = "Example: [bold]mien evaluate background landscapes --sheet alarms.png[/]"

_SHEET_ALARMS = 64
_SHOWN = tuple(step / 10 for step in range(1, 10))
"""Score thresholds of the table."""


@analyzer_options(with_landmarks=False, detector={"refine_keypoints": False})
def background(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Images without faces; searched recursively.")],
    config: AnalyzerConfig,
    json: Json = False,
    sheet: Sheet = None,
    progress: ShowProgress = None,
) -> int:
    """False alarms in images without faces: at the score threshold, and for others."""
    if sheet is not None:
        require_image_suffix(sheet)
    threshold = config.detector.threshold
    detect = FaceAnalyzer(with_score_threshold(config, min(LOW_SCORE, threshold))).detect
    bar = wrap_progress("images", progress)
    result = evaluate_background(folder, detect, threshold=threshold, progress=bar)
    write_sheet(sheet, None if sheet is None else result.sheet(_SHEET_ALARMS))
    if json:
        echo(to_json_line(result.to_dict()))
    else:
        _print(result)
    return report_problems(result.skipped, result.problems)


def _print(result: BackgroundResult) -> None:
    at = result.threshold
    images = result.images(at)
    low, high = images.interval
    alarms = plural(result.alarms(at), "false alarm")
    echo(f"{plural(images.count, 'image')} without faces, {result.name}: {alarms} at threshold {at:g}")
    echo(f"images with any: {images.rate:.1%} (95 % interval {low:.1%} to {high:.1%})")
    echo("")
    rows = [
        (f"{threshold:g}", f"{result.per_hundred(threshold):.1f}", f"{result.images(threshold).rate:.1%}")
        for threshold in sorted({*_SHOWN, at})
    ]
    print_table(("threshold", "false alarms per 100 images", "images with any"), rows)

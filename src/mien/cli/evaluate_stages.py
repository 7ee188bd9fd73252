"""``mien evaluate wider --stages``: recall after each stage of the detector."""

from __future__ import annotations

import math
from pathlib import Path

from mien.cli.terminal import echo, plural, print_table, report_problems, wrap_progress
from mien.evaluation.plots import require_matplotlib
from mien.evaluation.protocols import StagesResult, evaluate_stages
from mien.evaluation.protocols.stages import ATTRIBUTE_SIZE, IOUS
from mien.pipeline.analyzer import FaceAnalyzer
from mien.pipeline.config import AnalyzerConfig
from mien.schema import to_json_line

_LEVEL = "level"


def stages(
    config: AnalyzerConfig, data: Path, split: str, *, json: bool, plot: Path | None, progress: bool | None
) -> int:
    """Run the detector, write the plot, print JSON or tables; return the exit status."""
    if plot is not None:
        require_matplotlib()
    detector = FaceAnalyzer(config).face_detector
    result = evaluate_stages(data, detector.stages, split=split, progress=wrap_progress("images", progress))
    if plot is not None:
        result.plot(plot)
    if json:
        echo(to_json_line(result.to_dict()))
    else:
        _print_levels(result)
        for division in result.groups:
            if division != _LEVEL:
                _print_division(result, division)
    return report_problems(result.skipped, result.problems)


def _print_levels(result: StagesResult) -> None:
    columns = [f"{stage}, IoU {iou:g}" for iou in IOUS for stage in result.candidates]
    rows = [
        (name, str(group.faces), *(_rate(group.recall[stage][iou].rate) for iou in IOUS for stage in result.candidates))
        for name, group in result.groups[_LEVEL].items()
    ]
    title = f"WIDER FACE {result.split}, {plural(result.images, 'image')}, {result.name}: recall after each stage"
    print_table((_LEVEL, "faces", *columns), rows, title)
    echo("")
    boxes = [(stage, f"{mean:.1f}") for stage, mean in result.candidates.items()]
    print_table(("stage", "boxes an image"), boxes)


def _print_division(result: StagesResult, division: str) -> None:
    """Print recall at the first IoU, its interval after the last stage, and how the boxes of that stage fit."""
    last = list(result.candidates)[-1]
    rows = []
    for name, group in result.groups[division].items():
        low, high = group.recall[last][IOUS[0]].interval
        rates = [_rate(by_iou[IOUS[0]].rate) for by_iou in group.recall.values()]
        fit = group.fit
        sides = [_rate(fit.height), _rate(fit.width)]
        rows.append((name, str(group.faces), *rates, f"{_rate(low)} to {_rate(high)}", *sides))
    echo("")
    faces = f"{list(result.groups[_LEVEL])[-1]} faces"
    which = faces if division == "size" else f"{faces} of {ATTRIBUTE_SIZE} px and more"
    columns = ("faces", *result.candidates, "95 % interval", "height ratio", "width ratio")
    print_table((division, *columns), rows, f"{which} by {division}: recall at IoU {IOUS[0]:g}")


def _rate(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"

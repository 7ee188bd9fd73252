"""Curves as PNG files. Needs matplotlib, which ``mien[train]`` installs.

Each function takes results by the name to show in the legend, so that detectors can be drawn together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mien.errors import BadOption
from mien.evaluation.metrics.fddb import FddbResult
from mien.evaluation.metrics.keypoints import LIMIT, PointErrors, PointsResult
from mien.evaluation.metrics.landmarks import LandmarkResult
from mien.evaluation.metrics.wider import WiderResult
from mien.io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL_INCHES = (4.6, 4.2)
_GREY = "#d8d8d8"
_Corner = Literal["lower left", "lower right", "upper left"]


def plot_precision_recall(results: Mapping[str, WiderResult], path: Path | str) -> None:
    """Precision against recall on WIDER FACE, a panel a level, the average precision in the legend."""
    levels = list(dict.fromkeys(level for result in results.values() for level in result.levels))

    def draw(axes: Axes, level: str) -> None:
        for name, result in results.items():
            if level in result.levels:
                curve = result.levels[level]
                shown = curve.recall > 0
                axes.plot(curve.recall[shown], curve.precision[shown], label=f"{name}  AP {curve.ap:.3f}")
        _frame(axes, f"WIDER FACE, {level}", "recall", "precision", (0, 1), "lower left")

    _save(path, levels, draw)


def plot_roc(results: Mapping[str, FddbResult], path: Path | str, max_false_positives: int = 2000) -> None:
    """True positive rate against the number of false positives on FDDB: discrete and continuous panel."""

    def draw(axes: Axes, kind: str) -> None:
        for name, result in results.items():
            curve = result.curve
            rates = curve.discrete if kind == "discrete" else curve.continuous
            reached = (curve.discrete_at if kind == "discrete" else curve.continuous_at)(max_false_positives)
            label = f"{name}  {reached:.3f} at {max_false_positives}"
            axes.plot(curve.false_positives, rates, label=label, drawstyle="steps-post")
        _frame(
            axes,
            f"FDDB, {kind} score",
            "false positives",
            "true positive rate",
            (0, max_false_positives),
            "lower right",
        )

    _save(path, ["discrete", "continuous"], draw)


def plot_ced(results: Mapping[str, PointsResult], path: Path | str, limit: float = LIMIT) -> None:
    """Cumulative error distribution of facial points, a panel for each length that errors are divided by."""

    def draw(axes: Axes, length: str) -> None:
        for name, result in results.items():
            _cumulative(axes, name, result.inter_ocular if length == "inter-ocular distance" else result.box, limit)
        _frame_cumulative(axes, f"Points, error by {length}", limit)

    _save(path, ["inter-ocular distance", "box size"], draw)


def plot_landmark_ced(results: Mapping[str, LandmarkResult], path: Path | str, limit: float = LIMIT) -> None:
    """Cumulative error distribution of 68 points: a panel a result, in it a curve a subset and one for all."""

    def draw(axes: Axes, name: str) -> None:
        result = results[name]
        for subset, score in result.subsets.items():
            _cumulative(axes, subset, score.errors, limit)
        if len(result.subsets) > 1:
            _cumulative(axes, "all", result.all.errors, limit, colour="black")
        _frame_cumulative(axes, f"{name}, error by {result.norm}", limit)

    _save(path, list(results), draw)


def _cumulative(axes: Axes, name: str, errors: PointErrors, limit: float, colour: str | None = None) -> None:
    values, parts = errors.cumulative()
    label = f"{name}  NME {100 * errors.nme:.2f} %, AUC {errors.auc(limit):.3f}"
    shown = np.concatenate([[0.0], parts[values <= limit]])
    ends = np.concatenate([[0.0], values[values <= limit], [limit]])
    curve = axes.stairs(shown, ends, baseline=None, label=label)
    if colour is not None:
        curve.set_edgecolor(colour)


def _frame_cumulative(axes: Axes, title: str, limit: float) -> None:
    _frame(axes, title, "mean error of a face", "part of the faces", (0, limit), "lower right")


def _frame(axes: Axes, title: str, x: str, y: str, x_range: tuple[float, float], legend: _Corner) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=x_range, ylim=(0, 1.005))
    axes.grid(color=_GREY, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc=legend, frameon=False, fontsize=8)


def _save(path: Path | str, panels: list[str], draw: Callable[[Axes, str], None]) -> None:
    """Draw each panel and write the figure whole, without matplotlib's global state."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BadOption("plots need matplotlib; install it: pip install 'mien[train]'") from error
    if not panels:
        raise BadOption("there is nothing to draw; give at least one result with a curve")
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, panel)
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=150)

"""Curves as PNG files; needs matplotlib (the extra ``train``).

Each function takes metrics by the name to show in the legend, so that several models share a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mien.errors import BadOption, needs_extra
from mien.evaluation.metrics.average_precision import PrecisionRecall
from mien.evaluation.metrics.landmarks import LandmarkScores
from mien.evaluation.metrics.nme import THRESHOLD, KeypointErrors, NormalizedErrors
from mien.evaluation.metrics.roc import RocCurve
from mien.io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL_INCHES = (4.6, 4.2)
_GREY = "#d8d8d8"
_Corner = Literal["lower left", "lower right", "upper left"]


def require_matplotlib() -> None:
    """Raise MissingExtra if matplotlib is not installed: check before a long evaluation that is to be drawn."""
    with needs_extra("drawing curves", "train"):
        import matplotlib.figure  # noqa: F401


def plot_precision_recall(models: Mapping[str, Mapping[str, PrecisionRecall]], path: Path | str) -> None:
    """Plot precision against recall on WIDER FACE, one panel per level, with the AP in the legend."""
    levels = list(dict.fromkeys(level for curves in models.values() for level in curves))

    def draw(axes: Axes, level: str) -> None:
        for name, curves in models.items():
            if level in curves:
                curve = curves[level]
                shown = curve.recall > 0
                axes.plot(curve.recall[shown], curve.precision[shown], label=f"{name}  AP {curve.ap:.3f}")
        _frame(axes, f"WIDER FACE, {level}", "recall", "precision", (0, 1), "lower left")

    _save(path, levels, draw)


def plot_roc(models: Mapping[str, RocCurve], path: Path | str, max_false_positives: int = 2000) -> None:
    """Plot true positive rate against false positives on FDDB: a discrete and a continuous panel."""

    def draw(axes: Axes, kind: str) -> None:
        for name, curve in models.items():
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


def plot_keypoint_ced(models: Mapping[str, KeypointErrors], path: Path | str, limit: float = THRESHOLD) -> None:
    """Plot the cumulative error distribution of keypoints, one panel per normalizing length."""

    def draw(axes: Axes, length: str) -> None:
        for name, errors in models.items():
            _plot_ced(axes, name, errors.inter_ocular if length == "inter-ocular distance" else errors.box, limit)
        _frame_ced(axes, f"Keypoints, error over {length}", limit)

    _save(path, ["inter-ocular distance", "box size"], draw)


def plot_landmark_ced(models: Mapping[str, LandmarkScores], path: Path | str, limit: float = THRESHOLD) -> None:
    """Plot the cumulative error distribution of 68 landmarks: one panel per model, one curve per subset and for all."""

    def draw(axes: Axes, name: str) -> None:
        scores = models[name]
        for subset, score in scores.subsets.items():
            _plot_ced(axes, subset, score.errors, limit)
        if len(scores.subsets) > 1:
            _plot_ced(axes, "all", scores.all.errors, limit, colour="black")
        _frame_ced(axes, f"{name}, error over {scores.norm}", limit)

    _save(path, list(models), draw)


def _plot_ced(axes: Axes, name: str, errors: NormalizedErrors, limit: float, colour: str | None = None) -> None:
    values, parts = errors.ced()
    label = f"{name}  NME {100 * errors.nme:.2f} %, AUC {errors.auc(limit):.3f}"
    shown = np.concatenate([[0.0], parts[values <= limit]])
    ends = np.concatenate([[0.0], values[values <= limit], [limit]])
    curve = axes.stairs(shown, ends, baseline=None, label=label)
    if colour is not None:
        curve.set_edgecolor(colour)


def _frame_ced(axes: Axes, title: str, limit: float) -> None:
    _frame(axes, title, "normalized error of a face", "fraction of faces", (0, limit), "lower right")


def _frame(axes: Axes, title: str, x: str, y: str, x_range: tuple[float, float], legend: _Corner) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=x_range, ylim=(0, 1.005))
    axes.grid(color=_GREY, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc=legend, frameon=False, fontsize=8)


def _save(path: Path | str, panels: list[str], draw: Callable[[Axes, str], None]) -> None:
    """Draw each panel and write the figure atomically, without matplotlib's global state."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not panels:
        raise BadOption("there is nothing to draw; give at least one model with a curve")
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * len(panels), height), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw(axes, panel)
    with atomic_write(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=150)

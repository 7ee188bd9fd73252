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
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.metrics.roc import RocCurve
from mien.io import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL_INCHES = (4.6, 4.2)
_FALSE_POSITIVES = 2000
_STAGE_SHIFT = 0.15
"""Distance between the stages of one group, in groups."""


def require_matplotlib() -> None:
    """Raise MissingExtra if matplotlib is not installed: check before a long evaluation that is to be drawn."""
    with needs_extra("drawing curves", "train"):
        import matplotlib.figure  # noqa: F401


def plot_precision_recall(models: Mapping[str, Mapping[str, PrecisionRecall]], path: Path | str) -> None:
    """Plot precision against recall on WIDER FACE, one panel per level, with the AP in the legend."""

    def draw(axes: Axes, level: str) -> None:
        for name, curves in models.items():
            if level in curves:
                curve = curves[level]
                shown = curve.recall > 0
                axes.plot(curve.recall[shown], curve.precision[shown], label=f"{name}  AP {curve.ap:.3f}")
        _label(axes, f"WIDER FACE, {level}", "recall", "precision", 1, "lower left")

    _save(path, list(dict.fromkeys(level for curves in models.values() for level in curves)), draw)


def plot_roc(models: Mapping[str, RocCurve], path: Path | str) -> None:
    """Plot true positive rate against false positives on FDDB: a discrete and a continuous panel."""

    def draw(axes: Axes, kind: str) -> None:
        for name, curve in models.items():
            rates = curve.discrete if kind == "discrete" else curve.continuous
            reached = curve.discrete_at if kind == "discrete" else curve.continuous_at
            label = f"{name}  {reached(_FALSE_POSITIVES):.3f} at {_FALSE_POSITIVES}"
            axes.plot(curve.false_positives, rates, label=label, drawstyle="steps-post")
        _label(axes, f"FDDB, {kind} score", "false positives", "true positive rate", _FALSE_POSITIVES)

    _save(path, ["discrete", "continuous"], draw)


def plot_keypoint_ced(models: Mapping[str, KeypointErrors], path: Path | str) -> None:
    """Plot the cumulative error distribution of keypoints, one panel per normalizing length."""

    def draw(axes: Axes, length: str) -> None:
        _draw_ced(axes, {name: e.box if length == "box size" else e.inter_ocular for name, e in models.items()})
        _label(axes, f"Keypoints, error over {length}", "normalized error of a face", "fraction of faces", THRESHOLD)

    _save(path, ["inter-ocular distance", "box size"], draw)


def plot_landmark_ced(models: Mapping[str, LandmarkScores], path: Path | str) -> None:
    """Plot the cumulative error distribution of 68 landmarks: one panel per model, one curve per subset and for all."""

    def draw(axes: Axes, name: str) -> None:
        scores = models[name]
        _draw_ced(axes, {subset: score.errors for subset, score in scores.subsets.items()})
        if len(scores.subsets) > 1:
            _draw_ced(axes, {"all": scores.all.errors}, color="black")
        title = f"{name}, error over {scores.norm}"
        _label(axes, title, "normalized error of a face", "fraction of faces", THRESHOLD)

    _save(path, list(models), draw)


def plot_recall(panels: Mapping[str, Mapping[str, Mapping[str, Proportion]]], path: Path | str) -> None:
    """Plot recall with its 95 % intervals: one panel per division of the faces, one color per stage of the detector.

    ``panels`` holds the recall by division, group of faces and stage; groups without a face are left out.
    """

    def draw(axes: Axes, division: str) -> None:
        groups = {name: stages for name, stages in panels[division].items() if all(s.count for s in stages.values())}
        every = list(dict.fromkeys(stage for stages in groups.values() for stage in stages))
        for place, stage in enumerate(every):
            rates = np.array([stages[stage].rate for stages in groups.values()])
            bounds = np.array([stages[stage].interval for stages in groups.values()]).T
            spread = np.maximum([rates - bounds[0], bounds[1] - rates], 0)
            shift = _STAGE_SHIFT * (place - (len(every) - 1) / 2)
            axes.errorbar(np.arange(len(rates)) + shift, rates, spread, fmt="o", markersize=4, capsize=2, label=stage)
        axes.set_xticks(range(len(groups)), list(groups), rotation=45, ha="right", fontsize=8)
        _label(axes, f"Recall by {division}", "", "recall", max(len(groups) - 0.5, 0.5), "lower left")
        axes.set_xlim(left=-0.5)

    _save(path, list(panels), draw)


def _draw_ced(axes: Axes, curves: Mapping[str, NormalizedErrors], color: str | None = None) -> None:
    for name, errors in curves.items():
        values, fractions = errors.ced()
        shown = values <= THRESHOLD
        label = f"{name}  NME {100 * errors.nme:.2f} %, AUC {errors.auc():.3f}"
        x = np.concatenate([[0.0], values[shown], [THRESHOLD]])
        y = np.concatenate([[0.0], fractions[shown], fractions[shown][-1:] if shown.any() else [0.0]])
        axes.plot(x, y, label=label, color=color, drawstyle="steps-post")


def _label(
    axes: Axes, title: str, x: str, y: str, right: float, legend: Literal["lower left", "lower right"] = "lower right"
) -> None:
    axes.set(title=title, xlabel=x, ylabel=y, xlim=(0, right), ylim=(0, 1.005))
    axes.grid(color="#d8d8d8", linewidth=0.6)
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

import sys

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadOption
from mien.evaluation.detections import faces_without_points
from mien.evaluation.metrics.fddb import Ellipses, evaluate_fddb
from mien.evaluation.metrics.keypoints import evaluate_points
from mien.evaluation.metrics.landmarks import LandmarkTruth, evaluate_landmarks
from mien.evaluation.metrics.wider import WiderTruth, evaluate_wider
from mien.evaluation.plots import plot_ced, plot_landmark_ced, plot_precision_recall, plot_roc

BOX = np.array([[0, 0, 10, 10]], float)
FOUND = {"a/1.jpg": faces_without_points(BOX, np.array([0.5]))}
NOTHING = {"a/1.jpg": faces_without_points(np.empty((0, 4)), np.empty(0))}


def wider(found, levels=("easy", "medium", "hard")):
    return evaluate_wider({"a/1.jpg": WiderTruth(BOX, {level: [0] for level in levels})}, found)


def fddb(found):
    return evaluate_fddb([{"a/1": Ellipses([[5, 5]], [[5, 5]], [0])}], found)


def points(shift):
    truth = np.arange(10.0).reshape(1, 5, 2)
    return evaluate_points(truth, truth + shift, BOX)


def check(path, panels):
    """A PNG of so many panels, with curves in colour on it."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(panels * 4.6 / 4.2, rel=0.01)
    assert (np.ptp(pixels, axis=2) > 60).sum() > 100
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_precision_recall(tmp_path):
    plot_precision_recall({"one": wider(FOUND), "none": wider(NOTHING)}, tmp_path / "pr.png")
    check(tmp_path / "pr.png", panels=3)


def test_a_panel_for_each_level_there_is(tmp_path):
    plot_precision_recall({"one": wider(FOUND, levels=["hard"])}, tmp_path / "pr.png")
    check(tmp_path / "pr.png", panels=1)


def test_roc(tmp_path):
    plot_roc({"one": fddb(FOUND), "none": fddb(NOTHING)}, tmp_path / "roc.png")
    check(tmp_path / "roc.png", panels=2)


def test_ced(tmp_path):
    plot_ced({"good": points(0.1), "bad": points(5), "missed": points(np.nan)}, tmp_path / "ced.png")
    check(tmp_path / "ced.png", panels=2)


def landmarks(*subsets):
    n = len(subsets)
    points = np.arange(136.0 * n).reshape(n, 68, 2)
    truth = LandmarkTruth(points, np.ones((n, 68)), np.zeros(n), subsets)
    return evaluate_landmarks(truth, points + np.arange(n)[:, None, None], np.zeros(n), "box")


def test_landmark_ced_has_a_panel_a_result(tmp_path):
    results = {"true boxes": landmarks("A", "A", "B"), "one subset": landmarks("A", "A")}
    plot_landmark_ced(results, tmp_path / "ced.png")
    check(tmp_path / "ced.png", panels=2)


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(BadOption, match="nothing to draw"):
        plot_precision_recall({}, tmp_path / "pr.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BadOption, match=r"mien\[train\]"):
        plot_roc({"one": fddb(FOUND)}, tmp_path / "roc.png")

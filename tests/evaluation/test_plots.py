import sys

import numpy as np
import pytest
from PIL import Image

from mien.errors import BadOption, MissingExtra
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.metrics.average_precision import LabeledImage, precision_recall
from mien.evaluation.metrics.landmarks import LandmarkTruth, score_landmarks
from mien.evaluation.metrics.nme import keypoint_errors
from mien.evaluation.metrics.proportion import Proportion
from mien.evaluation.metrics.roc import match_ellipses, roc_curve
from mien.evaluation.plots import (
    plot_keypoint_ced,
    plot_landmark_ced,
    plot_precision_recall,
    plot_recall,
    plot_roc,
)

BOX = np.array([[0, 0, 10, 10]], float)
FOUND = faces_without_keypoints(BOX, np.array([0.5]))
NOTHING = faces_without_keypoints(np.empty((0, 4)), np.empty(0))


def wider(found, levels=("easy", "medium", "hard")):
    return precision_recall([LabeledImage(BOX, {level: [0] for level in levels})], [found])


def fddb(found):
    return roc_curve([match_ellipses(np.array([[5, 5, 0, 5, 5]]), found)])


def keypoints(shift):
    truth = np.arange(10.0).reshape(1, 5, 2)
    return keypoint_errors(truth, truth + shift, BOX)


def check(path, panels):
    """Check for a PNG with this number of panels and colored curves."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        pixels = np.asarray(image.convert("RGB")).astype(int)
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(panels * 4.6 / 4.2, rel=0.01)
    assert (np.ptp(pixels, axis=2) > 60).sum() > 100
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_precision_recall(tmp_path):
    plot_precision_recall({"one": wider(FOUND), "none": wider(NOTHING)}, tmp_path / "pr.png")
    check(tmp_path / "pr.png", panels=3)


def test_one_panel_per_level(tmp_path):
    plot_precision_recall({"one": wider(FOUND, levels=["hard"])}, tmp_path / "pr.png")
    check(tmp_path / "pr.png", panels=1)


def test_recall(tmp_path):
    sizes = {"small": {"first": Proportion(1, 4), "last": Proportion(0, 4)}, "none": {"first": Proportion(0, 0)}}
    plot_recall({"size": sizes, "pose": {"typical": {"first": Proportion(3, 3)}}}, tmp_path / "recall.png")
    check(tmp_path / "recall.png", panels=2)


def test_roc(tmp_path):
    plot_roc({"one": fddb(FOUND), "none": fddb(NOTHING)}, tmp_path / "roc.png")
    check(tmp_path / "roc.png", panels=2)


def test_keypoint_ced(tmp_path):
    plot_keypoint_ced({"good": keypoints(0.1), "bad": keypoints(5), "missed": keypoints(np.nan)}, tmp_path / "ced.png")
    check(tmp_path / "ced.png", panels=2)


def landmarks(*subsets):
    n = len(subsets)
    points = np.arange(136.0 * n).reshape(n, 68, 2)
    truth = LandmarkTruth(points, np.ones((n, 68)), np.zeros(n), subsets)
    return score_landmarks(truth, points + np.arange(n)[:, None, None], np.zeros(n), "box")


def test_landmark_ced_has_one_panel_per_model(tmp_path):
    results = {"true boxes": landmarks("A", "A", "B"), "one subset": landmarks("A", "A")}
    plot_landmark_ced(results, tmp_path / "ced.png")
    check(tmp_path / "ced.png", panels=2)


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(BadOption, match="nothing to draw"):
        plot_precision_recall({}, tmp_path / "pr.png")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"mien\[train\]"):
        plot_roc({"one": fddb(FOUND)}, tmp_path / "roc.png")

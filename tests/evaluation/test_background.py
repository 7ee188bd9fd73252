"""False alarms by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mien.errors import BadAnnotation, BadOption
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.protocols import evaluate_background
from mien.evaluation.protocols.background import THRESHOLDS
from mien.types import Faces

from .conftest import detect_box, never


@pytest.fixture
def folder(save, tmp_path: Path) -> Path:
    """Four images of 100 x 80, one of them in a folder."""
    for name in ("a.png", "b.png", "c.png", "more/d.png"):
        save(name)
    return tmp_path


def test_a_blind_detector_gives_no_alarm(folder: Path) -> None:
    result = evaluate_background(folder, lambda image: Faces.empty(), threshold=0.5)
    assert (result.alarms(0), result.per_hundred(0), result.images(0).rate) == (0, 0, 0)
    assert result.sheet(10) is None


def test_alarms_by_threshold(folder: Path) -> None:
    boxes = [[0, 0, 10, 10], [20, 20, 60, 60]]
    found = {
        "a.png": faces_without_keypoints(boxes, [0.9, 0.4]),
        "b.png": faces_without_keypoints(boxes[:1], [0.5]),
        "c.png": Faces.empty(),
        "more/d.png": Faces.empty(),
    }
    result = evaluate_background(folder, found, threshold=0.5, name="theirs")
    assert [result.alarms(threshold) for threshold in (0.3, 0.5, 0.6, 0.95)] == [3, 2, 1, 0]
    assert result.per_hundred(0.3) == 75
    assert (result.images(0.3).found, result.images(0.6).found, result.images(0.6).count) == (2, 1, 4)
    record = json.loads(json.dumps(result.to_dict()))
    assert (record["detector"], record["alarms"], record["alarms_per_100_images"]) == ("theirs", 2, 50)
    assert [point["threshold"] for point in record["curve"]] == list(THRESHOLDS)
    assert record["curve"][0]["alarms_per_100_images"] == 75
    assert record["curve"][-1]["alarms_per_100_images"] == 0


def test_the_sheet_shows_the_highest_scores(folder: Path) -> None:
    result = evaluate_background(folder, detect_box, threshold=0.5)
    assert result.alarms(0.9) == 4
    one, all_four = result.sheet(1), result.sheet(10)
    assert all_four.shape[0] == one.shape[0]
    assert all_four.shape[1] > 3.5 * one.shape[1]
    below = evaluate_background(folder, detect_box, threshold=0.95).sheet(1)
    assert (one[..., 0].astype(int) - one[..., 1]).max() > 100  # red
    assert abs(below[..., 0].astype(int) - below[..., 1]).max() < 20  # gray


def test_what_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    (folder / "a.png").write_bytes(b"broken")
    result = evaluate_background(folder, detect_box, threshold=0.5)
    assert len(result.problems) == 1
    assert result.images(0.5).count == 3
    with pytest.raises(BadAnnotation, match="no such folder"):
        evaluate_background(tmp_path / "nowhere", never, threshold=0.5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadOption, match="no image of the data set can be used"):
        evaluate_background(tmp_path / "empty", never, threshold=0.5)

"""Recall after each stage, on a WIDER FACE made by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mien.errors import BadImage
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.protocols import evaluate_stages
from mien.evaluation.protocols.stages import IOUS
from mien.types import Candidates, Faces

SMALL, LARGE, INVALID = [20, 10, 12, 12], [40, 10, 40, 40], [0, 60, 10, 10]
"""x, y, width, height."""


@pytest.fixture
def wider(save, tmp_path: Path) -> Path:
    """Two images with the same faces: a small blurred one, a large one with an atypical pose, one that is invalid."""
    rows = [[*SMALL, 2, 0, 0, 0, 0, 0], [*LARGE, 0, 0, 0, 0, 1, 1], [*INVALID, 0, 0, 0, 1, 0, 0]]
    lines = []
    for name in "ab":
        save(f"WIDER_train/images/0--Parade/{name}.png")
        lines += [f"0--Parade/{name}.png", str(len(rows)), *(" ".join(map(str, row)) for row in rows)]
    lists = tmp_path / "wider_face_split"
    lists.mkdir()
    (lists / "wider_face_train_bbx_gt.txt").write_text("\n".join(lines))
    return tmp_path


def corners(*boxes) -> np.ndarray:
    return np.array([[x, y, x + w, y + h] for x, y, w, h in boxes], np.float32).reshape(-1, 4)


def found(*boxes) -> Candidates:
    return Candidates(corners(*boxes), np.ones(len(boxes), np.float32))


def rates(result, division: str, iou: float = 0.5) -> dict[str, list[float]]:
    """Recall by group, one number per stage; groups without a face are left out."""
    groups = result.groups[division].items()
    return {name: [r[iou].rate for r in group.recall.values()] for name, group in groups if group.faces}


def test_a_perfect_detector_finds_everything(wider: Path) -> None:
    result = evaluate_stages(wider, lambda image: faces_without_keypoints(corners(SMALL, LARGE), [1, 1]), split="train")
    for division in result.groups:
        assert set(map(tuple, rates(result, division).values())) == {(1.0,)}
    fit = result.groups["level"]["all"].fit
    assert (fit.matched, fit.width, fit.height) == (4, 1, 1)
    assert (fit.left, fit.top, fit.right, fit.bottom) == pytest.approx((0, 0, 0, 0), abs=1e-6)


def test_a_blind_detector_finds_nothing(wider: Path) -> None:
    result = evaluate_stages(wider, lambda image: Faces.empty(), split="train")
    for division in result.groups:
        assert set(map(tuple, rates(result, division).values())) == {(0.0,)}
    assert result.candidates == {"detector": 0}
    assert math.isnan(result.groups["level"]["all"].fit.height)
    assert json.loads(json.dumps(result.to_dict()))["groups"]["level"]["all"]["fit"]["height"] is None


def test_stages_and_groups(wider: Path) -> None:
    """The first stage sees both faces, the second loses the small one and halves the large one's height."""
    half = [40, 10, 40, 20]
    answers = iter([2, 1])

    def stages(image) -> dict[str, Candidates]:
        first = found(SMALL, LARGE, *[[90, 70, 5, 5]] * next(answers))
        return {"first": first, "second": found(half)}

    result = evaluate_stages(wider, stages, split="train", name="two stages")
    assert result.candidates == {"first": 3.5, "second": 1}
    assert rates(result, "level") == {"all": [1, 0.5]}
    assert rates(result, "size") == {"below 16 px": [1, 0], "32-64 px": [1, 1]}
    # Attributes divide faces of 32 px and more: the small blurred ones do not count.
    assert rates(result, "blur") == {"clear": [1, 1]}
    assert rates(result, "occlusion") == {"partial": [1, 1]}
    assert rates(result, "pose") == {"atypical": [1, 1]}
    fit = result.groups["pose"]["atypical"].fit
    assert (fit.matched, fit.width, fit.height, fit.bottom) == (2, 1, 0.5, -0.5)
    record = json.loads(json.dumps(result.to_dict()))
    assert (record["detector"], record["images"]) == ("two stages", 2)
    assert record["groups"]["level"]["all"]["recall"]["second"]["0.5"]["found"] == 2


def test_a_face_counts_by_the_iou(wider: Path) -> None:
    box = [40, 10, 40, 18]  # IoU 0.45
    result = evaluate_stages(wider, lambda image: {"only": found(box)}, split="train")
    assert [rates(result, "pose", iou)["atypical"] for iou in IOUS] == [[0], [1]]


def test_plot(wider: Path, tmp_path: Path) -> None:
    evaluate_stages(wider, lambda image: {"only": found(LARGE)}, split="train").plot(tmp_path / "stages.png")
    assert (tmp_path / "stages.png").stat().st_size > 0


def test_an_unreadable_image_is_a_problem(wider: Path) -> None:
    (wider / "WIDER_train/images/0--Parade/a.png").write_bytes(b"broken")
    result = evaluate_stages(wider, lambda image: Faces.empty(), split="train")
    assert result.images == 1
    assert isinstance(result.problems[0], BadImage)

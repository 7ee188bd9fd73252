"""The stress test, on a WIDER FACE of bright ellipses and with detectors made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.errors import BadOption
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.disturbances import DISTURBANCES
from mien.evaluation.protocols import evaluate_stress
from mien.evaluation.protocols.stress import FACES_PER_IMAGE
from mien.imaging import write_image
from mien.types import Faces

BOX = (100, 60, 40, 60)
"""x, y, width, height."""


def write(root: Path, **images: list[tuple[int, int, int, int]]) -> Path:
    """WIDER FACE train: each box a green ellipse on black."""
    lines = []
    for name, boxes in images.items():
        image = np.zeros((200, 250, 3), np.uint8)
        rows, columns = np.mgrid[0:200, 0:250] + 0.5
        for x, y, w, h in boxes:
            image[((columns - x - w / 2) / (w / 2)) ** 2 + ((rows - y - h / 2) / (h / 2)) ** 2 <= 1, 1] = 255
        write_image(root / f"WIDER_train/images/0--Parade/{name}.png", image)
        faces = [" ".join(map(str, (*box, 0, 0, 0, 0, 0, 0))) for box in boxes]
        lines += [f"0--Parade/{name}.png", str(len(boxes)), *faces]
    (root / "wider_face_split").mkdir()
    (root / "wider_face_split/wider_face_train_bbx_gt.txt").write_text("\n".join(lines))
    return root


def find_ellipse(image) -> Faces:
    """Find one face: everything that is not black."""
    rows, columns = np.nonzero(image.max(axis=2) > 12)
    if not len(rows):
        return Faces.empty()
    return faces_without_keypoints([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], [1])


def test_a_perfect_detector_finds_everything(tmp_path: Path) -> None:
    result = evaluate_stress(write(tmp_path, a=[BOX], b=[BOX]), find_ellipse, split="train", name="ellipses")
    assert list(result.scores) == list(DISTURBANCES)
    assert {name: score.found.rate for name, score in result.scores.items()} == dict.fromkeys(DISTURBANCES, 1.0)
    assert {score.found.count for score in result.scores.values()} == {2}
    assert {score.false_alarms for score in result.scores.values()} == {0}
    record = json.loads(json.dumps(result.to_dict()))
    assert (record["detector"], record["images"]) == ("ellipses", 2)
    assert record["disturbances"]["turned 45"]["found"] == 2
    assert result.sheet is None


def test_a_blind_detector_finds_nothing(tmp_path: Path) -> None:
    result = evaluate_stress(write(tmp_path, a=[BOX]), lambda image: Faces.empty(), split="train")
    assert {score.found.rate for score in result.scores.values()} == {0.0}


def test_false_alarms_lie_in_no_label(tmp_path: Path) -> None:
    def corners(image) -> Faces:
        """One detection in the middle, two in corners."""
        height, width = image.shape[:2]
        middle = [width / 2 - 2, height / 2 - 2, width / 2 + 2, height / 2 + 2]
        return faces_without_keypoints([middle, [0, 0, 4, 4], [width - 4, 0, width, 4]], [1, 1, 1])

    result = evaluate_stress(write(tmp_path, a=[BOX]), corners, split="train")
    alarms = {name: score.false_alarms for name, score in result.scores.items()}
    assert alarms.pop("overfilled 0.7") == 0  # the face is everywhere
    assert set(alarms.values()) == {2}


def test_small_faces_and_those_beyond_the_first_do_not_take_part(tmp_path: Path) -> None:
    crowd = [(10 + 45 * i, 20, 40, 40) for i in range(FACES_PER_IMAGE + 1)]
    root = write(tmp_path, a=[(5, 150, 20, 20), *crowd], b=[(50, 50, 30, 30)])
    result = evaluate_stress(root, lambda image: Faces.empty(), split="train")
    assert result.images == 1
    assert result.scores["as it is"].found.count == FACES_PER_IMAGE


def test_no_face_can_take_part(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="no easy face of 32 px and more"):
        evaluate_stress(write(tmp_path, a=[(50, 50, 30, 30)]), find_ellipse, split="train")


def test_the_sheet_has_a_row_per_face(tmp_path: Path) -> None:
    root = write(tmp_path, a=[BOX], b=[BOX], c=[BOX])
    found = evaluate_stress(root, find_ellipse, split="train", sheet_faces=2).sheet
    missed = evaluate_stress(root, lambda image: Faces.empty(), split="train", sheet_faces=9).sheet
    assert found.shape[1] == missed.shape[1]
    assert missed.shape[0] / found.shape[0] == pytest.approx(3 / 2, rel=0.02)
    red = [(sheet[..., 0].astype(int) - sheet[..., 1] > 100).sum() for sheet in (found, missed)]
    assert red[0] == 0
    assert red[1] > 1000

"""The protocols as a Python API: data set and model in, result out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.samples import Dataset, DetectionSample, LandmarkSample
from mien.errors import BadAnnotation, BadImage, BadOption, MissingExtra
from mien.evaluation.detections import faces_without_keypoints
from mien.evaluation.protocols import evaluate_fddb, evaluate_keypoints, evaluate_landmarks, evaluate_wider
from mien.geometry.boxes import face_box
from mien.types import Faces, Landmarks, Pose

from .conftest import BOX, detect_box, never

WIDER_ROW = "20 10 40 60 0 0 0 0 0 0"


@pytest.fixture
def wider(save, tmp_path: Path) -> Path:
    """WIDER FACE train with one face in each of two images."""
    for name in "ab":
        save(f"WIDER_train/images/0--Parade/{name}.png")
    lists = tmp_path / "wider_face_split"
    lists.mkdir()
    text = "".join(f"0--Parade/{name}.png\n1\n{WIDER_ROW}\n" for name in "ab")
    (lists / "wider_face_train_bbx_gt.txt").write_text(text)
    return tmp_path


def counted(seen: list[int]):
    def progress(items, total):
        seen.append(total)
        return items

    return progress


def test_wider(wider: Path, tmp_path: Path) -> None:
    totals: list[int] = []
    result = evaluate_wider(wider, detect_box, split="train", name="boxes", progress=counted(totals))
    assert result.levels["all"].ap == 1
    assert totals == [2]
    assert json.loads(json.dumps(result.to_dict())) == {
        "dataset": "wider",
        "split": "train",
        "detector": "boxes",
        "images": 2,
        "levels": {"all": {"ap": 1.0, "faces": 2}},
    }
    result.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_an_unreadable_image_is_a_problem_and_the_rest_is_scored(wider: Path) -> None:
    (wider / "WIDER_train/images/0--Parade/a.png").write_bytes(b"broken")
    result = evaluate_wider(wider, detect_box, split="train")
    assert list(result.detections) == ["0--Parade/b.png"]
    assert result.levels["all"].faces == 1
    (problem,) = result.problems
    assert isinstance(problem, BadImage)
    assert "a.png" in str(problem)


def test_a_missing_image_is_skipped(wider: Path) -> None:
    (wider / "WIDER_train/images/0--Parade/a.png").unlink()
    result = evaluate_wider(wider, detect_box, split="train")
    assert result.problems == ()
    assert "a.png is missing" in str(result.skipped[0])


def test_no_image_can_be_read(wider: Path) -> None:
    for file in (wider / "WIDER_train/images/0--Parade").iterdir():
        file.write_bytes(b"broken")
    with pytest.raises(BadImage, match=r"none of 2 images can be read; the first problem: .*a\.png"):
        evaluate_wider(wider, detect_box, split="train")
    for file in (wider / "WIDER_train/images/0--Parade").iterdir():
        file.unlink()
    with pytest.raises(BadOption, match=r"no image .* can be used; the first problem: .*a\.png is missing"):
        evaluate_wider(wider, never, split="train")


def test_given_detections_are_not_recomputed(wider: Path) -> None:
    nothing = Faces.empty()
    given = {"/x/0--Parade/a.png": detect_box(np.zeros((1, 1, 3), np.uint8)), "0--Parade/b.png": nothing, "c": nothing}
    result = evaluate_wider(wider, given, split="train")
    assert list(result.detections) == ["0--Parade/a.png", "0--Parade/b.png"]
    assert result.levels["all"].ap == 0.5
    with pytest.raises(BadAnnotation, match="lack 1 of 2 images"):
        evaluate_wider(wider, {"0--Parade/a.png": nothing}, split="train")


def test_missing_scipy_is_found_before_the_detector_runs(wider: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("images", "list"):
        source = {"images": "WIDER_train", "list": "wider_face_split/wider_face_train_bbx_gt.txt"}[kind]
        (wider / source).rename(wider / source.replace("train", "val"))
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingExtra, match=r"needs scipy.*pip install 'mien\[data\]'"):
        evaluate_wider(wider, never)


def test_missing_lists_are_found_before_the_detector_runs(wider: Path) -> None:
    pytest.importorskip("scipy")
    (wider / "WIDER_train").rename(wider / "WIDER_val")
    (wider / "wider_face_split/wider_face_train_bbx_gt.txt").rename(
        wider / "wider_face_split/wider_face_val_bbx_gt.txt"
    )
    with pytest.raises(BadAnnotation, match=r"wider_face_val\.mat"):
        evaluate_wider(wider, never)


@pytest.fixture
def fddb(save, tmp_path: Path) -> Path:
    """FDDB with a circle of radius 20 around (40, 40) in each of two folds."""
    (tmp_path / "FDDB-folds").mkdir()
    for fold in (1, 2):
        save(f"2002/img_{fold}.jpg")
        text = f"2002/img_{fold}\n1\n20 20 0 40 40 1\n"
        (tmp_path / f"FDDB-folds/FDDB-fold-{fold:02}-ellipseList.txt").write_text(text)
    return tmp_path


def test_fddb(fddb: Path, tmp_path: Path) -> None:
    found = {"2002/img_1": faces_without_keypoints([[20, 20, 60, 60]], [0.9]), "2002/img_2": Faces.empty()}
    result = evaluate_fddb(fddb, found)
    assert result.curve.discrete_at(100) == 0.5
    assert [fold.faces for fold in result.folds] == [1, 1, *[0] * 8]
    assert [fold.discrete_at(0) for fold in result.folds[:2]] == [1, 0]
    assert len(result.skipped) == 8  # folds that are not there
    record = result.to_dict()
    assert (record["images"], record["faces"]) == (2, 2)
    result.plot(tmp_path / "roc.png")
    assert (tmp_path / "roc.png").stat().st_size > 0


def test_fddb_lists_unreadable_images_once(fddb: Path) -> None:
    (fddb / "2002/img_1.jpg").write_bytes(b"broken")
    result = evaluate_fddb(fddb, detect_box)
    assert len(result.problems) == 1
    assert result.curve.faces == 1


def test_fddb_without_scipy(fddb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingExtra, match=r"scoring FDDB needs scipy"):
        evaluate_fddb(fddb, never)


FIVE = np.array([[30, 30], [50, 30], [40, 40], [32, 55], [48, 55]], dtype=np.float32)


def test_keypoints_of_records(save, tmp_path: Path) -> None:
    samples = tuple(
        DetectionSample(save(f"{name}.png"), np.array([BOX]), np.array([False]), FIVE[None]) for name in "ab"
    )
    found = {
        "a.png": Faces(np.array([BOX]), np.ones(1), FIVE[None] + [2, 0]),
        "b.png": faces_without_keypoints([[70, 0, 90, 20]], [1]),
    }
    result = evaluate_keypoints(Dataset(samples, root=tmp_path), found)
    assert (result.errors.faces, result.errors.missed) == (2, 1)
    assert result.errors.inter_ocular.nme == pytest.approx(0.1)  # 2 of 20 px
    assert result.to_dict()["nme_inter_ocular"] == pytest.approx(0.1)
    result.plot(tmp_path / "ced.png")
    assert (tmp_path / "ced.png").stat().st_size > 0


def test_a_mean_over_no_face_is_null(save, tmp_path: Path) -> None:
    sample = DetectionSample(save("a.png"), np.array([BOX]), np.array([False]), FIVE[None])
    result = evaluate_keypoints(Dataset((sample,), root=tmp_path), {"a.png": Faces.empty()})
    assert result.to_dict()["nme_box"] is None


@pytest.fixture
def labeled(save, tmp_path: Path, face68) -> Dataset[LandmarkSample]:
    """One face with 68 points in each of two images, the second with the 3D contour."""
    schemes = {"a": "68", "b": "68-3d"}
    samples = tuple(
        LandmarkSample(save(f"{name}.png"), face68, scheme, "S", name, pose=Pose(10, 0, 0))
        for name, scheme in schemes.items()
    )
    return Dataset(samples, root=tmp_path)


class Shifted:
    """Predicts the true landmarks moved by ``shift`` pixels; remembers what it was asked."""

    def __init__(self, points: np.ndarray, shift: float = 0) -> None:
        self.points, self.calls = points + np.array([shift, 0]), []

    def __call__(self, image, faces: Faces, *, contour: str) -> list[Landmarks]:
        self.calls.append((contour, faces.boxes.tolist()))
        return [Landmarks(self.points, "68", np.ones(68), Pose(12, 0, 0)) for _ in faces]


def test_landmarks_from_true_boxes(labeled, face68, tmp_path: Path) -> None:
    model = Shifted(face68)
    result = evaluate_landmarks(labeled, model)
    boxes = face_box(face68[None]).tolist()
    assert model.calls == [("visible", boxes), ("3d", boxes)]
    assert result.scores.all.errors.nme == 0
    assert result.scores.all.yaw_error == pytest.approx(2)
    assert (result.boxes, result.to_dict()["all"]["faces"]) == ("truth", 2)
    result.plot(tmp_path / "ced.png")
    assert (tmp_path / "ced.png").stat().st_size > 0


def test_landmarks_from_detected_boxes(labeled, face68) -> None:
    model = Shifted(face68)
    box = face_box(face68[None])
    empty, full = Faces.empty(), faces_without_keypoints(box, [1])
    answers = iter([empty, full])
    result = evaluate_landmarks(labeled, model, detector=lambda image: next(answers), contour="visible")
    assert (result.scores.all.faces, result.scores.all.missed) == (2, 1)
    assert model.calls == [("visible", []), ("visible", box.tolist())]


def test_landmarks_from_given_predictions(labeled, face68) -> None:
    given = {"x/a.png": [Landmarks(face68, "68", np.ones(68))]}
    result = evaluate_landmarks(labeled, given)
    assert (result.boxes, result.scores.all.missed) == ("predictions", 1)
    with pytest.raises(BadOption, match="do not apply"):
        evaluate_landmarks(labeled, given, contour="3d")
    with pytest.raises(BadAnnotation, match=r"none of the 2 images, such as 'a\.png'"):
        evaluate_landmarks(labeled, {"c.png": []})


def test_landmarks_that_span_no_box_are_skipped(labeled, face68) -> None:
    flat = LandmarkSample(labeled.samples[0].path, np.ones((68, 2)), "68", "S", "flat")
    result = evaluate_landmarks(Dataset((*labeled.samples, flat), root=labeled.root), Shifted(face68))
    assert result.scores.all.faces == 2
    assert "span no box" in str(result.skipped[0])

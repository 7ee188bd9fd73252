"""``mien evaluate landmarks`` with the detector of white squares, and a landmark_detector that trusts its boxes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.datasets.pts import write_pts
from mien.datasets.samples import Dataset, LandmarkSample
from mien.geometry.boxes import face_box
from mien.types import Faces, Landmarks, Pose

from .conftest import BOX, SQUARE

MARGIN = (BOX - SQUARE) // 2
CALL = ["evaluate", "landmarks", "--data", "D", "--format", "300w"]


@pytest.fixture
def place(face68):
    """The points whose face box is ``x0, y0, x1, y1``, a square."""
    x0, y0, x1, _ = face_box(face68[None])[0]
    unit = (face68 - [x0, y0]) / (x1 - x0)

    def points(box) -> np.ndarray:
        return (unit * (box[2] - box[0]) + box[:2]).astype(np.float32)

    return points


def box(corner: tuple[int, int]) -> tuple[int, int, int, int]:
    """The face round the square at ``corner``."""
    x, y = corner[0] - MARGIN, corner[1] - MARGIN
    return x, y, x + BOX, y + BOX


def sides(points: np.ndarray) -> np.ndarray:
    """Width and height of the box round points."""
    return points.max(axis=0) - points.min(axis=0)


def test_the_face_box_of_a_placed_face_is_its_box(place) -> None:
    np.testing.assert_allclose(face_box(place(box((80, 60)))[None]), [box((80, 60))], atol=1e-3)


@pytest.fixture
def landmark_detector(monkeypatch, place) -> list:
    """A fake landmark_detector: points by the box, 2 px lower in the 3D contour; yaw 10. Returns how it was made."""
    made = []

    class Fake:
        def __init__(self, network, *, refinement_steps, **_) -> None:
            made.append((network, refinement_steps))

        def __call__(self, image, faces: Faces, *, contour: str, **_) -> list[Landmarks]:
            shift = np.array([0, 2 if contour == "3d" else 0])
            pose = Pose(10, 0, 0)
            return [Landmarks(place(face.box) + shift, "68", np.ones(68), pose) for face in faces]

    monkeypatch.setattr("mien.pipeline.analyzer.LandmarkDetector", Fake)
    return made


@pytest.fixture
def data(save, place) -> str:
    """300W's layout: a face and one that the detector cannot see in HELEN, a face in AFW."""
    for name, corners in {"HELEN/seen": [(80, 60)], "HELEN/unseen": [], "AFW/seen": [(20, 80)]}.items():
        save(f"D/{name}.png", *corners)
        write_pts(Path("D", f"{name}.pts"), place(box(*corners or [(80, 60)])))
    return "D"


@pytest.fixture
def labelled(monkeypatch, save):
    """Other faces in the place of those of the data set; each image is there, without anything on it."""

    def give(*faces: LandmarkSample) -> None:
        monkeypatch.setattr("mien.cli.evaluate_landmarks.read_dataset", lambda *_: Dataset(faces, root=Path("D")))

    save("D/one.png")
    return give


def face(points, path="D/one.png", scheme="68", visible=np.nan, yaw=None) -> LandmarkSample:
    pose = None if yaw is None else Pose(yaw, np.nan, np.nan)
    return LandmarkSample(
        Path(path), points, scheme, "A", "somebody", np.full(len(points), visible), pose, np.full(4, np.nan)
    )


def lines(*records: dict) -> str:
    Path("theirs.jsonl").write_text("\n".join(map(json.dumps, records)))
    return "theirs.jsonl"


def result(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_from_true_and_from_detected_boxes(shipped, landmark_detector, data, capsys) -> None:
    assert main([*CALL, "--norm", "diagonal", "--json", "--plot", "ced.png"]) == 0
    out = result(capsys)
    assert out["format"] == "300w"
    true, detected = out["boxes"]["truth"], out["boxes"]["detector"]
    assert (true["model"], true["norm"], true["points"]) == ("mien, true boxes", "diagonal", "visible")
    assert (true["all"]["faces"], true["all"]["missed"]) == (3, 0)
    assert true["all"]["nme_diagonal"] == pytest.approx(0, abs=1e-4)
    assert true["all"]["auc_8_diagonal"] == pytest.approx(1, abs=1e-2)
    assert (detected["all"]["faces"], detected["all"]["missed"]) == (3, 1)
    assert {name: part["missed"] for name, part in detected["subsets"].items()} == {"AFW": 0, "HELEN": 1}
    assert detected["subsets"]["HELEN"]["failure_rate_10_diagonal"] >= 0.5
    assert detected["all"]["nme_diagonal"] == pytest.approx(0, abs=1e-3)  # the fake detector is exact
    assert Path("ced.png").stat().st_size > 0
    assert landmark_detector == [("senet68", 2)]


def test_one_kind_of_boxes_and_another_network(shipped, landmark_detector, data, capsys) -> None:
    options = ["--boxes", "truth", "--landmarks-model", "x.onnx", "--refinement-steps", "1", "--norm", "box"]
    assert main([*CALL, "--json", *options]) == 0
    out = result(capsys)
    assert list(out["boxes"]) == ["truth"]
    assert "nme_jaw_box" in out["boxes"]["truth"]["all"]
    assert landmark_detector == [("x.onnx", 1)]


def test_the_labels_decide_which_jaw_is_asked_for(landmark_detector, labelled, place, capsys) -> None:
    points = place(box((80, 60)))
    labelled(face(points, scheme="68-3d", yaw=14.0))
    off = 2 / np.sqrt(sides(points).prod())
    for more, error in (([], off), (["--contour", "visible"], 0)):
        assert main([*CALL, "--boxes", "truth", "--norm", "box", "--json", *more]) == 0
        out = result(capsys)["boxes"]["truth"]
        assert out["all"]["nme_box"] == pytest.approx(error, abs=1e-4)
        assert out["yaw"]["0-30"]["yaw_error_degrees"] == out["all"]["yaw_error_degrees"] == pytest.approx(4)


def test_boxes_of_given_points_are_refused(data, capsys) -> None:
    assert main([*CALL, "--predictions", "D", "--boxes", "truth"]) == 2
    assert "--boxes and --contour do not apply" in capsys.readouterr().err


def test_the_tables(landmark_detector, labelled, place, capsys) -> None:
    labelled(face(place(box((80, 60))), yaw=-35.0), face(place(box((20, 20)))))
    assert main([*CALL, "--boxes", "truth"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "300w, mien, true boxes, visible points: error over inter-ocular",
        "",
        "subset  faces  missed  NME inter-ocular  > 8 %  > 10 %  AUC 8 %  AUC 10 %  yaw error",
        "A           2       0             0.00%  0.00%   0.00%   1.0000    1.0000      45.00",
        "",
        "yaw    faces  missed  NME inter-ocular  > 8 %  > 10 %  AUC 8 %  AUC 10 %  yaw error",
        "30-60      1       0             0.00%  0.00%   0.00%   1.0000    1.0000      45.00",
        "",
        "NME inter-ocular    jaw  brows   nose   eyes  mouth",
        "A                 0.00%  0.00%  0.00%  0.00%  0.00%",
    ]


def test_pts_files_of_another_tool(data, place, capsys) -> None:
    # Moved by a tenth of the box of points; one face without a file.
    points = place(box((80, 60)))
    write_pts("theirs/HELEN/seen.pts", points + np.array([0.1 * np.sqrt(sides(points).prod()), 0]))
    write_pts("theirs/AFW/seen.png.0.pts", place(box((120, 20))))
    write_pts("theirs/AFW/seen.png.1.pts", place(box((20, 80))))
    assert main([*CALL, "--predictions", "theirs", "--norm", "box", "--json"]) == 0
    record = result(capsys)
    subsets = record["boxes"]["predictions"]["subsets"]
    assert record["boxes"]["predictions"]["model"] == "theirs"
    assert subsets["HELEN"]["missed"] == 1
    assert subsets["HELEN"]["nme_box"] == pytest.approx(0.1, abs=1e-4)
    assert subsets["AFW"]["nme_box"] == pytest.approx(0, abs=1e-4)


def test_a_broken_pts_file_is_a_complaint(data, capsys) -> None:
    Path("theirs/HELEN").mkdir(parents=True)
    Path("theirs/HELEN/seen.pts").write_text("nothing")
    write_pts("theirs/AFW/seen.pts", np.zeros((5, 2)))
    Path("theirs/HELEN/unseen.pts").write_bytes(Path("D/HELEN/unseen.pts").read_bytes())
    assert main([*CALL, "--predictions", "theirs", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["boxes"]["predictions"]["all"]["missed"] == 2
    assert "left out: theirs" not in err
    assert "seen.pts: no '{'" in err
    assert "seen.pts: points of shape (5, 2)" in err


def test_json_lines_of_another_tool(labelled, place, capsys) -> None:
    # Two faces in an image, given the other way round; the first is off by 6 px.
    first, second = place(box((80, 60))), place(box((20, 20)))
    labelled(face(first, yaw=20.0), face(second, yaw=-20.0))
    records = [
        {"image": "elsewhere/one.png", "points": second.tolist(), "pose": {"yaw": -21.0}},
        {"image": "elsewhere/one.png", "points": (first + np.array([6, 0])).tolist(), "pose": None},
        {"image": "other.png", "points": None},
    ]
    assert main([*CALL, "--predictions", lines(*records), "--norm", "diagonal", "--json"]) == 0
    out = result(capsys)["boxes"]["predictions"]["all"]
    assert out["missed"] == 0
    assert out["nme_diagonal"] == pytest.approx(3 / np.hypot(*sides(first)), abs=1e-4)
    assert (out["yaw_faces"], out["yaw_error_degrees"]) == (1, pytest.approx(1))


def test_what_mien_landmarks_prints_can_be_scored(labelled, place, capsys) -> None:
    points = place(box((80, 60)))
    labelled(face(points, yaw=20.0))
    landmarks = {
        "scheme": "68",
        "points": points.tolist(),
        "scores": [1] * 68,
        "pose": {"yaw": 5, "pitch": 0, "roll": 0},
    }
    seen = {"image": "one.png", "faces": [{"box": [0, 0, 1, 1], "score": 1, "landmarks": landmarks}]}
    annotation_error = {"image": "two.png", "error": {"kind": "BadImage", "message": "two.png: empty"}}
    assert main([*CALL, "--predictions", lines(seen, annotation_error), "--json"]) == 0
    out = result(capsys)["boxes"]["predictions"]["all"]
    assert (out["nme_inter_ocular"], out["yaw_error_degrees"]) == (pytest.approx(0), pytest.approx(15))


def test_one_prediction_for_one_face_belongs_to_it(labelled, place, capsys) -> None:
    points = place(box((80, 60)))
    labelled(face(points))
    far = {"image": "one.png", "points": (points + np.array([500, 0])).tolist()}
    assert main([*CALL, "--predictions", lines(far), "--json"]) == 0
    out = result(capsys)["boxes"]["predictions"]["all"]
    assert out["missed"] == 0
    assert out["nme_inter_ocular"] > 5


def test_covered_points_count_when_asked(labelled, place, capsys) -> None:
    points = place(box((80, 60)))
    labelled(face(points, visible=0))
    call = [*CALL, "--predictions", lines({"image": "one.png", "points": points.tolist()})]
    assert main(call) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "1 face without a known inter-ocular length or a point that counts"
    assert out[4].split() == ["A", "1", "0", "-", "-", "-", "-", "-", "-"]
    assert main([*call, "--all-points", "--json"]) == 0
    record = result(capsys)["boxes"]["predictions"]
    assert record["points"] == "all"
    assert record["all"]["nme_inter_ocular"] == pytest.approx(0)


def test_what_it_cannot_use(landmark_detector, labelled, data, place, capsys) -> None:
    points = place(box((80, 60)))
    assert main([*CALL, "--predictions", "gone"]) == 2
    assert main([*CALL, "--predictions", lines({"image": "x.png", "points": points.tolist()})]) == 1
    assert "none of the 3 images, such as 'AFW/seen.png'" in capsys.readouterr().err
    for bad, found in (
        ({"image": "x.png"}, "KeyError"),
        ({"image": "x.png", "points": [[1, 2]]}, r"shape (1, 2)"),
        ([], "TypeError"),
    ):
        assert main([*CALL, "--predictions", lines({"image": "x.png", "points": None}, bad)]) == 1
        err = capsys.readouterr().err
        assert "theirs.jsonl:2: " in err
        assert found in err
    # One image of two cannot be read: its face is left out.
    Path("D/broken.png").write_bytes(b"broken")
    labelled(face(points), face(points, path="D/broken.png"))
    assert main([*CALL, "--boxes", "truth", "--json"]) == 1
    assert result(capsys)["boxes"]["truth"]["all"]["faces"] == 1
    # None can be read, and none has points that span a box.
    labelled(face(points, path="D/broken.png"))
    assert main([*CALL, "--boxes", "truth"]) == 1
    labelled(face(np.ones((68, 2))))
    assert main(CALL) == 2
    assert "span no box" in capsys.readouterr().err

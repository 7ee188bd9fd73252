from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.detection import DetectorConfig
from mien.evaluation.detections import read_json

from .conftest import BOX, FIVE, SQUARE

MARGIN = (BOX - SQUARE) // 2


def box(corner: tuple[int, int]) -> tuple[int, int, int, int]:
    """x, y, width, height of the face round the square at ``corner``."""
    return corner[0] - MARGIN, corner[1] - MARGIN, BOX, BOX


def result(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def wider(save, tmp_path: Path) -> str:
    """WIDER FACE with three val images: one face, two faces of which one only counts in hard, none."""
    scipy_io = pytest.importorskip("scipy.io")
    corners = {"one": [(80, 60)], "two": [(20, 20), (120, 80)], "none": []}
    text = ""
    for name, where in corners.items():
        save(f"W/WIDER_val/images/0--Party/{name}.png", *where)
        rows = [f"{x} {y} {w} {h} 0 0 0 0 0 0" for x, y, w, h in map(box, where)] or ["0 0 0 0 0 0 0 0 0 0"]
        text += "\n".join([f"0--Party/{name}.png", str(len(where)), *rows]) + "\n"
    lists = tmp_path / "W" / "wider_face_split"
    lists.mkdir()
    (lists / "wider_face_val_bbx_gt.txt").write_text(text)

    def cell(values: list[object]) -> np.ndarray:
        column = np.empty((len(values), 1), object)
        column[:, 0] = values
        return column

    def write(name: str, **variables: list[object]) -> None:
        folder = tmp_path / "W" / "eval_tools" / "ground_truth"
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {"event_list": cell(["0--Party"]), "file_list": cell([cell(list(corners))])}
        wanted |= {key: cell([cell(values)]) for key, values in variables.items()}
        scipy_io.savemat(folder / f"wider_{name}_val.mat", wanted)

    write("face", face_bbx_list=[np.array(list(map(box, w)) or [(0, 0, 0, 0)], float) for w in corners.values()])
    for level, counted in {"easy": [1], "medium": [1], "hard": [1, 2]}.items():
        rows = [np.array([[i] for i in counted if i <= len(w)], float).reshape(-1, 1) for w in corners.values()]
        write(level, gt_list=rows)
    return "W"


def test_wider_with_our_detector(shipped, wider, capsys, tmp_path) -> None:
    call = ["evaluate", "wider", "--data", wider, "--json", "--save", "found.jsonl", "--plot", "curves.png"]
    assert main(call) == 0
    out = result(capsys)
    assert (out["dataset"], out["split"], out["images"], out["detector"]) == ("wider", "val", 3, "mien")
    assert {name: level["faces"] for name, level in out["levels"].items()} == {
        "easy": 2,
        "medium": 2,
        "hard": 3,
    }
    assert [level["ap"] for level in out["levels"].values()] == pytest.approx([1, 1, 1])
    assert [len(faces) for faces in read_json("found.jsonl").values()] == [1, 2, 0]
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_wider_with_given_detections(wider, capsys) -> None:
    # Of the three faces of "hard" one is found: AP is 1/3. Neither networks nor images are needed.
    found = [
        {"image": "/elsewhere/0--Party/one.png", "faces": [{"box": [70, 50, 130, 110], "score": 9}]},
        {"image": "0--Party/two.png", "faces": []},
        {"image": "0--Party/none.png", "faces": []},
    ]
    Path("theirs.jsonl").write_text("\n".join(map(json.dumps, found)))
    assert main(["evaluate", "wider", "--data", wider, "--detections", "theirs.jsonl", "--json"]) == 0
    levels = result(capsys)["levels"]
    assert levels["hard"]["ap"] == pytest.approx(1 / 3)
    assert levels["easy"]["ap"] == pytest.approx(1 / 2)
    assert main(["evaluate", "wider", "--data", wider, "--detections", "theirs.jsonl"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "WIDER FACE val, 3 images, theirs",
        "level       AP  faces",
        "easy    0.5000      2",
        "medium  0.5000      2",
        "hard    0.3333      3",
    ]


def test_wider_with_detections_of_the_official_layout(wider, capsys) -> None:
    for name, row in (("one", "70 50 60 60 0.9"), ("two", ""), ("none", "")):
        file = Path("official/0--Party", f"{name}.txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([name, "1" if row else "0", row]))
    assert main(["evaluate", "wider", "--data", wider, "--detections", "official", "--json"]) == 0
    assert result(capsys)["levels"]["hard"]["ap"] == pytest.approx(1 / 3)


def test_wider_with_what_it_cannot_use(shipped, wider, capsys) -> None:
    Path("W/WIDER_val/images/0--Party/none.png").unlink()
    Path("W/WIDER_val/images/0--Party/one.png").write_bytes(b"broken")
    assert main(["evaluate", "wider", "--data", wider, "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["images"] == 1
    missing, unreadable = err.splitlines()
    assert missing.startswith("skipped: ")
    assert "none.png is missing" in missing
    assert unreadable.startswith("mien: ")
    assert main(["evaluate", "wider", "--data", "nowhere"]) == 1
    assert main(["evaluate", "wider", "--data", wider, "--detections", "gone.jsonl"]) == 2


def test_wider_by_stage(shipped, wider, capsys, tmp_path) -> None:
    call = ["evaluate", "wider", "--data", wider, "--stages", "--method", "mtcnn"]
    assert main([*call, "--json", "--plot", "stages.png"]) == 0
    out = result(capsys)
    assert list(out["candidates"]) == ["pnet", "rnet", "onet"]
    assert out["candidates"]["onet"] == 1  # three faces in three images, at the default threshold
    hard = out["groups"]["level"]["hard"]
    assert (hard["faces"], hard["fit"]["matched"]) == (3, 3)
    assert [hard["recall"][stage]["0.5"]["rate"] for stage in out["candidates"]] == [1, 1, 1]
    assert (tmp_path / "stages.png").stat().st_size > 0
    assert main(call) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["hard", "3", *["1.000"] * 6] in printed
    assert ["onet", "1.0"] in printed
    size = ["32-64", "px", "3", *["1.000"] * 3, "0.439", "to", "1.000"]
    assert size in [line[: len(size)] for line in printed]


def test_stages_at_a_given_threshold(shipped, wider, capsys) -> None:
    call = ["evaluate", "wider", "--data", wider, "--stages", "--json", "--threshold"]
    counts = []
    for threshold in ("1", "0.01"):
        assert main([*call, threshold]) == 0
        counts.append(result(capsys)["candidates"]["refiner"])
    assert counts[0] == 0
    assert counts[1] >= 1
    assert main(["evaluate", "wider", "--data", wider, "--stages", "--save", "a.jsonl"]) == 2
    assert "leave out" in capsys.readouterr().err


def test_stress(shipped, wider, capsys, tmp_path) -> None:
    call = ["evaluate", "stress", "--data", wider, "--method", "mtcnn"]
    assert main([*call, "--json", "--sheet", "stress.png"]) == 0
    scores = result(capsys)["disturbances"]
    assert (scores["as it is"]["found"], scores["as it is"]["count"]) == (2, 2)  # the easy faces
    assert scores["brightness 0.1"]["found"] == 0  # the networks want contrast
    assert (tmp_path / "stress.png").stat().st_size > 0
    assert main(call) == 0
    title, _, first, *_ = capsys.readouterr().out.splitlines()
    assert title == "stress test, 2 faces of 2 images, mien"
    assert first.split() == ["as", "it", "is", "1.000", "0.342", "to", "1.000", "2", "0"]
    assert main(["evaluate", "stress", "--data", "nowhere", "--sheet", "stress.webm"]) == 2  # before the work


def test_background(shipped, save, capsys, tmp_path) -> None:
    save("B/one.png", (80, 60))
    for name in "xyz":
        save(f"B/none/{name}.png")
    call = ["evaluate", "background", "B", "--method", "mtcnn"]
    assert main([*call, "--json", "--sheet", "alarms.png"]) == 0
    out = result(capsys)
    assert (out["images"], out["alarms"], out["alarms_per_100_images"]) == (4, 1, 25)
    assert out["threshold"] == DetectorConfig(method="mtcnn").threshold
    assert (tmp_path / "alarms.png").stat().st_size > 0
    assert main([*call, "--threshold", "1"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "4 images without faces, mien: 0 false alarms at threshold 1"
    assert second == "images with any: 0.0% (95 % interval 0.0% to 49.0%)"
    assert main(["evaluate", "background", "nowhere"]) == 1


@pytest.fixture
def fddb(save, tmp_path: Path) -> str:
    """FDDB with one face in each of two folds; the ellipse is a circle as large as the box."""
    for fold in (1, 2):
        name = f"2002/img_{fold}"
        save(f"F/{name}.jpg", (80, 60))
        list_file = tmp_path / "F" / "FDDB-folds" / f"FDDB-fold-{fold:02}-ellipseList.txt"
        list_file.parent.mkdir(parents=True, exist_ok=True)
        list_file.write_text(f"{name}\n1\n30 30 0 100 80 1\n")
    return "F"


def test_fddb_with_our_detector(shipped, fddb, capsys, tmp_path) -> None:
    pytest.importorskip("scipy")
    assert main(["evaluate", "fddb", "--data", fddb, "--json", "--plot", "roc.png"]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert "skipped: 5 more" in err  # eight folds are not there; three are named
    assert (record["images"], record["faces"], len(record["folds"])) == (2, 2, 10)
    assert [rate["discrete"] for rate in record["rates"]] == [1, 1, 1, 1]
    # A circle covers pi / 4 of its square: no box overlaps it by more.
    assert 0.5 < record["rates"][0]["continuous"] < 0.86
    assert (tmp_path / "roc.png").stat().st_size > 0


def test_fddb_with_given_detections(fddb, capsys) -> None:
    pytest.importorskip("scipy")
    Path("found.txt").write_text("2002/img_1\n1\n70 50 60 60 0.9\n2002/img_2\n0\n")
    assert main(["evaluate", "fddb", "--data", fddb, "--detections", "found.txt"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "FDDB, 2 images, 2 faces, found"
    # One of two faces; a circle in its square overlaps it by pi / 4: 0.7854 / 2.
    assert rows[2].split() == ["100", "0.5000", "0.3927"]


@pytest.fixture
def points(save, tmp_path: Path) -> str:
    """A landmark list: a face, and one that is not there. The points are those the fake network gives."""
    save("P/faces/a.png", (80, 60))
    save("P/faces/b.png")
    five = (FIVE * BOX + [80 - MARGIN, 60 - MARGIN]).ravel()
    row = "70 130 50 110 " + " ".join(f"{value:.3f}" for value in five)
    (tmp_path / "P" / "testImageList.txt").write_text(f"faces\\a.png {row}\nfaces\\b.png {row}\n")
    return "P"


@pytest.mark.parametrize("data", ["P", "P/testImageList.txt"])
def test_keypoints_with_our_detector(shipped, points, capsys, tmp_path, data: str) -> None:
    assert main(["evaluate", "keypoints", "--data", data, "--json", "--plot", "ced.png", "--save", "p.jsonl"]) == 0
    out = result(capsys)
    assert (out["faces"], out["missed"]) == (2, 1)
    assert out["failure_rate_10_box"] >= 0.5
    assert out["nme_box"] < 0.25
    assert (tmp_path / "ced.png").stat().st_size > 0
    assert list(read_json("p.jsonl")) == ["faces/a.png", "faces/b.png"]


def test_keypoints_with_given_detections(points, capsys) -> None:
    # Every point 1.8 px to the right: 0.1 of the eyes' distance of 18 px, 0.03 of the box of 60 px.
    five = (FIVE * BOX + [70 + 1.8, 50]).tolist()
    found = [
        {"image": "faces/a.png", "faces": [{"box": [70, 50, 130, 110], "score": 1, "keypoints": five}]},
        {"image": "faces/b.png", "faces": []},
    ]
    Path("theirs.json").write_text("\n".join(map(json.dumps, found)))
    assert main(["evaluate", "keypoints", "--data", points, "--detections", "theirs.json", "--json"]) == 0
    out = result(capsys)
    assert out["missed"] == 1
    assert out["nme_inter_ocular"] == pytest.approx(0.1, abs=1e-3)
    assert out["nme_box"] == pytest.approx(0.03, abs=1e-3)
    assert main(["evaluate", "keypoints", "--data", points, "--detections", "theirs.json"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "five keypoints, 2 faces, 1 missed, theirs"


def test_keypoints_when_all_are_missed(points, capsys) -> None:
    found = [{"image": f"faces/{name}.png", "faces": []} for name in "ab"]
    Path("theirs.json").write_text("\n".join(map(json.dumps, found)))
    assert main(["evaluate", "keypoints", "--data", points, "--detections", "theirs.json", "--json"]) == 0
    assert result(capsys)["nme_box"] is None
    assert main(["evaluate", "keypoints", "--data", points, "--detections", "."]) == 2
    assert "no text format" in capsys.readouterr().err


def test_the_commands_start_from_the_options_that_their_curves_need(monkeypatch) -> None:
    configs = []

    class Analyzer:
        detect = None

        def __init__(self, config) -> None:
            configs.append(config)

    monkeypatch.setattr("mien.cli.evaluate.FaceAnalyzer", Analyzer)
    for task in (["wider"], ["wider", "--threshold", "0.5"], ["fddb"], ["keypoints"]):
        main(["evaluate", *task, "--data", "nowhere"])
    thresholds = [config.detector.threshold for config in configs]
    assert thresholds == [0.01, 0.5, 0.01, DetectorConfig().threshold]
    assert configs[0].detector.min_face_size == 10

from __future__ import annotations

import json

import numpy as np
import pytest

from mien.cli import main
from mien.datasets.pts import read_pts
from mien.imaging import read_image

from .conftest import POSE  # isort: skip


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def call(landmark_detector, shipped):
    """The command with a network that sees the same points in every box."""

    def run(*words: str) -> int:
        return main(["landmarks", *words, "--landmarks-model", landmark_detector])

    return run


def test_json_has_the_landmarks_of_each_face(call, save, capsys, face68) -> None:
    save("one.png", (80, 60))
    save("none.png")
    assert call("one.png", "none.png", "--json", "--refinement-steps", "1") == 0
    out, err = capsys.readouterr()
    one, none = lines(out)
    (face,) = one["faces"]
    x0, y0, x1, y1 = face["box"]
    found = face["landmarks"]
    assert found["scheme"] == "68"
    np.testing.assert_allclose(found["points"], face68 * [x1 - x0, y1 - y0] + [x0, y0], atol=0.01)
    assert found["pose"] == dict(zip(("yaw", "pitch", "roll"), POSE, strict=True))
    # 1 - (1 + 2.5) exp(-2.5): the spread is 0.02, and close is 0.05
    np.testing.assert_allclose(found["scores"], 1 - 3.5 * np.exp(-2.5), atol=0.001)
    assert none["faces"] == []
    assert err == "1 face in 2 images\n"


def test_table_has_the_pose_of_each_face(call, save, capsys) -> None:
    save("two.png", (20, 20), (120, 80))
    save("none.png")
    assert call("two.png", "none.png") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["image", "score", "x0", "y0", "x1", "y1", "yaw", "pitch", "roll"]
    assert [row.split()[6:] for row in rows[:2]] == [["10.0", "-20.0", "5.0"]] * 2
    assert rows[2].split() == ["none.png", *["-"] * 8]
    assert len({len(row) for row in [head, *rows]}) == 1  # columns line up


def test_pts_files_are_those_of_300w(call, save, capsys, tmp_path) -> None:
    save("a/one.png", (80, 60))
    save("b/two.jpg", (20, 20), (120, 80))
    save("b/none.png")
    assert call("a", "b", "--pts", "pts", "--json") == 0
    folder = tmp_path / "pts"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["a/one.png.0.pts", "b/two.jpg.0.pts", "b/two.jpg.1.pts"]
    one, _, two = lines(capsys.readouterr().out)
    np.testing.assert_allclose(read_pts(folder / "a/one.png.0.pts"), one["faces"][0]["landmarks"]["points"], atol=0.002)
    for number, face in enumerate(two["faces"]):
        found = read_pts(folder / f"b/two.jpg.{number}.pts")
        np.testing.assert_allclose(found, face["landmarks"]["points"], atol=0.002)


def test_pts_of_equal_names_do_not_collide(call, save, capsys) -> None:
    save("x.jpg", (80, 60))
    save("x.png", (20, 60))
    assert call("x.jpg", "x.png", "--pts", "pts", "--json") == 0
    for record in lines(capsys.readouterr().out):
        found = read_pts(f"pts/{record['image']}.0.pts")
        np.testing.assert_allclose(found, record["faces"][0]["landmarks"]["points"], atol=0.002)


def test_drawn_images(call, save) -> None:
    save("x.png", (80, 60))
    assert call("x.png", "--draw", "drawn") == 0
    drawn = read_image("drawn/x.png")
    assert drawn.shape == (160, 200, 3)
    assert np.ptp(drawn, axis=2).any()  # colours on black and white


def test_results_of_the_last_call_are_no_images_of_the_next(call, save, capsys) -> None:
    save("x.png", (80, 60))
    for _ in range(2):
        assert call(".", "--draw", "drawn", "--json") == 0
        assert len(lines(capsys.readouterr().out)) == 1


def test_contour_and_passes_reach_the_landmarker(call, save, capsys) -> None:
    save("x.png", (80, 60))

    def landmarks(*words: str) -> dict:
        assert call("x.png", "--json", *words) == 0
        return lines(capsys.readouterr().out)[0]["faces"][0]["landmarks"]

    plain = landmarks()
    assert landmarks("--contour", "3d")["scheme"] == "68-3d"
    assert landmarks("--refinement-steps", "1")["points"] != plain["points"]  # seen in another box


def test_a_bad_file_is_reported_and_the_rest_goes_on(call, save, capsys, tmp_path) -> None:
    save("good.png", (80, 60))
    (tmp_path / "bad.png").write_bytes(b"no image at all")
    assert call("bad.png", "good.png", "--json") == 1
    out, err = capsys.readouterr()
    bad, good = lines(out)
    assert bad["error"]["kind"] == "BadImage"
    assert len(good["faces"]) == 1
    assert err.startswith("mien: bad.png: not an image")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["empty"], 2, "no images found in empty"),
        (["x.png", "--refinement-steps", "3"], 2, "refinement_steps=3: must be between 1 and 2"),
        (["x.png", "--contour", "2d"], 2, "'2d' is not one of"),
        (["x.png", "--draw", "."], 2, "would be lost"),
        (["x.png", "--pts", "."], 2, "--pts .: holds the images"),
    ],
)
def test_calls_that_make_no_sense(call, save, capsys, tmp_path, words, status, said) -> None:
    save("x.png")
    (tmp_path / "empty").mkdir()
    assert call(*words) == status
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_a_network_that_is_missing(shipped, save, capsys) -> None:
    save("x.png")
    assert main(["landmarks", "x.png", "--landmarks-model", "gone.onnx"]) == 1
    assert "gone.onnx" in capsys.readouterr().err

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.alignment import AlignSpec
from mien.cli import main
from mien.geometry.schemes import to_five
from mien.geometry.similarity import Similarity
from mien.imaging import read_image

from .conftest import FIVE  # isort: skip


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def call(landmark_detector, shipped):
    def run(*words: str) -> int:
        return main(["align", *words, "--landmarks-model", landmark_detector])

    return run


def test_one_chip_a_face_and_its_name_on_stdout(call, save, capsys, tmp_path) -> None:
    save("a/two.jpg", (20, 20), (120, 80))
    save("b/one.png", (80, 60))
    save("b/none.png")
    assert call("a", "b", "--out", "aligned_faces") == 0
    out, err = capsys.readouterr()
    names = ["aligned_faces/a/two.jpg.0.png", "aligned_faces/a/two.jpg.1.png", "aligned_faces/b/one.png.0.png"]
    assert out.splitlines() == [str(Path(name)) for name in names]
    assert err == "3 faces in 3 images\naligned faces are in aligned_faces\n"
    assert sorted(path.name for path in tmp_path.glob("aligned_faces/*/*")) == [
        "one.png.0.png",
        "two.jpg.0.png",
        "two.jpg.1.png",
    ]
    assert read_image("aligned_faces/b/one.png.0.png").shape == (144, 144, 3)


@pytest.mark.parametrize(
    ("words", "spec"),
    [
        ([], AlignSpec.padded()),
        (["--size", "60", "--padding", "0.1"], AlignSpec.padded(60, 0.1)),
        (["--template", "arcface"], AlignSpec.arcface()),
        (["--template", "arcface", "--size", "56", "--contour", "3d"], AlignSpec.arcface(56)),
    ],
)
@pytest.mark.parametrize("points", ["5", "68"])
def test_json_tells_the_way_back(call, save, capsys, face68, words, spec, points) -> None:
    save("x.png", (80, 60))
    assert call("x.png", "--out", "aligned_faces", "--json", "--points", points, "--refinement-steps", "1", *words) == 0
    (record,) = lines(capsys.readouterr().out)
    assert (record["image"], record["width"], record["height"]) == ("x.png", 200, 160)
    (aligned_face,) = record["aligned_faces"]
    assert aligned_face["file"] == str(Path("aligned_faces/x.png.0.png"))
    assert read_image(aligned_face["file"]).shape == (aligned_face["size"],) * 2 + (3,) == (spec.size, spec.size, 3)
    x0, y0, x1, y1 = aligned_face["box"]
    five = (FIVE if points == "5" else to_five(face68)) * [x1 - x0, y1 - y0] + [x0, y0]
    wanted = Similarity.fit(five, spec.points).inverse()
    np.testing.assert_allclose(aligned_face["to_image"], wanted.matrix, atol=0.01)


def test_images_of_equal_names_do_not_collide(call, save, capsys) -> None:
    save("x.jpg", (80, 60))
    save("x.png", (20, 60))
    assert call("x.jpg", "x.png", "--out", "aligned_faces") == 0
    assert capsys.readouterr().out.splitlines() == [
        str(Path("aligned_faces", name)) for name in ("x.jpg.0.png", "x.png.0.png")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.png"], "Missing option '--out'"),
        (["x.png", "--out", "."], "--out .: holds the images"),
        (["x.png", "--out", "aligned_faces", "--size", "0"], "size=0"),
        (["x.png", "--out", "aligned_faces", "--size", "100000"], "size=100000: must be between 1 and 4096"),
        (["x.png", "--out", "aligned_faces", "--size", "1.5"], "Invalid value for '--size'"),
        (
            ["x.png", "--out", "aligned_faces", "--template", "arcface", "--padding", "0.2"],
            "padding=0.2: the arcface",
        ),
        (["x.png", "--out", "aligned_faces", "--points", "7"], "'7' is not one of"),
    ],
)
def test_calls_that_make_no_sense(call, save, capsys, words, said) -> None:
    save("x.png", (80, 60))
    assert call(*words) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_the_detectors_points_need_no_other_network(shipped, save) -> None:
    save("x.png", (80, 60))
    assert main(["align", "x.png", "--out", "aligned_faces", "--points", "5", "--landmarks-model", "gone.onnx"]) == 0
    assert main(["align", "x.png", "--out", "aligned_faces", "--landmarks-model", "gone.onnx"]) == 1

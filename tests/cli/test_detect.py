from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.imaging import read_image

ROOT = Path(__file__).parents[2]

# A square at (80, 60) of 40 pixels is a face of 60: (70, 50) to (130, 110). Windows of P-Net are two level
# pixels apart and the levels a factor of 1.4, so that a corner may be off by a sixth of the face.
FACE, OFF = [70, 50, 130, 110], 10


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_has_one_line_a_image_with_faces_in_their_places(shipped, save, capsys) -> None:
    save("one.png", (80, 60))
    save("none.png")
    # Levels closer together: the box is the mean of windows that are, too.
    finer = ["--scale-factor", "0.8"]
    assert main(["detect", "one.png", "none.png", "--json", *finer]) == 0
    out, err = capsys.readouterr()
    one, none = lines(out)
    assert (one["image"], one["width"], one["height"]) == ("one.png", 200, 160)
    assert len(one["faces"]) == 1
    face = one["faces"][0]
    assert np.abs(np.subtract(face["box"], FACE)).max() <= OFF
    x0, y0, x1, _ = face["box"]
    assert face["keypoints"][0] == pytest.approx([x0 + 0.35 * (x1 - x0), y0 + 0.4 * (x1 - x0)], abs=0.01)
    assert 0.9 < face["score"] <= 1
    assert none["faces"] == []
    assert err == "1 face in 2 images\n"


def test_table_has_a_row_a_face_and_one_for_no_face(shipped, save, capsys) -> None:
    save("two.png", (20, 20), (120, 80))
    save("none.png")
    assert main(["detect", "two.png", "none.png"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["image", "score", "x0", "y0", "x1", "y1"]
    assert [row.split()[0] for row in rows] == ["two.png", "two.png", "none.png"]
    assert rows[2].split()[1:] == ["-"] * 5
    assert len({len(row) for row in [head, *rows]}) == 1


def test_folders_and_patterns_are_searched(shipped, save, capsys, tmp_path) -> None:
    for name in ("b/2.png", "b/1.png", "a/deep/3.JPG", "a/.hidden/4.png", "a/._5.png"):
        save(name)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    assert main(["detect", "a", "b/[12].png", "--json"]) == 0
    found = [record["image"] for record in lines(capsys.readouterr().out)]
    assert found == [str(Path(name)) for name in ("a/deep/3.JPG", "b/1.png", "b/2.png")]
    assert main(["detect", "**/*.png", "--json"]) == 0
    assert len(lines(capsys.readouterr().out)) == 2


def test_equal_names_in_different_folders_do_not_collide(shipped, save, tmp_path) -> None:
    save("a/x.png", (80, 60))
    save("b/x.png")
    save("b/c/x.jpg", (80, 60))
    assert main(["detect", "a/x.png", "b", "--draw", "drawn"]) == 0

    def files(name: str) -> list[str]:
        folder = tmp_path / name
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    assert files("drawn") == ["a/x.png", "b/c/x.jpg", "b/x.png"]
    drawn = read_image(tmp_path / "drawn" / "a" / "x.png")
    assert drawn.shape == (160, 200, 3)
    assert not np.array_equal(drawn, read_image("a/x.png"))


def test_results_of_the_last_call_are_no_images_of_the_next(shipped, save, capsys) -> None:
    save("x.png", (80, 60))
    for _ in range(2):
        assert main(["detect", ".", "--draw", "drawn", "--json"]) == 0
        assert len(lines(capsys.readouterr().out)) == 1


def test_drawing_over_the_images_is_refused(shipped, save, capsys) -> None:
    before = save("x.png", (80, 60)).read_bytes()
    assert main(["detect", "x.png", "--draw", "."]) == 2
    assert "would be lost" in capsys.readouterr().err
    assert Path("x.png").read_bytes() == before


def test_kinds_that_cannot_be_written_are_drawn_as_png(shipped, save, tmp_path) -> None:
    from PIL import Image

    Image.fromarray(read_image(save("x.png", (80, 60)))).save(tmp_path / "y.webp", lossless=True)
    assert main(["detect", "y.webp", "--draw", "drawn"]) == 0
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["y.webp.png"]


def test_a_bad_file_is_reported_and_the_rest_goes_on(shipped, save, capsys, tmp_path) -> None:
    save("good.png", (80, 60))
    (tmp_path / "bad.png").write_bytes(b"no image at all")
    assert main(["detect", "bad.png", "missing.png", "good.png", "--json"]) == 1
    out, err = capsys.readouterr()
    bad, missing, good = lines(out)
    assert bad["error"]["kind"] == missing["error"]["kind"] == "BadImage"
    assert len(good["faces"]) == 1
    first, second, last = err.splitlines()
    assert first.startswith("mien: bad.png: not an image")
    assert second.startswith("mien: missing.png: there is no such file")
    assert last == "1 face in 1 image; 2 images failed"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["detect", "empty"], "no images found in empty"),
        (["detect", "*.nothing"], "no images found in *.nothing"),
        (["detect", "x.png", "--min-face-size", "0"], "min_face_size=0.0: must be at least 1"),
        (["detect", "x.png", "--threads", "0"], "threads=0: must be at least 1"),
        (["detect", "x.png", "--rotations", "45"], "rotations=(45,)"),
        (["detect", "x.png", "--rotations", "round"], "--rotations round: give values with commas between"),
        (["detect"], "Missing argument 'PATH'"),
        (["detect", "x.png", "--min-face-siz", "30"], "No such option: --min-face-siz; did you mean --min-face-size"),
        (["detect", ""], "is a shell variable unset?"),
        (["detect", "x.png", "--draw", ""], "is a shell variable unset?"),
        (["detect", "x.png", "--draw="], "is a shell variable unset?"),
        (["detect", "x.png", "--threads", "a"], "Invalid value for '--threads'"),
        (["detct"], "No such command 'detct'. Did you mean 'detect'?"),
    ],
)
def test_calls_that_make_no_sense(shipped, save, capsys, tmp_path, call: list[str], said: str) -> None:
    save("x.png")
    (tmp_path / "empty").mkdir()
    assert main(call) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_networks_by_file_and_one_that_is_missing(networks, save, capsys) -> None:
    save("x.png", (80, 60))
    files = [word for task in ("proposer", "refiner") for word in (f"--{task}-model", str(networks / f"{task}.onnx"))]
    assert main(["detect", "x.png", "--json", *files]) == 0
    assert len(lines(capsys.readouterr().out)[0]["faces"]) == 1
    assert main(["detect", "x.png", "--refiner-model", "gone.onnx"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("mien: ")
    assert len(err.splitlines()) == 1
    assert main(["detect", "x.png", "--refiner-model", "refinery"]) == 1


def test_options_reach_the_detector(shipped, save, capsys) -> None:
    save("x.png", (80, 60))

    def boxes(*options: str) -> list[list[float]]:
        assert main(["detect", "x.png", "--json", *options]) == 0
        return [face["box"] for face in lines(capsys.readouterr().out)[0]["faces"]]

    def count(*options: str) -> int:
        return len(boxes(*options))

    assert count() == 1
    assert count("--min-face-size", "100") == 0
    assert count("--max-face-size", "30") == 0
    assert count("--threshold", "1") == 0
    assert count("--rotations", "0,90,180,270") == 1


def test_options_reach_the_cascade(shipped, save, capsys) -> None:
    save("x.png", (80, 60))

    def boxes(*options: str) -> list[list[float]]:
        assert main(["detect", "x.png", "--json", "--method", "mtcnn", *options]) == 0
        return [face["box"] for face in lines(capsys.readouterr().out)[0]["faces"]]

    assert len(boxes()) == 1
    assert all(x1 - x0 < 45 for x0, _, x1, _ in boxes("--max-face-size", "30"))  # the corners of the square
    assert boxes("--pnet-threshold", "1") == []
    assert boxes("--rnet-threshold", "1") == []
    assert len(boxes("--rotations", "0,90,180,270")) == 1
    assert len(boxes("--lnet", "--threads", "1", "--scale-factor", "0.8")) == 1


def test_progress_on_demand_keeps_stdout_clean(shipped, save, capsys) -> None:
    for number in range(3):
        save(f"photos/{number}.png")
    assert main(["detect", "photos", "--json", "--progress"]) == 0
    out, err = capsys.readouterr()
    assert len(lines(out)) == 3
    assert "3/3" in err
    assert main(["detect", "photos", "--json"]) == 0
    assert capsys.readouterr().err == "0 faces in 3 images\n"


def test_a_name_that_no_encoding_knows(shipped, save, capsys, tmp_path) -> None:
    strange = os.fsdecode(b"strange-\xff.png")
    try:
        save("x.png").rename(tmp_path / strange)
    except OSError:
        pytest.skip("this disk takes UTF-8 names only")
    assert main(["detect", strange]) == 0
    assert "strange-" in capsys.readouterr().out
    assert main(["detect", strange, "--json"]) == 0
    assert lines(capsys.readouterr().out)[0]["image"] == r"strange-\xff.png"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for children")
def test_ctrl_c_leaves_no_half_written_file(networks, save, tmp_path) -> None:
    image = save("photos/000.png", (80, 60))
    for number in range(1, 2000):
        os.link(image, tmp_path / "photos" / f"{number:03}.png")
    files = [word for task in ("pnet", "rnet", "onet") for word in (f"--{task}-model", str(networks / f"{task}.onnx"))]
    call = [
        sys.executable,
        "-m",
        "mien",
        "detect",
        str(tmp_path / "photos"),
        "--draw",
        str(tmp_path / "drawn"),
        "--json",
        "--method",
        "mtcnn",
        *files,
    ]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "mien: stopped\n"
    drawn = list((tmp_path / "drawn").iterdir())
    assert 1 <= len(drawn) < 2000
    assert all(path.suffix == ".png" and not path.name.startswith(".") for path in drawn)
    for path in drawn:
        read_image(path)


def test_a_reader_that_leaves_is_no_error(networks, save, tmp_path) -> None:
    for number in range(30):
        save(f"photos/{number}.png")
    files = [word for task in ("pnet", "rnet", "onet") for word in (f"--{task}-model", str(networks / f"{task}.onnx"))]
    call = [sys.executable, "-m", "mien", "detect", str(tmp_path / "photos"), *files]
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert err == ""
    assert process.returncode == 141

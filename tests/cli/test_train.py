"""``mien train`` and ``mien convert``, with the training itself replaced or made tiny."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mien.cli import main

RECIPE = """
name = "{name}"
task = "refinement"
seed = 1
[network]
kind = "paper-rnet"
[optimizer]
name = "adamw"
learning_rate = 0.001
weight_decay = 0.0
[schedule]
steps = 2
batch_size = 8
warmup = 1
validate_every = 2
checkpoint_every = 1
[data.sources.squares]
format = "wider-text"
path = "squares"
"""


@pytest.fixture
def cascade(save, tmp_path: Path) -> str:
    """Two recipes and a file that names them; images with one square each."""
    names = ("one", "two")
    for name in names:
        (tmp_path / f"{name}.toml").write_text(RECIPE.format(name=name))
    (tmp_path / "cascade.toml").write_text('recipes = ["one.toml", "two.toml"]')
    text = ""
    for number in range(6):
        x, y = 20 + 15 * number, 40
        save(f"data/squares/images/{number}.png", (x, y))
        text += f"{number}.png\n1\n{x - 10} {y - 10} 60 60 0 0 0 0 0 0\n"
    (tmp_path / "data" / "squares" / "bbx_gt.txt").write_text(text)
    return "cascade.toml"


def test_each_recipe_in_its_own_run(cascade, capsys) -> None:
    pytest.importorskip("torch")
    assert main(["train", cascade, "--device", "cpu"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if line.endswith(".onnx")] == [
        str(Path("runs", name, f"{name}.onnx")) for name in ("one", "two")
    ]
    for name in ("one", "two"):
        assert Path("runs", name, "recipe.toml").is_file()


def test_options_reach_the_training(cascade, capsys, monkeypatch) -> None:
    pytest.importorskip("torch")
    calls: list[object] = []

    def train_recipes(path: Path, **options: object) -> list[Path]:
        calls.append((path, options))
        return [Path("x.onnx")]

    monkeypatch.setattr("mien.train.run.train_recipes", train_recipes)
    assert main(["train", "one.toml", "--runs", "elsewhere"]) == 0
    call = ["train", "one.toml", "--device", "cpu", "--fresh", "--data", "data/squares", "--devices", "2"]
    assert main([*call, "--precision", "bf16-mixed"]) == 0
    default = {"data": Path("data"), "runs": Path("elsewhere"), "device": None, "devices": None}
    given = {"data": Path("data/squares"), "runs": Path("runs"), "device": "cpu", "devices": 2}
    assert calls == [
        (Path("one.toml"), default | {"precision": "32-true", "resume": True}),
        (Path("one.toml"), given | {"precision": "bf16-mixed", "resume": False}),
    ]
    assert capsys.readouterr().out.splitlines() == ["x.onnx"] * 2


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (["gone.toml"], 1, "no such recipe"),
        (["one.toml", "--data", "nowhere"], 2, "--data nowhere: there is no such folder"),
        (["one.toml", "--device", "abacus"], 2, "give cpu, cuda"),
        (["one.toml", "--devices", "0", "--device", "cpu"], 2, "0 devices on cpu: give 1"),
        ([], 2, "Missing argument 'RECIPE'"),
    ],
)
def test_what_cannot_be_trained(cascade, capsys, call: list[str], status: int, said: str) -> None:
    pytest.importorskip("torch")
    assert main(["train", *call]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "call", [["train", "one.toml"], ["convert", "--format", "facenet-pytorch", ".", "--out", "out"]]
)
def test_without_the_extra(cascade, call: list[str]) -> None:
    code = f"import sys; sys.modules['torch'] = None; from mien.cli import main; sys.exit(main({call}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("needs torch; install it: pip install 'mien[train]'\n")
    assert len(done.stderr.splitlines()) == 1


def test_convert(tmp_path, capsys, monkeypatch) -> None:
    pytest.importorskip("torch")
    calls = []

    def convert_facenet(folder: Path, out: Path) -> list[Path]:
        calls.append((folder, out))
        return [out / "pnet.onnx"]

    monkeypatch.setattr("mien.train.convert.convert_facenet", convert_facenet)
    call = ["convert", "--format", "facenet-pytorch", str(tmp_path), "--out", "out"]
    assert main(call) == 0
    assert calls == [(tmp_path, Path("out"))]
    assert capsys.readouterr().out == f"{Path('out', 'pnet.onnx')}\n"


def test_convert_without_the_files(tmp_path, capsys) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "out"
    assert main(["convert", "--format", "facenet-pytorch", str(tmp_path), "--out", str(out)]) == 1
    assert "pnet.pt: no such file" in capsys.readouterr().err
    assert not out.exists()
    assert main(["convert", "--format", "facenet-pytorch", "nowhere", "--out", str(out)]) == 2
    assert main(["convert", "--format", "caffe", str(tmp_path), "--out", str(out)]) == 2

"""``mien prepare landmarks`` on a small data set laid out like 300W-LP."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import mien.datasets.prepare as preparation
from mien.cli import main
from mien.datasets.shards import read_shards
from mien.imaging import write_image

Run = Callable[..., int]
PEOPLE = ("Ada_Byron", "Ben_Ames", "Cleo_Fox", "Dan_Gray", "Eve_Hill", "Fay_Ives")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six people with two frames each, and two images of another subset."""
    root = tmp_path / "data"
    for i, person in enumerate(PEOPLE):
        for frame in range(2):
            face(root, "YTF", f"{person}_{frame:02}", 10.0 + i)
    for name in ("image00001", "image00002"):
        face(root, "MERLRAV", name, 30, visibility=np.full((1, 68), 2.0))
    return root


def face(root: Path, subset: str, name: str, x: float, **fields: object) -> None:
    steps = np.linspace(0, 40, 68)
    write_image(root / subset / f"{name}.jpg", np.full((100, 120, 3), 90, np.uint8))
    target = root / "landmarks" / subset / f"{name}_pts.mat"
    target.parent.mkdir(parents=True, exist_ok=True)
    savemat(target, {"pts_2d": np.stack([x + steps, 70 - steps], axis=1), **fields})


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Run:
    def call(*options: str) -> int:
        places = ("--data", str(data), "--out", str(tmp_path / "out"))
        return main(["prepare", "landmarks", "--format", "300w-lp", *places, *options])

    return call


def shards(tmp_path: Path) -> dict[str, int]:
    """The files and when they were written."""
    out = tmp_path / "out"
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.tfrecord")}


def test_shards_and_what_is_said(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--validation", "0.3") == 0
    out, err = capsys.readouterr()
    assert err == ""
    head, *rows = [line.split() for line in out.splitlines()]
    assert head == ["subset", "split", "shards", "faces", "people"]
    faces = {
        (subset, split): (int(number), int(people)) for subset, split, count, number, people in rows if count == "1"
    }
    assert sum(number for number, _ in faces.values()) == 14
    samples = {split: list(read_shards(tmp_path / "out", split)) for split in ("train", "val")}
    for (subset, split), (number, people) in faces.items():
        found = [sample for sample in samples[split] if sample.subset == subset]
        assert (len(found), len({sample.person for sample in found})) == (number, people)
    assert {s.person for s in samples["train"]}.isdisjoint(s.person for s in samples["val"])
    assert {s.person for split in samples.values() for s in split if s.subset == "YTF"} == set(PEOPLE)
    assert {s.rule for s in samples["train"]} == {"square"}


def test_json_one_split_and_sizes(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--split", "val", "--shard-size", "5", "--rule", "stretched", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "out": str(tmp_path / "out"),
        "sets": [
            {"subset": "MERLRAV", "split": "val", "shards": 1, "faces": 2, "people": 2},
            {"subset": "YTF", "split": "val", "shards": 3, "faces": 12, "people": 6},
        ],
    }
    assert sorted(shards(tmp_path)) == [
        "MERLRAV/val-00000-of-00001.tfrecord",
        *(f"YTF/val-{i:05}-of-00003.tfrecord" for i in range(3)),
    ]
    assert {sample.rule for sample in read_shards(tmp_path / "out", "val")} == {"stretched"}


def test_what_is_there_is_kept(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--split", "train", "--shard-size", "4")
    assert run(*options) == 0
    first = capsys.readouterr().out
    before = shards(tmp_path)
    missing, damaged, *others = sorted(before)
    (tmp_path / "out" / missing).unlink()
    content = (tmp_path / "out" / damaged).read_bytes()
    (tmp_path / "out" / damaged).write_bytes(content[:-1])
    assert run(*options) == 0
    out, err = capsys.readouterr()
    assert out == first
    assert "made again: " in err
    assert "2 shards kept from an earlier run" in err
    after = shards(tmp_path)
    assert [name for name in before if after[name] == before[name]] == [name for name in before if name in others]
    assert (tmp_path / "out" / damaged).read_bytes() == content


def test_another_plan_in_the_same_folder(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert run("--rule", "stretched") == 2
    assert "has shards of another plan (rule 'square', now 'stretched'); give another folder" in capsys.readouterr().err


def test_bad_images_and_points_are_reported_each_time(
    run: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = data / "YTF" / "Ada_Byron_00.jpg"
    image.write_bytes(image.read_bytes()[:-100])
    savemat(data / "landmarks" / "YTF" / "Ben_Ames_01_pts.mat", {"points": np.zeros((68, 2))})
    for message in (
        f"{image}: damaged or incomplete",
        "lacks 1 faces that could not be used; repair or remove the images, and make the shards again in another",
    ):
        assert run("--split", "train") == 1
        out, err = capsys.readouterr()
        assert message in err
        assert "Ben_Ames_01_pts.mat: the field 'pts_2d' is missing" in err
        assert out.splitlines()[-1].split() == ["YTF", "train", "1", "10", "6"]
    assert len(list(read_shards(tmp_path / "out", "train"))) == 12


def test_when_stopped_nothing_half_is_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = preparation.make_sample
    calls = iter(range(100))

    def stop_at_the_tenth(*args: object) -> object:
        if next(calls) == 9:
            raise KeyboardInterrupt
        return made(*args)  # type: ignore[arg-type]

    options = ("--split", "train", "--shard-size", "4")
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "make_sample", stop_at_the_tenth)
        assert run(*options) == 130
    files = sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == ["plan.json", "train-00000-of-00001.tfrecord", "train-00000-of-00003.tfrecord"]
    assert run(*options) == 0
    assert "2 shards kept" in capsys.readouterr().err
    assert len(list(read_shards(tmp_path / "out", "train"))) == 14


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--validation", "1"], 2, "validation=1.0: must be between 0 and 0.99"),
        (["--shard-size", "0"], 2, "shard_size=0: must be at least 1"),
        (["--part", "test"], 2, "format '300w-lp' has no split 'test'"),
        (["--data", "nowhere"], 2, "--data nowhere: there is no such folder"),
        (["--data", "."], 1, "no landmarks/<SUBSET>/<name>_pts.mat; give the folder of 300W-LP"),
        (["--format", "500w"], 2, "unknown format '500w'"),
    ],
)
def test_calls_that_cannot_be_done(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*options) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_face_that_can_be_used(run: Run, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in data.rglob("*.mat"):
        file.write_bytes(b"no matlab")
    assert run() == 2
    assert "has no face that can be used as 300w-lp; see the messages above" in capsys.readouterr().err


def test_a_bar_where_it_is_wanted(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--progress") == 0
    err = capsys.readouterr().err
    assert "14/14" in err
    assert "faces" in err
    assert "files" in err


def test_people_of_another_set_are_left_out(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = tmp_path / "test"
    face(test, "YTF", "Ada_Byron_07", 10)
    face(test, "YTF", "image00002", 10)  # another subset there, the same original image
    assert run("--apart-from", str(test), "--split", "train") == 0
    people = {sample.person for sample in read_shards(tmp_path / "out", "train")}
    assert people == {*PEOPLE[1:], "image00001"}
    assert "3 faces left out" in capsys.readouterr().err


def test_people_that_the_other_set_cannot_name_are_complained_of(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = tmp_path / "test"
    face(test, "YTF", "Ada_Byron_07", 10)
    face(test, "YTF", "Ben_Ames_07", 10)
    (test / "YTF" / "Ben_Ames_07.jpg").unlink()
    assert run("--apart-from", str(test), "--split", "train") == 1
    err = capsys.readouterr().err
    assert f"Ben_Ames_07_pts.mat: the image {test / 'YTF' / 'Ben_Ames_07.jpg'} is missing" in err
    assert "2 faces left out" in err


def test_a_shard_that_gets_no_face_is_complained_of(
    run: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = data / "YTF" / "Ada_Byron_00.jpg"
    image.write_bytes(image.read_bytes()[:-100])
    for _ in range(2):
        assert run("--split", "train", "--shard-size", "1") == 1
        err = capsys.readouterr().err
        assert "-of-00012.tfrecord: no face can be used, and" in err
    assert len(shards(tmp_path)) == 13


def test_without_the_library_nothing_is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tfrecord", None)
    assert run("--progress") == 1
    assert capsys.readouterr().err.endswith("shards needs tfrecord; install it: pip install 'mien[data]'\n")


def test_an_out_that_is_a_file(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").touch()
    assert run() == 2
    assert "cannot be written to (File exists); give another folder" in capsys.readouterr().err


def test_nobody_left(run: Run, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--apart-from", str(data)) == 2
    assert "no face is left" in capsys.readouterr().err

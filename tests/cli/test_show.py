"""``mien show``: the sheet that people look at before they train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.cli.show import _drawn, _label, _spread
from mien.datasets.shards import Sample, shard_path, write_shard
from mien.imaging import read_image


def sample(name: str = "0", visible: np.ndarray | None = None, points: np.ndarray | None = None) -> Sample:
    steps = np.linspace(0.2, 0.8, 68, dtype=np.float32)
    return Sample(
        image=np.full((128, 128, 3), 120, np.uint8),
        points=np.stack([steps, steps], axis=1) if points is None else points,
        wide=b"",
        wide_points=np.full((68, 2), 1, np.float32),
        visible=np.ones(68, np.float32) if visible is None else visible,
        pose=np.array([-31.4, np.nan, np.nan], np.float32),
        scheme="68",
        subset="SET",
        person=name,
        name=name,
    )


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Seven faces in two shards."""
    write_shard(shard_path(tmp_path / "shards", "SET", "train", 0, 2), [sample(str(i)) for i in range(4)])
    write_shard(shard_path(tmp_path / "shards", "SET", "train", 1, 2), [sample(str(i)) for i in range(4, 7)])
    return tmp_path / "shards"


@pytest.mark.parametrize(("count", "shown", "sides"), [(4, 4, (2, 2)), (64, 7, (3, 3)), (1, 1, (1, 1))])
def test_a_sheet(
    shards: Path, capsys: pytest.CaptureFixture[str], count: int, shown: int, sides: tuple[int, int]
) -> None:
    out = shards.parent / "sheet.png"
    assert main(["show", str(shards), "--out", str(out), "--count", str(count)]) == 0
    assert capsys.readouterr().out == f"{out}: {shown} of 7 faces\n"
    assert read_image(out).shape[:2] == tuple(4 + side * 260 for side in sides)


@pytest.mark.parametrize(
    ("total", "count", "chosen"),
    [(100, 4, [0, 32, 64, 96]), (3, 5, [0, 1, 2]), (7, 1, [0]), (8, 4, [0, 2, 4, 6]), (5, 5, [0, 1, 2, 3, 4])],
)
def test_evenly_spread(total: int, count: int, chosen: list[int]) -> None:
    samples, found = _spread((sample(str(i)) for i in range(total)), count)
    assert [int(s.name) for s in samples] == chosen
    assert found == total


def test_covered_points_look_otherwise_and_unknown_ones_are_left_out() -> None:
    points = sample().points.copy()
    points[5] = (0.1, 0.5)  # far from the others, and from the line between its neighbours
    points[6] = np.nan
    seen = _drawn(sample(points=points))
    covered = _drawn(sample(points=points, visible=np.where(np.arange(68) == 5, 0, 1).astype(np.float32)))
    x, y = (points[5] * 256).astype(int)
    assert seen[y, x].tolist() != [120, 120, 120]
    assert covered[y, x].tolist() == [0, 0, 0]
    nothing = _drawn(sample(points=np.full((68, 2), np.nan, np.float32)))
    assert (nothing[:-20] == 120).all()


def test_the_label_is_of_letters_that_every_font_has() -> None:
    assert _label(sample()) == "SET 68 yaw -31"


def test_a_damaged_shard_is_named(shards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shard_path(shards, "SET", "train", 1, 2)
    path.write_bytes(path.read_bytes()[:-10])
    assert main(["show", str(shards), "--out", str(shards.parent / "sheet.png")]) == 1
    assert f"{path}: record 3, byte" in capsys.readouterr().err
    assert not (shards.parent / "sheet.png").exists()


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--split", "val"], 1, "no shards of the split 'val' in it"),
        (["--count", "0"], 2, "--count is 0; a sheet shows 1 to 729 faces"),
        (["--count", "730"], 2, "--count is 730"),
        (["--out", "sheet.gif"], 2, "images are written as .jpg"),
    ],
)
def test_calls_that_cannot_be_done(
    shards: Path, capsys: pytest.CaptureFixture[str], options: list[str], status: int, message: str
) -> None:
    assert main(["show", str(shards), "--out", str(shards.parent / "sheet.png"), *options]) == status
    assert message in capsys.readouterr().err


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / "none"), "--out", str(tmp_path / "sheet.png")]) == 2
    assert "there is no such folder" in capsys.readouterr().err

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.fddb import read_fddb
from mien.errors import BadAnnotation

Write = Callable[..., Path]


def _folds(write: Write, **lines: list[str]) -> None:
    for k in range(1, 11):
        write(f"FDDB-folds/FDDB-fold-{k:02d}-ellipseList.txt", *lines.get(f"fold{k}", [""]))


@pytest.mark.parametrize("images", ["originalPics/", ""])
def test_fddb_ellipses(write: Write, tmp_path: Path, images: str) -> None:
    image = write(f"{images}2002/08/11/big/img_591.jpg")
    lines = [
        "2002/08/11/big/img_591",
        "2",
        f"123.5 85.5 {np.pi / 2} 269.5 161.5  1",
        f"60 40 {-np.pi / 3} 100 50  1",
    ]
    _folds(write, fold3=lines)
    dataset = read_fddb(tmp_path)
    (one,) = dataset.samples
    assert dataset.problems == ()
    assert len(dataset) == 1
    assert (one.path, dataset.name(one), one.fold) == (image, "2002/08/11/big/img_591.jpg", 3)
    expected = [[123.5, 85.5, 90, 269.5, 161.5], [60, 40, -60, 100, 50]]
    np.testing.assert_allclose(one.ellipses, expected, rtol=1e-6)  # float32
    assert one.ellipses.dtype == np.float32


def test_fddb_problems(write: Write, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "good"):
        write(f"2002/{name}.jpg")
    good = "60 40 1 100 50 1"
    lines = [
        "2002/a",
        "1",
        "60 0 1 9 9 1",
        "2002/b",
        "2",
        good,
        "2002/c",
        "1",
        "60 40",
        "2002/gone",
        "1",
        good,
    ]
    _folds(write, fold1=[*lines, "2002/good", "1", good])
    (tmp_path / "FDDB-folds/FDDB-fold-10-ellipseList.txt").unlink()
    dataset = read_fddb(tmp_path)
    assert [image.path.name for image in dataset] == ["good.jpg"]
    problems = "\n".join(map(str, dataset.problems))
    assert "FDDB-fold-01-ellipseList.txt:1: an ellipse of 60 x 0 pixels" in problems
    assert "FDDB-fold-01-ellipseList.txt:5: 2 faces announced, 1 listed" in problems
    assert "FDDB-fold-01-ellipseList.txt:9: 2 numbers" in problems
    assert "FDDB-fold-01-ellipseList.txt:10: the image" in problems
    assert "FDDB-fold-10-ellipseList.txt: the list cannot be read" in problems
    assert len(dataset.problems) == 5


def test_missing_fddb_folds_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match="FDDB-folds: no folds of FDDB"):
        read_fddb(tmp_path)

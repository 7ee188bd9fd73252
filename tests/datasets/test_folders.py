from collections.abc import Callable
from pathlib import Path

import pytest

from mien.datasets.folders import read_background, read_people
from mien.errors import BadAnnotation

Write = Callable[..., Path]


def test_people(write: Write, tmp_path: Path) -> None:
    images = [write(f"lfw/{name}") for name in ("Ann/Ann_0001.jpg", "Ann/Ann_0002.JPG", "Bo/Bo_0001.png")]
    write("lfw/Ann/notes.txt")
    write("lfw/people.txt")
    write("lfw/.cache/x.jpg")
    (tmp_path / "lfw/Nobody").mkdir()
    (tmp_path / "lfw/Bo/Bo_0002.jpg").touch()
    people = read_people(tmp_path / "lfw")
    assert [(sample.path, sample.identity) for sample in people] == [
        (images[0], "Ann"),
        (images[1], "Ann"),
        (images[2], "Bo"),
    ]
    assert len(people) == 3
    empty, nobody = map(str, people.problems)
    assert "Bo_0002.jpg is empty" in empty
    assert "Nobody: no images" in nobody


def test_background_is_recursive_and_sorted(write: Write, tmp_path: Path) -> None:
    for name in ("b.jpg", "a/z.png", "a/deep/x.webp", "a/readme.txt", ".hidden.jpg"):
        write(f"scenes/{name}")
    (tmp_path / "scenes/c.jpg").touch()
    dataset = read_background(tmp_path / "scenes")
    names = [str(sample.path.relative_to(tmp_path / "scenes")) for sample in dataset.samples]
    assert names == ["a/deep/x.webp", "a/z.png", "b.jpg"]
    assert {sample.boxes.shape for sample in dataset.samples} == {(0, 4)}
    (problem,) = dataset.problems
    assert "c.jpg is empty" in str(problem)


@pytest.mark.parametrize("read", [read_people, read_background])
def test_missing_folders_are_rejected(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(BadAnnotation, match="none: no such folder"):
        read(tmp_path / "none")

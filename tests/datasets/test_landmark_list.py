from collections.abc import Callable
from pathlib import Path

import pytest

from mien.datasets.landmark_list import read_landmark_list
from mien.errors import BadAnnotation

Write = Callable[..., Path]

POINTS = "4 5 8 5 6 7 4 9 8 9"
FIVE = [[4, 5], [8, 5], [6, 7], [4, 9], [8, 9]]


@pytest.mark.parametrize("name", ["faces/a.jpg", "faces\\a.jpg"])
def test_landmark_list_has_both_x_first(write: Write, tmp_path: Path, name: str) -> None:
    image = write("faces/a.jpg")
    reading = read_landmark_list(write("list.txt", f"{name} 2 10.5 3 13 {POINTS}"), tmp_path)
    (annotation,) = reading.annotations
    assert annotation.path == image
    assert annotation.boxes.tolist() == [[2, 3, 10.5, 13]]
    assert annotation.points.tolist() == [FIVE]
    assert annotation.ignored.tolist() == [False]
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a.jpg", "0 numbers"),
        (f"a.jpg 2 10 3 {POINTS}", "13 numbers"),
        (f"a.jpg 2 10 3 1x {POINTS}", "not a number: '2 10 3 1x"),
        (f"a.jpg 2 10 3 nan {POINTS}", "nan"),
        (f"a.jpg 10 2 3 13 {POINTS}", "an empty box: left 10 right 2 top 3 bottom 13"),
        (f"a.jpg 2 10 3 3 {POINTS}", "an empty box"),
        (f"b.jpg 2 10 3 13 {POINTS}", "b.jpg is missing"),
        (f"a.jpg 1 2 10 3 13 {POINTS}", "is missing"),  # one number more is taken for a part of the name
    ],
)
def test_broken_landmark_lines(write: Write, tmp_path: Path, line: str, found: str) -> None:
    write("a.jpg")
    write("with blank.jpg")
    file = write("list.txt", "", line, f"with blank.jpg 2 10 3 13 {POINTS}")
    reading = read_landmark_list(file, tmp_path)
    assert [annotation.path.name for annotation in reading.annotations] == ["with blank.jpg"]
    (problem,) = reading.problems
    assert f"{file}:2: " in str(problem)
    assert found in str(problem)


def test_missing_landmark_list(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match=r"list.txt: the list cannot be read \(No such file"):
        read_landmark_list(tmp_path / "list.txt", tmp_path)

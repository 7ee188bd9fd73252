from collections.abc import Callable
from pathlib import Path

import pytest

from mien.datasets.keypoint_list import read_keypoint_lists
from mien.errors import BadAnnotation

Write = Callable[..., Path]

POINTS = "4 5 8 5 6 7 4 9 8 9"
FIVE = [[4, 5], [8, 5], [6, 7], [4, 9], [8, 9]]


@pytest.mark.parametrize("name", ["faces/a.jpg", "faces\\a.jpg"])
def test_keypoint_list_has_both_x_first(write: Write, tmp_path: Path, name: str) -> None:
    image = write("faces/a.jpg")
    dataset = read_keypoint_lists(write("list.txt", f"{name} 2 10.5 3 13 {POINTS}"))
    (sample,) = dataset.samples
    assert sample.path == image
    assert sample.boxes.tolist() == [[2, 3, 10.5, 13]]
    assert sample.keypoints.tolist() == [FIVE]
    assert sample.ignored.tolist() == [False]
    assert dataset.problems == ()


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
def test_broken_keypoint_lines(write: Write, tmp_path: Path, line: str, found: str) -> None:
    write("a.jpg")
    write("with blank.jpg")
    file = write("list.txt", "", line, f"with blank.jpg 2 10 3 13 {POINTS}")
    dataset = read_keypoint_lists(file)
    assert [sample.path.name for sample in dataset.samples] == ["with blank.jpg"]
    (problem,) = dataset.problems
    assert f"{file}:2: " in str(problem)
    assert found in str(problem)


def test_missing_keypoint_list(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match=r"list.txt: the list cannot be read \(No such file"):
        read_keypoint_lists(tmp_path / "list.txt")

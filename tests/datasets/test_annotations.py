from pathlib import Path

import numpy as np
import pytest

from mien.datasets.annotations import Annotation, numbers, read_lines, require_image, unknown_points
from mien.errors import BadAnnotation, BadOption


def test_arrays_become_float32_and_bool() -> None:
    points = np.zeros((1, 5, 2))
    annotation = Annotation(Path("a.jpg"), np.array([[0, 0, 10, 10]]), np.array([0]), points)
    assert annotation.boxes.dtype == annotation.points.dtype == np.float32
    assert annotation.ignored.dtype == np.bool_
    assert len(annotation) == 1


@pytest.mark.parametrize(
    ("field", "boxes", "ignored", "points"),
    [
        ("boxes", (2, 5), (2,), (2, 5, 2)),
        ("boxes", (4,), (4,), (4, 5, 2)),
        ("ignored", (2, 4), (1,), (2, 5, 2)),
        ("points", (2, 4), (2,), (2, 10)),
    ],
)
def test_wrong_shapes_are_named(
    field: str, boxes: tuple[int, ...], ignored: tuple[int, ...], points: tuple[int, ...]
) -> None:
    with pytest.raises(BadOption, match=rf"{field} of a.jpg has shape .* it must be"):
        Annotation(Path("a.jpg"), np.zeros(boxes), np.zeros(ignored), np.zeros(points))


def test_unknown_points_are_nan() -> None:
    assert unknown_points(3).shape == (3, 5, 2)
    assert np.isnan(unknown_points(3)).all()


def test_numbers() -> None:
    assert numbers("a.txt:1", ["1", "-2.5"], 2, "x y") == [1, -2.5]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 a", "not a number: '1 a'"),
        ("1", "1 numbers"),
        ("1 2 3", "3 numbers"),
        ("1 nan", "nan"),
        ("1 inf", "inf"),
    ],
)
def test_bad_numbers_name_place_finding_and_layout(text: str, found: str) -> None:
    with pytest.raises(BadAnnotation, match=rf"a.txt:7: .*{found}.*write 'x y'"):
        numbers("a.txt:7", text.split(), 2, "x y")


def test_lines_of_a_file_from_windows(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbfone\r\ntwo \xe9\r\n")
    assert [line.strip() for line in read_lines(file)] == ["one", "two �", ""]


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadAnnotation, match="the list cannot be read"):
        read_lines(tmp_path / name)


def test_images_must_be_there_and_not_empty(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    with pytest.raises(BadAnnotation, match=r"list:3: the image .*a.jpg is missing"):
        require_image("list:3", file)
    file.touch()
    with pytest.raises(BadAnnotation, match="is empty"):
        require_image("list:3", file)
    file.write_bytes(b"x")
    assert require_image("list:3", file) == file


@pytest.mark.parametrize("name", ["a\0b.jpg", "a" * 5000 + ".jpg"])
def test_impossible_names_are_problems_too(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadAnnotation, match="list:3"):
        require_image("list:3", tmp_path / name)

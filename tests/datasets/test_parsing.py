from pathlib import Path

import numpy as np
import pytest

from mien.datasets.parsing import (
    as_numbers,
    checked_points,
    numbers,
    original_image,
    read_lines,
    require_image,
    size_of,
)
from mien.errors import BadAnnotation
from mien.imaging import write_image

SIZE = (100, 50)


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
def test_bad_numbers_name_place_value_and_layout(text: str, found: str) -> None:
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


def test_missing_and_empty_images_are_rejected(tmp_path: Path) -> None:
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


def test_usable_points() -> None:
    given = np.zeros((3, 2))
    given[0, 1] = np.nan
    given[1] = -100, -50  # just one side away
    points = checked_points("f", given, 3, SIZE)
    assert np.array_equal(points, np.float32([[np.nan, np.nan], [-100, -50], [0, 0]]), equal_nan=True)
    assert points.dtype == np.float32
    assert given[0, 0] == 0  # what was given stays as it was


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3)), r"^f: points of shape \(2, 3\), not \(3, 2\); correct the file"),
        (np.full((3, 2), np.nan), r"^f: no point is known \(all are NaN\)"),
        ([[0, np.nan], [np.nan, 0], [np.nan, 0]], "no point is known"),
        ([[0, 0], [0, np.inf], [0, 0]], "^f: point 1 is infinite"),
        ([[0, 0], [0, 0], [200.5, 0]], r"^f: point 2 is at \(200.5, 0.0\), far outside the image of 100 x 50"),
        ([[0, 0], [0, -50.5], [0, 0]], r"^f: point 1 is at \(0.0, -50.5\)"),
        ([["a", "b"]], "^f: points are not numbers"),
        (np.array([[None]]), "^f: points are not numbers"),
        ([[1], [1, 2]], "^f: points are not numbers"),
    ],
)
def test_unusable_points(values: object, message: str) -> None:
    with pytest.raises(BadAnnotation, match=message):
        checked_points("f", values, 3, SIZE)


def test_numbers_of_any_kind() -> None:
    assert as_numbers("f", "x", np.array([[True, False]])).tolist() == [[1.0, 0.0]]
    with pytest.raises(BadAnnotation, match="x are not numbers"):
        as_numbers("f", "x", np.array([1j]))


def test_the_size_of_an_image(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((5, 7, 3), dtype=np.uint8))
    assert size_of("f", tmp_path / "a.png") == (7, 5)
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(BadAnnotation, match=r"^f: its image cannot be used: .*b\.png: not an image"):
        size_of("f", tmp_path / "b.png")
    with pytest.raises(BadAnnotation, match=r"^f: the image .*c\.png is missing"):
        size_of("f", tmp_path / "c.png")


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("Abdel_Aziz_Al-Hakim_01", "Abdel_Aziz_Al-Hakim"),
        ("HELEN_1234567_1_7", "HELEN_1234567"),
        ("LFPW_image_train_0001_12", "LFPW_image_train_0001"),
        ("IBUG_image_003_1_5", "IBUG_image_003"),
        ("134212_2", "134212"),
        ("image_0012", "image_0012"),
        ("indoor_001", "indoor_001"),
        ("image00008", "image00008"),
        ("0002-image04733", "image04733"),
        ("37-Soccer", "37-Soccer"),
        ("_1", "_1"),
    ],
)
def test_original_image(name: str, original: str) -> None:
    assert original_image(name) == original

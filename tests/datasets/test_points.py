from pathlib import Path

import numpy as np
import pytest

from mien.datasets.points import (
    PointFace,
    as_numbers,
    checked_points,
    load_image,
    original_image,
    size_of,
    unknown,
)
from mien.errors import BadAnnotation, BadImage, BadOption
from mien.imaging import write_image

SIZE = (100, 50)


def face(**changes: object) -> PointFace:
    fields = {
        "path": Path("a.jpg"),
        "points": np.ones((68, 2)),
        "scheme": "68",
        "subset": "S",
        "person": "p",
        "visible": unknown(68),
        "pose": None,
        "box": unknown(4),
    }
    return PointFace(**{**fields, **changes})


def test_arrays_are_float32() -> None:
    one = face()
    assert one.points.dtype == one.visible.dtype == one.box.dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheme": "70"}, r"a.jpg: unknown scheme '70'; one of 5, 29, 68"),
        ({"points": np.ones((67, 2))}, r"points of a.jpg has shape \(67, 2\); it must be \(68, 2\)"),
        ({"scheme": "98"}, r"points of a.jpg has shape \(68, 2\); it must be \(98, 2\)"),
        ({"visible": np.ones(67)}, r"visible of a.jpg has shape \(67,\)"),
        ({"visible": np.full(68, 2)}, r"visible of a.jpg has \[2.\]; it must be 1, 0 or NaN"),
        ({"box": np.ones(5)}, r"box of a.jpg has shape \(5,\)"),
        ({"points": unknown(68, 2)}, r"a.jpg: no point is known"),
    ],
)
def test_faces_are_checked(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        face(**changes)


def test_a_image_from_its_file_or_from_inside_another(tmp_path: Path) -> None:
    pixels = np.full((4, 6, 3), 9, dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels)
    assert np.array_equal(load_image(face(path=tmp_path / "a.png")), pixels)
    assert load_image(face(load=lambda: pixels)) is pixels
    with pytest.raises(BadImage, match=r"b\.png"):
        load_image(face(path=tmp_path / "b.png"))


def test_points_that_can_be_used() -> None:
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
        ([["a", "b"]], "^f: points are no numbers"),
        (np.array([[None]]), "^f: points are no numbers"),
        ([[1], [1, 2]], "^f: points are no numbers"),
    ],
)
def test_points_that_cannot(values: object, message: str) -> None:
    with pytest.raises(BadAnnotation, match=message):
        checked_points("f", values, 3, SIZE)


def test_numbers_of_any_kind() -> None:
    assert as_numbers("f", "x", np.array([[True, False]])).tolist() == [[1.0, 0.0]]
    with pytest.raises(BadAnnotation, match="x are no numbers"):
        as_numbers("f", "x", np.array([1j]))


def test_the_size_of_a_image(tmp_path: Path) -> None:
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
def test_what_a_split_must_not_part(name: str, original: str) -> None:
    assert original_image(name) == original

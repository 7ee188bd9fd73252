from pathlib import Path

import numpy as np
import pytest

from mien.datasets.samples import Dataset, DetectionSample, IdentitySample, LandmarkSample, load_image, unknown
from mien.errors import BadImage, BadOption
from mien.imaging import write_image


def test_arrays_become_float32_and_bool() -> None:
    points = np.zeros((1, 5, 2))
    sample = DetectionSample(Path("a.jpg"), np.array([[0, 0, 10, 10]]), np.array([0]), points)
    assert sample.boxes.dtype == sample.keypoints.dtype == np.float32
    assert sample.ignored.dtype == np.bool_
    assert len(sample) == 1


@pytest.mark.parametrize(
    ("field", "boxes", "ignored", "keypoints"),
    [
        ("boxes", (2, 5), (2,), (2, 5, 2)),
        ("boxes", (4,), (4,), (4, 5, 2)),
        ("ignored", (2, 4), (1,), (2, 5, 2)),
        ("keypoints", (2, 4), (2,), (2, 10)),
    ],
)
def test_wrong_shapes_are_named(
    field: str, boxes: tuple[int, ...], ignored: tuple[int, ...], keypoints: tuple[int, ...]
) -> None:
    with pytest.raises(BadOption, match=rf"{field} of a.jpg has shape .* it must be"):
        DetectionSample(Path("a.jpg"), np.zeros(boxes), np.zeros(ignored), np.zeros(keypoints))


def test_an_attribute_has_one_value_per_face() -> None:
    with pytest.raises(BadOption, match=r"attribute 'blur' of a.jpg has shape \(2,\); it must be \(1,\)"):
        DetectionSample(
            Path("a.jpg"), np.zeros((1, 4)), np.zeros(1), np.zeros((1, 5, 2)), {"blur": np.zeros(2, np.float32)}
        )


def face(**changes: object) -> LandmarkSample:
    fields = {
        "path": Path("a.jpg"),
        "points": np.ones((68, 2)),
        "scheme": "68",
        "subset": "S",
        "person": "p",
    }
    return LandmarkSample(**{**fields, **changes})


def test_arrays_are_float32() -> None:
    one = face()
    assert one.points.dtype == one.visible.dtype == one.box.dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheme": "70"}, r"a.jpg: unknown scheme '70'; use one of 5, 29, 68"),
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


def test_an_image_from_its_file_or_from_inside_another(tmp_path: Path) -> None:
    pixels = np.full((4, 6, 3), 9, dtype=np.uint8)
    write_image(tmp_path / "a.png", pixels)
    assert np.array_equal(load_image(face(path=tmp_path / "a.png")), pixels)
    assert load_image(face(load=lambda: pixels)) is pixels
    with pytest.raises(BadImage, match=r"b\.png"):
        load_image(face(path=tmp_path / "b.png"))


def test_optional_arrays_are_unknown_by_default() -> None:
    one = face()
    assert one.visible.shape == (68,)
    assert one.box.shape == (4,)
    assert np.isnan(one.visible).all()
    assert np.isnan(one.box).all()


def test_names_are_relative_to_the_root() -> None:
    inside, outside = (IdentitySample(Path(path), "Ann") for path in ("lfw/Ann/1.jpg", "other/2.jpg"))
    dataset = Dataset((inside, outside), root=Path("lfw"))
    assert [dataset.name(sample) for sample in dataset] == ["Ann/1.jpg", "other/2.jpg"]
    assert len(dataset) == 2

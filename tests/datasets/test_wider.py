from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.datasets.blocks import read_blocks
from mien.datasets.wider import ATTRIBUTES, read_wider, read_wider_text
from mien.errors import BadAnnotation, BadOption

Write = Callable[..., Path]

GOOD = ["0--Parade/good.jpg", "1", "1 2 10 20 0 0 0 0 0 0"]
"""A valid image, read whatever precedes or follows it."""


def test_boxes_flags_and_order(write: Write, tmp_path: Path) -> None:
    image = write("images/0--Parade/a.jpg")
    file = write(
        "list.txt",
        "0--Parade/a.jpg",
        "3",
        "449 330 122 149 0 0 0 0 0 0 ",
        "10 20 5 7 2 0 0 1 2 0 ",
        "0.5 1.5 2 3 0 0 0 0 2 1 ",
    )
    dataset = read_wider_text(file, tmp_path / "images")
    (sample,) = dataset.samples
    assert dataset.problems == ()
    assert sample.path == image
    assert sample.boxes.tolist() == [[449, 330, 571, 479], [10, 20, 15, 27], [0.5, 1.5, 2.5, 4.5]]
    assert sample.ignored.tolist() == [
        False,
        True,
        False,
    ]  # the eighth number is "invalid", not the ninth
    assert np.isnan(sample.keypoints).all()
    assert {name: values.tolist() for name, values in sample.attributes.items()} == {
        "blur": [0, 2, 0],
        "expression": [0, 0, 0],
        "illumination": [0, 0, 0],
        "occlusion": [0, 2, 2],
        "pose": [0, 0, 1],
    }


def test_the_attributes_of_no_face_are_empty(write: Write, tmp_path: Path) -> None:
    write("a.jpg")
    (sample,) = read_wider_text(write("list.txt", "a.jpg", "0"), tmp_path).samples
    assert {name: values.shape for name, values in sample.attributes.items()} == dict.fromkeys(ATTRIBUTES, (0,))


@pytest.mark.parametrize("below", [["0 0 0 0 0 0 0 0 0 0"], []])
def test_an_image_without_faces(write: Write, tmp_path: Path, below: list[str]) -> None:
    write("a.jpg")
    write("0--Parade/good.jpg")
    dataset = read_wider_text(write("list.txt", "a.jpg", "0", *below, *GOOD), tmp_path)
    assert [len(sample) for sample in dataset.samples] == [0, 1]
    assert dataset.samples[0].boxes.shape == (0, 4)
    assert dataset.problems == ()


@pytest.mark.parametrize(
    ("size", "box"),
    [("0 7", [10, 20, 10, 27]), ("7 0", [10, 20, 17, 20]), ("-4 6", [6, 20, 10, 26])],
)
def test_a_box_without_area_is_ignored_and_reported(write: Write, tmp_path: Path, size: str, box: list[float]) -> None:
    write("a.jpg")
    file = write("list.txt", "a.jpg", "2", "1 2 3 4 0 0 0 0 0 0", f"10 20 {size} 0 0 0 0 0 0")
    dataset = read_wider_text(file, tmp_path)
    (sample,) = dataset.samples
    assert sample.boxes[1].tolist() == box
    assert sample.ignored.tolist() == [False, True]
    (problem,) = dataset.problems
    assert f"{file}:4: a face of {' x '.join(size.split())} pixels" in str(problem)


BROKEN = {
    "number of faces missing": (["a.jpg"], 1, "no number of faces below 'a.jpg'"),
    "number of faces no number": (["a.jpg", "1.5"], 2, "'1.5' instead of the number of faces"),
    "number of faces negative": (["a.jpg", "-1"], 2, "'-1' instead of"),
    "number of faces left out": (["a.jpg", "1 2 3 4 0 0 0 0 0 0"], 2, "'1 2 3 4 0 0 0 0 0 0' instead of"),
    "too few faces": (["a.jpg", "2", "1 2 3 4 0 0 0 0 0 0"], 2, "2 faces announced, 1 listed"),
    "too many faces": (["a.jpg", "1", *["1 2 3 4 0 0 0 0 0 0"] * 2], 2, "1 faces announced, 2 listed"),
    "zero faces and a face": (["a.jpg", "0", "1 2 3 4 0 0 0 0 0 0"], 2, "0 faces announced, 1 listed"),
    "nine numbers": (["a.jpg", "1", "1 2 3 4 0 0 0 0 0"], 3, "9 numbers"),
    "eleven numbers": (["a.jpg", "1", "1 2 3 4 0 0 0 0 0 0 0"], 3, "11 numbers"),
    "letter in a number": (["a.jpg", "1", "1 2 3O 4 0 0 0 0 0 0"], 3, "not a number: '1 2 3O 4"),
    "not finite": (["a.jpg", "1", "1 2 inf 4 0 0 0 0 0 0"], 3, "inf"),
    "missing image": (["b.jpg", "1", "1 2 3 4 0 0 0 0 0 0"], 1, "b.jpg is missing"),
    "empty image": (["empty.jpg", "1", "1 2 3 4 0 0 0 0 0 0"], 1, "empty.jpg is empty"),
    "no suffix": (["Parade", "1", "1 2 3 4 0 0 0 0 0 0"], 1, "Parade is missing"),
}


@pytest.mark.parametrize(("lines", "line", "found"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_image_is_reported_and_the_rest_is_read(
    write: Write, tmp_path: Path, lines: list[str], line: int, found: str
) -> None:
    write("a.jpg")
    write("0--Parade/good.jpg")
    (tmp_path / "empty.jpg").touch()
    file = write("list.txt", *lines, *GOOD)
    dataset = read_wider_text(file, tmp_path)
    assert [sample.path.name for sample in dataset.samples] == ["good.jpg"]
    (problem,) = dataset.problems
    assert isinstance(problem, BadAnnotation)
    assert f"{file}:{line}: " in str(problem)
    assert found in str(problem)
    assert "; " in str(problem)  # the cure


def test_lines_before_the_first_image(write: Write, tmp_path: Path) -> None:
    write("0--Parade/good.jpg")
    dataset = read_wider_text(write("list.txt", "3", *GOOD), tmp_path)
    assert len(dataset) == 1
    assert "list.txt:1: '3' before any image" in str(dataset.problems[0])


def test_an_empty_list_and_a_name_that_begins_with_a_number(write: Write, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    assert len(read_wider_text(tmp_path / "empty.txt", tmp_path)) == 0
    write("12 a.jpg")
    assert len(read_wider_text(write("list.txt", "12 a.jpg", "", "0", ""), tmp_path)) == 1


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(["a.jpg", "b", "0", "1", "1 2 3 4 0 0 0 0 0 0", "x 1", "", " "]), max_size=12))
def test_every_line_belongs_to_one_block(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    file = tmp_path_factory.getbasetemp() / "blocks.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    numbered = []
    for block in read_blocks(file):
        numbered += [(block.line, block.name)] if block.name else []
        numbered += block.rows
    assert numbered == [(i, text) for i, text in enumerate(lines, start=1) if text.strip()]


def _official(write: Write, split: str) -> Path:
    write(f"wider/WIDER_{split}/images/0--Parade/good.jpg")
    return write(f"wider/wider_face_split/wider_face_{split}_bbx_gt.txt", *GOOD).parents[1]


@pytest.mark.parametrize("split", ["train", "val"])
def test_official_folder(write: Write, split: str) -> None:
    root = _official(write, split)
    dataset = read_wider(str(root), split)  # type: ignore[arg-type]
    (sample,) = dataset.samples
    assert sample.path == root / f"WIDER_{split}/images/0--Parade/good.jpg"
    assert sample.boxes.tolist() == [[1, 2, 11, 22]]


def test_unknown_splits(write: Write) -> None:
    root = _official(write, "train")
    with pytest.raises(BadOption, match="'test'; use 'train' or 'val'"):
        read_wider(root, "test")  # type: ignore[arg-type]
    with pytest.raises(BadAnnotation, match=r"wider_face_val_bbx_gt.txt: the list cannot be read"):
        read_wider(root, "val")

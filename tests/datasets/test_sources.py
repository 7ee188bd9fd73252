import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.datasets.sources import read_source
from mien.errors import BadOption

Write = Callable[..., Path]

WIDER = ["1", "1 2 10 20 0 0 0 0 0 0"]
POINTS = "4 5 8 5 6 7 4 9 8 9"


@pytest.fixture
def root(write: Write, tmp_path: Path) -> Path:
    """One image in each layout and split, named after both."""
    for split in ("train", "val"):
        write(f"WIDER_{split}/images/e/wider-{split}.jpg")
        write(f"wider_face_split/wider_face_{split}_bbx_gt.txt", f"e/wider-{split}.jpg", *WIDER)
    write("images/text-train.jpg")
    write("bbx_gt.txt", "text-train.jpg", *WIDER)
    for split in ("train", "test"):
        write(f"faces/list-{split}.jpg")
        write(f"{split}ImageList.txt", f"faces/list-{split}.jpg 1 2 3 4 {POINTS}")
    write("images/teacher-train.jpg")
    write("teacher_boxes.json", f'{{"teacher-train.jpg": [[1, 2, 3, 4, 0.9, {POINTS.replace(" ", ", ")}]]}}')
    names = [f"celeba-{split}.jpg" for split in ("train", "val", "test")]
    for name in names:
        write(f"img_celeba/{name}")
    write("list_bbox_celeba.txt", "3", "head", *(f"{name} 1 2 3 4" for name in names))
    write("list_landmarks_celeba.txt", "3", "head", *(f"{name} {POINTS}" for name in names))
    write("list_eval_partition.txt", *(f"{name} {i}" for i, name in enumerate(names)))
    return tmp_path


@pytest.mark.parametrize(
    ("layout", "path", "split", "name"),
    [
        ("wider", "", "train", "wider-train.jpg"),
        ("wider", "", "val", "wider-val.jpg"),
        ("wider-text", "", "train", "text-train.jpg"),
        ("wider-text", "bbx_gt.txt", "train", "text-train.jpg"),
        ("landmark-list", "", "train", "list-train.jpg"),
        ("landmark-list", "", "test", "list-test.jpg"),
        ("landmark-list", "testImageList.txt", "train", "list-test.jpg"),
        ("celeba", "", "train", "celeba-train.jpg"),
        ("celeba", "", "val", "celeba-val.jpg"),
        ("celeba", "", "test", "celeba-test.jpg"),
        ("teacher", "", "train", "teacher-train.jpg"),
        ("teacher", "teacher_boxes.json", "train", "teacher-train.jpg"),
        ("faceless", "WIDER_val", "train", "wider-val.jpg"),
    ],
)
def test_each_format_and_split(root: Path, layout: str, path: str, split: str, name: str) -> None:
    reading = read_source(layout, root / path, split)
    assert [annotation.path.name for annotation in reading.annotations] == [name]
    assert reading.problems == ()


def test_the_default_split_is_train(root: Path) -> None:
    (annotation,) = read_source("wider", str(root)).annotations
    assert annotation.path.name == "wider-train.jpg"


@pytest.mark.parametrize(
    ("layout", "split"),
    [
        ("wider", "test"),
        ("wider-text", "val"),
        ("landmark-list", "val"),
        ("celeba", "dev"),
        ("faceless", "val"),
    ],
)
def test_a_split_is_never_silently_another(root: Path, layout: str, split: str) -> None:
    with pytest.raises(BadOption, match=f"'{layout}' has no split '{split}'; one of"):
        read_source(layout, root, split)


def test_one_list_has_no_split(root: Path) -> None:
    with pytest.raises(BadOption, match="is one list and has no split 'test'"):
        read_source("landmark-list", root / "trainImageList.txt", "test")


def test_unknown_formats_are_told_the_known_ones(root: Path) -> None:
    with pytest.raises(BadOption, match="unknown format 'coco'; one of wider, wider-text"):
        read_source("coco", root)


def test_readers_load_no_scipy() -> None:
    code = "import sys, mien.datasets.sources, mien.datasets.wider_lists; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.wflw import read_wflw
from mien.errors import BadAnnotation, BadOption
from mien.imaging import write_image

Write = Callable[..., Path]

OFFICIAL = "WFLW_annotations/list_98pt_rect_attr_train_test"
POINTS = " ".join(f"{i + 1}.5 {i}" for i in range(98))
NAME = "37--Soccer/37_Soccer_ball_37_45.jpg"


def _list(write: Write, split: str, *lines: str, folder: str = OFFICIAL) -> None:
    write(f"{folder}/list_98pt_rect_attr_{split}.txt", *lines)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    image = tmp_path / "WFLW_images" / NAME
    image.parent.mkdir(parents=True)
    write_image(image, np.zeros((120, 100, 3), dtype=np.uint8))
    return tmp_path


@pytest.mark.parametrize("folder", [OFFICIAL, "."])
def test_one_annotation_line(root: Path, write: Write, folder: str) -> None:
    _list(write, "train", f"{POINTS} 5 10 60 90 0 0 1 0 1 0 {NAME}", folder=folder)
    dataset = read_wflw(root, "train")
    assert dataset.problems == ()
    (face,) = dataset.samples
    assert face.points[2].tolist() == [3.5, 2]
    assert face.box.tolist() == [5, 10, 60, 90]
    assert (face.scheme, face.subset, face.person) == ("98", "WFLW", "37_Soccer_ball_37_45")
    assert face.path == root / "WFLW_images" / NAME
    assert face.pose is None


def test_all_contains_train_and_test(root: Path, write: Write) -> None:
    line = f"{POINTS} 5 10 60 90 0 0 1 0 1 0 {NAME}"
    _list(write, "train", line, line)
    _list(write, "test", line)
    assert len(read_wflw(root)) == 3
    assert len(read_wflw(root, "test")) == 1


def test_unusable_annotations(root: Path, write: Write) -> None:
    _list(
        write,
        "test",
        f"{POINTS} 5 10 60 90 0 0 1 0 1 0 {NAME}",
        f"{POINTS} 5 10 60 90 0 0 1 0 1 {NAME}",
        f"{POINTS} 5 10 60 90 0 0 1 0 1 0 missing.jpg",
        f"{POINTS} 60 10 5 90 0 0 1 0 1 0 {NAME}",
        f"{POINTS} 5 10 60 90 0 0 2 0 1 0 {NAME}",
        f"{POINTS.replace('3.5 2', '3.5 2x')} 5 10 60 90 0 0 1 0 1 0 {NAME}",
        f"{POINTS.replace('3.5 2', '3.5 999')} 5 10 60 90 0 0 1 0 1 0 {NAME}",
    )
    dataset = read_wflw(root, "test")
    assert len(dataset) == 1
    messages = [str(problem).partition(".txt:")[2] for problem in dataset.problems]
    for message, start in zip(
        messages,
        [
            "2: 206 fields instead of 207",
            "3: the image",
            "4: an empty box: [60.0, 10.0, 5.0, 90.0]",
            "5: attributes [0.0, 0.0, 2.0, 0.0, 1.0, 0.0]",
            "6: not a number",
            "7: point 2 is at (3.5, 999.0), far outside the image of 100 x 120",
        ],
        strict=True,
    ):
        assert message.startswith(start)


def test_missing_lists(root: Path, write: Write) -> None:
    with pytest.raises(BadAnnotation, match=r"list_98pt_rect_attr_train\.txt: the list cannot be read"):
        read_wflw(root)
    _list(write, "train", " ")
    with pytest.raises(BadAnnotation, match=r"attr_train\.txt: an empty list"):
        read_wflw(root, "train")
    with pytest.raises(BadOption, match="WFLW has no split 'val'"):
        read_wflw(root, "val")

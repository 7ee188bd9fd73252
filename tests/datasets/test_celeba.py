from collections.abc import Callable
from pathlib import Path

import pytest

from mien.datasets.celeba import read_celeba
from mien.errors import BadAnnotation, BadOption

Write = Callable[..., Path]

POINTS = "4 5 8 5 6 7 4 9 8 9"
BOX_HEAD = "image_id x_1 y_1 width height"
POINT_HEAD = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x ... rightmouth_y"
FIRST_POINTS = "165  184  244  176  196  249  194  271  266  260"
"""The first line of the official list, which shows that CelebA's left eye is on the left of the image."""


def _celeba(write: Write, boxes: list[str], points: list[str], official: bool = False) -> None:
    anno = "Anno/" if official else ""
    write(f"{anno}list_bbox_celeba.txt", str(len(boxes)), BOX_HEAD, *boxes)
    write(f"{anno}list_landmarks_celeba.txt", str(len(points)), POINT_HEAD, *points)


@pytest.mark.parametrize("official", [False, True])
def test_celeba_left_is_left_in_the_image(write: Write, tmp_path: Path, official: bool) -> None:
    image = write("Img/img_celeba/000001.jpg" if official else "img_celeba/000001.jpg")
    _celeba(write, ["000001.jpg    95  71 226 313"], [f"000001.jpg {FIRST_POINTS}"], official)
    dataset = read_celeba(tmp_path)
    (sample,) = dataset.samples
    assert dataset.problems == ()
    assert sample.path == image
    assert sample.boxes.tolist() == [[95, 71, 321, 384]]
    left_eye, right_eye, _, left_mouth, right_mouth = sample.keypoints[0]
    assert left_eye.tolist() == [165, 184]
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]


def test_celeba_splits(write: Write, tmp_path: Path) -> None:
    names = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
    for name in names:
        write(f"img_celeba/{name}")
    _celeba(write, [f"{name} 1 2 3 4" for name in names], [f"{name} {POINTS}" for name in names])
    write("list_eval_partition.txt", "1.jpg 0", "2.jpg 1", "3.jpg 2")
    read = {
        split: [sample.path.name for sample in read_celeba(tmp_path, split).samples]
        for split in ("train", "val", "test", "all")
    }
    assert read == {"train": ["1.jpg"], "val": ["2.jpg"], "test": ["3.jpg"], "all": names}
    with pytest.raises(BadOption, match="no split 'dev'"):
        read_celeba(tmp_path, "dev")


def test_celeba_problems_are_reported(write: Write, tmp_path: Path) -> None:
    for name in ("good", "flat", "text", "short", "lonely"):
        write(f"img_celeba/{name}.jpg")
    boxes = [
        "good.jpg 1 2 3 4",
        "flat.jpg 1 2 0 4",
        "text.jpg 1 2 x 4",
        "short.jpg 1 2 3 4",
        "gone.jpg 1 2 3 4",
    ]
    points = [f"{name}.jpg {POINTS}" for name in ("good", "flat", "text", "gone", "lonely")]
    _celeba(write, boxes, [*points, "short.jpg 1 2 3"])
    dataset = read_celeba(tmp_path)
    assert [sample.path.name for sample in dataset.samples] == ["good.jpg"]
    problems = "\n".join(map(str, dataset.problems))
    assert "list_bbox_celeba.txt:5: not a number: '1 2 x 4'" in problems
    assert "list_landmarks_celeba.txt:8: 3 numbers" in problems
    assert "list_bbox_celeba.txt:4: a face of 0 x 4 pixels" in problems
    assert "list_bbox_celeba.txt:7: the image" in problems
    assert "list_landmarks_celeba.txt:7: 'lonely.jpg' has no usable line in" in problems
    assert "list_landmarks_celeba.txt:5: 'text.jpg' has no usable line in" in problems
    assert "list_bbox_celeba.txt:6: 'short.jpg' has no usable line in" in problems
    assert len(dataset.problems) == 7


def test_truncated_celeba_lists(write: Write, tmp_path: Path) -> None:
    write("img_celeba/1.jpg")
    _celeba(write, ["1.jpg 1 2 3 4"], [f"1.jpg {POINTS}"])
    write("list_bbox_celeba.txt", "202599", BOX_HEAD, "1.jpg 1 2 3 4")
    dataset = read_celeba(tmp_path)
    assert len(dataset) == 1
    assert "list_bbox_celeba.txt:1: 202599 images announced, 1 listed" in str(dataset.problems[0])
    write("list_bbox_celeba.txt", "1.jpg 1 2 3 4")
    with pytest.raises(BadAnnotation, match=r"list_bbox_celeba.txt:1: '1.jpg 1 2 3 4' instead of the number"):
        read_celeba(tmp_path)
    (tmp_path / "list_bbox_celeba.txt").unlink()
    with pytest.raises(BadAnnotation, match="cannot be read"):
        read_celeba(tmp_path)

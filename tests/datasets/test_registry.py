import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.pts import write_pts
from mien.datasets.registry import FORMATS, format_names, read_dataset
from mien.datasets.samples import DetectionSample, EllipseSample, IdentitySample, LandmarkSample
from mien.errors import BadAnnotation, BadOption
from mien.imaging import write_image

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
    write("images/pseudo-train.jpg")
    write("teacher_boxes.json", f'{{"pseudo-train.jpg": [[1, 2, 3, 4, 0.9, {POINTS.replace(" ", ", ")}]]}}')
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
        ("keypoint-list", "", "train", "list-train.jpg"),
        ("keypoint-list", "", "test", "list-test.jpg"),
        ("keypoint-list", "testImageList.txt", "train", "list-test.jpg"),
        ("celeba", "", "train", "celeba-train.jpg"),
        ("celeba", "", "val", "celeba-val.jpg"),
        ("celeba", "", "test", "celeba-test.jpg"),
        ("pseudo-labels", "", "train", "pseudo-train.jpg"),
        ("pseudo-labels", "teacher_boxes.json", "train", "pseudo-train.jpg"),
        ("background", "WIDER_val", "train", "wider-val.jpg"),
    ],
)
def test_each_format_and_split(root: Path, layout: str, path: str, split: str, name: str) -> None:
    dataset = read_dataset(DetectionSample, layout, root / path, split)
    assert [sample.path.name for sample in dataset.samples] == [name]
    assert dataset.problems == ()


def test_the_default_split_is_train(root: Path) -> None:
    (sample,) = read_dataset(DetectionSample, "wider", str(root)).samples
    assert sample.path.name == "wider-train.jpg"


@pytest.mark.parametrize(
    ("sample", "layout", "split"),
    [
        (DetectionSample, "wider", "test"),
        (DetectionSample, "wider-text", "val"),
        (DetectionSample, "keypoint-list", "val"),
        (DetectionSample, "celeba", "dev"),
        (DetectionSample, "background", "val"),
        (EllipseSample, "fddb", "train"),
        (IdentitySample, "people", "train"),
        (LandmarkSample, "300w-lp", "train"),
        (LandmarkSample, "300w", "test"),
        (LandmarkSample, "aflw2000", "test"),
        (LandmarkSample, "wflw", "val"),
        (LandmarkSample, "cofw", "val"),
    ],
)
def test_unknown_splits_are_refused(root: Path, sample: type, layout: str, split: str) -> None:
    with pytest.raises(BadOption, match=f"'{layout}' has no split '{split}'; use one of"):
        read_dataset(sample, layout, root, split)


def test_one_list_has_no_split(root: Path) -> None:
    with pytest.raises(BadOption, match="is a single list without split 'test'"):
        read_dataset(DetectionSample, "keypoint-list", root / "trainImageList.txt", "test")


def test_format_names() -> None:
    assert format_names(LandmarkSample) == ("300w-lp", "300w", "aflw2000", "wflw", "cofw")
    assert format_names(IdentitySample) == ("people",)


@pytest.mark.parametrize("layout", ["menpo", "wider"])
def test_unknown_formats_name_the_known_ones(root: Path, layout: str) -> None:
    with pytest.raises(BadOption, match=f"unknown format '{layout}'; use one of 300w-lp, 300w, aflw2000, wflw, cofw"):
        read_dataset(LandmarkSample, layout, root)


@pytest.mark.parametrize("layout", FORMATS)
def test_a_missing_path_is_named(tmp_path: Path, layout: str) -> None:
    sample = FORMATS[layout].sample
    with pytest.raises(BadAnnotation, match=f"no such file or folder; give the path .* format '{layout}'"):
        read_dataset(sample, layout, tmp_path / "nowhere")
    if layout not in ("background", "people"):  # an empty folder is a valid one of these
        with pytest.raises(BadAnnotation, match="give the "):
            read_dataset(sample, layout, tmp_path)


def test_progress_sees_every_item(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((80, 80, 3), dtype=np.uint8))
    write_pts(tmp_path / "a.pts", np.full((68, 2), 40.0))
    totals = []

    def watch(items, total):
        totals.append(total)
        return items

    assert len(read_dataset(LandmarkSample, "300w", str(tmp_path), progress=watch)) == 1
    assert totals == [1]


def test_readers_load_neither_scipy_nor_h5py() -> None:
    code = "import sys, mien.datasets.registry; sys.exit(bool({'scipy', 'h5py', 'tfrecord'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)

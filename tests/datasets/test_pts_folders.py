from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets.pts import write_pts
from mien.datasets.pts_folders import read_pts_folders
from mien.datasets.samples import load_image
from mien.errors import BadAnnotation
from mien.imaging import write_image

POINTS = np.arange(136, dtype=np.float32).reshape(68, 2) / 2


def _face(stem: Path, ending: str = ".jpg", count: int = 68) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_image(stem.with_suffix(ending), np.zeros((80, 80, 3), dtype=np.uint8))
    write_pts(stem.with_suffix(".pts"), POINTS[:count])


def test_folders_of_300w(tmp_path: Path) -> None:
    _face(tmp_path / "helen" / "trainset" / "100032540_1")
    _face(tmp_path / "afw" / "134212_2")
    _face(tmp_path / "lfpw" / "testset" / "image_0001", ".png")
    _face(tmp_path / "ibug" / "image_092 _01")
    dataset = read_pts_folders(tmp_path)
    assert dataset.problems == ()
    assert [(face.subset, face.path.name, face.person) for face in dataset.samples] == [
        ("afw", "134212_2.jpg", "134212"),
        ("helen", "100032540_1.jpg", "100032540"),
        ("ibug", "image_092 _01.jpg", "image_092 "),
        ("lfpw", "image_0001.png", "image_0001"),
    ]
    face = dataset.samples[0]
    assert np.allclose(face.points, POINTS, atol=0.001)
    assert face.scheme == "68"
    assert face.pose is None
    assert np.isnan(face.visible).all()
    assert np.isnan(face.box).all()


def test_one_folder_alone_is_its_own_subset(tmp_path: Path) -> None:
    _face(tmp_path / "afw" / "1_1")
    (face,) = read_pts_folders(tmp_path / "afw").samples
    assert face.subset == "afw"


def test_points_belong_to_the_upright_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying: 40 wide and 10 high, shown upright
    stored = np.zeros((10, 40, 3), dtype=np.uint8)
    stored[:, 20:] = 255  # the lower half of what is seen
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    points = np.tile([5.0, 39.5], (68, 1))  # near the lower edge; far outside the image as stored
    write_pts(tmp_path / "a.pts", points)
    (face,) = read_pts_folders(tmp_path).samples
    image = load_image(face)
    assert image.shape == (40, 10, 3)
    x, y = face.points[0].astype(int)
    assert image[y, x].tolist() == [255] * 3


def test_names_with_dots(tmp_path: Path) -> None:
    stem = tmp_path / "a.b"
    write_image(tmp_path / "a.b.jpg", np.zeros((80, 80, 3), dtype=np.uint8))
    write_pts(tmp_path / "a.b.pts", POINTS)
    (face,) = read_pts_folders(tmp_path).samples
    assert face.path.name == f"{stem.name}.jpg"
    assert face.person == "a.b"


def test_unusable_annotations(tmp_path: Path) -> None:
    _face(tmp_path / "good")
    _face(tmp_path / "few", count=5)
    _face(tmp_path / "lonely")
    (tmp_path / "lonely.jpg").unlink()
    _face(tmp_path / "unmarked")
    (tmp_path / "unmarked.pts").unlink()
    _face(tmp_path / "torn")
    (tmp_path / "torn.pts").write_text("version: 1\n")
    _face(tmp_path / "empty")
    (tmp_path / "empty.jpg").write_bytes(b"")
    dataset = read_pts_folders(tmp_path)
    assert [face.path.stem for face in dataset.samples] == ["good"]
    messages = [str(problem).replace(f"{tmp_path}/", "") for problem in dataset.problems]
    assert [message.partition(";")[0] for message in messages] == [
        "empty.pts: the image empty.jpg is empty",
        "few.pts: points of shape (5, 2), not (68, 2)",
        "lonely.pts: no image of that name beside it",
        "torn.pts: no '{' before the points",
        "unmarked.jpg: its points unmarked.pts are missing",
    ]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match=r"no \.pts file in it or below; give the folder of 300W"):
        read_pts_folders(tmp_path)

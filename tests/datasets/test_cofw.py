import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.cofw import read_cofw
from mien.datasets.samples import load_image
from mien.errors import BadAnnotation, BadImage, BadOption, MissingExtra

h5py = pytest.importorskip("h5py")

X, Y = np.arange(29) + 2.0, np.arange(29) + 30.0
RGB = np.arange(50 * 70 * 3).reshape(50, 70, 3).astype(np.uint8)
GRAY = RGB[..., 0]


def _save(file: Path, ending: str, images: list[np.ndarray], phis: np.ndarray, boxes: np.ndarray) -> None:
    """Write the layout of MATLAB 7.3: arrays transposed, cells as references."""
    with h5py.File(file, "w") as content:
        content.create_group("#refs#")
        references = []
        for i, image in enumerate(images):
            references.append(content["#refs#"].create_dataset(f"p{i}", data=image.T).ref)
        cells = content.create_dataset(f"Is{ending}", (1, len(images)), dtype=h5py.ref_dtype)
        cells[0, :] = references
        content[f"phis{ending}"] = phis.T
        content[f"bboxes{ending}"] = boxes.T


def _rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    covered = np.zeros(29)
    covered[3] = 1
    return np.tile(np.concatenate([X, Y, covered]), (count, 1)), np.tile([11.0, 6, 20, 30], (count, 1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _save(tmp_path / "COFW_train_color.mat", "Tr", [RGB, GRAY], *_rows(2))
    _save(tmp_path / "COFW_test_color.mat", "T", [GRAY], *_rows(1))
    return tmp_path


def test_points_images_and_boxes(root: Path) -> None:
    dataset = read_cofw(root, "train")
    assert dataset.problems == ()
    face, gray = dataset.samples
    assert np.array_equal(face.points, np.stack([X, Y], axis=1) - 0.5)
    assert face.visible[:5].tolist() == [1, 1, 1, 0, 1]
    assert face.box.tolist() == [10.5, 5.5, 30.5, 35.5]
    assert (face.scheme, face.subset, face.person) == ("29", "COFW", "COFW_train_color-0001")
    assert np.array_equal(load_image(face), RGB)
    assert np.array_equal(load_image(gray), np.repeat(GRAY[..., None], 3, axis=2))


def test_samples_can_be_pickled(root: Path) -> None:
    (face,) = read_cofw(root, "test").samples
    assert face.load is not None
    assert np.array_equal(pickle.loads(pickle.dumps(face.load))()[..., 0], GRAY)


def test_all_contains_train_and_test(root: Path) -> None:
    names = [face.path.name for face in read_cofw(root).samples]
    assert names == ["COFW_train_color-0001", "COFW_train_color-0002", "COFW_test_color-0001"]


def test_unusable_faces(tmp_path: Path) -> None:
    phis, boxes = _rows(4)
    phis[1, 0] = 300
    phis[2, 60] = 2
    boxes[3, 2] = 0
    _save(tmp_path / "COFW_test_color.mat", "T", [RGB] * 4, phis, boxes)
    dataset = read_cofw(tmp_path, "test")
    assert len(dataset) == 1
    far, covered, empty = map(str, dataset.problems)
    assert "COFW_test_color-0002: point 0 is at (299.5, 29.5), far outside the image of 70 x 50" in far
    assert "COFW_test_color-0003: occluded is [0.0, 1.0, 2.0]; it must be 0 or 1" in covered
    assert "COFW_test_color-0004: a face of 0 x 30 pixels" in empty


def test_unusable_files(root: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(BadAnnotation, match=r"COFW_train_color\.mat: no such file; give the folder of COFW"):
        read_cofw(tmp_path / "none")
    with pytest.raises(BadOption, match="COFW has no split 'val'"):
        read_cofw(root, "val")
    file = root / "COFW_test_color.mat"
    _save(file, "Tr", [RGB], *_rows(1))
    with pytest.raises(BadAnnotation, match=r"COFW_test_color\.mat: not a readable file of COFW .*download it again"):
        read_cofw(root, "test")
    _save(file, "T", [RGB, RGB], *_rows(1))
    with pytest.raises(BadAnnotation, match=r"2 images, phis of shape \(1, 87\), bboxes of shape \(1, 4\)"):
        read_cofw(root, "test")
    file.write_text("no HDF5")
    with pytest.raises(BadAnnotation, match="not a readable file of COFW"):
        read_cofw(root, "test")


def test_a_deleted_file(root: Path) -> None:
    (face,) = read_cofw(root, "test").samples
    (root / "COFW_test_color.mat").unlink()
    with pytest.raises(BadImage, match=r"COFW_test_color\.mat: image 1 cannot be read"):
        load_image(face)


def test_without_h5py(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"reading COFW needs h5py.*pip install 'mien\[data\]'"):
        read_cofw(root)

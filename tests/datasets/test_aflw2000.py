from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mien.datasets.aflw2000 import read_aflw2000
from mien.errors import BadAnnotation
from mien.geometry.pose import from_300w_lp
from mien.imaging import write_image

POINTS = np.stack([np.arange(68) + 5.0, 70.0 - np.arange(68), np.zeros(68)])


def _face(root: Path, name: str, **fields: object) -> None:
    root.mkdir(exist_ok=True)
    write_image(root / f"{name}.jpg", np.zeros((80, 100, 3), dtype=np.uint8))
    para = np.array([[0.1, 0.2, 0.3, 1, 2, 3, 0.001]])
    savemat(root / f"{name}.mat", {"pt3d_68": POINTS, "Pose_Para": para, **fields})


def test_points_and_pose(tmp_path: Path) -> None:
    _face(tmp_path / "AFLW2000", "image00002")
    for root in (tmp_path, tmp_path / "AFLW2000"):
        (face,) = read_aflw2000(root).samples
        assert np.array_equal(face.points, POINTS[:2].T - 0.5)
        assert (face.scheme, face.subset, face.person) == ("68-3d", "AFLW2000", "image00002")
        assert face.pose is not None
        expected = from_300w_lp(*np.degrees([-0.2, 0.1, 0.3]).tolist())
        assert (face.pose.yaw, face.pose.pitch, face.pose.roll) == pytest.approx(expected)


def test_unusable_annotations(tmp_path: Path) -> None:
    _face(tmp_path, "a")
    _face(tmp_path, "b", pt3d_68=POINTS.T)
    _face(tmp_path, "c", Pose_Para=np.zeros(2))
    _face(tmp_path, "d")
    (tmp_path / "d.mat").unlink()
    _face(tmp_path, "e")
    (tmp_path / "e.jpg").unlink()
    (tmp_path / "._a.mat").touch()  # as macOS leaves beside each file
    savemat(tmp_path / "f.mat", {"pt2d": np.zeros((2, 21))})
    dataset = read_aflw2000(tmp_path)
    assert [face.path.name for face in dataset.samples] == ["a.jpg"]
    assert [str(problem).replace(f"{tmp_path}/", "").partition(";")[0] for problem in dataset.problems] == [
        "b.mat: pt3d_68 of shape (68, 3)",
        "c.mat: Pose_Para begins with [0.0, 0.0]",
        "d.jpg: its points d.mat are missing",
        "e.mat: the image e.jpg is missing",
        "f.mat: the field 'pt3d_68' is missing",
    ]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match=r"no \.mat file; give the folder of AFLW2000-3D"):
        read_aflw2000(tmp_path)

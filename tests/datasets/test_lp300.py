import math
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mien.datasets.lp300 import read_lp300
from mien.datasets.samples import Dataset, LandmarkSample
from mien.errors import BadAnnotation
from mien.geometry.pose import from_300w_lp
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.imaging import write_image

WIDTH, HEIGHT = 100, 80
POINTS = np.stack([np.arange(68) + 5.0, 70.0 - np.arange(68)], axis=1)


def _face(root: Path, subset: str, name: str, **fields: object) -> None:
    """Write an image and, given fields, its annotation."""
    _image(root, subset, name)
    if fields:
        file = root / "landmarks" / subset / f"{name}_pts.mat"
        file.parent.mkdir(parents=True, exist_ok=True)
        savemat(file, fields)


def _image(root: Path, subset: str, name: str) -> None:
    (root / subset).mkdir(parents=True, exist_ok=True)
    write_image(root / subset / f"{name}.jpg", np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))


def _pose(root: Path, subset: str, name: str, angles: tuple[float, float, float]) -> None:
    savemat(root / subset / f"{name}.mat", {"Pose_Para": np.array([[*angles, 1, 2, 3, 0.001]])})


def _messages(dataset: Dataset[LandmarkSample], root: Path) -> list[str]:
    return [str(problem).replace(f"{root}/", "").partition(";")[0] for problem in dataset.problems]


def test_points_alone_follow_the_visible_contour(tmp_path: Path) -> None:
    _face(tmp_path, "YTF", "Abdel_Aziz_Al-Hakim_01", pts_2d=POINTS)
    (face,) = read_lp300(tmp_path).samples
    assert face.scheme == "68"
    assert face.subset == "YTF"
    assert face.person == "Abdel_Aziz_Al-Hakim"
    assert face.path == tmp_path / "YTF" / "Abdel_Aziz_Al-Hakim_01.jpg"
    assert np.array_equal(face.points, POINTS)
    assert face.pose is None
    assert np.isnan(face.visible).all()


def test_a_projected_model(tmp_path: Path) -> None:
    model = np.concatenate([POINTS, np.zeros((68, 1))], axis=1)[:, :2]
    _face(tmp_path, "AFLW2000", "image00008", pts_2d=POINTS, pts_3d=model, yaw_deg=np.array([[17.0]]))
    _face(tmp_path, "AFLW2000", "image00009", pts_2d=POINTS, yaw_deg=np.array([[17.0]]))
    for face in read_lp300(tmp_path).samples:
        assert face.scheme == "68-3d"
        assert face.pose is not None
        assert face.pose.yaw == -17
        assert math.isnan(face.pose.pitch)


@pytest.mark.parametrize("depth", [math.nan, math.inf])
def test_a_model_without_all_depths_leaves_yaw(tmp_path: Path, depth: float) -> None:
    model = np.concatenate([POINTS, np.zeros((68, 1))], axis=1)
    model[3, 2] = depth
    _face(tmp_path, "AFLW2000", "image00008", pts_2d=POINTS, pts_3d=model, yaw_deg=np.array([[17.0]]))
    (face,) = read_lp300(tmp_path).samples
    assert face.scheme == "68-3d"
    assert face.pose is not None
    assert face.pose.yaw == -17
    assert math.isnan(face.pose.pitch)


def test_a_model_that_is_not_numeric_is_a_problem(tmp_path: Path) -> None:
    words = np.array([["a", "b", "c"]] * 68, dtype=object)
    _face(tmp_path, "AFLW2000", "image00008", pts_2d=POINTS, pts_3d=words, yaw_deg=np.array([[17.0]]))
    _face(tmp_path, "AFLW2000", "image00009", pts_2d=POINTS)
    dataset = read_lp300(tmp_path)
    assert len(dataset) == 1
    assert "image00008_pts.mat: pts_3d are not numbers" in str(dataset.problems[0])


def test_hidden_files_are_skipped(tmp_path: Path) -> None:
    _face(tmp_path, "YTF", "Ada_01", pts_2d=POINTS)
    (tmp_path / "YTF" / "._Ada_01.jpg").touch()  # as macOS leaves beside each file
    (tmp_path / "landmarks" / "YTF" / "._Ada_01_pts.mat").touch()
    dataset = read_lp300(tmp_path)
    assert (len(dataset), dataset.problems) == (1, ())


def test_visibility(tmp_path: Path) -> None:
    points, visibility = POINTS.copy(), np.full((1, 68), 2.0)
    points[1], visibility[0, 1], visibility[0, 2] = np.nan, 0, 1
    _face(tmp_path, "MERLRAV", "0002-image04733", pts_2d=points, visibility=visibility)
    (face,) = read_lp300(tmp_path).samples
    assert face.scheme == "68"
    assert face.visible[0] == 1
    assert np.isnan(face.visible[1])
    assert np.isnan(face.points[1]).all()
    assert face.visible[2] == 0
    assert face.person == "image04733"


def test_official_files_count_pixels_from_one_and_follow_the_visible_contour(tmp_path: Path) -> None:
    _face(tmp_path, "HELEN", "HELEN_12345_1_7", pts_2d=POINTS, pts_3d=POINTS + np.array([3, 0]))
    _pose(tmp_path, "HELEN", "HELEN_12345_1_7", (0.1, 0.2, 0.3))
    (face,) = read_lp300(tmp_path).samples
    assert face.scheme == "68"
    assert np.array_equal(face.points, POINTS - 0.5)
    assert face.pose is not None
    expected = from_300w_lp(*np.degrees([-0.2, 0.1, 0.3]).tolist())
    assert (face.pose.yaw, face.pose.pitch, face.pose.roll) == pytest.approx(expected)
    assert face.person == "HELEN_12345"


def test_flips_mirror_the_points_of_the_original(tmp_path: Path) -> None:
    name = "AFW_1234_1_0"
    _face(tmp_path, "AFW", name, pts_2d=POINTS, pts_3d=POINTS)
    _image(tmp_path, "AFW_Flip", name)
    for subset, sign in (("AFW", 1), ("AFW_Flip", -1)):
        _pose(tmp_path, subset, name, (0.1, 0.2 * sign, 0.3 * sign))
    face, twin = read_lp300(tmp_path).samples
    assert (face.subset, twin.subset) == ("AFW", "AFW_Flip")
    assert face.person == twin.person
    mirrored = face.points[list(SIXTY_EIGHT_MIRROR)]
    assert np.allclose(twin.points, np.stack([WIDTH - mirrored[:, 0], mirrored[:, 1]], axis=1))
    assert face.pose is not None
    assert twin.pose is not None
    assert (twin.pose.yaw, twin.pose.pitch) == pytest.approx((-face.pose.yaw, face.pose.pitch))


def test_flips_without_pose_file_mirror_the_pose(tmp_path: Path) -> None:
    visibility = np.full(68, 2.0)
    visibility[0] = 1
    _face(tmp_path, "S", "a", pts_2d=POINTS, yaw_deg=10.0, visibility=visibility)
    _image(tmp_path, "S_Flip", "a")
    _, twin = read_lp300(tmp_path).samples
    assert twin.pose is not None
    assert twin.pose.yaw == 10
    assert np.flatnonzero(twin.visible == 0).tolist() == [16]


def test_flips_with_their_own_points(tmp_path: Path) -> None:
    _face(tmp_path, "AFW", "a", pts_2d=POINTS)
    _face(tmp_path, "AFW_Flip", "a", pts_2d=POINTS + 1)
    _, twin = read_lp300(tmp_path).samples
    assert np.array_equal(twin.points, POINTS + 1)


def test_unusable_annotations(tmp_path: Path) -> None:
    far = POINTS.copy()
    far[3] = 250, 40
    _face(tmp_path, "A", "good", pts_2d=POINTS)
    _face(tmp_path, "A", "far", pts_2d=far)
    _face(tmp_path, "A", "fields", points=POINTS)
    _face(tmp_path, "A", "nan", pts_2d=np.full((68, 2), np.nan))
    _face(tmp_path, "A", "seen", pts_2d=POINTS, visibility=np.full(68, 3))
    _face(tmp_path, "A", "shape", pts_2d=POINTS.T)
    _face(tmp_path, "A", "shape3", pts_2d=POINTS, pts_3d=POINTS[:5])
    _face(tmp_path, "A", "text", pts_2d="none")
    _face(tmp_path, "A", "yaw", pts_2d=POINTS, yaw_deg=[1.0, 2.0])
    _face(tmp_path, "A", "torn", pts_2d=POINTS)
    torn = tmp_path / "landmarks" / "A" / "torn_pts.mat"
    torn.write_bytes(torn.read_bytes()[:300])
    _face(tmp_path, "A", "lonely", pts_2d=POINTS)
    (tmp_path / "A" / "lonely.jpg").unlink()
    _face(tmp_path, "A", "posed", pts_2d=POINTS)
    savemat(tmp_path / "A" / "posed.mat", {"roi": np.zeros(4)})
    _face(tmp_path, "B", "unmarked")
    dataset = read_lp300(tmp_path)
    assert [face.path.stem for face in dataset.samples] == ["good"]
    wanted = [
        "far_pts.mat: point 3 is at (250.0, 40.0), far outside the image of 100 x 80",
        "fields_pts.mat: the field 'pts_2d' is missing",
        "lonely_pts.mat: the image A/lonely.jpg is missing",
        "nan_pts.mat: no point is known (all are NaN)",
        "A/posed.mat: the field 'Pose_Para' is missing",
        "seen_pts.mat: visibility of 68 points with the values [3.0]",
        "shape_pts.mat: points of shape (2, 68), not (68, 2)",
        "shape3_pts.mat: pts_3d of shape (5, 2)",
        "text_pts.mat: pts_2d are not numbers",
        "torn_pts.mat: not a readable .mat file",
        "yaw_pts.mat: yaw_deg is [1.0, 2.0]",
        "B/unmarked.jpg: its points landmarks/B/unmarked_pts.mat are missing",
    ]
    messages = _messages(dataset, tmp_path)
    assert len(messages) == len(wanted)
    for message, start in zip(messages, wanted, strict=True):
        assert message.removeprefix("landmarks/A/").startswith(start)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kept", [0, 60, 128, 140, 200, 400])
def test_a_truncated_file(tmp_path: Path, kept: int) -> None:
    _face(tmp_path, "A", "a", pts_2d=POINTS)
    file = tmp_path / "landmarks" / "A" / "a_pts.mat"
    savemat(file, {"pts_2d": POINTS + 0.123}, do_compression=True)
    file.write_bytes(file.read_bytes()[:kept])
    dataset = read_lp300(tmp_path)
    assert dataset.samples == ()
    assert len(dataset.problems) == 1


def test_progress_sees_every_image(tmp_path: Path) -> None:
    for name in "abc":
        _face(tmp_path, "A", name, pts_2d=POINTS)
    seen = []

    def watch(items, total):
        for item in items:
            seen.append(total)
            yield item

    assert len(read_lp300(tmp_path, watch)) == 3
    assert seen == [3, 3, 3]


@pytest.mark.parametrize("folder", ["", "A", "landmarks/A"])
def test_an_empty_folder(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(BadAnnotation, match=r"no landmarks/<SUBSET>/<name>_pts\.mat; give the folder of 300W-LP"):
        read_lp300(tmp_path)

"""Signs of the angles, checked with the rotation matrices of the data sets' own code."""

import math

import numpy as np
import pytest

from mien.datasets.pose_para import pose_from_para, pose_from_yaw
from mien.errors import BadAnnotation
from mien.geometry.mean_face import MEAN_FACE
from mien.geometry.pose import from_300w_lp, rotation

FORWARD, RIGHT_EYE = np.array([0.0, 0, 1]), np.array([1.0, 0, 0])  # y up, z toward the camera


def dataset_rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Return R = Rx Ry Rz as in 300W-LP and AFLW2000-3D."""
    (cp, cy, cr), (sp, sy, sr) = np.cos([pitch, yaw, roll]), np.sin([pitch, yaw, roll])
    x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return x @ y @ z


def test_positive_yaw_turns_the_face_to_the_right_of_the_image() -> None:
    pose = pose_from_para("f", [0, -0.5, 0])
    assert pose.yaw == pytest.approx(math.degrees(0.5))
    assert (dataset_rotation(0, -0.5, 0) @ FORWARD)[0] > 0
    assert (pose.pitch, pose.roll) == pytest.approx((0, 0))


def test_positive_pitch_looks_up() -> None:
    assert pose_from_para("f", [0.5, 0, 0]).pitch == pytest.approx(math.degrees(0.5))
    assert (dataset_rotation(0.5, 0, 0) @ FORWARD)[1] > 0


def test_positive_roll_is_clockwise_on_the_screen() -> None:
    assert pose_from_para("f", [0, 0, 0.5]).roll == pytest.approx(math.degrees(0.5))
    assert (dataset_rotation(0, 0, 0.5) @ RIGHT_EYE)[1] < 0


def test_tilted_heads_rotate_as_in_the_published_code() -> None:
    """The data sets' matrices equal ours up to the signs of y and z."""
    angles = (0.1, 0.2, 0.3)
    pose = pose_from_para("f", np.array([[*angles, 200, 210, -50, 0.001]], dtype=np.float32))
    ours = rotation(pose.yaw, pose.pitch, pose.roll)
    flip = np.diag([1.0, -1, -1])
    np.testing.assert_allclose(flip @ ours @ flip, dataset_rotation(*angles), atol=1e-6)


def test_pitch_and_roll_come_from_the_model_where_only_yaw_is_given() -> None:
    truth = rotation(*from_300w_lp(20, -8, 12).tolist())
    model = (MEAN_FACE @ truth.T * 50 + 100) * [1, 1, -1]
    pose = pose_from_yaw("f", [[-20.0]], model.astype(np.float32))
    np.testing.assert_allclose([pose.yaw, pose.pitch, pose.roll], from_300w_lp(20, -8, 12), atol=1e-3)


@pytest.mark.parametrize("values", [[], [0.1, 0.2], [0, math.nan, 0], [0, 0, 90.0]])
def test_invalid_angles(values: list[float]) -> None:
    with pytest.raises(BadAnnotation, match=r"^f: Pose_Para begins with .*pitch, yaw, roll in radians"):
        pose_from_para("f", values)


def test_yaw_alone() -> None:
    pose = pose_from_yaw("f", np.array([[17.0]]))
    assert pose.yaw == -17
    assert math.isnan(pose.pitch)
    assert math.isnan(pose.roll)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [math.nan], [200.0]])
def test_invalid_yaw(values: list[float]) -> None:
    with pytest.raises(BadAnnotation, match=r"^f: yaw_deg is .*one number of degrees"):
        pose_from_yaw("f", np.array(values))

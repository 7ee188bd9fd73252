import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadOption
from mien.geometry.mean_face import MEAN_FACE, POINT_DEVIATION
from mien.geometry.pose import angles, fit_pose, fit_pose_3d, from_300w_lp, rotation, to_300w_lp, upright_roll
from mien.geometry.schemes import OUTER_EYE_CORNERS, SIXTY_EIGHT_GROUPS, SIXTY_EIGHT_MIRROR, to_five
from mien.geometry.similarity import Similarity

MIRROR = list(SIXTY_EIGHT_MIRROR)
NOSE_TIP, CHIN = 30, 8


def seen(turn, scale=80.0, shift=(60.0, 70.0)):
    """The mean face as a camera far away sees it."""
    return (scale * (MEAN_FACE @ turn.T) + [*shift, 0])[:, :2]


def turns():
    return st.tuples(st.floats(-70, 70), st.floats(-30, 30), st.floats(-40, 40))


def similarities():
    return st.tuples(st.floats(0.5, 500), st.tuples(st.floats(-999, 999), st.floats(-999, 999)))


def checked(property_):
    return settings(max_examples=50, derandomize=True, deadline=None)(property_)


def test_signs_by_hand():
    ahead = np.array([0, 0, -1])  # where a head that looks at the viewer points its nose
    np.testing.assert_allclose(rotation(90, 0, 0) @ ahead, [1, 0, 0], atol=1e-12)  # to the right of the image
    np.testing.assert_allclose(rotation(0, 90, 0) @ ahead, [0, -1, 0], atol=1e-12)  # up
    np.testing.assert_allclose(rotation(0, 0, 90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)  # clockwise on the screen
    # yaw first: the head that looks right is then pitched about the x axis of the image, which its nose lies along
    np.testing.assert_allclose(rotation(90, 30, 0) @ ahead, [1, 0, 0], atol=1e-12)


def test_nose_moves_with_the_rotation():
    straight, right, up = (seen(rotation(*each)) for each in ((0, 0, 0), (20, 0, 0), (0, 20, 0)))
    assert right[NOSE_TIP, 0] > straight[NOSE_TIP, 0] + 5
    assert up[NOSE_TIP, 1] < straight[NOSE_TIP, 1] - 5


@given(st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179)))
@checked
def test_angles_invert_rotation(pose):
    turn = rotation(*pose)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(angles(turn), pose, atol=1e-6)


@given(turns())
@checked
def test_300w_lp_round_trip(pose):
    np.testing.assert_allclose(to_300w_lp(*from_300w_lp(*pose)), pose, atol=1e-6)


def test_300w_lp_order_by_hand():
    # alone, each angle is the same in both; rolled first and pitched last, a head yaws as well
    for pose in ((20, 0, 0), (0, 20, 0), (0, 0, 20)):
        np.testing.assert_allclose(from_300w_lp(*pose), pose, atol=1e-9)
    # Rx(90) Rz(90) sends right to away and up to right: the nose, along -z, goes up; the crown, up, goes right
    np.testing.assert_allclose(rotation(*from_300w_lp(0, 89.999, 90)) @ [0, 0, -1], [0, -1, 0], atol=1e-4)
    np.testing.assert_allclose(rotation(*from_300w_lp(0, 89.999, 90)) @ [0, -1, 0], [1, 0, 0], atol=1e-4)


def test_mean_face_is_symmetric_and_frontal():
    np.testing.assert_allclose(MEAN_FACE[MIRROR] * [-1, 1, 1], MEAN_FACE, atol=1e-9)
    np.testing.assert_allclose(POINT_DEVIATION[MIRROR], POINT_DEVIATION, atol=1e-9)
    np.testing.assert_allclose(MEAN_FACE.mean(axis=0), 0, atol=1e-4)
    left, right = MEAN_FACE[list(OUTER_EYE_CORNERS)]
    assert right[0] - left[0] == pytest.approx(1, abs=2e-4)
    assert left[1] < MEAN_FACE[NOSE_TIP, 1] < MEAN_FACE[CHIN, 1]  # upright
    assert MEAN_FACE[:, 2].argmin() == NOSE_TIP  # the tip of the nose is nearest, the ears are farthest
    assert set(np.argsort(MEAN_FACE[:, 2])[-2:]) == {0, 16}
    assert ((POINT_DEVIATION > 0.02) & (POINT_DEVIATION < 0.1)).all()


@given(turns(), similarities())
@checked
def test_fit_recovers_the_pose(pose, similarity):
    points = seen(rotation(*pose), *similarity)
    np.testing.assert_allclose(fit_pose(points[None])[0], pose, atol=0.01)


@given(turns())
@checked
def test_mirroring_negates_yaw_and_roll(pose):
    points = seen(rotation(*pose)) + np.sin(np.arange(136)).reshape(68, 2)  # no perfect fit
    yaw, pitch, roll = fit_pose(points[None])[0]
    mirrored = points[MIRROR] * [-1, 1] + [200, 0]
    np.testing.assert_allclose(fit_pose(mirrored[None])[0], [-yaw, pitch, -roll], atol=1e-6)


@given(turns(), st.floats(-100, 100))
@checked
def test_rotating_the_image_changes_roll_only(pose, degrees):
    points = seen(rotation(*pose)) + np.sin(np.arange(136)).reshape(68, 2)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = Similarity(np.array([[c, -s, 3], [s, c, 4]]))
    assert turn.degrees == pytest.approx(degrees)
    yaw, pitch, roll = fit_pose(points[None])[0]
    np.testing.assert_allclose(fit_pose(turn.apply(points)[None])[0], [yaw, pitch, roll + degrees], atol=1e-6)


@given(turns(), similarities())
@checked
def test_fit_3d_recovers_the_pose(pose, similarity):
    scale, shift = similarity
    points = scale * (MEAN_FACE @ rotation(*pose).T) + [*shift, 7]
    np.testing.assert_allclose(fit_pose_3d(points[None])[0], pose, atol=1e-6)


def test_fit_3d_never_reflects():
    inside_out = MEAN_FACE * [1, 1, -1]
    yaw, pitch, roll = fit_pose_3d(inside_out[None])[0]
    assert np.linalg.det(rotation(yaw, pitch, roll)) == pytest.approx(1)


def test_batch_equals_single_faces():
    poses = [(0, 0, 0), (50, 10, -20), (-30, -20, 35)]
    points = np.stack([seen(rotation(*each)) + np.cos(np.arange(136)).reshape(68, 2) for each in poses])
    np.testing.assert_allclose(fit_pose(points), np.concatenate([fit_pose(each[None]) for each in points]))
    assert fit_pose(np.zeros((0, 68, 2))).shape == fit_pose_3d(np.zeros((0, 68, 3))).shape == (0, 3)


def test_unknown_and_zero_weight_points_are_ignored():
    pose = (35, -10, 15)
    points, weights = seen(rotation(*pose)), np.ones(68)
    mouth, brow = list(SIXTY_EIGHT_GROUPS["mouth"]), list(SIXTY_EIGHT_GROUPS["left_brow"])
    points[mouth], points[brow], weights[brow] = np.nan, 1e4, 0
    np.testing.assert_allclose(fit_pose(points[None], weights[None])[0], pose, atol=1e-6)
    assert np.abs(fit_pose(points[None])[0] - pose).max() > 5  # the brow would have counted


def test_undetermined_pose_is_nan():
    good = seen(rotation(10, 20, 30))
    few = np.full((68, 2), np.nan)
    few[:3] = good[:3]
    line = np.column_stack([np.arange(68.0), np.arange(68.0)])
    found = fit_pose(np.stack([np.full((68, 2), np.nan), few, np.ones((68, 2)), line, good]))
    assert np.isnan(found[:4]).all()
    np.testing.assert_allclose(found[4], [10, 20, 30], atol=1e-6)
    deep = np.stack([MEAN_FACE, MEAN_FACE])
    deep[0, 5] = np.nan
    np.testing.assert_allclose(fit_pose_3d(deep), [[np.nan] * 3, [0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("shape", [(68, 2), (1, 5, 2), (1, 68, 3)])
def test_fit_rejects_wrong_point_shapes(shape):
    with pytest.raises(BadOption, match="68, 2"):
        fit_pose(np.zeros(shape))


@pytest.mark.parametrize(
    "weights", [np.ones(68), -np.ones((1, 68)), np.full((1, 68), np.nan), np.full((1, 68), np.inf)]
)
def test_fit_rejects_invalid_weights(weights):
    with pytest.raises(BadOption, match="weights"):
        fit_pose(np.zeros((1, 68, 2)), weights)


def test_fit_3d_rejects_points_without_depth():
    with pytest.raises(BadOption, match="68, 3"):
        fit_pose_3d(np.zeros((1, 68, 2)))


def test_all_points_with_and_without_weights_give_the_same_pose():
    points = np.random.default_rng(0).normal(size=(5, 68, 2)) * 0.1 + (MEAN_FACE @ rotation(20, -10, 30).T)[:, :2]
    np.testing.assert_allclose(fit_pose(points), fit_pose(points, np.ones((5, 68))), atol=1e-9)


def test_the_roll_of_keypoints():
    five = to_five((MEAN_FACE @ rotation(70, 5, 40).T)[:, :2])
    unknown = np.where([[True], [False], [True], [True], [True]], five, np.nan)
    np.testing.assert_allclose(upright_roll(np.stack([five, unknown])), [40, 0], atol=4)

import numpy as np
import pytest

from mien.geometry.mean_face import MEAN_FACE
from mien.geometry.pose import fit_pose, rotation
from mien.imaging import draw_points
from mien.train.samples.turning import turn_head

SIDE = 240
SEEN = [8, 27, 28, 29, 30, 33, 36, 39, 45, 42, 48, 54, 57]


def head(yaw=0.0, pitch=0.0, roll=0.0):
    """The mean face as dots on gray, and its landmarks."""
    points = (MEAN_FACE @ rotation(yaw, pitch, roll).T)[:, :2] * 55 + 120.0
    image = np.full((SIDE, SIDE, 3), 90, dtype=np.uint8)
    draw_points(image, points[SEEN].astype(np.float32), (255, 255, 255), 3.0)
    return image, points.astype(np.float32)


@pytest.mark.parametrize(("yaw", "pitch", "roll", "degrees"), [(0, 0, 0, 30), (-15, 8, 20, -40), (30, -5, -10, 20)])
def test_pixels_and_landmarks_turn_together(yaw, pitch, roll, degrees):
    image, points = head(yaw, pitch, roll)
    turned, moved = turn_head(image, points, degrees)
    np.testing.assert_allclose(fit_pose(moved[None])[0], [yaw + degrees, pitch, roll], atol=0.1)
    columns, rows = np.floor(moved[SEEN]).astype(int).T
    near = [i for i, point in enumerate(SEEN) if point not in ((36, 39, 48) if degrees < 0 else (45, 42, 54))]
    assert turned[rows, columns][near].min() > 180


def test_the_background_and_the_given_image_stay():
    image, points = head()
    before = image.copy()
    turned, _ = turn_head(image, points, 45)
    np.testing.assert_array_equal(image, before)
    assert turned.shape == image.shape
    np.testing.assert_array_equal(turned[:, :4], image[:, :4])


def test_points_on_a_line_have_no_head_to_turn():
    image, _ = head()
    assert turn_head(image, np.linspace((20, 20), (200, 200), 68).astype(np.float32), 30) is None

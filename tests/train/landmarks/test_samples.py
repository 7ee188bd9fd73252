import numpy as np
import pytest

from mien.errors import BadRecipe
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.train.landmarks.samples import LandmarkSamples
from mien.train.recipe import LandmarkRecipe, SampleRecipe
from mien.train.views import View

from .faces import dotted


def samples(faces=None, weights=(1.0,), sources=None, changes=None, **recipe):
    faces = [dotted()] if faces is None else faces
    sources = [0] * len(faces) if sources is None else sources
    return LandmarkSamples(
        faces, sources, weights, LandmarkRecipe(**recipe), changes or SampleRecipe(), size=128, seed=4
    )


def brightness_at(image, points):
    columns, rows = np.clip(np.floor(points * 128).astype(int), 0, 127).T
    return image[rows, columns].mean(axis=1)


@pytest.mark.parametrize("crop", ["square", "box"])
def test_the_dots_are_where_the_points_say_whatever_the_view(crop):
    changes = SampleRecipe(rotation_degrees=60, mirror=0.5)
    batch = samples(changes=changes, crop=crop, shift=0.05, resize=0.1).batch(0, 12)
    for image, points in zip(batch["images"], batch["points"], strict=True):
        inside = ((points > 0.02) & (points < 0.98)).all(axis=1)
        assert inside.sum() > 40
        assert brightness_at(image, points[inside]).min() > 120


def test_a_mirrored_view_swaps_left_and_right_and_turns_the_pose():
    drawn = samples()
    straight = drawn.straight(np.array([0]))
    view = drawn._straight(0)
    mirrored = drawn.arrays(np.array([0]), [View(view.x, view.y, view.side, 0.0, True, view.aspect)])
    flipped = straight["points"][0, list(SIXTY_EIGHT_MIRROR)] * [-1, 1] + [1, 0]
    np.testing.assert_allclose(mirrored["points"][0], flipped, atol=1e-5)
    np.testing.assert_allclose(mirrored["pose"][0], [-20, 5, -10])


def test_a_view_that_turns_clockwise_sees_the_head_roll_the_other_way():
    drawn = samples()
    view = drawn._straight(0)
    turned = drawn.arrays(np.array([0]), [View(view.x, view.y, view.side, 30.0, False, view.aspect)])
    np.testing.assert_allclose(turned["pose"][0], [20, 5, -20])


def test_a_batch_depends_on_seed_and_step_alone():
    first, again, other = samples().batch(3, 4), samples().batch(3, 4), samples().batch(4, 4)
    assert all(np.array_equal(first[name], again[name], equal_nan=True) for name in first)
    assert not np.array_equal(first["images"], other["images"])


def test_unknown_points_are_masked():
    batch = samples([dotted(unknown=(36, 60))]).batch(0, 2)
    assert batch["known"].sum() == 2 * 66
    assert np.isfinite(batch["points"]).all()
    assert np.isnan(batch["eyes"]).all()  # 36, or 45 seen in a mirror: one of the two is unknown


def test_each_source_is_drawn_by_its_weight():
    faces = [dotted(i, scheme="68-3d" if i == 0 else "68") for i in range(5)]
    rows = samples(faces, weights=(3.0, 1.0), sources=[0, 1, 1, 1, 1]).batch(0, 400)["row"]
    assert 0.68 < rows.mean() < 0.82


def test_sources_without_samples_or_weight_are_refused():
    with pytest.raises(BadRecipe, match="no usable sample"):
        samples([])
    with pytest.raises(BadRecipe, match="weight 0"):
        samples(weights=(0.0,))

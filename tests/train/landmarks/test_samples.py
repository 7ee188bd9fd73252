from dataclasses import replace

import numpy as np
import pytest

from mien.errors import BadRecipe
from mien.geometry.mean_face import MEAN_FACE
from mien.geometry.pose import fit_pose
from mien.geometry.schemes import SIXTY_EIGHT_MIRROR
from mien.train.recipe import Augmentation
from mien.train.samples.faces import source_probability
from mien.train.samples.landmarks import LandmarkSampler, LandmarkSamples
from mien.train.samples.views import View
from mien.train.tasks.parts import draw_batch

from .faces import dotted


def sampler(faces=None, weights=(1.0,), sources=None, augmentation=None, **options):
    faces = [dotted()] if faces is None else faces
    probability = source_probability(np.array([0] * len(faces) if sources is None else sources), weights)
    return LandmarkSampler(faces, probability, LandmarkSamples(**options), augmentation or Augmentation(), 128)


def draw(sampler, step, count):
    return {name: tensor.numpy() for name, tensor in draw_batch(sampler, 4, step, range(count)).items()}


def brightness_at(image, points):
    columns, rows = np.clip(np.floor(points * 128).astype(int), 0, 127).T
    return image[rows, columns].mean(axis=1)


@pytest.mark.parametrize(("crop", "context"), [("square", 1.5), ("stretched", 1.25)])
def test_the_dots_are_at_the_landmarks_in_every_view(crop, context):
    augmentation = Augmentation(rotation_degrees=60, mirror=0.5)
    options = {"crop": crop, "context": context, "center_jitter": 0.05, "scale_jitter": 0.1}
    batch = draw(sampler(augmentation=augmentation, **options), 0, 12)
    for image, points in zip(batch["images"], batch["landmarks"], strict=True):
        inside = ((points > 0.02) & (points < 0.98)).all(axis=1)
        assert inside.sum() > 40
        assert brightness_at(image, points[inside]).min() > 120


def test_a_mirrored_view_swaps_left_and_right_and_mirrors_the_pose():
    drawn = sampler()
    view = drawn.view(0)
    mirrored = drawn.seen(0, View(view.x, view.y, view.side, 0.0, True, view.aspect))
    flipped = drawn.centered(0)["landmarks"][list(SIXTY_EIGHT_MIRROR)] * [-1, 1] + [1, 0]
    np.testing.assert_allclose(mirrored["landmarks"], flipped, atol=1e-5)
    np.testing.assert_allclose(mirrored["pose"], [-20, 5, -10])


def test_a_view_rotated_clockwise_shows_the_opposite_roll():
    drawn = sampler()
    view = drawn.view(0)
    rotated = drawn.seen(0, View(view.x, view.y, view.side, 30.0, False, view.aspect))
    np.testing.assert_allclose(rotated["pose"], [20, 5, -20])


def test_a_batch_depends_on_seed_and_step_alone():
    first, again, other = draw(sampler(), 3, 4), draw(sampler(), 3, 4), draw(sampler(), 4, 4)
    assert all(np.array_equal(first[name], again[name], equal_nan=True) for name in first)
    assert not np.array_equal(first["images"], other["images"])


def test_unknown_points_are_masked():
    batch = draw(sampler([dotted(unknown=(36, 60))]), 0, 2)
    assert batch["known"].sum() == 2 * 66
    assert np.isfinite(batch["landmarks"]).all()
    assert np.isnan(batch["eyes"]).all()  # 36, or 45 in a mirrored view: one of the two is unknown


def head(scheme="68-3d"):
    """A frontal mean face of dots."""
    points = (MEAN_FACE[:, :2] * 55 + 120).astype(np.float32)
    return replace(dotted(scheme=scheme), wide_points=points, pose=np.zeros(3, np.float32))


def test_some_heads_are_turned_further():
    turned = draw(sampler([head()], turned_share=0.5), 0, 60)
    yaw = np.abs(turned["pose"][:, 0])
    assert 0.3 < (yaw > 0).mean() < 0.7
    assert yaw[yaw > 0].min() >= 10
    assert yaw.max() <= 50
    turned["landmarks"][turned["pose"][:, 0] < 0] *= -1
    fitted = np.abs(fit_pose(turned["landmarks"])[:, 0])
    np.testing.assert_allclose(fitted, yaw, atol=1)
    assert not draw(sampler([head("68")], turned_share=1.0), 0, 20)["pose"].any()


def test_crops_are_upright_as_at_inference():
    rolled = replace(dotted(), wide_points=(head().wide_points - 120) @ [[0, 1], [-1, 0]] + 120)
    made = sampler([rolled], upright_share=1.0, upright_jitter=2.0, augmentation=Augmentation(mirror=0))
    rolls = fit_pose(draw(made, 0, 40)["landmarks"])[:, 2]
    assert 1 < rolls.std() < 3
    assert abs(rolls.mean()) < 1
    assert fit_pose(made.centered(0)["landmarks"][None])[0, 2] == pytest.approx(0, abs=0.5)


def test_each_source_is_drawn_by_its_weight():
    faces = [dotted(i, scheme="68-3d" if i == 0 else "68") for i in range(5)]
    schemes = draw(sampler(faces, weights=(3.0, 1.0), sources=[0, 1, 1, 1, 1]), 0, 400)["scheme"]
    assert 0.68 < schemes.mean() < 0.82


def test_sources_without_weight_are_refused():
    with pytest.raises(BadRecipe, match="weight 0"):
        sampler(weights=(0.0,))

"""The landmark filter: little jitter at rest, little lag in motion, scale invariant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.pipeline.smoothing import PointFilter, SmoothingConfig

FPS = 25.0
SIZE = 200.0
NOISE = 0.01 * SIZE
DEFAULT = SmoothingConfig()
FACE = np.random.default_rng(0).random((68, 2)) * SIZE
FACE[:2] = [[0, 0], [SIZE, SIZE]]

Numbers = NDArray[np.float64]


def smoothed(frames: Numbers, fps: float = FPS, how: SmoothingConfig = DEFAULT) -> Numbers:
    one = PointFilter(fps, how)
    return np.array([one(points) for points in frames], dtype=np.float64)


def noisy(frames: Numbers, seed: int = 1) -> Numbers:
    return frames + np.random.default_rng(seed).normal(0, NOISE, frames.shape)


def moving(step: tuple[float, float], count: int = 150) -> Numbers:
    """A face that moves by ``step`` pixels a frame."""
    return FACE + np.arange(count)[:, None, None] * np.array(step)


def test_a_slow_filter_follows_the_paper() -> None:
    # At 1 / (2 pi) Hz and 1 frame a second the weight of a new value is 1 / (1 + 1) = 1/2, at any time.
    how = SmoothingConfig(min_cutoff=1 / (2 * np.pi), beta=0, local_beta=0)
    values = smoothed(np.array([0.0, 8, 8, 0]).reshape(4, 1, 1).repeat(2, axis=2), 1, how)
    np.testing.assert_allclose(values[:, 0, 0], [0, 4, 6, 3], atol=1e-5)


def test_the_cutoff_grows_with_speed() -> None:
    # Two points 10 apart move by 5 at 2 frames a second: 1 size a second, of which the low-pass lets half through.
    rate = 2.0
    how = SmoothingConfig(min_cutoff=0.1, beta=3, local_beta=0, derivative_cutoff=rate / (2 * np.pi))
    points = np.array([[0.0, 0], [10, 0]])
    found = smoothed(np.stack([points, points, points + np.array([5, 0])]), rate, how)
    weight = 1 / (1 + rate / (2 * np.pi * (0.1 + 3 * 0.5)))
    assert found[2, 0, 0] == pytest.approx(5 * weight, abs=1e-4)
    assert weight > 1 / 3  # else it would be the mean of three frames


def test_jitter_at_rest_drops_below_a_quarter() -> None:
    frames = noisy(np.broadcast_to(FACE, (200, 68, 2)))
    before, after = (values[25:].std(axis=0).mean() for values in (frames, smoothed(frames)))
    assert after < before / 4
    assert abs(smoothed(frames)[25:].mean(axis=0) - FACE).max() < NOISE


@pytest.mark.parametrize("fps", [12.5, 25.0, 60.0])
@pytest.mark.parametrize("speed", [0.3, 1.25, 3.0])
def test_lag_is_below_a_hundredth_of_the_face_size(fps: float, speed: float) -> None:
    frames = moving((speed * SIZE / fps, 0), 200)
    lag = (frames - smoothed(noisy(frames), fps))[100:].mean(axis=(0, 1))
    assert 0 < lag[0] < 0.01 * SIZE
    assert abs(lag[1]) < 0.002 * SIZE


def test_rotation_and_scaling_count_as_motion() -> None:
    middle = FACE.mean(axis=0)
    angles = np.radians(np.arange(60) * 2.0)
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    sizes = 1.02 ** np.arange(60)
    for frames in ((FACE - middle) @ turns.transpose(0, 2, 1) + middle, (FACE - middle) * sizes[:, None, None]):
        errors = np.linalg.norm(frames - smoothed(frames), axis=2)[30:]
        assert (errors.max(axis=1) < 0.012 * np.ptp(frames[30:], axis=1).max(axis=1)).all()


def test_local_beta_reduces_the_lag_of_a_single_point() -> None:
    frames = np.repeat(FACE[None], 40, axis=0)
    frames[20:, 5, 1] += 0.1 * SIZE
    slow, fast = (smoothed(frames, how=SmoothingConfig(beta=0, local_beta=own))[24, 5, 1] for own in (0, 3))
    assert FACE[5, 1] < slow < fast < frames[24, 5, 1]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(scale=st.floats(0.05, 20), x=st.floats(-1000, 1000), y=st.floats(-1000, 1000))
def test_smoothing_is_invariant_to_scale_and_translation(scale: float, x: float, y: float) -> None:
    frames = noisy(moving((3, -1), 12))
    expected = smoothed(frames) * scale + [x, y]
    np.testing.assert_allclose(smoothed(frames * scale + [x, y]), expected, atol=1e-3 + 1e-4 * scale * SIZE)


def test_coincident_points_and_few_points() -> None:
    for points in (np.full((68, 2), 7.0), np.zeros((1, 2)), np.array([[0.0, 0], [4, 4]])):
        np.testing.assert_allclose(smoothed(np.repeat(points[None], 5, axis=0)), [points] * 5, atol=1e-5)
    assert PointFilter(25)(np.zeros((0, 2))).shape == (0, 2)


def test_filters_keep_their_own_state_and_do_not_modify_input() -> None:
    one, other = PointFilter(FPS), PointFilter(FPS)
    given_points = FACE.copy()
    one(given_points)
    one(given_points + 5)
    np.testing.assert_array_equal(given_points, FACE)
    np.testing.assert_allclose(other(FACE + 5), FACE + 5, atol=1e-4)


def test_invalid_input_is_rejected() -> None:
    with pytest.raises(BadOption, match="fps=0: must be above 0"):
        PointFilter(0)
    with pytest.raises(BadOption, match=r"min_cutoff=0: must be at least"):
        SmoothingConfig(min_cutoff=0)
    with pytest.raises(BadOption, match=r"beta=-1: must be at least 0"):
        SmoothingConfig(beta=-1)
    one = PointFilter(FPS)
    with pytest.raises(BadOption, match="only finite points"):
        one(np.full((68, 2), np.nan))
    one(FACE)
    with pytest.raises(BadOption, match="5 points after 68"):
        one(FACE[:5])

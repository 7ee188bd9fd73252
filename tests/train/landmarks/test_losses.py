import math

import numpy as np
import pytest
import torch

from mien.errors import BadRecipe
from mien.train.tasks.landmarks import LandmarkLosses, landmark_losses


def batch(n=2, **changes):
    values = {
        "landmarks": torch.zeros(n, 68, 2),
        "known": torch.ones(n, 68, dtype=torch.bool),
        "scheme": torch.zeros(n, dtype=torch.int64),
        "pose": torch.full((n, 3), torch.nan),
        "eyes": torch.full((n,), 0.32),
    }
    return values | changes


def off(x, n=2, rows=2):
    """Points that are all ``x`` hundredths of the crop to the right."""
    points = torch.zeros(n, rows, 68, 2)
    points[..., 0] = x / 100
    return points


def loss(points, recipe, **changes):
    return float(landmark_losses({"landmarks": points}, batch(**changes), recipe)["landmarks"])


@pytest.mark.parametrize(
    ("kind", "expected"), [("l1", 3.0), ("l2", 0.9), ("smooth-l1", 2.0), ("wing", 10 * math.log(2.5) / 4)]
)
def test_by_hand_three_hundredths(kind, expected):
    assert loss(off(3.0), LandmarkLosses(landmarks=kind)) == pytest.approx(expected, rel=1e-4)


def test_unknown_points_do_not_count():
    points = off(3.0)
    points[:, :, :34] = 0.9
    known = torch.ones(2, 68, dtype=torch.bool)
    known[:, :34] = False
    assert loss(points, LandmarkLosses(), known=known) == pytest.approx(3.0, rel=1e-4)


def test_each_face_teaches_the_row_of_its_scheme():
    points = off(0.0)
    points[:, 1, :, 0] = 0.05
    assert loss(points, LandmarkLosses(), scheme=torch.tensor([0, 0])) == pytest.approx(0, abs=0.01)
    assert loss(points, LandmarkLosses(), scheme=torch.tensor([1, 1])) == pytest.approx(5, rel=1e-3)
    assert loss(points[:, :1], LandmarkLosses(), scheme=torch.tensor([1, 1])) == pytest.approx(0, abs=0.01)


def test_the_jaw_does_not_teach_the_other_scheme():
    points = off(0.0)
    points[:, 1, :17, 0] = 0.5
    points[:, 1, 17:, 0] = 0.02
    found = landmark_losses({"landmarks": points}, batch(), LandmarkLosses(cross_scheme=0.5))
    assert float(found["cross_scheme"]) == pytest.approx(0.5 * 2.0, rel=1e-3)


def test_by_eyes_a_turned_face_counts_more():
    points = off(0.0)
    points[0, ..., 0] = 0.04  # off by 4, with eyes at half the usual distance; the other is right
    eyes = torch.tensor([0.16, 0.32])
    assert loss(points, LandmarkLosses(interocular_weighting=True), eyes=eyes) == pytest.approx(4 * 2 / 3, rel=1e-2)
    assert loss(points, LandmarkLosses(), eyes=eyes) == pytest.approx(2, rel=1e-2)


def test_only_angles_that_are_known_count():
    out = {"landmarks": off(0.0), "pose": torch.tensor([[30.0, 99.0, 99.0], [0.0, 0.0, 0.0]])}
    pose = torch.full((2, 3), torch.nan)
    pose[0, 0] = 10.0
    found = landmark_losses(out, batch(pose=pose), LandmarkLosses(pose=1.0))
    assert float(found["pose"]) == pytest.approx(1.5)  # two tens off: 2 - 1/2


def test_the_uncertainty_does_not_pull_at_the_points():
    points = off(3.0).requires_grad_()
    out = {"landmarks": points, "uncertainty": torch.full((2, 2, 68), -3.5, requires_grad=True)}
    landmark_losses(out, batch(), LandmarkLosses(uncertainty=1.0))["uncertainty"].backward()
    assert points.grad is None
    assert out["uncertainty"].grad is not None


def test_the_likelihood_needs_an_uncertainty():
    with pytest.raises(BadRecipe, match="no uncertainty"):
        landmark_losses({"landmarks": off(1.0)}, batch(), LandmarkLosses(landmarks="laplace"))


def test_all_are_finite_where_the_points_are_right():
    for kind in ("l1", "l2", "smooth-l1", "wing", "adaptive-wing", "laplace"):
        points = off(0.0).requires_grad_()
        out = {"landmarks": points, "uncertainty": torch.full((2, 2, 68), -3.5)}
        landmark_losses(out, batch(), LandmarkLosses(landmarks=kind))["landmarks"].backward()
        assert points.grad is not None
        assert np.isfinite(points.grad.numpy()).all()

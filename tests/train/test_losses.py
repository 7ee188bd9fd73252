"""Losses by hand: cross entropy at logit 0 is log 2 whatever the label."""

import math

import pytest
import torch

from mien.train import measures
from mien.train.losses import crop_losses, hard_score_loss, regression_loss, window_score_loss
from mien.train.recipe import LossRecipe

LOG2 = math.log(2)


def softplus(x):
    return math.log1p(math.exp(x))


def test_only_the_hardest_count():
    logits, labels = torch.tensor([0.0, 4.0, -4.0, 0.0, 9.0]), torch.tensor([1, 1, 0, 0, -1])
    # losses log 2, softplus(-4), softplus(-4), log 2; the fifth has no label; half of four are the two log 2
    assert float(hard_score_loss(logits, labels, 0.5)) == pytest.approx(LOG2)
    assert float(hard_score_loss(logits, labels, 1.0)) == pytest.approx((2 * LOG2 + 2 * softplus(-4)) / 4)


def test_a_batch_without_labels_costs_nothing_but_has_a_gradient():
    logits = torch.zeros(3, requires_grad=True)
    loss = hard_score_loss(logits, torch.tensor([-1, -1, -1]), 0.7)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.tolist() == [0, 0, 0]


def test_windows_count_all_faces_and_the_hardest_others():
    logits = torch.tensor([[1.0, 2.0, -1.0, -5.0, 7.0]])
    labels = torch.tensor([[1, 0, 0, 0, -1]])
    # one face, two others a face: those with logits 2 and -1
    wanted = (softplus(-1) + softplus(2) + softplus(-1)) / 3
    assert float(window_score_loss(logits, labels, 2.0)) == pytest.approx(wanted)


def test_regression_counts_known_rows_only():
    found, truth = torch.tensor([[1.0, 1.0], [5.0, 5.0]]), torch.zeros(2, 2)
    known = torch.tensor([True, False])
    assert float(regression_loss(found, truth, known, "l2")) == 1.0
    # beyond its bend of 0.05, smooth L1 is the error less half the bend
    assert float(regression_loss(found, truth, known, "smooth-l1")) == pytest.approx(0.975)
    assert float(regression_loss(found, truth, ~known & known, "l2")) == 0.0


def test_the_kind_of_a_sample_masks_its_losses():
    outputs = (torch.zeros(2), torch.ones(2, 4), torch.ones(2, 5, 2))
    batch = {
        "labels": torch.tensor([1, -1]),
        "offsets": torch.zeros(2, 4),
        "located": torch.tensor([False, True]),
        "points": torch.zeros(2, 5, 2),
        "pointed": torch.tensor([False, False]),
    }
    losses = crop_losses(outputs, batch, LossRecipe(score=1, offsets=0.5, points=0.5, hard=1.0))
    assert {name: float(loss) for name, loss in losses.items()} == pytest.approx(
        {"score": LOG2, "offsets": 0.5, "points": 0.0}
    )


def test_measures_by_hand():
    import numpy as np

    scores = np.array([0.9, 0.4, 0.6, 0.2, 0.1, 0.5])
    labels = np.array([1, 1, 0, 0, 0, -1])
    assert measures.recall_at(scores, labels, 0.5) == 1.0  # the middle of the others is 0.2
    assert measures.recall_at(scores, labels, 0.0) == 0.5  # above 0.6: one of two
    assert measures.recall_at(scores, labels * 0, 0.1) == 0.0
    truth = np.array([[[0, 0], [2, 0], [1, 1], [0, 2], [2, 2]]], dtype=float)
    assert measures.point_error(truth + np.array([0.3, 0.4]), truth, np.array([True])) == pytest.approx(0.25)
    assert measures.box_error(np.full((1, 4), 0.1), np.zeros((1, 4)), np.array([True])) == pytest.approx(0.1)

"""Losses by hand: cross entropy at logit 0 is log 2 whatever the label."""

import math

import pytest
import torch

from mien.train import metrics
from mien.train.losses import (
    adaptive_wing,
    box_iou,
    giou_loss,
    heat_map_loss,
    laplace,
    ohem_score_loss,
    quality_focal_loss,
    regression_loss,
    window_score_loss,
    wing,
)

LOG2 = math.log(2)


def softplus(x):
    return math.log1p(math.exp(x))


def test_only_the_hardest_count():
    logits, labels = torch.tensor([0.0, 4.0, -4.0, 0.0, 9.0]), torch.tensor([1, 1, 0, 0, -1])
    # losses log 2, softplus(-4), softplus(-4), log 2; the fifth has no label; half of four are the two log 2
    assert float(ohem_score_loss(logits, labels, 0.5)) == pytest.approx(LOG2)
    assert float(ohem_score_loss(logits, labels, 1.0)) == pytest.approx((2 * LOG2 + 2 * softplus(-4)) / 4)


def test_a_batch_without_labels_costs_nothing_but_has_a_gradient():
    logits = torch.zeros(3, requires_grad=True)
    loss = ohem_score_loss(logits, torch.tensor([-1, -1, -1]), 0.7)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.tolist() == [0, 0, 0]


def test_windows_count_all_faces_and_the_hardest_others():
    logits = torch.tensor([[1.0, 2.0, -1.0, -5.0, 7.0]])
    labels = torch.tensor([[1, 0, 0, 0, -1]])
    # one face, two others a face: those with logits 2 and -1
    wanted = (softplus(-1) + softplus(2) + softplus(-1)) / 3
    assert float(window_score_loss(logits, labels, 2.0)) == pytest.approx(wanted)


def test_heat_maps_are_best_as_gaussians_about_their_places():
    places = torch.tensor([[[0.375, 0.625]], [[0.1, 0.1]]])  # the cell in column 1, row 2 of four
    known = torch.tensor([True, False])
    y, x = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    gaussian = -((x - 1) ** 2 + (y - 2) ** 2).float().flatten() / 2
    best = float(heat_map_loss(gaussian.expand(2, 1, 16), places, known))
    target = torch.softmax(gaussian, 0)
    assert best == pytest.approx(float(-(target * target.log()).sum()))
    assert float(heat_map_loss(torch.zeros(2, 1, 16), places, known)) == pytest.approx(math.log(16))
    assert float(heat_map_loss(-gaussian.expand(2, 1, 16), places, known)) > math.log(16)
    assert float(heat_map_loss(torch.zeros(2, 1, 16), places, ~known & known)) == 0.0


def test_regression_counts_known_rows_only():
    found, truth = torch.tensor([[1.0, 1.0], [5.0, 5.0]]), torch.zeros(2, 2)
    known = torch.tensor([True, False])
    assert float(regression_loss(found, truth, known, "l2")) == 1.0
    assert float(regression_loss(found, truth, known, "l1")) == 1.0
    # beyond its bend of 0.05, smooth L1 is the error less half the bend
    assert float(regression_loss(found, truth, known, "smooth-l1")) == pytest.approx(0.975)
    assert float(regression_loss(found, truth, ~known & known, "l2")) == 0.0


@pytest.mark.parametrize("function", [wing, adaptive_wing])
def test_wings_rise_without_a_step(function):
    errors = torch.linspace(0, 20, 4001)
    values = function(errors)
    assert float(values[0]) == 0
    rises = values.diff()
    assert (rises > 0).all()
    assert float(rises.max()) < 0.1  # a step where the pieces meet would be larger


def test_the_likelihood_is_best_where_the_uncertainty_is_half_the_distance():
    scales = torch.linspace(-2, 4, 601)
    best = scales[laplace(torch.tensor(3.0), scales).argmin()]
    assert float(best.exp()) == pytest.approx(1.5, rel=0.02)


def test_metrics_by_hand():
    import numpy as np

    scores = np.array([0.9, 0.4, 0.6, 0.2, 0.1, 0.5])
    labels = np.array([1, 1, 0, 0, 0, -1])
    assert metrics.recall_at_fpr(scores, labels, 0.5) == 1.0  # the middle of the others is 0.2
    assert metrics.recall_at_fpr(scores, labels, 0.0) == 0.5  # above 0.6: one of two
    assert metrics.recall_at_fpr(scores, labels * 0, 0.1) == 0.0
    truth = np.array([[[0, 0], [2, 0], [1, 1], [0, 2], [2, 2]]], dtype=float)
    assert metrics.keypoint_error(truth + np.array([0.3, 0.4]), truth, np.array([True])) == pytest.approx(0.25)
    assert metrics.box_error(np.full((1, 4), 0.1), np.zeros((1, 4)), np.array([True])) == pytest.approx(0.1)


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32)


def test_iou_and_giou_by_hand():
    a = boxes([0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10])
    b = boxes([0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10])
    assert box_iou(a, b).tolist() == pytest.approx([1, 50 / 150, 0])
    # the enclosing boxes are 100, 150 and 300 large; 0, 0 and 100 of them lie in neither box
    assert giou_loss(a, b).tolist() == pytest.approx([0, 1 - 1 / 3, 1 + 100 / 300])


def test_boxes_apart_have_a_gradient():
    a = boxes([20, 0, 30, 10]).requires_grad_()
    giou_loss(a, boxes([0, 0, 10, 10])).sum().backward()
    assert a.grad[0, 0] > 0  # to the left, towards the other box


def test_iou_of_each_with_each():
    a = boxes([0, 0, 10, 10], [0, 0, 5, 10])
    assert box_iou(a[:, None], a[None]).tolist() == [[1, 0.5], [0.5, 1]]


def test_quality_focal_loss_by_hand():
    logits = torch.tensor([0.0, 0.0, 2.0])
    targets = torch.tensor([0.0, 0.5, 0.0])
    certain = torch.sigmoid(torch.tensor(2.0)).item()
    expected = [0.25 * math.log(2), 0.0, certain**2 * -math.log(1 - certain)]
    assert quality_focal_loss(logits, targets).tolist() == pytest.approx(expected)

"""Losses, each masked by what its samples know."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Regression = Literal["l2", "l1", "smooth-l1"]

_SMOOTH_L1_BETA = 0.05
"""Below this error (in sides of the window) the smooth L1 loss is quadratic."""


def ohem_score_loss(logits: Tensor, labels: Tensor, share: float) -> Tensor:
    """Cross entropy of crops (n,) with labels in {1, 0, -1 = unlabelled}, by the ``share`` with the largest loss.

    Online hard example mining, as in the MTCNN paper: the forward pass decides which samples count.
    """
    labelled = labels >= 0
    losses = F.binary_cross_entropy_with_logits(logits[labelled], labels[labelled].float(), reduction="none")
    count = max(1, round(share * len(losses))) if len(losses) else 0
    return losses.topk(count).values.mean() if count else logits.sum() * 0


def window_score_loss(logits: Tensor, labels: Tensor, negatives_per_face: float) -> Tensor:
    """Cross entropy of windows (n, k): all faces, and ``negatives_per_face`` times as many of the hardest others.

    At least one background window per image counts.
    """
    faces, others = logits[labels == 1], logits[labels == 0]
    count = min(len(others), max(len(logits), round(negatives_per_face * len(faces))))
    hardest = others.topk(count).values if count else others
    total = F.softplus(-faces).sum() + F.softplus(hardest).sum()
    return total / max(1, len(faces) + count)


def regression_loss(predicted: Tensor, target: Tensor, known: Tensor, kind: Regression) -> Tensor:
    """Mean error of the rows (n, ...) that are known: squared, absolute or smooth L1."""
    predicted, target = predicted[known], target[known]
    if not len(predicted):
        return predicted.sum()
    if kind == "l2":
        return F.mse_loss(predicted, target)
    if kind == "l1":
        return F.l1_loss(predicted, target)
    return F.smooth_l1_loss(predicted, target, beta=_SMOOTH_L1_BETA)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Return the IoU of boxes (..., 4) that broadcast against each other."""
    shared = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    return shared / (_area(a) + _area(b) - shared).clamp(min=1e-6)


def giou_loss(a: Tensor, b: Tensor) -> Tensor:
    """Return 1 - GIoU (Rezatofighi et al. 2019) of the pairs of boxes (n, 4): (n,), from 0 to 2.

    Unlike the IoU, it has a gradient where two boxes are apart.
    """
    outer = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(-1)
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    union = _area(a) + _area(b) - shared
    return 1 - shared / union.clamp(min=1e-6) + (outer - union) / outer.clamp(min=1e-6)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def quality_focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the quality focal loss (Li et al. 2020, "Generalized Focal Loss"), elementwise, with exponent 2.

    Cross entropy with a soft target in 0..1, times the squared error of the probability; that factor has no gradient.
    """
    error = targets - torch.sigmoid(logits).detach()
    return error.square() * F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def heat_map_loss(heat: Tensor, places: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of heat maps (n, k, side side) with Gaussians of one cell around the places (n, k, 2) in the crop.

    Expected positions alone leave heat maps flat for long (Nibali et al. 2018, "Numerical Coordinate Regression with
    Convolutional Neural Networks"). Only the rows that are ``known`` (n,) count.
    """
    heat, places = heat[known], places[known]
    if not len(heat):
        return heat.sum()
    side = math.isqrt(heat.shape[2])
    steps = (torch.arange(side, device=heat.device) + 0.5) / side
    squared = (places[..., None] - steps).square() * (side * side)  # (n, k, 2, side), in cells
    target = torch.softmax(-(squared[:, :, 1, :, None] + squared[:, :, 0, None, :]).flatten(2) / 2, dim=2)
    return -(target * torch.log_softmax(heat, dim=2)).sum(dim=2).mean()


def distances(predicted: Tensor, target: Tensor) -> Tensor:
    """Distances (n, k) of points (n, k, 2), differentiable where they coincide."""
    return torch.sqrt((predicted - target).square().sum(-1) + 1e-10)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of the values, 0 if all weights are."""
    return (values * weights).sum() / weights.sum().clamp(min=1)


def wing(error: Tensor, width: float = 10.0, bend: float = 2.0) -> Tensor:
    """Logarithmic near zero, so that small errors count; linear beyond ``width`` (Feng et al. 2018)."""
    step = width - width * math.log1p(width / bend)
    return torch.where(error < width, width * torch.log1p(error / bend), error - step)


def adaptive_wing(error: Tensor, width: float = 14.0, bend: float = 1.0, power: float = 2.1) -> Tensor:
    """Wing with a nearly quadratic middle (Wang, Bo, Li 2019), applied to distances instead of heat maps.

    It is linear beyond 5.
    """
    theta = 5.0
    ratio = theta / bend
    slope = width / (1 + ratio**power) * power * ratio ** (power - 1) / bend
    start = width * math.log1p(ratio**power)
    near = width * torch.log1p((error.clamp(max=theta) / bend) ** power)
    return torch.where(error < theta, near, start + slope * (error - theta))


def laplace(error: Tensor, log_scale: Tensor) -> Tensor:
    """Negative log likelihood of a distance under the density exp(-r / b) / (2 pi b^2), b = exp(log_scale)."""
    return error * torch.exp(-log_scale) + 2 * log_scale


DISTANCE_LOSSES: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "l2": lambda error: error.square() / 10,
        "l1": lambda error: error,
        "smooth-l1": lambda error: F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=2.0),
        "wing": lambda error: wing(error) / 4,
        "adaptive-wing": lambda error: adaptive_wing(error) / 10,
    }
)
"""Losses of distances in hundredths of the crop, scaled to comparable sizes."""

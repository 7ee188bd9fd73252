"""The losses of the cascade, each masked by what its samples know."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.train.recipe import LossRecipe

_BEND = 0.05
"""Below this error (in sides of the window) the smooth L1 loss is quadratic."""


def hard_score_loss(logits: Tensor, labels: Tensor, hard: float) -> Tensor:
    """Cross entropy of crops (n,) with labels in {1, 0, -1 = none}; the ``hard`` share with the largest loss counts.

    Online hard sample mining of the paper: which samples count is decided in the forward pass.
    """
    known = labels >= 0
    each = F.binary_cross_entropy_with_logits(logits[known], labels[known].float(), reduction="none")
    count = max(1, round(hard * len(each))) if len(each) else 0
    return each.topk(count).values.mean() if count else logits.sum() * 0


def window_score_loss(logits: Tensor, labels: Tensor, negatives_a_face: float) -> Tensor:
    """Cross entropy of windows (n, k): all faces, and so many times as many others, hardest of the batch first.

    Of images without faces at least one window each counts.
    """
    faces, others = logits[labels == 1], logits[labels == 0]
    count = min(len(others), max(len(logits), round(negatives_a_face * len(faces))))
    hardest = others.topk(count).values if count else others
    total = F.softplus(-faces).sum() + F.softplus(hardest).sum()
    return total / max(1, len(faces) + count)


def regression_loss(found: Tensor, truth: Tensor, known: Tensor, kind: str) -> Tensor:
    """Mean error of the rows (n, ...) that are known: squared, or smooth L1."""
    found, truth = found[known], truth[known]
    if not len(found):
        return found.sum()
    if kind == "l2":
        return F.mse_loss(found, truth)
    return F.smooth_l1_loss(found, truth, beta=_BEND)


def crop_losses(outputs: tuple[Tensor, ...], batch: dict[str, Tensor], recipe: LossRecipe) -> dict[str, Tensor]:
    """Score, offsets and, where the network has them, points; weighted as the recipe says."""
    logits, offsets, *points = outputs
    losses = {
        "score": recipe.score * hard_score_loss(logits, batch["labels"], recipe.hard),
        "offsets": recipe.offsets * regression_loss(offsets, batch["offsets"], batch["located"], recipe.regression),
    }
    if points:
        error = regression_loss(points[0], batch["points"], batch["pointed"], recipe.regression)
        losses["points"] = recipe.points * error
    return losses


def window_losses(outputs: tuple[Tensor, Tensor], batch: dict[str, Tensor], recipe: LossRecipe) -> dict[str, Tensor]:
    """Score and offsets of all windows of the patches."""
    logits, offsets = outputs[0].flatten(1), outputs[1].flatten(2).transpose(1, 2)
    return {
        "score": recipe.score * window_score_loss(logits, batch["labels"], recipe.negatives_a_face),
        "offsets": recipe.offsets * regression_loss(offsets, batch["offsets"], batch["located"], recipe.regression),
    }


def point_losses(points: Tensor, batch: dict[str, Tensor], recipe: LossRecipe) -> dict[str, Tensor]:
    """L-Net's only loss."""
    known = torch.ones(len(points), dtype=torch.bool, device=points.device)
    return {"points": recipe.points * regression_loss(points, batch["points"], known, recipe.regression)}

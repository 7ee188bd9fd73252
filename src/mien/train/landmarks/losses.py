"""The losses of the 68 points. Errors are in hundredths of the crop's side, or of the inter-ocular distance."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.errors import BadRecipe
from mien.train.recipe import LandmarkRecipe

_UNIT = 100.0
_USUAL_EYES = 0.32
"""Inter-ocular distance of a frontal face in sides of the crop; a face with these eyes counts once."""
_LEAST_EYES = 0.12
_JAW = 17
_POSE_UNIT = 10.0
"""Degrees that count as one."""


def wing(error: Tensor, width: float = 10.0, bend: float = 2.0) -> Tensor:
    """Logarithmic near zero, so that small errors count; linear beyond ``width`` (Feng et al. 2018)."""
    step = width - width * math.log1p(width / bend)
    return torch.where(error < width, width * torch.log1p(error / bend), error - step)


def adaptive_wing(error: Tensor, width: float = 14.0, bend: float = 1.0, power: float = 2.1) -> Tensor:
    """Wing whose middle is nearly quadratic (Wang, Bo, Li 2019), applied to distances instead of heat.

    Beyond ``theta`` = 5 it goes on as a line.
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


def point_errors(found: Tensor, truth: Tensor) -> Tensor:
    """Distances (n, k) of points (n, k, 2), differentiable where they meet."""
    return torch.sqrt((found - truth).square().sum(-1) + 1e-10)


def _each(kind: str, error: Tensor, log_scale: Tensor | None) -> Tensor:
    if kind == "l2":
        return error.square() / 10
    if kind == "l1":
        return error
    if kind == "smooth-l1":
        return F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=2.0)
    if kind == "wing":
        return wing(error) / 4
    if kind == "adaptive-wing":
        return adaptive_wing(error) / 10
    if log_scale is None:
        raise BadRecipe("landmarks.loss = laplace: the network has no uncertainty; choose another network or loss")
    return laplace(error, log_scale)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1)


def landmark_losses(out: dict[str, Tensor], batch: dict[str, Tensor], recipe: LandmarkRecipe) -> dict[str, Tensor]:
    """Points, and as the recipe asks: the same points in the other scheme, uncertainty, pose; weighted."""
    rows = out["landmarks"].shape[1]
    row = batch["row"].clamp(max=rows - 1)
    here = torch.arange(len(row), device=row.device)
    known = batch["known"].float()
    weights = known * _face_weights(batch["eyes"], recipe.by_eyes)[:, None]
    error = point_errors(out["landmarks"][here, row], batch["points"]) * _UNIT
    log_scale = out["uncertainty"][here, row] + math.log(_UNIT) if "uncertainty" in out else None
    losses = {"points": _mean(_each(recipe.loss, error, log_scale), weights)}
    if recipe.uncertainty > 0 and log_scale is not None:
        losses["uncertainty"] = recipe.uncertainty * _mean(laplace(error.detach(), log_scale), known)
    if recipe.other_row > 0 and rows > 1:
        other = point_errors(out["landmarks"][here, 1 - row], batch["points"]) * _UNIT
        losses["other_row"] = recipe.other_row * _mean(other[:, _JAW:], weights[:, _JAW:])
    if recipe.pose > 0 and "pose" in out:
        angles = batch["pose"]
        there = torch.isfinite(angles)
        off = (out["pose"] - torch.where(there, angles, out["pose"])) / _POSE_UNIT
        losses["pose"] = (
            recipe.pose * F.smooth_l1_loss(off, torch.zeros_like(off), reduction="sum") / there.sum().clamp(min=1)
        )
    return losses


def _face_weights(eyes: Tensor, by_eyes: bool) -> Tensor:
    """One, or how many usual inter-ocular distances go into each face's."""
    if not by_eyes:
        return torch.ones_like(eyes)
    return _USUAL_EYES / torch.where(torch.isfinite(eyes), eyes, _USUAL_EYES).clamp(min=_LEAST_EYES)

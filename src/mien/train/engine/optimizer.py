"""Optimizer, learning-rate schedule and seeds of a run: pure functions of the recipe and the step."""

import hashlib
import math

import torch
from torch import nn

from mien.train.recipe import OptimizerOptions, Schedule


def make_optimizer(options: OptimizerOptions, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer; biases, normalization and activation slopes (all vectors) have no weight decay."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if options.name == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=0.9)
    if options.name == "adam":
        return torch.optim.Adam(groups, lr=options.learning_rate)
    return torch.optim.AdamW(groups, lr=options.learning_rate)


def learning_rate(schedule: Schedule, peak: float, step: int) -> float:
    """Return the rate of ``step`` (from 0): linear warm-up, then a half cosine down to 1 % of ``peak``, or stairs."""
    if step < schedule.warmup:
        return peak * (step + 1) / schedule.warmup
    if schedule.curve == "stairs":
        return peak * float(0.98 ** (step // 1000))
    done = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """Return a seed for torch's random numbers that differs for every run, step and process."""
    digest = hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1

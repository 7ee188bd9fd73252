"""Checkpoints: written atomically, and refused when they belong to another recipe."""

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from mien.errors import BadRecipe, MienError
from mien.io import atomic_write
from mien.train.recipe import Recipe, differences

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError)


@dataclass(slots=True, eq=False)
class Progress:
    """Everything that changes during training; ``step`` is the number of steps done.

    It holds no state of random numbers: each step seeds them from the recipe's seed and its own number.
    """

    network: nn.Module
    ema: AveragedModel
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


def save(path: Path, recipe: Recipe, progress: Progress) -> None:
    """Write everything needed to resume."""
    content = {
        "recipe": recipe.model_dump(mode="json"),
        "step": progress.step,
        "best": progress.best,
        "metrics": progress.metrics,
        "network": progress.network.state_dict(),
        "ema": progress.ema.state_dict(),
        "optimizer": progress.optimizer.state_dict(),
    }
    _write(path, content)


def restore(path: Path, recipe: Recipe, progress: Progress) -> None:
    """Read the file that ``save`` wrote into ``progress``.

    Raises:
        BadRecipe: The file belongs to another recipe.
        MienError: The file is broken or belongs to another network.
    """
    content = _read(path)
    _refuse_other_recipe(path, content, recipe)
    try:
        progress.network.load_state_dict(content["network"])
        progress.ema.load_state_dict(content["ema"])
        progress.optimizer.load_state_dict(content["optimizer"])
        progress.step, progress.best = content["step"], content["best"]
        progress.metrics = content["metrics"]
    except UNREADABLE as error:
        raise MienError(f"{path}: does not fit the network: {error}; start again with --fresh") from error


def save_best(path: Path, progress: Progress) -> None:
    """Write the averaged weights and their metrics: what is exported in the end."""
    content = {
        "step": progress.step,
        "metrics": progress.metrics,
        "network": progress.ema.module.state_dict(),
    }
    _write(path, content)


def load_best(path: Path, network: nn.Module) -> dict[str, float]:
    """Read the weights that ``save_best`` wrote into ``network`` and return their metrics."""
    content = _read(path)
    try:
        network.load_state_dict(content["network"])
        metrics: dict[str, float] = content["metrics"]
    except UNREADABLE as error:
        raise MienError(f"{path}: does not fit the network: {error}; start again with --fresh") from error
    return metrics


def load_shared(path: Path, network: nn.Module) -> None:
    """Read the weights of another network from its ``best.pt`` where names and shapes agree.

    Raises MienError when the file is broken or shares nothing with ``network``.
    """
    own = network.state_dict()
    try:
        other: dict[str, Tensor] = _read(path)["network"]
        shared = {name: value for name, value in other.items() if name in own and own[name].shape == value.shape}
    except UNREADABLE as error:
        raise MienError(f"{path}: no checkpoint of a network ({error}); name the best.pt of a run") from error
    if not shared:
        raise MienError(f"{path}: shares no layer with {type(network).__name__}; name the best.pt of its model")
    network.load_state_dict(own | shared)


def _write(path: Path, content: dict[str, Any]) -> None:
    with atomic_write(path) as part:
        torch.save(content, part)


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        kind = type(error).__name__  # torch's own message is a page of advice
        raise MienError(f"{path}: not a readable checkpoint ({kind}); start again with --fresh") from error
    return content


def _refuse_other_recipe(path: Path, content: dict[str, Any], recipe: Recipe) -> None:
    different = differences(content.get("recipe", {}), recipe.model_dump(mode="json"))
    if different:
        raise BadRecipe(
            f"{path} was made by another recipe ({'; '.join(different)}); "
            "rename the recipe, choose another --runs folder, or start again with --fresh"
        )

"""Checkpoints: written whole or not at all, and refused when they belong to another recipe."""

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mien.errors import BadRecipe, MienError
from mien.io import atomic_write
from mien.train import recipe as recipes
from mien.train.average import Average
from mien.train.recipe import Recipe

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError)


@dataclass(slots=True, eq=False)
class Progress:
    """All that changes while a network is trained. `step` is the number of steps done.

    There is no state of random numbers in it: each step seeds them from the recipe's seed and its own number.
    """

    network: nn.Module
    average: Average
    optimiser: torch.optim.Optimizer
    step: int = 0
    best: float | None = None
    measures: dict[str, float] = field(default_factory=dict)


def save(path: Path, recipe: Recipe, progress: Progress) -> None:
    """Write everything needed to go on as if nothing had happened."""
    content = {
        "recipe": recipes.dumps(recipe),
        "step": progress.step,
        "best": progress.best,
        "measures": progress.measures,
        "network": progress.network.state_dict(),
        "average": progress.average.network.state_dict(),
        "optimiser": progress.optimiser.state_dict(),
    }
    _write(path, content)


def restore(path: Path, recipe: Recipe, progress: Progress) -> None:
    """Read `save`'s file into `progress`.

    Raises BadRecipe for another recipe's file, MienError for a broken one.
    """
    content = _read(path)
    _refuse_other_recipe(path, content, recipe)
    try:
        progress.network.load_state_dict(content["network"])
        progress.average.network.load_state_dict(content["average"])
        progress.optimiser.load_state_dict(content["optimiser"])
        progress.step, progress.best = content["step"], content["best"]
        progress.measures = content["measures"]
    except UNREADABLE as error:
        raise MienError(f"{path}: does not fit the network: {error}; delete it to start again") from error


def save_best(path: Path, progress: Progress) -> None:
    """Write the averaged weights and their measures: what is exported in the end."""
    content = {
        "step": progress.step,
        "measures": progress.measures,
        "network": progress.average.network.state_dict(),
    }
    _write(path, content)


def load_best(path: Path, network: nn.Module) -> dict[str, float]:
    """Read `save_best`'s weights into `network` and return their measures."""
    content = _read(path)
    try:
        network.load_state_dict(content["network"])
        measures: dict[str, float] = content["measures"]
    except UNREADABLE as error:
        raise MienError(f"{path}: does not fit the network: {error}; delete it to start again") from error
    return measures


def _write(path: Path, content: dict[str, Any]) -> None:
    with atomic_write(path) as part:
        torch.save(content, part)


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        kind = type(error).__name__  # torch's own message is a page of advice
        raise MienError(f"{path}: not a readable checkpoint ({kind}); delete it to start again") from error
    return content


def _refuse_other_recipe(path: Path, content: dict[str, Any], recipe: Recipe) -> None:
    theirs = recipes.loads(content.get("recipe", ""), str(path))
    different = recipes.differences(theirs, recipe)
    if different:
        raise BadRecipe(
            f"{path} was made by another recipe ({'; '.join(different)}); "
            "choose another run folder, or start again without resuming"
        )

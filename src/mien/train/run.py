"""From a recipe file to exported networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.train.engine.devices import make_fabric
from mien.train.engine.loop import train
from mien.train.tasks import read_recipes


def train_recipes(
    path: Path,
    *,
    data: Path,
    runs: Path,
    device: str | None = None,
    devices: int | None = None,
    precision: str = "32-true",
    resume: bool = True,
) -> Iterator[Path]:
    """Train the recipe, or the list of recipes, in a file; yield each exported network (in rank 0 only).

    Args:
        path: The recipe; all recipes of a list are checked before the first is trained.
        data: Folder that the paths of the sources start from.
        runs: Each network is trained in, and read from, ``runs/<name>``.
        device, devices, precision: See :func:`mien.train.engine.devices.make_fabric`.
        resume: Continue interrupted runs instead of starting again.
    """
    recipes = read_recipes(path)
    fabric = make_fabric(device, devices, precision)
    fabric.launch()
    for recipe in recipes:
        with fabric.rank_zero_first():  # rank 0 mines hard examples, the others read what it found
            task = recipe.make_task(data, runs)
        exported = train(recipe, task, runs / recipe.name, fabric, resume=resume)
        if fabric.is_global_zero:
            yield exported

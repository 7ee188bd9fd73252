"""The tasks: each module owns its recipe tables, sampler, losses, metrics and card.

A new task is a module here (a :class:`~mien.train.recipe.Recipe` that makes a :class:`~mien.train.task.Task`), its
networks in ``mien.train.networks``, and a line in :data:`TASKS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import Field

from mien.errors import BadRecipe
from mien.train.recipe import Names, Recipe, Section, Table, check, read_table
from mien.train.tasks.landmarks import LandmarksRecipe
from mien.train.tasks.patches import PatchesRecipe
from mien.train.tasks.proposal import ProposalRecipe
from mien.train.tasks.proposer import ProposerRecipe
from mien.train.tasks.refinement import RefinementRecipe

TASKS: Mapping[str, type[Recipe]] = MappingProxyType(
    {
        "proposal": ProposalRecipe,
        "refinement": RefinementRecipe,
        "patches": PatchesRecipe,
        "landmarks": LandmarksRecipe,
        "proposer": ProposerRecipe,
    }
)


class RecipeList(Section):
    """Recipes to run in order, as paths relative to the file that lists them."""

    recipes: Names = Field(min_length=1)


def read_recipes(path: Path) -> tuple[Recipe, ...]:
    """Return the recipe of a file, or all recipes of a list, in order; all are checked. Raises BadRecipe."""
    table = read_table(path)
    if "recipes" not in table:
        return (_recipe(table, path),)
    listed = [path.parent / name for name in check(RecipeList, table, path).recipes]
    return tuple(_recipe(read_table(each), each) for each in listed)


def _recipe(table: Table, path: Path) -> Recipe:
    task = table.get("task")
    if not isinstance(task, str) or task not in TASKS:
        found = f"task = {task!r}" if "task" in table else "no task"
        raise BadRecipe(f"{path}: {found}; set task to one of {', '.join(TASKS)}")
    return check(TASKS[task], table, path)

"""The recipes that come with mien: each is read, and each names networks that exist or come before it."""

from pathlib import Path

import pytest

from mien.train import recipe as recipes
from mien.train.landmarks.networks import make_landmark_network
from mien.train.networks import make_network

FOLDER = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.toml")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_it_is_read_and_its_network_exists(path):
    for recipe in recipes.read(path):
        if recipe.task == "landmarks68":
            assert make_landmark_network(recipe.network.kind).input_size == 128
            continue
        network = make_network(recipe.network.kind)
        assert recipe.network.kind.endswith(recipe.task)
        assert recipe.samples.kind == "crops" or network.input_size > network.cell


@pytest.mark.parametrize("folder", ["", "paper"])
def test_a_cascade_trains_in_an_order_that_works(folder):
    trained: set[str] = set()
    for recipe in recipes.read(FOLDER / folder / "cascade.toml"):
        needed = [*recipe.samples.hard_from, *([recipe.network.start] if recipe.network.start else [])]
        assert {Path(name).parent.name for name in needed} <= trained
        trained.add(recipe.name)

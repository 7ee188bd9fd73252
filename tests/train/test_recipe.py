import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRecipe
from mien.train import recipe as recipes

from .tiny import tiny_recipe

WHOLE = """
name = "pnet"  # a comment
task = "pnet"
seed = 1

[network]
kind = "paper"

[[data.sources]]
format = "wider"
path = "data/wider"

[[data.sources]]
format = "celeba"
path = "data/celeba"
weight = 2

[samples]
positive = 0.7
hard_from = ["runs/pnet/pnet.onnx"]

[optimiser]
name = "adamw"
rate = 1e-3
decay = 0.01

[schedule]
steps = 100
batch = 64
warmup = 10
validate_every = 50
checkpoint_every = 50
"""


def test_a_recipe_is_read_whole():
    recipe = recipes.loads(WHOLE, "pnet.toml")
    assert recipe.name == recipe.task == "pnet"
    assert [source.path for source in recipe.data.sources] == ["data/wider", "data/celeba"]
    assert [source.weight for source in recipe.data.sources] == [1.0, 2.0]
    assert isinstance(recipe.data.sources[1].weight, float)
    assert recipe.samples.positive == 0.7
    assert recipe.samples.negative == 0.3
    assert recipe.samples.hard_from == ("runs/pnet/pnet.onnx",)
    assert recipe.losses.hard == 0.7
    assert recipe.optimiser.rate == 0.001
    assert recipe.schedule.steps == 100


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 1", "sead = 1", r"top level: unknown key 'sead'; allowed are name, task, seed, network"),
        ("seed = 1", "", r"top level: key 'seed' is missing"),
        ("rate = 1e-3", "ratte = 1e-3", r"\[optimiser\]: unknown key 'ratte'; allowed are name, rate, decay"),
        ("rate = 1e-3", "", r"\[optimiser\]: key 'rate' is missing; allowed are name, rate"),
        ("steps = 100", 'steps = "100"', r"schedule.steps must be a whole number, found '100'"),
        ("steps = 100", "steps = 100.0", r"schedule.steps must be a whole number, found 100.0"),
        ("steps = 100", "steps = true", r"schedule.steps must be a whole number, found True"),
        ("rate = 1e-3", "rate = nan", r"optimiser.rate must be a finite number, found nan"),
        ("rate = 1e-3", "rate = true", r"optimiser.rate must be a finite number, found True"),
        ("rate = 1e-3", "rate = 0", r"\[optimiser\]: rate = 0.0: must be above 0"),
        ('"adamw"', '"adagrad"', r"optimiser.name must be one of adamw, adam, sgd, found 'adagrad'"),
        ('task = "pnet"', "task = []", r"task must be one of pnet, rnet, onet, lnet, landmarks68, found \[\]"),
        (
            "warmup = 10",
            "warmup = 100",
            r"\[schedule\]: warmup = 100: must be .* below steps \(100\)",
        ),
        ("positive = 0.7", "positive = 0.2", r"\[samples\]: .*must be in rising order"),
        ('["runs/pnet/pnet.onnx"]', '"runs"', r"samples.hard_from must be a list, found 'runs'"),
        ('["runs/pnet/pnet.onnx"]', "[1]", r"samples.hard_from must be a string, found 1"),
        (
            "weight = 2",
            "wait = 2",
            r"\[data.sources\]: unknown key 'wait'; allowed are format, path",
        ),
        ("weight = 2", "weight = -1", r"\[data.sources\]: weight = -1.0: must be at least 0"),
        ('[network]\nkind = "paper"', "", r"key 'network' is missing"),
        (
            '[network]\nkind = "paper"',
            'network = "paper"',
            r"\[network\]: must be a table, found 'paper'",
        ),
        ('name = "pnet"', 'name = "../pnet"', r"name = '../pnet': must be letters, digits"),
        ("seed = 1", "seed = ", r"not TOML: .*line 4"),
    ],
)
def test_a_slip_names_file_table_key_and_what_is_allowed(old, new, message):
    assert old in WHOLE
    with pytest.raises(BadRecipe, match=r"recipes/pnet.toml: .*" + f"({message})") as caught:
        recipes.loads(WHOLE.replace(old, new, 1), "recipes/pnet.toml")
    assert "recipes/pnet.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadRecipe, match=r"none.toml: no such recipe"):
        recipes.read(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRecipe, match=r"p.toml: cannot be read"):
        recipes.read(tmp_path / "p.toml")


def test_a_cascade_is_read_in_order_and_checked_before_anything_runs(tmp_path):
    (tmp_path / "p.toml").write_text(WHOLE)
    (tmp_path / "r.toml").write_text(WHOLE.replace("pnet", "rnet"))
    (tmp_path / "all.toml").write_text('recipes = ["p.toml", "r.toml"]')
    assert [recipe.name for recipe in recipes.read(tmp_path / "all.toml")] == ["pnet", "rnet"]
    (tmp_path / "r.toml").write_text(WHOLE.replace("seed", "sead"))
    with pytest.raises(BadRecipe, match=r"r.toml: top level: unknown key 'sead'"):
        recipes.read(tmp_path / "all.toml")
    (tmp_path / "all.toml").write_text('recipes = ["p.toml"]\nseed = 1')
    with pytest.raises(BadRecipe, match=r"all.toml: top level: unknown key 'seed'; allowed are recipes"):
        recipes.read(tmp_path / "all.toml")
    (tmp_path / "all.toml").write_text("recipes = []")
    with pytest.raises(BadRecipe, match=r"recipes = \[\]: must be at least one file"):
        recipes.read(tmp_path / "all.toml")


def test_writing_and_reading_gives_the_same_recipe():
    recipe = recipes.loads(WHOLE, "pnet.toml")
    text = recipes.dumps(recipe)
    assert recipes.loads(text, "copy") == recipe
    assert "mirror = 0.5" in text  # defaults are spelt out


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8")), max_size=3),
    rate=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_text_and_number_survives_writing_and_reading(texts, rate, seed):
    recipe = tiny_recipe(seed=seed)
    recipe = dataclasses.replace(
        recipe,
        samples=dataclasses.replace(recipe.samples, hard_from=tuple(texts)),
        optimiser=dataclasses.replace(recipe.optimiser, rate=rate),
    )
    assert recipes.loads(recipes.dumps(recipe), "copy") == recipe


def test_differences_name_the_keys_and_comments_do_not_count():
    old = recipes.loads(WHOLE, "a")
    assert recipes.differences(old, recipes.loads(WHOLE.replace("# a comment", "# another"), "b")) == []
    new = recipes.loads(WHOLE.replace("steps = 100", "steps = 200").replace("seed = 1", "seed = 2"), "b")
    assert recipes.differences(old, new) == ["seed: 1 -> 2", "schedule.steps: 100 -> 200"]


def test_the_shipped_recipes_are_sound():
    files = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))
    for file in files:
        assert recipes.read(file)

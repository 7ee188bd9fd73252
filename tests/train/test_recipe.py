from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadRecipe
from mien.train.recipe import check, differences, read_table
from mien.train.tasks import read_recipes
from mien.train.tasks.refinement import RefinementRecipe

WHOLE = """
name = "rnet"  # a comment
task = "refinement"
seed = 1

[network]
kind = "paper-rnet"

[data.sources.wider]
format = "wider"
path = "data/wider"

[data.sources.celeba]
format = "celeba"
path = "data/celeba"
weight = 2

[samples]
positive_iou = 0.7
mine_from = ["runs/pnet/pnet.onnx"]

[optimizer]
name = "adamw"
learning_rate = 1e-3
weight_decay = 0.01

[schedule]
steps = 100
batch_size = 64
warmup = 10
validate_every = 50
checkpoint_every = 50
"""


@pytest.fixture
def write(tmp_path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_recipe_is_read_whole(write):
    (recipe,) = read_recipes(write("rnet.toml", WHOLE))
    assert isinstance(recipe, RefinementRecipe)
    assert recipe.name == "rnet"
    assert [source.path for source in recipe.data.sources.values()] == ["data/wider", "data/celeba"]
    assert [source.weight for source in recipe.data.sources.values()] == [1.0, 2.0]
    assert recipe.samples.positive_iou == 0.7
    assert recipe.samples.negative_iou == 0.3
    assert recipe.samples.mine_from == ("runs/pnet/pnet.onnx",)
    assert recipe.losses.ohem_share == 0.7
    assert recipe.optimizer.learning_rate == 0.001
    assert recipe.schedule.steps == 100


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 1", "sead = 1", r"top level: unknown key 'sead'; allowed are name, task, seed, network"),
        ("seed = 1", "", r"top level: missing key 'seed'"),
        ("learning_rate", "rate", r"\[optimizer\]: unknown key 'rate'; allowed are name, learning_rate"),
        ("learning_rate = 1e-3", "", r"\[optimizer\]: missing key 'learning_rate'; allowed are name, learning_rate"),
        ("positive_iou", "windows_per_side", r"\[samples\]: unknown key 'windows_per_side'; allowed are positive_iou"),
        ("steps = 100", 'steps = "100"', r"\[schedule\]: steps = '100': input should be a valid integer"),
        ("steps = 100", "steps = 100.0", r"\[schedule\]: steps = 100.0: input should be a valid integer"),
        ("steps = 100", "steps = true", r"\[schedule\]: steps = True: input should be a valid integer"),
        ("rate = 1e-3", "rate = nan", r"\[optimizer\]: learning_rate = nan: input should be a finite number"),
        ("rate = 1e-3", "rate = true", r"\[optimizer\]: learning_rate = True: input should be a valid number"),
        ("rate = 1e-3", "rate = 0", r"\[optimizer\]: learning_rate = 0: input should be greater than 0"),
        ('"adamw"', '"adagrad"', r"\[optimizer\]: name = 'adagrad': input should be 'adamw', 'adam' or 'sgd'"),
        ('task = "refinement"', "task = []", r"task = \[\]; set task to one of proposal, refinement, patches, landm"),
        ('task = "refinement"', "", r"no task; set task to one of proposal"),
        ("warmup = 10", "warmup = 100", r"\[schedule\]: warmup = 100 must be below steps = 100"),
        ("positive_iou = 0.7", "positive_iou = 0.2", r"\[samples\]: .*\(0.3, 0.4, 0.2\) must rise"),
        ("positive_iou = 0.7", "part_share = 0.7", r"\[samples\]: .*\(0.5, 0.7, 0.0\) must be at most 1 together"),
        ('["runs/pnet/pnet.onnx"]', '"runs"', r"\[samples\]: mine_from = 'runs': input should be a valid tuple"),
        ('["runs/pnet/pnet.onnx"]', "[1]", r"\[samples.mine_from\]: 0 = 1: input should be a valid string"),
        ("weight = 2", "wait = 2", r"\[data.sources.celeba\]: unknown key 'wait'; allowed are format, path"),
        ("weight = 2", "weight = -1", r"\[data.sources.celeba\]: weight = -1: input should be greater than or equal"),
        ('[network]\nkind = "paper-rnet"', "", r"top level: missing key 'network'"),
        ('"paper-rnet"', '"resnet"', r"top level: network.kind = 'resnet' must be one of paper-rnet, mien-rnet"),
        ('"paper-rnet"', '"paper-pnet"', r"network.kind = 'paper-pnet' must be one of paper-rnet, mien-rnet"),
        ('[network]\nkind = "paper-rnet"', 'network = "x"', r"top level: network = 'x': input should be .*dictionary"),
        ('name = "rnet"', 'name = "../rnet"', r"top level: name = '../rnet': string should match pattern"),
        ("seed = 1", "seed = ", r"not TOML: .*line 4"),
    ],
)
def test_a_mistake_is_named_with_file_table_and_key(write, old, new, message):
    assert old in WHOLE
    with pytest.raises(BadRecipe, match=r"rnet.toml: .*" + f"({message})"):
        read_recipes(write("rnet.toml", WHOLE.replace(old, new, 1)))


def test_all_mistakes_are_named_at_once(write):
    text = WHOLE.replace("seed = 1", "sead = 1").replace("steps = 100", "steps = 0")
    with pytest.raises(BadRecipe, match=r"missing key 'seed'.*steps = 0.*unknown key 'sead'"):
        read_recipes(write("rnet.toml", text))


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(BadRecipe, match=r"none.toml: no such recipe"):
        read_recipes(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadRecipe, match=r"p.toml: cannot be read"):
        read_recipes(tmp_path / "p.toml")


def test_a_list_is_read_in_order_and_checked_before_anything_runs(write):
    write("r.toml", WHOLE)
    write("o.toml", WHOLE.replace("rnet", "onet"))
    assert [recipe.name for recipe in read_recipes(write("all.toml", 'recipes = ["r.toml", "o.toml"]'))] == [
        "rnet",
        "onet",
    ]
    write("o.toml", WHOLE.replace("seed", "sead"))
    with pytest.raises(BadRecipe, match=r"o.toml: top level: missing key 'seed'.*unknown key 'sead'"):
        read_recipes(write("all.toml", 'recipes = ["r.toml", "o.toml"]'))
    with pytest.raises(BadRecipe, match=r"all.toml: top level: unknown key 'seed'; allowed are recipes"):
        read_recipes(write("all.toml", 'recipes = ["r.toml"]\nseed = 1'))
    with pytest.raises(BadRecipe, match=r"recipes = \[\]: .*at least 1 item"):
        read_recipes(write("all.toml", "recipes = []"))


def test_an_extended_recipe_replaces_values_and_merges_tables(write, tmp_path):
    (tmp_path / "base").mkdir()
    write("base/whole.toml", WHOLE)
    write("middle.toml", 'extends = "base/whole.toml"\nseed = 2\nsamples.mine_from = []')
    path = write("leaf.toml", 'extends = "middle.toml"\nname = "leaf"\ndata.sources.celeba.weight = 3')
    (base,), (leaf,) = read_recipes(tmp_path / "base/whole.toml"), read_recipes(path)
    assert differences(base.model_dump(mode="json"), leaf.model_dump(mode="json")) == [
        "name: rnet -> leaf",
        "seed: 1 -> 2",
        "data.sources.celeba.weight: 2.0 -> 3.0",
        "samples.mine_from: ['runs/pnet/pnet.onnx'] -> []",
    ]


def test_a_mistake_in_a_base_is_found_and_a_missing_base_is_named(write):
    write("base.toml", WHOLE.replace("seed = 1", "sead = 1"))
    with pytest.raises(BadRecipe, match=r"leaf.toml: .*unknown key 'sead'"):
        read_recipes(write("leaf.toml", 'extends = "base.toml"\nseed = 2'))
    with pytest.raises(BadRecipe, match=r"gone.toml: no such recipe"):
        read_recipes(write("leaf.toml", 'extends = "gone.toml"'))
    with pytest.raises(BadRecipe, match=r"leaf.toml: extends must be the path of a recipe, found 3"):
        read_recipes(write("leaf.toml", "extends = 3"))


def test_recipes_that_extend_each_other_are_refused(write):
    write("a.toml", 'extends = "b.toml"')
    write("b.toml", 'extends = "a.toml"')
    with pytest.raises(BadRecipe, match=r"extends itself \(a.toml -> b.toml -> a.toml\)"):
        read_recipes(Path(write("c.toml", "")).with_name("a.toml"))


def test_a_dumped_recipe_is_read_back(write):
    (recipe,) = read_recipes(write("rnet.toml", WHOLE))
    text = recipe.dumps()
    assert read_recipes(write("copy.toml", text)) == (recipe,)
    assert "mirror = 0.5" in text  # every default is written


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8")), max_size=3),
    rate=st.floats(min_value=0, exclude_min=True, allow_infinity=False),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_text_and_number_survives_a_dump(tmp_path_factory, texts, rate, seed):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(WHOLE)
    table = read_table(path) | {"seed": seed}
    table["samples"]["mine_from"] = texts
    table["optimizer"]["learning_rate"] = rate
    recipe = check(RefinementRecipe, table, path)
    path.write_text(recipe.dumps(), encoding="utf-8")
    assert read_recipes(path) == (recipe,)


def test_differences_name_the_keys():
    old = {"seed": 1, "schedule": {"steps": 100, "warmup": 5}, "gone": 3}
    new = {"seed": 2, "schedule": {"steps": 200, "warmup": 5}, "new": {"key": 4}}
    assert differences(old, old) == []
    assert differences(old, new) == [
        "seed: 1 -> 2",
        "schedule.steps: 100 -> 200",
        "gone: 3 -> absent",
        "new.key: absent -> 4",
    ]

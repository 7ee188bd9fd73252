"""The recipes that come with mien: each is valid, and each ablation changes what it says and nothing else."""

from pathlib import Path

import pytest

from mien.train.recipe import differences
from mien.train.tasks import read_recipes

FOLDER = Path(__file__).parents[2] / "recipes"
PARTIAL = {FOLDER / "base.toml", FOLDER / "detector_base.toml", FOLDER / "paper" / "base.toml"}
"""Extended by others, and no recipes themselves."""

STRETCHED = {"samples.crop: square -> stretched", "samples.context: 1.5 -> 1.25"}
NOT_AUGMENTED = {
    "samples.center_jitter: 0.06 -> 0.0",
    "samples.scale_jitter: 0.1 -> 0.0",
    "augmentation.rotation_degrees: 40.0 -> 0.0",
    "augmentation.mirror: 0.5 -> 0.0",
    "augmentation.color: 0.25 -> 0.0",
    "augmentation.gray: 0.1 -> 0.0",
    "augmentation.blur: 0.15 -> 0.0",
    "augmentation.jpeg: 0.1 -> 0.0",
    "augmentation.occlusion: 0.2 -> 0.0",
}
BASELINE = {
    "network.kind: senet68 -> senet68-baseline",
    "losses.landmarks: l1 -> l2",
    "losses.uncertainty: 0.05 -> 0.0",
}

ABLATIONS = {
    "heatmap-wing": {"losses.landmarks: l1 -> wing"},
    "heatmap-adaptive-wing": {"losses.landmarks: l1 -> adaptive-wing"},
    "heatmap-laplace": {"losses.landmarks: l1 -> laplace", "losses.uncertainty: 0.05 -> 0.0"},
    "heatmap-interocular": {"losses.interocular_weighting: False -> True"},
    "heatmap-cross-scheme": {"losses.cross_scheme: 0.0 -> 0.2"},
    "heatmap-pose": {"network.kind: senet68 -> senet68-pose", "losses.pose: 0.0 -> 0.3"},
    "heatmap-stretched": STRETCHED,
    "heatmap-no-augmentation": NOT_AUGMENTED,
    "direct": {"network.kind: senet68 -> senet68-direct"},
    "mobilenet": {"network.kind: senet68 -> mobilenet68"},
    "baseline-augmented": BASELINE,
    "baseline": {
        "optimizer.name: adamw -> adam",
        "optimizer.learning_rate: 0.002 -> 0.001",
        "optimizer.weight_decay: 0.02 -> 0.0001",
        "optimizer.ema_decay: 0.995 -> 0.0",
        "schedule.warmup: 50 -> 0",
        "schedule.curve: cosine -> stairs",
    }
    | BASELINE
    | STRETCHED
    | NOT_AUGMENTED,
}


@pytest.mark.parametrize(
    "path", sorted({*FOLDER.rglob("*.toml")} - PARTIAL), ids=lambda path: str(path.relative_to(FOLDER))
)
def test_it_is_valid(path):
    for recipe in read_recipes(path):
        assert recipe.networks[recipe.network.kind]().input_size > 0


@pytest.mark.parametrize("recipes", ["detector.toml", "cascade.toml", "paper/cascade.toml"])
def test_a_detector_trains_in_an_order_that_works(recipes):
    trained: set[str] = set()
    for recipe in read_recipes(FOLDER / recipes):
        needed = [*getattr(recipe.samples, "mine_from", ()), recipe.network.start, recipe.network.share]
        assert {Path(name).parent.name for name in needed if name} <= trained
        trained.add(recipe.name)


def dumped(name):
    (recipe,) = read_recipes(FOLDER / "landmarks" / f"{name}.toml")
    return recipe.model_dump(mode="json")


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_what_it_says_and_nothing_else(name):
    assert set(differences(dumped("base"), dumped(name))) == ABLATIONS[name] | {f"name: heatmap -> {name}"}


def test_every_ablation_is_listed():
    assert {path.stem for path in (FOLDER / "landmarks").glob("*.toml")} == {*ABLATIONS, "base"}

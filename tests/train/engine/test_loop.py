import math
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mien.errors import BadRecipe, MienError
from mien.train.engine.devices import make_fabric
from mien.train.engine.ema import make_ema
from mien.train.engine.loop import train
from mien.train.engine.optimizer import learning_rate, step_seed
from mien.train.engine.prefetch import prefetched
from mien.train.recipe import Recipe, check, read_table

from ..tiny import TinyRecipe, TinyTask, tiny_recipe


class PowerError(Exception):
    """The plug is pulled."""


def cut_at(step: int):
    """A `stop` that kills the run, without warning, once `step` steps are done."""

    def stop(done: int) -> bool:
        if done == step:
            raise PowerError
        return False

    return stop


def run(recipe: Recipe, folder: Path, **options) -> tuple[dict[str, Tensor], dict[str, Tensor], bytes]:
    """Train, and give the final and the best weights and the exported file."""
    path = train(recipe, TinyTask(recipe), folder, make_fabric("cpu"), **options)
    last = torch.load(folder / "last.pt", weights_only=True)
    best = torch.load(folder / "best.pt", weights_only=True)
    return last["network"] | {"step": torch.tensor(last["step"])}, best["network"], path.read_bytes()


def written(folder: Path) -> TinyRecipe:
    return check(TinyRecipe, read_table(folder / "recipe.toml"), folder)


def assert_same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


# Checkpoints are at 3, 4, 6, 8, 9 and 12: before any, right after one, between two, and before the last step.
@pytest.mark.parametrize("cuts", [(2,), (4,), (5,), (7, 8), (3, 10, 11)])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, cuts):
    recipe = tiny_recipe(12)
    expected = run(recipe, tmp_path / "whole")
    for step in cuts:
        with pytest.raises(PowerError):
            run(recipe, tmp_path / "cut", stop=cut_at(step))
    found = run(recipe, tmp_path / "cut")
    assert_same_bits(expected[0], found[0])
    assert_same_bits(expected[1], found[1])
    assert expected[2] == found[2]


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_every_optimiser_resumes_to_the_same_bits(tmp_path, name):
    recipe = tiny_recipe(8)
    recipe = recipe.model_copy(update={"optimizer": recipe.optimizer.model_copy(update={"name": name})})
    expected = run(recipe, tmp_path / "whole")
    with pytest.raises(PowerError):
        run(recipe, tmp_path / "cut", stop=cut_at(5))
    assert_same_bits(expected[0], run(recipe, tmp_path / "cut")[0])


def test_the_number_of_workers_does_not_matter(tmp_path):
    recipe = tiny_recipe(8)
    one = run(recipe, tmp_path / "one", workers=1)
    many = run(recipe, tmp_path / "many", workers=7)
    assert_same_bits(one[0], many[0])


def test_another_seed_gives_another_network(tmp_path):
    one, other = run(tiny_recipe(4), tmp_path / "a"), run(tiny_recipe(4, seed=4), tmp_path / "b")
    assert not torch.equal(one[0]["dense.weight"], other[0]["dense.weight"])


def test_training_lowers_the_loss(tmp_path):
    recipe = tiny_recipe(120)
    task = TinyTask(recipe)
    with torch.no_grad():
        before = task.validate(task.network.eval())["quality"]
    train(recipe, task, tmp_path, make_fabric("cpu"))
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["metrics"]["quality"] > before / 3  # losses are positive, so qualities are negative


def test_the_run_folder_tells_the_whole_story(tmp_path):
    recipe = tiny_recipe(8)
    run(recipe, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "recipe.toml",
        "log.txt",
        "tensorboard",
        "last.pt",
        "best.pt",
        "tiny.onnx",
    }
    assert written(tmp_path) == recipe
    log = (tmp_path / "log.txt").read_text()
    assert "step 8  loss  score " in log
    assert "offsets" in log
    assert "quality" in log


def test_tensorboard_has_losses_measures_rate_speed_and_images(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(PowerError):
        run(tiny_recipe(12), tmp_path, stop=cut_at(10))
    run(tiny_recipe(12), tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"loss/score", "loss/offsets", "loss/total", "run/learning_rate", "run/samples_per_second"} <= set(
        events.Tags()["scalars"]
    )
    assert [e.step for e in events.Scalars("valid/quality")] == [4, 8, 12]
    assert events.Tags()["images"] == ["crops"]


def test_the_best_weights_are_exported_not_the_last(tmp_path):
    class Fading(TinyTask):
        """Quality falls from one validation to the next."""

        quality = 1.0

        def validate(self, network: nn.Module) -> dict[str, float]:
            self.quality /= 2
            return {"quality": self.quality}

    recipe = tiny_recipe(12)
    train(recipe, Fading(recipe), tmp_path, make_fabric("cpu"))
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert (best["step"], best["metrics"]) == (4, {"quality": 0.5})


def test_a_finished_run_is_exported_again_without_a_step(tmp_path):
    recipe = tiny_recipe(4)
    first = run(recipe, tmp_path)
    (tmp_path / "tiny.onnx").unlink()
    task = TinyTask(recipe)
    assert train(recipe, task, tmp_path, make_fabric("cpu")).read_bytes() == first[2]
    assert task.steps_made == []


def test_stop_exports_the_best_so_far_and_the_run_can_go_on(tmp_path):
    recipe = tiny_recipe(12)
    expected = run(recipe, tmp_path / "whole")
    path = train(recipe, TinyTask(recipe), tmp_path / "part", make_fabric("cpu"), stop=lambda done: done == 2)
    assert path.exists()
    assert torch.load(tmp_path / "part" / "last.pt", weights_only=True)["step"] == 2
    assert_same_bits(expected[0], run(recipe, tmp_path / "part")[0])


def test_without_resume_the_run_starts_again(tmp_path):
    recipe = tiny_recipe(4)
    run(recipe, tmp_path)
    task = TinyTask(recipe)
    train(recipe, task, tmp_path, make_fabric("cpu"), resume=False)
    assert 0 in task.steps_made


def test_ctrl_c_saves_first(tmp_path):
    recipe = tiny_recipe(12)
    expected = run(recipe, tmp_path / "whole")

    def stop(done: int) -> bool:
        if done == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return False

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path / "cut", stop=stop)
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / "cut" / "last.pt", weights_only=True)["step"] == 5
    assert_same_bits(expected[0], run(recipe, tmp_path / "cut")[0])


def test_training_works_outside_the_main_thread(tmp_path):
    recipe = tiny_recipe(4)
    thread = threading.Thread(target=train, args=(recipe, TinyTask(recipe), tmp_path, make_fabric("cpu")))
    thread.start()
    thread.join()
    assert (tmp_path / "tiny.onnx").exists()


def test_an_error_in_a_batch_reaches_the_caller(tmp_path):
    recipe = tiny_recipe(12)
    with pytest.raises(RuntimeError, match="the power is gone"):
        train(recipe, TinyTask(recipe, fail_at=7), tmp_path, make_fabric("cpu"))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 6
    assert not list(tmp_path.glob(".*"))


def test_a_loss_that_is_not_a_number_names_step_and_loss(tmp_path):
    recipe = tiny_recipe(12)
    with pytest.raises(MienError, match=r"step 5: loss 'score' is nan; lower optimizer.learning_rate"):
        train(recipe, TinyTask(recipe, nan_at=5), tmp_path, make_fabric("cpu"))
    last = torch.load(tmp_path / "last.pt", weights_only=True)
    assert last["step"] == 4
    assert all(torch.isfinite(tensor).all() for tensor in last["network"].values())


def test_metrics_without_quality_are_refused(tmp_path):
    class Blind(TinyTask):
        def validate(self, network: nn.Module) -> dict[str, float]:
            return {"recall": 1.0}

    recipe = tiny_recipe(4)
    with pytest.raises(MienError, match=r"\['recall'\] lack 'quality'"):
        train(recipe, Blind(recipe), tmp_path, make_fabric("cpu"))


def test_a_folder_of_another_recipe_is_refused(tmp_path):
    run(tiny_recipe(4), tmp_path)
    with pytest.raises(BadRecipe, match=r"seed: 3 -> 5; schedule.steps: 4 -> 8\); rename the recipe, .* --fresh"):
        run(tiny_recipe(8, seed=5), tmp_path)
    assert written(tmp_path).seed == 3


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half of one"])
def test_a_broken_checkpoint_is_named(tmp_path, content):
    (tmp_path / "last.pt").write_bytes(content)
    with pytest.raises(MienError, match=r"last.pt: not a readable checkpoint.*start again with --fresh"):
        run(tiny_recipe(4), tmp_path)


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    recipe = tiny_recipe(4)
    run(recipe, tmp_path)
    task = TinyTask(recipe)
    task.network = nn.Linear(2, 2)
    with pytest.raises(MienError, match=r"last.pt: does not fit the network"):
        train(recipe, task, tmp_path, make_fabric("cpu"))


def test_learning_rate_by_hand():
    schedule = tiny_recipe().schedule.model_copy(update={"steps": 14, "warmup": 4})
    rates = [learning_rate(schedule, 1.0, step) for step in range(14)]
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert rates[9] == pytest.approx(0.01 + 0.99 / 2)  # half way down
    assert rates[13] == pytest.approx(0.01 + 0.99 * (1 + math.cos(0.9 * math.pi)) / 2)


def test_seeds_differ_between_steps_and_runs():
    seeds = {step_seed(seed, step) for seed in range(20) for step in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_ema_by_hand():
    network = nn.Linear(1, 1, bias=False)
    ema = make_ema(network, 0.75)
    for weight, expected in [(8.0, 8.0), (0.0, 8.0 * 2 / 11), (0.0, 8.0 * 2 / 11 * 3 / 12)]:  # decays 2/11, 3/12
        nn.init.constant_(network.weight, weight)
        ema.update_parameters(network)
        assert ema.module.weight.item() == pytest.approx(expected)
    ema.n_averaged.fill_(10**6)
    nn.init.constant_(ema.module.weight, 8.0)
    ema.update_parameters(network)
    assert ema.module.weight.item() == pytest.approx(6.0)


def test_no_ema_follows_the_weights_exactly():
    network = nn.BatchNorm1d(3)
    ema = make_ema(network, 0.0)
    for _ in range(3):
        network(torch.from_numpy(np.random.default_rng(0).normal(size=(5, 3))).float())
        ema.update_parameters(network)
        assert_same_bits(network.state_dict(), ema.module.state_dict())


def test_batches_come_in_order_and_only_as_far_ahead_as_agreed():
    asked: list[int] = []

    def make(step: int) -> dict[str, Tensor]:
        asked.append(step)
        return {"step": torch.tensor(step)}

    with prefetched(make, 3, 100, workers=2) as batches:
        assert [int(next(batches)["step"]) for _ in range(4)] == [3, 4, 5, 6]
    assert max(asked) <= 3 + 4 + 4
    with prefetched(make, 5, 9, workers=3) as batches:
        assert [int(batch["step"]) for batch in batches] == [5, 6, 7, 8]

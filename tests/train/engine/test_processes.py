"""Training in several processes: the same losses and weights as in one, and one set of files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mien.errors import BadOption
from mien.train.engine.devices import make_fabric

from .train_smooth import main

SCRIPT = Path(__file__).with_name("train_smooth.py")


def losses(run_dir: Path) -> list[float]:
    lines = (run_dir / "log.txt").read_text().splitlines()
    return [float(line.split("total")[1]) for line in lines if "  loss  " in line]


def test_two_processes_train_as_one(tmp_path):
    main(tmp_path / "one")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*torchrun, SCRIPT, tmp_path / "two"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected, found = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(found) == 6
    assert found == pytest.approx(expected, rel=1e-4)  # the log has five digits
    one = torch.load(tmp_path / "one" / "last.pt", weights_only=True)
    two = torch.load(tmp_path / "two" / "last.pt", weights_only=True)
    for name, weight in one["network"].items():
        torch.testing.assert_close(two["network"][name], weight, msg=name)
    files = {path.name for path in (tmp_path / "two").iterdir()}
    assert files == {path.name for path in (tmp_path / "one").iterdir()} | {"rank1"}


def test_a_batch_that_cannot_be_divided_is_refused():
    from mien.train.engine.loop import _rows

    class Three:
        world_size, global_rank = 3, 1

    assert _rows(12, Three()) == range(4, 8)
    with pytest.raises(BadOption, match="a batch of 16 cannot be divided evenly among 3 processes"):
        _rows(16, Three())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "abacus"}, "give cpu, cuda, cuda:1 or mps"),
        ({"device": "cpu", "devices": 0}, "0 devices on cpu: give 1 or more"),
        ({"device": "mps:1", "devices": 2}, "2 devices on mps:1"),
        ({"device": "cpu", "precision": "16"}, "precision '16': give one of 32-true, bf16-mixed"),
    ],
)
def test_what_a_machine_cannot_do_is_refused(options, message):
    with pytest.raises(BadOption, match=message):
        make_fabric(**options)


def test_the_number_of_processes_is_that_of_torchrun(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BadOption, match="3 devices, but torchrun started 2 processes"):
        make_fabric("cpu", 3)


def test_mixed_precision_trains(tmp_path):
    from ..tiny import TinyTask, tiny_recipe

    recipe = tiny_recipe(4)
    seen = []

    class Watched(TinyTask):
        def losses(self, network, batch):
            seen.append(network(batch["images"]).dtype)
            return super().losses(network, batch)

    from mien.train.engine.loop import train

    train(recipe, Watched(recipe), tmp_path, make_fabric("cpu", precision="bf16-mixed"))
    assert seen[0] == torch.bfloat16
    weights = torch.load(tmp_path / "last.pt", weights_only=True)["network"]
    assert {weight.dtype for weight in weights.values()} == {torch.float32, torch.int64}

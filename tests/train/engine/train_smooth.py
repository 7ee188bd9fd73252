"""Train a network without batch statistics or dropout; run under torchrun by test_processes.py.

Usage: train_smooth.py RUN_DIR
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny import SIDE, TinyTask, tiny_recipe

from mien.train.engine import loop
from mien.train.engine.devices import make_fabric


class Smooth(nn.Module):
    """One layer, and one that no loss uses."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(3 * SIDE * SIDE, 5)
        self.unused = nn.Linear(5, 1)

    def forward(self, images: Tensor) -> Tensor:
        out = self.dense(images.flatten(1))
        self.unused(out)
        return out


def main(run_dir: Path) -> None:
    loop.REPORT_EVERY = 1
    recipe = tiny_recipe(6)
    task = TinyTask(recipe)
    torch.manual_seed(0)
    task.network = Smooth()
    fabric = make_fabric("cpu")
    fabric.launch()
    loop.train(recipe, task, run_dir, fabric)
    (run_dir / f"rank{fabric.global_rank}").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

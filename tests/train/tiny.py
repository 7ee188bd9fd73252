"""A task small enough to train in a test: a linear network with dropout on numbers made from the step."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from mien.models import InputSpec, ModelCard, OutputSpec, SquareBox, Window
from mien.train.recipe import Data, NetworkChoice, OptimizerOptions, Recipe, Schedule, Source

SIDE = 4


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.normalization = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.2)
        self.dense = nn.Linear(4 * (SIDE - 2) ** 2, 5)

    def forward(self, images: Tensor) -> Tensor:
        features = torch.relu(self.normalization(self.convolution(images)))
        return self.dense(self.dropout(features.flatten(1)))


class TinyRecipe(Recipe):
    networks: ClassVar[Mapping[str, type[nn.Module]]] = {"tiny": Tiny}

    def make_task(self, data: Path, runs: Path) -> "TinyTask":
        return TinyTask(self)


def tiny_recipe(steps: int = 12, **changes: object) -> TinyRecipe:
    values: dict[str, object] = {
        "name": "tiny",
        "task": "rnet",
        "seed": 3,
        "network": NetworkChoice(kind="tiny"),
        "data": Data(sources={"none": Source(format="none", path="nowhere")}),
        "optimizer": OptimizerOptions(name="adamw", learning_rate=0.03, weight_decay=0.01, ema_decay=0.9),
        "schedule": Schedule(steps=steps, batch_size=16, warmup=2, validate_every=4, checkpoint_every=3),
    }
    return TinyRecipe(**(values | changes))


class Exportable(nn.Module):
    """uint8 (n, h, w, 3) -> scores (n,), offsets (n, 4); `noise` is what the export must notice."""

    def __init__(self, network: nn.Module, noise: float) -> None:
        super().__init__()
        self.network, self.noise = network, noise

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        out = self.network((images.permute(0, 3, 1, 2).float() - 127.5) / 128)
        if self.noise:
            out = out + self.noise * torch.randn_like(out)
        return torch.sigmoid(out[:, 0]), out[:, 1:]


class TinyTask:
    """Label 1 when an image is bright. `fail_at`, `nan_at`: steps at which to misbehave."""

    half_precision_weights = False

    def __init__(self, recipe: Recipe, fail_at: int = -1, nan_at: int = -1, noise: float = 0.0) -> None:
        torch.manual_seed(recipe.seed)
        self.network: nn.Module = Tiny()
        self.recipe, self.fail_at, self.nan_at, self.noise = recipe, fail_at, nan_at, noise
        self.steps_made: list[int] = []

    def batch(self, step: int, rows: range) -> dict[str, Tensor]:
        self.steps_made.append(step)
        if step == self.fail_at:
            raise RuntimeError("the power is gone")
        numbers = np.random.default_rng((self.recipe.seed, step))
        labels = numbers.integers(0, 2, self.recipe.schedule.batch_size)
        noise = numbers.normal(0, 0.5, (len(labels), 3, SIDE, SIDE))
        images = noise + (labels - 0.5)[:, None, None, None]
        scale = np.nan if step == self.nan_at else 1.0
        return {
            "images": torch.from_numpy(images * scale).float()[rows.start : rows.stop],
            "labels": torch.from_numpy(labels).float()[rows.start : rows.stop],
        }

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        out = network(batch["images"])
        score = nn.functional.binary_cross_entropy_with_logits(out[:, 0], batch["labels"])
        return {"score": score, "offsets": 0.1 * out[:, 1:].square().mean()}

    def validate(self, network: nn.Module) -> dict[str, float]:
        assert not network.training
        batch = self.batch(10**6, range(self.recipe.schedule.batch_size))
        return {"quality": float(-self.losses(network, batch)["score"]), "twice": np.float64(2)}

    def images(self, network: nn.Module) -> dict[str, np.ndarray]:
        return {"crops": np.zeros((8, 8, 3), np.uint8)}

    def example(self) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)

    def card(self, metrics: dict[str, float]) -> ModelCard:
        return ModelCard(
            name="tiny",
            task=self.recipe.task,
            input=InputSpec(SIDE, 3, "RGB", 127.5, 1 / 128),
            crop=Window(2, 3) if self.recipe.task == "pnet" else SquareBox(1.0),
            output=OutputSpec(("scores", "offsets")),
            license="MIT",
            training_data="numbers",
            source="a test",
            scores=metrics,
            parameters=0,
        )

    def exportable(self, network: nn.Module) -> nn.Module:
        return Exportable(network, self.noise)

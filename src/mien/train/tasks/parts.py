"""Parts that the tasks are made of: networks, batches and cards from a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mien.models import CropSpec, InputSpec, ModelCard, OutputSpec
from mien.train.engine.checkpoint import load_best, load_shared
from mien.train.networks.deployed import MEAN, SCALE, normalize
from mien.train.recipe import Recipe
from mien.train.task import Arrays, Batch, Images

R = TypeVar("R", bound=Recipe)

Collate = Callable[[Sequence[Arrays]], Batch]
"""Makes a batch of samples."""

_EXAMPLES = 16
_VALIDATION_BATCHES = 12
_VALIDATION_STEP = 1 << 40
"""Validation batches are those of steps that training never reaches."""


class Sampler(Protocol):
    """Draws samples at random."""

    def sample(self, rng: np.random.Generator) -> Arrays:
        """Return one sample as named arrays; a pure function of ``rng``."""
        ...


def make_network(recipe: Recipe, runs: Path) -> nn.Module:
    """Return the recipe's network, initialized from its seed or from an earlier run."""
    torch.manual_seed(recipe.seed)
    network = recipe.networks[recipe.network.kind]()
    if recipe.network.share:
        load_shared(runs / recipe.network.share, network)
    if recipe.network.start:
        load_best(runs / recipe.network.start, network)
    return network


@dataclass(frozen=True, slots=True)
class Contract:
    """What the card of a network says beside its recipe: task, input, crop and outputs."""

    task: str
    size: int
    crop: CropSpec
    output: OutputSpec
    channels: int = 3


class SampledTask(ABC, Generic[R]):
    """What the tasks have in common: batches drawn from a sampler, and fixed batches to validate on.

    Attributes:
        network: The network to train.
        validation: Held-out batches.
    """

    half_precision_weights = False

    def __init__(
        self, recipe: R, runs: Path, sampler: Sampler, validation: Sequence[Batch], make: Collate | None = None
    ) -> None:
        self.recipe = recipe
        self.network = make_network(recipe, runs)
        self.validation = validation
        self._sampler = sampler
        self._collate = make or collate

    def batch(self, step: int, rows: range) -> Batch:
        """Return samples ``rows`` of the global batch of ``step``."""
        return draw_batch(self._sampler, self.recipe.seed, step, rows, self._collate)

    def example(self) -> Images:
        """Return held-out samples."""
        return cast(Images, self.validation[0]["images"][:_EXAMPLES].numpy())

    @abstractmethod
    def contract(self) -> Contract:
        """Return task, input, crop and outputs of the network."""

    def card(self, metrics: dict[str, float]) -> ModelCard:
        """Return the model card of the trained network."""
        recipe, contract = self.recipe, self.contract()
        sources = recipe.data.sources.values()
        return ModelCard(
            name=recipe.name,
            task=contract.task,
            input=InputSpec(contract.size, contract.channels, "RGB", MEAN, SCALE),
            crop=contract.crop,
            output=contract.output,
            license=recipe.data.license,
            training_data=", ".join(f"{source.path} ({source.format}, weight {source.weight:g})" for source in sources),
            source=f"trained with mien, recipe {recipe.name}, network {recipe.network.kind}, seed {recipe.seed}",
            scores={name: round(value, 5) for name, value in metrics.items()},
            parameters=sum(parameter.numel() for parameter in self.network.parameters()),
        )

    def outputs(self, network: nn.Module) -> list[Any]:
        """Return what the network returns for each validation batch."""
        device = next(network.parameters()).device
        return [network(normalize(batch["images"].to(device))) for batch in self.validation]


def collate(samples: Sequence[Arrays]) -> Batch:
    """Return the samples as one tensor per name."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


def draw_batch(sampler: Sampler, seed: int, step: int, rows: range, make: Collate = collate) -> Batch:
    """Return samples ``rows`` of the global batch of ``step``; each has random numbers of its own."""
    return make([sampler.sample(np.random.default_rng((seed, step, row))) for row in rows])


def validation_batches(sampler: Sampler, recipe: Recipe, make: Collate = collate) -> list[Batch]:
    """Return fixed batches to validate on."""
    rows = range(recipe.schedule.batch_size)
    steps = range(_VALIDATION_STEP, _VALIDATION_STEP + _VALIDATION_BATCHES)
    return [draw_batch(sampler, recipe.seed + 1, step, rows, make) for step in steps]


def join(batches: Sequence[Batch]) -> dict[str, NDArray[np.generic]]:
    """Return the batches as one array per name."""
    return {name: torch.cat([batch[name] for batch in batches]).numpy() for name in batches[0]}

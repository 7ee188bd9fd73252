"""The interface between the training engine and a task.

The engine steps, validates, saves and exports; the task decides which images, losses and metrics there are.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.models import ModelCard

Images = NDArray[np.uint8]
Batch = dict[str, Tensor]
Arrays = Mapping[str, NDArray[np.generic]]

QUALITY = "quality"
"""The metric that chooses the best checkpoint; higher is better."""


class Exportable(Protocol):
    """What the export needs from the source of a network: a training task or converted weights."""

    @property
    def half_precision_weights(self) -> bool:
        """Whether the file stores weights in 16 bits; computation stays in 32."""
        ...

    def example(self) -> Images:
        """Return real crops (n, h, w, c) uint8 on which torch and the exported file must agree."""
        ...

    def card(self, metrics: dict[str, float]) -> ModelCard:
        """Return the card of the exported file; ``metrics`` are those of the exported weights."""
        ...

    def exportable(self, network: nn.Module) -> nn.Module:
        """Return a module from uint8 images (n, h, w, c) to the tuple of outputs in the card's order.

        Normalization happens inside.
        """
        ...


class Task(Exportable, Protocol):
    """One network's training: its data, losses, metrics and export."""

    @property
    def network(self) -> nn.Module:
        """The network to train, freshly initialized from the recipe's seed."""
        ...

    def batch(self, step: int, rows: range) -> Batch:
        """Return named CPU tensors: samples ``rows`` of the global batch of ``step``.

        A pure function of the recipe's seed, ``step`` and ``rows``: worker threads call it ahead of time, and it
        is called again after a resume. It must not use torch's global random numbers.
        """
        ...

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return named scalar losses, already weighted; the engine adds them up. ``batch`` is on the device."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return named metrics of ``network`` (in eval mode, without gradients); "quality" is required."""
        ...

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Return named RGB images (h, w, 3) to show in TensorBoard."""
        ...

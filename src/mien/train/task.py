"""What the training loop knows of a task, and nothing more.

The loop in `mien.train.loop` steps, validates, saves and exports; which images, which losses and which
measures there are is the task's affair.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.models import ModelCard

Images = NDArray[np.uint8]

QUALITY = "quality"
"""The measure by which the best checkpoint is chosen; higher is better."""


class Exportable(Protocol):
    """What the export knows of whatever made a network: a training, or weights from elsewhere."""

    def example(self) -> Images:
        """Real crops (n, h, w, c) uint8 on which torch and the exported file must agree."""
        ...

    def card(self, measures: dict[str, float]) -> ModelCard:
        """The card to write into the exported file; `measures` are those of the exported weights."""
        ...

    def exportable(self, network: nn.Module) -> nn.Module:
        """A module from uint8 images (n, h, w, c) to the tuple of outputs in the card's order.

        Subtracting the mean and scaling happen inside.
        """
        ...


class Task(Exportable, Protocol):
    """One network's training: its data, losses, measures and export."""

    @property
    def network(self) -> nn.Module:
        """The network to train, freshly initialised from the recipe's seed."""
        ...

    def batch(self, step: int) -> dict[str, Tensor]:
        """Named CPU tensors for one step.

        A pure function of the recipe's seed and `step`: it is called from worker threads ahead of time, and
        again after a resume. It must not use torch's global random numbers.
        """
        ...

    def losses(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Named scalar losses, already weighted; the loop adds them up. `batch` is on the device."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Named measures of `network` (in eval mode, without gradients); must have the key "quality"."""
        ...

    def images(self, network: nn.Module) -> dict[str, Images]:
        """Named RGB images (h, w, 3) worth looking at during training."""
        ...

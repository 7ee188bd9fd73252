"""What is exported of every network: normalization and the final activations are inside the graph."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

MEAN, SCALE = 127.5, 1 / 128

Outputs = tuple[Tensor, ...]


def normalize(images: Tensor) -> Tensor:
    """Return uint8 images (n, h, w, c) as float32 (n, c, h, w), (value - 127.5) / 128."""
    return (images.permute(0, 3, 1, 2).float() - MEAN) * SCALE


class Deployed(nn.Module):
    """A network that takes uint8 images (n, h, w, c) and returns the outputs of its card.

    ``activate`` turns what the network returns, such as logits, into these outputs.
    """

    def __init__(self, network: nn.Module, activate: Callable[[Any], Outputs]) -> None:
        super().__init__()
        self.network = network
        self._activate = activate

    def forward(self, images: Tensor) -> Outputs:
        """Return the outputs in the order of the card."""
        return self._activate(self.network(normalize(images)))

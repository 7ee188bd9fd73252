"""The moving average of a network's weights while it is trained."""

import copy

import torch
from torch import nn


class Average:
    """Exponential moving average of all floating tensors of a network, running statistics among them.

    `network` is the averaged copy, in eval mode and without gradients. A decay of 0 follows the weights
    exactly.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards `network` after step number `step`; early steps move faster, to forget the start."""
        decay = min(self._decay, (1 + step) / (10 + step))
        theirs = network.state_dict()
        for name, mine in self.network.state_dict().items():
            if mine.is_floating_point():
                mine.lerp_(theirs[name], 1 - decay)
            else:
                mine.copy_(theirs[name])

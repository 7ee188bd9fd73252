"""Exponential moving average (EMA) of a network's weights."""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def make_ema(network: nn.Module, decay: float) -> AveragedModel:
    """Return an averaged copy of ``network``, in eval mode and without gradients.

    Parameters and buffers (running statistics) are averaged. The decay after n updates is at most
    (1 + n) / (10 + n), so that the initial weights are soon forgotten; a decay of 0 follows the weights exactly.
    """

    def update(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        n = int(count)
        move = get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))  # type: ignore[no-untyped-call]
        move(averaged, current, count)

    ema = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    return ema.eval().requires_grad_(False)

"""Parts of a batch side by side: small networks leave a core idle when all threads work on one operation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn

Losses = dict[str, Tensor]
Compute = Callable[[nn.Module, dict[str, Tensor]], Losses]


class Replicas:
    """``count`` copies of a network on the CPU, each with its part of every batch and its share of the threads.

    The gradients are the mean over the parts, added in the same order each time, so that a run can be repeated;
    only networks that draw random numbers (dropout) cannot, as the copies draw from one source. Each copy
    normalises its own part; the running statistics kept are those of the first.
    """

    def __init__(self, network: nn.Module, count: int) -> None:
        self._networks = [network, *(copy.deepcopy(network) for _ in range(count - 1))]
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="replica")
        if count > 1:
            torch.set_num_threads(max(1, torch.get_num_threads() // count))

    def backward(self, compute: Compute, batch: dict[str, Tensor]) -> Losses:
        """Gradients into the first network; returns its losses, each the mean over the parts."""
        first, *others = self._networks
        for network in self._networks:
            network.zero_grad(set_to_none=True)
        for other in others:
            other.load_state_dict(first.state_dict())
            other.train(first.training)
        parts = [
            dict(zip(batch, tensors, strict=True)) for tensors in zip(*map(self._chunks, batch.values()), strict=True)
        ]
        waiting = [
            self._pool.submit(_backward, compute, network, part)
            for network, part in zip(self._networks, parts, strict=False)
        ]
        losses = [future.result() for future in waiting]
        if others:
            _add_gradients(first, others[: len(parts) - 1], len(parts))
        return {name: torch.stack([each[name] for each in losses]).mean() for name in losses[0]}

    def _chunks(self, tensor: Tensor) -> tuple[Tensor, ...]:
        return tensor.chunk(len(self._networks))


def _backward(compute: Compute, network: nn.Module, part: dict[str, Tensor]) -> Losses:
    losses = compute(network, part)
    torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
    return {name: loss.detach() for name, loss in losses.items()}


@torch.no_grad()
def _add_gradients(first: nn.Module, others: list[nn.Module], parts: int) -> None:
    for mine, *theirs in zip(first.parameters(), *(other.parameters() for other in others), strict=True):
        grads = [p.grad for p in (mine, *theirs) if p.grad is not None]
        if grads:
            mine.grad = torch.stack(grads).sum(0) / parts

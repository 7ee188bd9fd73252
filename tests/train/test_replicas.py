import pytest
import torch
from torch import nn

from mien.train.replicas import Replicas


def compute(network, batch):
    return {"error": (network(batch["x"])[:, 0] - batch["y"]).square().mean()}


def gradients(count):
    threads = torch.get_num_threads()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    generator = torch.Generator().manual_seed(1)
    batch = {"x": torch.randn(12, 3, generator=generator), "y": torch.randn(12, generator=generator)}
    losses = Replicas(network, count).backward(compute, batch)
    torch.set_num_threads(threads)
    return losses, [parameter.grad for parameter in network.parameters()]


@pytest.mark.parametrize("count", [2, 3])
def test_parts_side_by_side_give_the_gradients_of_the_whole(count):
    whole, expected = gradients(1)
    parts, found = gradients(count)
    torch.testing.assert_close(parts["error"], whole["error"])
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_copies_follow_the_network():
    threads = torch.get_num_threads()
    network = nn.Linear(3, 1)
    replicas = Replicas(network, 2)
    torch.set_num_threads(threads)
    batch = {"x": torch.ones(4, 3), "y": torch.zeros(4)}
    with torch.no_grad():
        network.weight.zero_()
        network.bias.fill_(2.0)
    assert float(replicas.backward(compute, batch)["error"]) == pytest.approx(4.0)

"""Starting one network from the layers of another."""

import pytest
import torch
from torch import nn

from mien.errors import MienError
from mien.train.engine.checkpoint import load_shared
from mien.train.networks.proposer import MienProposer
from mien.train.networks.refiner import MienRefiner


def save(path, network):
    torch.save({"step": 1, "metrics": {}, "network": network.state_dict()}, path)
    return path


def test_the_refiner_starts_from_the_features_of_the_proposer(tmp_path):
    proposer, refiner = MienProposer().eval(), MienRefiner().eval()
    before = refiner.dense[3].weight.clone()
    load_shared(save(tmp_path / "best.pt", proposer), refiner)
    crops = torch.randn(2, 3, 96, 96)
    for ours, theirs in zip(refiner.features(crops), proposer.features(crops), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert torch.equal(refiner.dense[3].weight, before)


def test_layers_of_another_shape_stay(tmp_path):
    other = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 3))
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 4))
    before = network[1].weight.clone()
    load_shared(save(tmp_path / "best.pt", other), network)
    assert torch.equal(network[0].weight, other[0].weight)
    assert torch.equal(network[1].weight, before)


def test_a_file_that_shares_nothing_is_refused(tmp_path):
    with pytest.raises(MienError, match="shares no layer with MienRefiner"):
        load_shared(save(tmp_path / "best.pt", nn.Linear(2, 2)), MienRefiner())
    (tmp_path / "broken.pt").write_bytes(b"no")
    with pytest.raises(MienError, match="broken"):
        load_shared(tmp_path / "broken.pt", MienRefiner())

"""The network of the proposer: shapes, the meaning of its channels, and its exported file."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mien.models import open_model
from mien.train.export import export
from mien.train.networks.proposer import MienProposer, activate, distances


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MienProposer().eval()


def test_each_cell_of_each_stride_predicts_one_face(network):
    levels = network(torch.zeros(2, 3, 64, 96))
    assert [tuple(level.shape) for level in levels] == [(2, 15, 8, 12), (2, 15, 4, 6), (2, 15, 2, 3)]


def test_it_has_the_documented_number_of_parameters(network):
    assert sum(p.numel() for p in network.parameters()) == 516_661
    assert "516,661" in MienProposer.__doc__


def test_it_starts_from_background_and_an_upright_face_of_four_strides(network):
    with torch.no_grad():
        quality, *rest = activate(network(torch.zeros(1, 3, 32, 32)))[2][0, :, 0, 0].tolist()
    assert quality == pytest.approx(1 / (1 + math.exp(4.6)), rel=0.3)
    assert rest[:4] == pytest.approx([64.0] * 4, rel=0.2)
    assert rest[4:6] == pytest.approx([0.3, 0.4], abs=0.1)


def test_distances_are_in_pixels_and_bounded():
    logs = torch.tensor([0.0, math.log(2.0), 100.0])
    assert distances(logs, 8).tolist() == pytest.approx([16.0, 32.0, 16 * math.exp(4)])


def test_the_file_takes_images_of_any_size(network, tmp_path, proposer_source):
    path = export(proposer_source(half_precision_weights=True), network, tmp_path / "proposer.onnx", {})
    assert path.stat().st_size < 1.2e6  # 16-bit weights
    model = open_model(path, "proposer", threads=1)
    assert model.card.crop == MienProposer.crop
    for n, height, width in [(1, 32, 32), (3, 96, 64), (1, 160, 320)]:
        shapes = [output.shape for output in model.run(np.zeros((n, height, width, 3), np.uint8))]
        assert shapes == [(n, 15, height // s, width // s) for s in (8, 16, 32)]

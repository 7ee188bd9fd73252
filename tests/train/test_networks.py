import numpy as np
import pytest
import torch

from mien.train.networks.deployed import Deployed
from mien.train.networks.lnet import LNETS
from mien.train.networks.pnet import PNETS, activate
from mien.train.networks.refiner import KeypointHead
from mien.train.tasks.refinement import REFINEMENT_NETS


@pytest.mark.parametrize("kind", PNETS)
def test_a_pnet_gives_one_answer_a_window(kind):
    network = PNETS[kind]().eval()
    size, stride = network.input_size, network.crop.stride
    logits, offsets = network(torch.zeros(2, 3, size + 3 * stride, size + 5 * stride))
    assert logits.shape == (2, 4, 6)
    assert offsets.shape == (2, 4, 4, 6)


@pytest.mark.parametrize("kind", PNETS)
def test_a_window_is_judged_by_its_own_pixels_alone(kind):
    network = PNETS[kind]().eval()
    size, stride = network.input_size, network.crop.stride
    level = torch.randn(1, 3, size + 2 * stride, size + 4 * stride)
    whole, _ = network(level)
    for row, column in [(0, 0), (1, 3), (2, 4)]:
        y, x = row * stride, column * stride
        alone, _ = network(level[:, :, y : y + size, x : x + size])
        # the order of float32 additions differs between the two shapes
        assert alone[0, 0, 0].item() == pytest.approx(whole[0, row, column].item(), abs=1e-4)


@pytest.mark.parametrize("kind", REFINEMENT_NETS)
def test_crops_give_score_offsets_and_points(kind):
    network = REFINEMENT_NETS[kind]().eval()
    out = network(torch.zeros(3, 3, network.input_size, network.input_size))
    shapes = [tuple(o.shape) for o in out]
    assert shapes == [(3,), (3, 4), (3, 5, 2)][: len(shapes)]
    assert len(shapes) == (2 if kind.endswith("rnet") else 3)


def test_a_keypoint_is_the_mean_vote_under_its_heat_map():
    head = KeypointHead(3, 4)
    torch.nn.init.zeros_(head.votes.weight)
    torch.nn.init.zeros_(head.votes.bias)
    features = torch.zeros(1, 3, 4, 4)
    torch.testing.assert_close(head(features)[0], torch.full((1, 5, 2), 0.5))  # all cells alike
    with torch.no_grad():
        head.votes.weight[0, 0] = 100.0  # the first heat map follows the first feature
        head.votes.bias[5] = 0.01  # all cells shift its x
        head.gain.fill_(1.5)
    features[0, 0, 1, 2] = 1.0
    x, y = head(features)[0][0, 0].tolist()
    assert x == pytest.approx(0.5 + 1.5 * (2.5 / 4 - 0.5 + 0.01), abs=1e-5)
    assert y == pytest.approx(0.5 + 1.5 * (1.5 / 4 - 0.5), abs=1e-5)


@pytest.mark.parametrize("kind", LNETS)
def test_patches_give_points(kind):
    assert LNETS[kind]().eval()(torch.zeros(3, 15, 24, 24)).shape == (3, 5, 2)


def test_the_paper_networks_have_the_published_sizes():
    def parameters(kind):
        return sum(p.numel() for p in (PNETS | REFINEMENT_NETS)[kind]().parameters())

    # as the released Caffe models: weights, biases and a PReLU slope a channel
    assert parameters("paper-pnet") == 6632
    assert parameters("paper-rnet") == 100178
    assert parameters("paper-onet") == 389040


def test_deployed_takes_bytes_and_gives_probabilities():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 40, 44, 3), dtype=np.uint8))
    network = PNETS["paper-pnet"]().eval()
    scores, offsets = Deployed(network, activate)(images)
    logits, raw = network((images.permute(0, 3, 1, 2).float() - 127.5) / 128)
    torch.testing.assert_close(scores, torch.sigmoid(logits))
    torch.testing.assert_close(offsets, raw.permute(0, 2, 3, 1))
    assert offsets.shape == (*scores.shape, 4)

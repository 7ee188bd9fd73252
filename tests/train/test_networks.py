import numpy as np
import pytest
import torch

from mien.errors import BadRecipe
from mien.train.networks import NETWORKS, Deployed, make_network


@pytest.mark.parametrize("kind", [k for k in NETWORKS if k.endswith("pnet")])
def test_a_pnet_gives_one_answer_a_window(kind):
    network = make_network(kind).eval()
    size, stride = network.input_size, network.stride
    logits, offsets = network(torch.zeros(2, 3, size + 3 * stride, size + 5 * stride))
    assert logits.shape == (2, 4, 6)
    assert offsets.shape == (2, 4, 4, 6)


@pytest.mark.parametrize("kind", [k for k in NETWORKS if k.endswith("pnet")])
def test_a_window_is_judged_by_its_own_pixels_alone(kind):
    network = make_network(kind).eval()
    size, stride = network.input_size, network.stride
    level = torch.randn(1, 3, size + 2 * stride, size + 4 * stride)
    whole, _ = network(level)
    for row, column in [(0, 0), (1, 3), (2, 4)]:
        y, x = row * stride, column * stride
        alone, _ = network(level[:, :, y : y + size, x : x + size])
        # the order of float32 additions differs between the two shapes
        assert alone[0, 0, 0].item() == pytest.approx(whole[0, row, column].item(), abs=1e-4)


@pytest.mark.parametrize("kind", [k for k in NETWORKS if k.endswith(("rnet", "onet"))])
def test_crops_give_score_offsets_and_points(kind):
    network = make_network(kind).eval()
    out = network(torch.zeros(3, 3, network.input_size, network.input_size))
    shapes = [tuple(o.shape) for o in out]
    assert shapes == [(3,), (3, 4), (3, 5, 2)][: len(shapes)]
    assert len(shapes) == (3 if kind.endswith("onet") else 2)


@pytest.mark.parametrize("kind", [k for k in NETWORKS if k.endswith("lnet")])
def test_patches_give_points(kind):
    assert make_network(kind).eval()(torch.zeros(3, 15, 24, 24)).shape == (3, 5, 2)


def test_the_paper_networks_have_the_published_sizes():
    def parameters(kind):
        return sum(p.numel() for p in make_network(kind).parameters())

    # as the released Caffe models: weights, biases and a PReLU slope a channel
    assert parameters("paper-pnet") == 6632
    assert parameters("paper-rnet") == 100178
    assert parameters("paper-onet") == 389040


def test_deployed_takes_bytes_and_gives_probabilities():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 40, 44, 3), dtype=np.uint8))
    network = make_network("paper-pnet").eval()
    scores, offsets = Deployed(network)(images)
    logits, raw = network((images.permute(0, 3, 1, 2).float() - 127.5) / 128)
    torch.testing.assert_close(scores, torch.sigmoid(logits))
    torch.testing.assert_close(offsets, raw.permute(0, 2, 3, 1))
    assert offsets.shape == (*scores.shape, 4)


def test_an_unknown_kind_is_refused():
    with pytest.raises(BadRecipe, match="mien-pnet"):
        make_network("resnet")

import pytest
import torch

from mien.train.networks.landmarks import LANDMARK_NETWORKS, HeatmapHead


@pytest.mark.parametrize("kind", LANDMARK_NETWORKS)
def test_outputs_have_the_promised_names_and_shapes(kind):
    network = LANDMARK_NETWORKS[kind]().eval()
    with torch.no_grad():
        out = network(torch.zeros(2, 3, 128, 128))
    assert tuple(out) == network.outputs
    contours = out["landmarks"].shape[1]
    assert len(network.contours) == contours
    assert out["landmarks"].shape == (2, contours, 68, 2)
    assert "uncertainty" not in out or out["uncertainty"].shape == (2, contours, 68)
    assert "pose" not in out or out["pose"].shape == (2, 3)


def test_a_peak_in_the_map_is_the_point():
    head = HeatmapHead((4, 4, 4), contours=1, width=8).eval()
    logits = torch.zeros(1, 68, 16, 16)
    logits[0, 7, 3, 12] = 50  # row 3, column 12
    head.maps = torch.nn.Identity()
    head.mix = torch.nn.Identity()
    head.laterals = torch.nn.ModuleList([torch.nn.Identity()])
    head.uncertainty = torch.nn.Linear(136, 68)
    points = head([logits])["landmarks"][0, 0]
    torch.testing.assert_close(points[7], torch.tensor([12.5 / 16, 3.5 / 16]))
    torch.testing.assert_close(points[8], torch.tensor([0.5, 0.5]))  # even everywhere: the middle

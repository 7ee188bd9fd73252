"""The refiner decides on what the proposer finds: logits (n,), offsets (n, 4) and five keypoints (n, 5, 2) of crops."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.train.networks.blocks import Residual, conv

_POINTS = 5


class KeypointHead(nn.Module):
    """Keypoints as expected places under heat maps: every cell votes for a place near it.

    A map (h, w) over the crop gives each cell a weight (softmax over the map) and a vote, the center of the cell
    plus a predicted shift; the keypoint is the weighted mean of the votes. Expectations are differentiable and finer
    than the cells (Sun et al. 2018, "Integral Human Pose Regression"); shifts let them leave the crop.
    """

    centers: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.votes = nn.Conv2d(channels, 3 * _POINTS, 1)
        steps = (torch.arange(side) + 0.5) / side
        centers = torch.stack([steps.repeat(side), steps.repeat_interleave(side)]) - 0.5  # x, y of the cells
        self.register_buffer("centers", centers, persistent=False)
        self.gain = nn.Parameter(torch.ones(()))  # becomes the context of the crop: its side in squared boxes

    def forward(self, features: Tensor) -> Tensor:
        """Return keypoints (n, 5, 2), in sides of the squared box, of features (n, c, side, side)."""
        heat, x, y = self.votes(features).flatten(2).split(_POINTS, dim=1)
        weights = torch.softmax(heat, dim=2)
        mean = torch.stack([(weights * (x + self.centers[0])).sum(2), (weights * (y + self.centers[1])).sum(2)], dim=2)
        return 0.5 + self.gain * mean


class MienRefiner(nn.Module):
    """Plain 3 x 3 convolutions on 64 x 64 crops; the keypoints see features of three resolutions."""

    input_size = 64
    stage = "refiner"
    outputs = ("scores", "offsets", "keypoints")

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), Residual(32))
        self.middle = nn.Sequential(conv(32, 64, 2), Residual(64))
        self.deep = nn.Sequential(conv(64, 96, 2), Residual(96))
        self.dense = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(96 * 4 * 4, 128), nn.ReLU(inplace=True))
        self.score = nn.Linear(128, 1)
        self.offsets = nn.Linear(128, 4)
        self.deep_down = nn.Conv2d(96, 64, 1)
        self.middle_down = nn.Conv2d(64, 32, 1)
        self.fused = conv(32, 32)
        self.keypoints = KeypointHead(32, 16)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (n,), offsets (n, 4) and keypoints (n, 5, 2)."""
        fine = self.stem(images)
        middle = self.middle(fine)
        deep = self.deep(middle)
        x = self.dense(deep)
        middle = torch.relu(middle + _double(self.deep_down(deep)))
        fine = torch.relu(fine + _double(self.middle_down(middle)))
        return self.score(x)[:, 0], self.offsets(x), self.keypoints(self.fused(fine))


def _double(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="nearest")

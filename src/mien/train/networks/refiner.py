"""The refiner decides on what the proposer finds: logits (n,), offsets (n, 4) and five keypoints (n, 5, 2) of crops."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.train.networks.blocks import Residual, conv
from mien.train.networks.proposer import FeaturePyramid

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
        self.gain = nn.Parameter(torch.tensor(1.5))  # becomes the context of the crop: its side in squared boxes

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return keypoints (n, 5, 2), in sides of the squared box, of features (n, c, side, side); and their heat maps
        (n, 5, side side) before the softmax."""
        heat, x, y = self.votes(features).flatten(2).split(_POINTS, dim=1)
        weights = torch.softmax(heat, dim=2)
        mean = torch.stack([(weights * (x + self.centers[0])).sum(2), (weights * (y + self.centers[1])).sum(2)], dim=2)
        return 0.5 + self.gain * mean, heat


class MienRefiner(FeaturePyramid):
    """96 x 96 crops through the proposer's features, from whose weights it starts.

    Score and box see the features of stride 16, keypoints those of stride 4, which hold the coarser ones.
    """

    input_size = 96
    stage = "refiner"
    outputs = ("scores", "offsets", "keypoints")

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse, _ = self.widths
        self.dense = nn.Sequential(
            conv(coarse, coarse),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(coarse * (self.input_size // 16) ** 2, 128),
            nn.ReLU(inplace=True),
        )
        self.score = nn.Linear(128, 1)
        self.offsets = nn.Linear(128, 4)
        self.head8 = Residual(middle)
        self.lateral4 = nn.Conv2d(fine, middle, 1)
        self.lateral8 = nn.Conv2d(middle, middle, 1)
        self.fused = conv(middle, middle)
        self.keypoints = KeypointHead(middle, self.input_size // 4)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return logits (n,), offsets (n, 4) and keypoints (n, 5, 2); in training also the heat maps of the latter."""
        stride4, stride8, stride16, _ = self.features(images)
        x = self.dense(stride16)
        coarser = F.interpolate(self.lateral8(self.head8(stride8)), scale_factor=2.0, mode="nearest")
        fine = self.fused(torch.relu(self.lateral4(stride4) + coarser))
        keypoints, heat = self.keypoints(fine)
        outputs = self.score(x)[:, 0], self.offsets(x), keypoints
        return (*outputs, heat) if self.training else outputs

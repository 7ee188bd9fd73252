"""The proposer: a one-stage, anchor-free face detector of plain 3 x 3 convolutions.

A backbone with strides 8, 16 and 32, a feature pyramid that adds each level to the next finer one (Lin et al. 2017),
and a head of one convolution per level. Each cell predicts one face, as in FCOS (Tian et al. 2019): a quality, the
distances from its center to the four sides, and five keypoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.models import Grid
from mien.train.networks.deployed import Outputs

CHANNELS = 15
"""Channels of each level: quality, four distances, five keypoints x y."""

_PRIOR_LOGIT = -4.6
"""Quality logit of an untrained cell, a probability of 0.01: background outnumbers faces (Lin et al. 2017)."""

_MEAN_KEYPOINTS = (0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8)
_MAX_LOG_DISTANCE = 4.0


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution and batch normalization."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class _Block(nn.Module):
    """A 3 x 3 convolution, plus its input where the shapes agree, and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = _conv(inputs, outputs, 3, stride)
        self.skip = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.relu(y + x if self.skip else y)


class FeaturePyramid(nn.Module):
    """The features of the proposer, which the refiner shares: a backbone and a pyramid."""

    widths = (16, 32, 64, 96)
    """Channels of the features of strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        widths, blocks = self.widths, (3, 4, 3)
        self.stem = nn.Sequential(_Block(3, 8, 2), _Block(8, widths[0], 2))
        self.stages = nn.ModuleList(
            nn.Sequential(_Block(inputs, outputs, 2), *(_Block(outputs, outputs) for _ in range(count - 1)))
            for (inputs, outputs), count in zip(pairwise(widths), blocks, strict=True)
        )
        self.laterals = nn.ModuleList(_conv(coarse, fine, 1) for fine, coarse in pairwise(widths[1:]))

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the features of strides 4, 8, 16 and 32; those of 8 and 16 have the coarser ones added."""
        levels = [self.stem(images)]
        for stage in self.stages:
            levels.append(stage(levels[-1]))
        for i in (2, 1):
            coarser = F.interpolate(self.laterals[i - 1](levels[i + 1]), scale_factor=2.0, mode="nearest")
            levels[i] = torch.relu(levels[i] + coarser)
        return levels


class MienProposer(FeaturePyramid):
    """Input (n, 3, h, w), normalized; h and w are multiples of 32. 516,661 parameters."""

    input_size = 32
    crop = Grid((8, 16, 32), min_face=14.0, max_face=340.0)
    outputs = ("stride8", "stride16", "stride32")

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_Block(width, width) for width in self.widths[1:])
        self.predictions = nn.ModuleList(nn.Conv2d(width, CHANNELS, 1) for width in self.widths[1:])
        self._initialize()

    def _initialize(self) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:  # a prediction
                    nn.init.normal_(layer.weight, std=0.01)
                    layer.bias.data.copy_(torch.tensor([_PRIOR_LOGIT, 0.0, 0.0, 0.0, 0.0, *_MEAN_KEYPOINTS]))

    def forward(self, images: Tensor) -> Outputs:
        """Return (n, 15, h / stride, w / stride) for each stride: logit of the quality, logarithms of the distances
        in units of two strides, keypoints in sides of the box."""
        levels = self.features(images)[1:]
        return tuple(
            predict(head(level)) for predict, head, level in zip(self.predictions, self.heads, levels, strict=True)
        )


PROPOSERS: Mapping[str, type[MienProposer]] = MappingProxyType({"mien-proposer": MienProposer})


def distances(logs: Tensor, stride: Tensor | int) -> Tensor:
    """Return the distances in pixels that a cell predicts. ``stride`` is a number or fits the shape of ``logs``."""
    return torch.exp(logs.clamp(-_MAX_LOG_DISTANCE, _MAX_LOG_DISTANCE)) * (2 * stride)


def activate(levels: Outputs) -> Outputs:
    """Return the levels with the quality in 0..1 and the distances in pixels."""
    return tuple(
        torch.cat([torch.sigmoid(level[:, :1]), distances(level[:, 1:5], stride), level[:, 5:]], dim=1)
        for level, stride in zip(levels, MienProposer.crop.strides, strict=True)
    )

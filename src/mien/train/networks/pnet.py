"""P-Net proposes faces: fully convolutional, one logit and four offsets per window.

It returns logits (n, H, W) and offsets (n, 4, H, W) against the cell of each window.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from mien.models import Window
from mien.train.networks.blocks import conv, face_logit, pool, prelu_conv
from mien.train.networks.deployed import Outputs


class PaperPNet(nn.Module):
    """12 x 12 windows with stride 2."""

    input_size = 12
    crop = Window(stride=2, cell=12)
    outputs = ("scores", "offsets")

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(prelu_conv(3, 10, 3), pool(2), prelu_conv(10, 16, 3), prelu_conv(16, 32, 3))
        self.score = nn.Conv2d(32, 2, 1)
        self.offsets = nn.Conv2d(32, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, H, W) and offsets (n, 4, H, W)."""
        x = self.body(images)
        return face_logit(self.score(x)), self.offsets(x)


class MienPNet(nn.Module):
    """31 x 31 windows with stride 4, for faces of 12 pixels in their center.

    The context (shoulders, other heads) tells small faces from clutter, and the stride of four gives a quarter of
    the paper's windows.
    """

    input_size = 31
    crop = Window(stride=4, cell=12)
    outputs = ("scores", "offsets")

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, 2, 0),
            conv(16, 24, 2, 0),
            conv(24, 32, 1, 0),
            conv(32, 32, 1, 0),
            conv(32, 32, 1, 0),
        )
        self.score = nn.Conv2d(32, 1, 1)
        self.offsets = nn.Conv2d(32, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, H, W) and offsets (n, 4, H, W)."""
        x = self.body(images)
        return self.score(x)[:, 0], self.offsets(x)


def activate(outputs: tuple[Tensor, Tensor]) -> Outputs:
    """Return scores (n, H, W) and offsets (n, H, W, 4)."""
    logits, offsets = outputs
    return torch.sigmoid(logits), offsets.permute(0, 2, 3, 1)


PNETS: Mapping[str, type[PaperPNet | MienPNet]] = MappingProxyType({"paper-pnet": PaperPNet, "mien-pnet": MienPNet})

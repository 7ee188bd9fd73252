"""Building blocks of the cascade's networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def prelu_conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Return a convolution without padding, and PReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel), nn.PReLU(outputs))


def pool(kernel: int) -> nn.MaxPool2d:
    """Return max pooling with stride 2 that keeps the last, incomplete window."""
    return nn.MaxPool2d(kernel, 2, ceil_mode=True)


def face_logit(logits: Tensor) -> Tensor:
    """Return the one logit whose sigmoid equals the softmax over (background, face)."""
    return logits[:, 1] - logits[:, 0]


def conv(inputs: int, outputs: int, stride: int = 1, padding: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution, batch normalization and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions with a skip connection (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        return torch.relu(x + self.second(self.first(x)))

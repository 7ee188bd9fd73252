"""The networks of the cascade.

``Paper*``: Zhang, Zhang, Li, Qiao 2016, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks" (and its L-Net, from the authors' later release), as published: the faithful baseline.
``Mien*``: ours, behind the same interfaces: strided convolutions instead of pooling, ReLU, batch normalisation.

Every network takes images (n, 3, h, w) float32, RGB, normalised to (value - 127.5) / 128, and returns logits of
"face" and, where it has them, offsets (boxes.encode against the window) and points (boxes.encode_points).
P-Nets are fully convolutional: logits (n, H, W), offsets (n, 4, H, W). The others: (n,), (n, 4), (n, 5, 2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.errors import BadRecipe

MEAN, SCALE = 127.5, 1 / 128
"""The normalisation of every network here; it is inside the exported graph and named on its card."""


def _prelu_conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel), nn.PReLU(outputs))


def _pool(kernel: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel, 2, ceil_mode=True)


def _face_logit(two: Tensor) -> Tensor:
    """The one logit whose sigmoid equals the softmax over (background, face)."""
    return two[:, 1] - two[:, 0]


class PaperPNet(nn.Module):
    """Proposal network: 12 x 12 windows, two pixels apart."""

    input_size, cell, stride = 12, 12, 2

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(_prelu_conv(3, 10, 3), _pool(2), _prelu_conv(10, 16, 3), _prelu_conv(16, 32, 3))
        self.score = nn.Conv2d(32, 2, 1)
        self.offsets = nn.Conv2d(32, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, H, W) and offsets (n, 4, H, W)."""
        x = self.body(images)
        return _face_logit(self.score(x)), self.offsets(x)


class PaperRNet(nn.Module):
    """Refinement network: 24 x 24 crops."""

    input_size, cell, stride = 24, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _prelu_conv(3, 28, 3), _pool(3), _prelu_conv(28, 48, 3), _pool(3), _prelu_conv(48, 64, 2)
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(64 * 3 * 3, 128), nn.PReLU(128))
        self.score = nn.Linear(128, 2)
        self.offsets = nn.Linear(128, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n,) and offsets (n, 4)."""
        x = self.dense(self.body(images))
        return _face_logit(self.score(x)), self.offsets(x)


class PaperONet(nn.Module):
    """Output network: 48 x 48 crops, five points."""

    input_size, cell, stride = 48, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _prelu_conv(3, 32, 3),
            _pool(3),
            _prelu_conv(32, 64, 3),
            _pool(3),
            _prelu_conv(64, 64, 3),
            _pool(2),
            _prelu_conv(64, 128, 2),
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(128 * 3 * 3, 256), nn.Dropout(0.25), nn.PReLU(256))
        self.score = nn.Linear(256, 2)
        self.offsets = nn.Linear(256, 4)
        self.points = nn.Linear(256, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n,), offsets (n, 4) and points (n, 5, 2)."""
        x = self.dense(self.body(images))
        return _face_logit(self.score(x)), self.offsets(x), self.points(x).unflatten(1, (5, 2))


class PaperLNet(nn.Module):
    """Landmark network: five 24 x 24 patches round the points, a branch each, joined, then a head each."""

    input_size, cell, stride = 24, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                _prelu_conv(3, 28, 3),
                _pool(3),
                _prelu_conv(28, 48, 3),
                _pool(3),
                _prelu_conv(48, 64, 2),
                nn.Flatten(),
            )
            for _ in range(5)
        )
        self.joined = nn.Sequential(nn.Linear(5 * 64 * 3 * 3, 256), nn.PReLU(256))
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(256, 64), nn.PReLU(64), nn.Linear(64, 2)) for _ in range(5))

    def forward(self, patches: Tensor) -> Tensor:
        """(n, 15, 24, 24) -> points (n, 5, 2) in fractions of their patch; 0.5 stays."""
        parts = [branch(patches[:, 3 * i : 3 * i + 3]) for i, branch in enumerate(self.branches)]
        x = self.joined(torch.cat(parts, dim=1))
        return torch.stack([head(x) for head in self.heads], dim=1) + 0.5


def _conv(inputs: int, outputs: int, stride: int = 1, padding: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Two convolutions round which the input is carried (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


class MienPNet(nn.Module):
    """Proposals from 31 x 31 windows four pixels apart, for faces of 12 pixels in their middle.

    The surroundings (shoulders, other heads) tell small faces from clutter, and a step of four
    makes a quarter of the paper's windows.
    """

    input_size, cell, stride = 31, 12, 4

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(3, 16, 2, 0),
            _conv(16, 24, 2, 0),
            _conv(24, 32, 1, 0),
            _conv(32, 32, 1, 0),
            _conv(32, 32, 1, 0),
        )
        self.score = nn.Conv2d(32, 1, 1)
        self.offsets = nn.Conv2d(32, 4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, H, W) and offsets (n, 4, H, W)."""
        x = self.body(images)
        return self.score(x)[:, 0], self.offsets(x)


class MienRNet(nn.Module):
    """Refinement of 24 x 24 crops."""

    input_size, cell, stride = 24, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(3, 16, 2), _conv(16, 32), _conv(32, 32, 2), _conv(32, 64), _conv(64, 64, 2))
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(64 * 3 * 3, 64), nn.ReLU(inplace=True))
        self.score = nn.Linear(64, 1)
        self.offsets = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n,) and offsets (n, 4)."""
        x = self.dense(self.body(images))
        return self.score(x)[:, 0], self.offsets(x)


class MienONet(nn.Module):
    """The last word on 48 x 48 crops: score, box and five points."""

    input_size, cell, stride = 48, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(3, 16, 2),
            _conv(16, 32),
            _conv(32, 48, 2),
            _conv(48, 48),
            _conv(48, 96, 2),
            _Residual(96),
            _conv(96, 128, 2),
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(128 * 3 * 3, 128), nn.ReLU(inplace=True))
        self.score = nn.Linear(128, 1)
        self.offsets = nn.Linear(128, 4)
        self.points = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n,), offsets (n, 4) and points (n, 5, 2)."""
        x = self.dense(self.body(images))
        return self.score(x)[:, 0], self.offsets(x), self.points(x).unflatten(1, (5, 2))


_PATCH_FEATURES = 5 * 48 * 6 * 6


class MienLNet(nn.Module):
    """Five 24 x 24 patches through one shared body, then judged together."""

    input_size, cell, stride = 24, 0, 0

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(3, 16, 2), _conv(16, 32, 2), _conv(32, 48), nn.Flatten())
        self.points = nn.Sequential(nn.Linear(_PATCH_FEATURES, 128), nn.ReLU(inplace=True), nn.Linear(128, 10))

    def forward(self, patches: Tensor) -> Tensor:
        """(n, 15, 24, 24) -> points (n, 5, 2) in fractions of their patch; 0.5 stays."""
        x = self.body(patches.reshape(-1, 3, *patches.shape[-2:]))
        points: Tensor = self.points(x.reshape(-1, _PATCH_FEATURES))
        return points.reshape(-1, 5, 2) + 0.5


NETWORKS: dict[str, type[nn.Module]] = {
    "paper-pnet": PaperPNet,
    "paper-rnet": PaperRNet,
    "paper-onet": PaperONet,
    "paper-lnet": PaperLNet,
    "mien-pnet": MienPNet,
    "mien-rnet": MienRNet,
    "mien-onet": MienONet,
    "mien-lnet": MienLNet,
}


OUTPUTS = {
    "pnet": ("scores", "offsets"),
    "rnet": ("scores", "offsets"),
    "onet": ("scores", "offsets", "keypoints"),
    "lnet": ("keypoints",),
}
"""Names of the outputs of each task, in the order of :class:`Deployed`."""


def make_network(kind: str) -> nn.Module:
    """A new network of this kind; raises BadRecipe for an unknown one."""
    if kind not in NETWORKS:
        raise BadRecipe(f"there is no network {kind!r}; choose one of {', '.join(NETWORKS)}")
    return NETWORKS[kind]()


class Deployed(nn.Module):
    """What is exported: uint8 (n, h, w, c) in, the outputs of the card out, normalisation inside.

    P-Net maps are turned to (n, H, W) and (n, H, W, 4).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs in the order of the card."""
        x = (images.permute(0, 3, 1, 2).float() - MEAN) * SCALE
        out = self.network(x)
        if isinstance(out, Tensor):
            return (out,)
        score, offsets, *points = out
        if offsets.dim() == 4:
            offsets = offsets.permute(0, 2, 3, 1)
        return (torch.sigmoid(score), offsets, *points)

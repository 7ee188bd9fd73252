"""L-Net refines the five keypoints, each in a 24 x 24 patch around it.

It takes five patches stacked on the channel axis (n, 15, 24, 24) and returns keypoints (n, 5, 2) in fractions of
their patches; (0.5, 0.5) leaves a keypoint where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from mien.train.networks.blocks import conv, pool, prelu_conv
from mien.train.networks.deployed import Outputs

_PATCH_FEATURES = 5 * 48 * 6 * 6


class PaperLNet(nn.Module):
    """One branch and one head per patch, with a shared layer between them."""

    input_size = 24

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                prelu_conv(3, 28, 3),
                pool(3),
                prelu_conv(28, 48, 3),
                pool(3),
                prelu_conv(48, 64, 2),
                nn.Flatten(),
            )
            for _ in range(5)
        )
        self.joined = nn.Sequential(nn.Linear(5 * 64 * 3 * 3, 256), nn.PReLU(256))
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(256, 64), nn.PReLU(64), nn.Linear(64, 2)) for _ in range(5))

    def forward(self, patches: Tensor) -> Tensor:
        """Return keypoints (n, 5, 2) of patches (n, 15, 24, 24)."""
        parts = [branch(patches[:, 3 * i : 3 * i + 3]) for i, branch in enumerate(self.branches)]
        x = self.joined(torch.cat(parts, dim=1))
        return torch.stack([head(x) for head in self.heads], dim=1) + 0.5


class MienLNet(nn.Module):
    """One shared body for all patches, one head for all keypoints."""

    input_size = 24

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2), conv(32, 48), nn.Flatten())
        self.keypoints = nn.Sequential(nn.Linear(_PATCH_FEATURES, 128), nn.ReLU(inplace=True), nn.Linear(128, 10))

    def forward(self, patches: Tensor) -> Tensor:
        """Return keypoints (n, 5, 2) of patches (n, 15, 24, 24)."""
        x = self.body(patches.reshape(-1, 3, *patches.shape[-2:]))
        keypoints: Tensor = self.keypoints(x.reshape(-1, _PATCH_FEATURES))
        return keypoints.reshape(-1, 5, 2) + 0.5


def activate(keypoints: Tensor) -> Outputs:
    """Return the keypoints (n, 5, 2)."""
    return (keypoints,)


LNETS: Mapping[str, type[PaperLNet | MienLNet]] = MappingProxyType({"paper-lnet": PaperLNet, "mien-lnet": MienLNet})

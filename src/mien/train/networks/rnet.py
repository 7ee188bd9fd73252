"""R-Net rejects most of P-Net's proposals: logits (n,) and offsets (n, 4) of crops."""

from __future__ import annotations

from torch import Tensor, nn

from mien.train.networks.blocks import conv, face_logit, pool, prelu_conv


class _RNet(nn.Module):
    """24 x 24 crops."""

    input_size = 24
    stage = "rnet"
    outputs = ("scores", "offsets")


class PaperRNet(_RNet):
    """The network of the paper."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(prelu_conv(3, 28, 3), pool(3), prelu_conv(28, 48, 3), pool(3), prelu_conv(48, 64, 2))
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(64 * 3 * 3, 128), nn.PReLU(128))
        self.score = nn.Linear(128, 2)
        self.offsets = nn.Linear(128, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n,) and offsets (n, 4)."""
        x = self.dense(self.body(images))
        return face_logit(self.score(x)), self.offsets(x)


class MienRNet(_RNet):
    """Plain 3 x 3 convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(conv(3, 16, 2), conv(16, 32), conv(32, 32, 2), conv(32, 64), conv(64, 64, 2))
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(64 * 3 * 3, 64), nn.ReLU(inplace=True))
        self.score = nn.Linear(64, 1)
        self.offsets = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n,) and offsets (n, 4)."""
        x = self.dense(self.body(images))
        return self.score(x)[:, 0], self.offsets(x)

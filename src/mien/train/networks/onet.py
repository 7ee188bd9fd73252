"""O-Net decides on what R-Net keeps: logits (n,), offsets (n, 4) and five keypoints (n, 5, 2) of crops."""

from __future__ import annotations

from torch import Tensor, nn

from mien.train.networks.blocks import Residual, conv, face_logit, pool, prelu_conv


class _ONet(nn.Module):
    """48 x 48 crops."""

    input_size = 48
    stage = "onet"
    outputs = ("scores", "offsets", "keypoints")


class PaperONet(_ONet):
    """The network of the paper."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            prelu_conv(3, 32, 3),
            pool(3),
            prelu_conv(32, 64, 3),
            pool(3),
            prelu_conv(64, 64, 3),
            pool(2),
            prelu_conv(64, 128, 2),
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(128 * 3 * 3, 256), nn.Dropout(0.25), nn.PReLU(256))
        self.score = nn.Linear(256, 2)
        self.offsets = nn.Linear(256, 4)
        self.keypoints = nn.Linear(256, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (n,), offsets (n, 4) and keypoints (n, 5, 2)."""
        x = self.dense(self.body(images))
        return face_logit(self.score(x)), self.offsets(x), self.keypoints(x).unflatten(1, (5, 2))


class MienONet(_ONet):
    """Plain 3 x 3 convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16, 2),
            conv(16, 32),
            conv(32, 48, 2),
            conv(48, 48),
            conv(48, 96, 2),
            Residual(96),
            conv(96, 128, 2),
        )
        self.dense = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(128 * 3 * 3, 128), nn.ReLU(inplace=True))
        self.score = nn.Linear(128, 1)
        self.offsets = nn.Linear(128, 4)
        self.keypoints = nn.Linear(128, 10)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (n,), offsets (n, 4) and keypoints (n, 5, 2)."""
        x = self.dense(self.body(images))
        return self.score(x)[:, 0], self.offsets(x), self.keypoints(x).unflatten(1, (5, 2))

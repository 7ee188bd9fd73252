"""The networks of the 68 landmarks: a backbone on 128 x 128 crops, and a head.

Backbones are built of squeeze-and-excitation blocks (Hu, Shen, Sun 2018): residual, or inverted bottlenecks as in
MobileNetV3 (Howard et al. 2019). Heads are direct regression, or one heat map per landmark whose expected position is
the landmark (integral regression: Sun et al. 2018).

Every network takes crops (n, 3, 128, 128) and returns a dict of ``landmarks`` (n, contours, 68, 2) in fractions of
the crop; ``uncertainty`` (n, contours, 68), the logarithm of the scale of the error; and ``pose`` (n, 3) in degrees;
the last two only where it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.train.networks.deployed import Outputs

LANDMARKS = 68
INPUT_SIZE = 128

CONTOURS = ("visible", "3d")
"""The contours that a network can predict, in the order of its output: the schemes "68" and "68-3d"."""

_POSE_SCALE = 45.0
"""Degrees per unit of the pose head."""


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution and batch normalization, without activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from the means of all channels (Hu, Shen, Sun 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        squeezed = max(8, channels // reduction)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(squeezed, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        scaled: Tensor = x * self.gate(x)
        return scaled


class SEResidual(nn.Module):
    """Two 3 x 3 convolutions and a gate, with a skip connection."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, outputs, 3, stride),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs),
            SqueezeExcitation(outputs),
        )
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else _conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, h / stride, w / stride) of (n, inputs, h, w)."""
        return F.relu(self.skip(x) + self.body(x))


class SEInverted(nn.Module):
    """Inverted bottleneck: expand, depthwise convolution, gate, project (Howard et al. 2019)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, expansion: int = 3) -> None:
        super().__init__()
        inner = inputs * expansion
        self.body = nn.Sequential(
            _conv(inputs, inner, 1),
            nn.Hardswish(inplace=True),
            _conv(inner, inner, 5 if stride == 1 else 3, stride, inner),
            nn.Hardswish(inplace=True),
            SqueezeExcitation(inner),
            _conv(inner, outputs, 1),
        )
        self.same = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, h / stride, w / stride) of (n, inputs, h, w)."""
        out: Tensor = self.body(x)
        return x + out if self.same else out


Block = Callable[[int, int, int], nn.Module]


class Backbone(nn.Module):
    """Features with strides 8, 16 and 32."""

    def __init__(
        self, block: Block, stem: int, widths: tuple[int, int, int, int], depths: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv(3, stem, 3, 2), nn.ReLU(inplace=True), _conv(stem, widths[0], 3, 2), nn.ReLU(inplace=True)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(block(before, after, 2), *(block(after, after, 1) for _ in range(depth - 1)))
            for before, after, depth in zip(widths, widths[1:], depths, strict=False)
        )
        self.widths = widths[1:]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return one feature map per stage, finest first."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class DirectHead(nn.Module):
    """Direct regression from the last feature map."""

    def __init__(self, widths: tuple[int, ...], contours: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.contours = contours
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(widths[-1] * 16, 256), nn.ReLU(inplace=True)
        )
        self.landmarks = nn.Linear(256, contours * LANDMARKS * 2)
        self.uncertainty = nn.Linear(256, contours * LANDMARKS)
        nn.init.zeros_(self.landmarks.weight)
        nn.init.zeros_(self.uncertainty.weight)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return ``landmarks`` and ``uncertainty``; see the module."""
        x = self.dense(maps[-1])
        return {
            "landmarks": self.landmarks(x).unflatten(1, (self.contours, LANDMARKS, 2)) + 0.5,
            "uncertainty": self.uncertainty(x).unflatten(1, (self.contours, LANDMARKS)) - 3.5,
        }


class HeatmapHead(nn.Module):
    """One 16 x 16 heat map per landmark, whose expected position is the landmark."""

    def __init__(self, widths: tuple[int, ...], contours: int, width: int = 64) -> None:
        super().__init__()
        self.contours = contours
        self.laterals = nn.ModuleList(_conv(w, width, 1) for w in widths)
        self.mix = nn.Sequential(_conv(width, width), nn.ReLU(inplace=True))
        self.maps = nn.Conv2d(width, contours * LANDMARKS, 1)
        self.uncertainty = nn.Linear(width + widths[-1], contours * LANDMARKS)
        nn.init.zeros_(self.uncertainty.weight)
        side = INPUT_SIZE // 8
        centers = (torch.arange(side) + 0.5) / side
        rows, columns = torch.meshgrid(centers, centers, indexing="ij")
        self.register_buffer("grid", torch.stack([columns.flatten(), rows.flatten()], 1), persistent=False)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """Return ``landmarks`` and ``uncertainty``; see the module."""
        x = self.laterals[-1](maps[-1])
        for lateral, finer in zip(reversed(self.laterals[:-1]), reversed(maps[:-1]), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") + lateral(finer)
        x = self.mix(F.relu(x))
        # Constant shapes: flatten and unflatten leave arithmetic with shapes in the exported graph.
        heat = self.maps(x).reshape(-1, self.contours * LANDMARKS, (INPUT_SIZE // 8) ** 2).softmax(2)
        seen = torch.cat([x.mean((2, 3)), maps[-1].mean((2, 3))], 1)
        return {
            "landmarks": (heat @ self.grid).reshape(-1, self.contours, LANDMARKS, 2),
            "uncertainty": self.uncertainty(seen).reshape(-1, self.contours, LANDMARKS) - 3.5,
        }


class PoseHead(nn.Module):
    """Head pose: yaw, pitch and roll in degrees."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(width, 64), nn.ReLU(inplace=True), nn.Linear(64, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 3) from the coarsest feature map."""
        angles: Tensor = self.dense(x.mean((2, 3))) * _POSE_SCALE
        return angles


class LandmarkNetwork(nn.Module):
    """A backbone, a landmark head and perhaps a pose head."""

    input_size = INPUT_SIZE

    def __init__(
        self, backbone: Backbone, head: DirectHead | HeatmapHead, *, pose: bool = False, uncertainty: bool = True
    ) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.contours = CONTOURS[: head.contours]
        self.pose = PoseHead(backbone.widths[-1]) if pose else None
        self._uncertainty = uncertainty

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order of the card."""
        uncertainty = ["uncertainty"] if self._uncertainty else []
        return ("landmarks", *uncertainty, *(["pose"] if self.pose is not None else []))

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Return the named outputs; see the module."""
        maps = self.backbone(crops)
        out = self.head(maps)
        if self.pose is not None:
            out["pose"] = self.pose(maps[-1])
        return {name: out[name] for name in self.outputs}


def _senet68(head: type[DirectHead] | type[HeatmapHead], contours: int = 2, **options: bool) -> LandmarkNetwork:
    backbone = Backbone(SEResidual, 16, (32, 48, 96, 128), (2, 2, 2))
    return LandmarkNetwork(backbone, head(backbone.widths, contours), **options)


def _mobilenet68() -> LandmarkNetwork:
    backbone = Backbone(SEInverted, 16, (24, 40, 64, 96), (2, 3, 2))
    return LandmarkNetwork(backbone, HeatmapHead(backbone.widths, 2))


LANDMARK_NETWORKS: Mapping[str, Callable[[], LandmarkNetwork]] = MappingProxyType(
    {
        "senet68-baseline": lambda: _senet68(DirectHead, 1, uncertainty=False),
        "senet68-direct": lambda: _senet68(DirectHead),
        "senet68": lambda: _senet68(HeatmapHead),
        "senet68-pose": lambda: _senet68(HeatmapHead, pose=True),
        "mobilenet68": _mobilenet68,
    }
)


def activate(outputs: dict[str, Tensor]) -> Outputs:
    """Return the outputs in their order; the uncertainty as a fraction of the crop instead of its logarithm."""
    return tuple(torch.exp(value) if name == "uncertainty" else value for name, value in outputs.items())

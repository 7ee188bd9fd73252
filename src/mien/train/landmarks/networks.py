"""The networks of the 68 points: a trunk that sees 128 x 128 crops, and a head that says where the points are.

Trunks are built of squeeze-and-excitation blocks (Hu, Shen, Sun 2018): residual ones, as in the series that this
network descends from, or inverted bottlenecks in the manner of MobileNetV3 (Howard et al. 2019). Heads are direct
regression, or a heat map a point whose expected position is the point (integral regression: Sun et al. 2018).

Every network takes crops (n, 3, 128, 128) float32, normalised to (value - 127.5) / 128, and returns a dict of
``landmarks`` (n, rows, 68, 2) in fractions of the crop; ``uncertainty`` (n, rows, 68), the logarithm of the scale of
the error, and ``pose`` (n, 3) in degrees where it has them. Row 0 is the scheme "68", row 1 "68-3d".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien.errors import BadRecipe

POINTS = 68
INPUT = 128
_POSE_SCALE = 45.0
"""Degrees for which the pose head answers 1."""


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and batch normalisation, without activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class SqueezeExcitation(nn.Module):
    """Each channel scaled by what the means of all channels say (Hu, Shen, Sun 2018)."""

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
        """The same shape."""
        scaled: Tensor = x * self.gate(x)
        return scaled


class SEResidual(nn.Module):
    """Two 3 x 3 convolutions and a gate, round which the input is carried."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, outputs, 3, stride),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs),
            SqueezeExcitation(outputs),
        )
        same = inputs == outputs and stride == 1
        self.carry = nn.Identity() if same else _conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        return F.relu(self.carry(x) + self.body(x))


class SEInverted(nn.Module):
    """Widen, convolve each channel by itself, gate, narrow (Howard et al. 2019)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, widen: int = 3) -> None:
        super().__init__()
        inner = inputs * widen
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
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        out: Tensor = self.body(x)
        return x + out if self.same else out


Block = Callable[[int, int, int], nn.Module]


class Trunk(nn.Module):
    """Features at steps of 8, 16 and 32 pixels."""

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
        """One map a stage, finest first."""
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class DirectHead(nn.Module):
    """The numbers themselves, from all positions of the last map."""

    def __init__(self, widths: tuple[int, ...], rows: int, dropout: float) -> None:
        super().__init__()
        self.rows = rows
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(widths[-1] * 16, 256), nn.ReLU(inplace=True)
        )
        self.points = nn.Linear(256, rows * POINTS * 2)
        self.uncertainty = nn.Linear(256, rows * POINTS)
        nn.init.zeros_(self.points.weight)
        nn.init.zeros_(self.uncertainty.weight)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """``landmarks`` and ``uncertainty``; see the module."""
        x = self.dense(maps[-1])
        return {
            "landmarks": self.points(x).unflatten(1, (self.rows, POINTS, 2)) + 0.5,
            "uncertainty": self.uncertainty(x).unflatten(1, (self.rows, POINTS)) - 3.5,
        }


class HeatHead(nn.Module):
    """A map of 16 x 16 a point; its expected position is the point, and how wide it is tells the error."""

    def __init__(self, widths: tuple[int, ...], rows: int, width: int = 96) -> None:
        super().__init__()
        self.rows = rows
        self.laterals = nn.ModuleList(_conv(w, width, 1) for w in widths)
        self.mix = nn.Sequential(_conv(width, width), nn.ReLU(inplace=True))
        self.maps = nn.Conv2d(width, rows * POINTS, 1)
        self.uncertainty = nn.Linear(width + widths[-1], rows * POINTS)
        nn.init.zeros_(self.uncertainty.weight)
        side = INPUT // 8
        centres = (torch.arange(side) + 0.5) / side
        rows_, columns = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("grid", torch.stack([columns.flatten(), rows_.flatten()], 1), persistent=False)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        """``landmarks`` and ``uncertainty``; see the module."""
        x = self.laterals[-1](maps[-1])
        for lateral, finer in zip(reversed(self.laterals[:-1]), reversed(maps[:-1]), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") + lateral(finer)
        x = self.mix(F.relu(x))
        heat = self.maps(x).flatten(2).softmax(2)  # (n, rows * 68, 256)
        points = heat @ self.grid
        seen = torch.cat([x.mean((2, 3)), maps[-1].mean((2, 3))], 1)
        return {
            "landmarks": points.unflatten(1, (self.rows, POINTS)),
            "uncertainty": self.uncertainty(seen).unflatten(1, (self.rows, POINTS)) - 3.5,
        }


class PoseHead(nn.Module):
    """Yaw, pitch and roll in degrees."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(width, 64), nn.ReLU(inplace=True), nn.Linear(64, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3), from the coarsest map."""
        angles: Tensor = self.dense(x.mean((2, 3))) * _POSE_SCALE
        return angles


class PointNetwork(nn.Module):
    """A trunk, a head for the points and perhaps one for the pose."""

    input_size = INPUT

    def __init__(self, trunk: Trunk, head: nn.Module, *, pose: bool = False, uncertainty: bool = True) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head
        self.rows = cast(int, head.rows)
        self.pose = PoseHead(trunk.widths[-1]) if pose else None
        self._uncertainty = uncertainty

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order of the card."""
        return (
            "landmarks",
            *(["uncertainty"] if self._uncertainty else []),
            *(["pose"] if self.pose is not None else []),
        )

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """Named outputs; see the module."""
        maps = self.trunk(crops)
        out = self.head(maps)
        if self.pose is not None:
            out["pose"] = self.pose(maps[-1])
        return {name: out[name] for name in self.outputs}


def _residual(stem: int, widths: tuple[int, int, int, int], depths: tuple[int, int, int]) -> Trunk:
    return Trunk(SEResidual, stem, widths, depths)


def _series() -> nn.Module:
    trunk = _residual(16, (32, 48, 96, 128), (2, 2, 2))
    return PointNetwork(trunk, DirectHead(trunk.widths, 1, dropout=0.2), uncertainty=False)


def _direct() -> nn.Module:
    trunk = _residual(16, (32, 48, 96, 128), (2, 2, 2))
    return PointNetwork(trunk, DirectHead(trunk.widths, 2, dropout=0.2))


def _senet68(*, pose: bool) -> nn.Module:
    trunk = _residual(16, (32, 48, 96, 128), (2, 2, 2))
    return PointNetwork(trunk, HeatHead(trunk.widths, 2, 64), pose=pose)


def _mobile() -> nn.Module:
    trunk = Trunk(SEInverted, 16, (24, 40, 64, 96), (2, 3, 2))
    return PointNetwork(trunk, HeatHead(trunk.widths, 2, 64))


LANDMARK_NETWORKS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {
        "series-senet": _series,
        "senet68-direct": _direct,
        "senet68": lambda: _senet68(pose=False),
        "senet68-pose": lambda: _senet68(pose=True),
        "mobilenet68": _mobile,
    }
)


def make_landmark_network(kind: str) -> nn.Module:
    """A new network of this kind; raises BadRecipe for an unknown one."""
    if kind not in LANDMARK_NETWORKS:
        raise BadRecipe(f"there is no network {kind!r} for 68 points; choose one of {', '.join(LANDMARK_NETWORKS)}")
    return LANDMARK_NETWORKS[kind]()

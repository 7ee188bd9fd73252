"""Networks that can be checked by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from mien.models import CropSpec, Grid, InputSpec, ModelCard, OutputSpec, PointPatches, SquareBox, Window

OUTPUTS = {
    "onet": ("scores", "offsets", "keypoints"),
    "refiner": ("scores", "offsets", "keypoints"),
    "lnet": ("keypoints",),
    "proposer": ("stride8", "stride16", "stride32"),
}


def make_card(task: str, size: int, crop: CropSpec) -> ModelCard:
    outputs = OUTPUTS.get(task, ("scores", "offsets"))
    return ModelCard(
        name=f"fake {task}",
        task=task,
        input=InputSpec(size, 15 if task == "lnet" else 3, "RGB", 0.0, 1.0),
        crop=crop,
        output=OutputSpec(outputs),
        license="none",
        training_data="none",
        source="a test",
        scores={},
        parameters=0,
    )


def brightness(batch):
    """The mean of each crop, in [0, 1]."""
    return (batch.mean(axis=(1, 2, 3)) / 255).astype(np.float32)


@dataclass
class FakePNet:
    """A window's score is the brightness of what it sees; ``first_pixel`` ties its offsets to its place."""

    input_size: int = 12
    cell: int = 12
    stride: int = 2
    offset: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    first_pixel: float = 0.0
    shapes: list = field(default_factory=list)

    @property
    def card(self):
        return make_card("pnet", self.input_size, Window(self.stride, self.cell))

    def run(self, batch):
        self.shapes.append(batch.shape)
        size, stride = self.input_size, self.stride
        sums = np.pad(batch[0].sum(axis=2, dtype=np.int64).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        seen = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
        scores = (seen[::stride, ::stride] / (size * size * 3 * 255)).astype(np.float32)
        first = batch[0, : 1 - size : stride, : 1 - size : stride, 0, None] / np.float32(255)
        offsets = np.float32(self.offset) + np.float32(self.first_pixel) * first
        return scores[None], offsets[None].astype(np.float32)


@dataclass
class FakeProposer:
    """A cell's score is its brightness; it proposes the square of three cells around its center."""

    grid: Grid = field(default_factory=lambda: Grid((8, 16, 32), 10.0, 340.0))
    shapes: list = field(default_factory=list)

    @property
    def card(self):
        return make_card("proposer", 32, self.grid)

    def run(self, batch):
        self.shapes.append(batch.shape)
        count, height, width, _ = batch.shape
        maps = []
        for stride in self.grid.strides:
            cells = batch.reshape(count, height // stride, stride, width // stride, stride * 3)
            values = np.full((count, 15, height // stride, width // stride), 0.5, np.float32)
            values[:, 0] = cells.mean(axis=(2, 4)) / 255
            values[:, 1:5] = 1.5 * stride
            maps.append(values)
        return tuple(maps)


@dataclass
class FakeRefiner:
    """R-Net or O-Net: a crop's score is its brightness; offsets and keypoints are always the same."""

    task: str = "rnet"
    size: int = 24
    context: float = 1.0
    crop: SquareBox | Window | None = None
    offset: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    keypoints: tuple[tuple[float, float], ...] = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    batches: list = field(default_factory=list)

    @property
    def card(self):
        return make_card(self.task, self.size, self.crop or SquareBox(self.context))

    def run(self, batch):
        self.batches.append(batch)
        scores = brightness(batch)
        offsets = np.tile(np.float32(self.offset), (len(batch), 1)) * (1 + scores[:, None])
        keypoints = np.tile(np.float32(self.keypoints), (len(batch), 1, 1))
        return (scores, offsets, keypoints)[: len(self.card.output.names)]


@dataclass
class FakeLNet:
    """Each point goes to ``place`` in its patch."""

    place: tuple[float, float] = (0.5, 0.5)
    batches: list = field(default_factory=list)

    @property
    def card(self):
        return make_card("lnet", 24, PointPatches(0.25))

    def run(self, batch):
        self.batches.append(batch)
        return (np.tile(np.float32(self.place), (len(batch), 5, 1)),)


@pytest.fixture
def fake_pnet():
    return FakePNet


@pytest.fixture
def fake_rnet():
    return FakeRefiner


@pytest.fixture
def fake_onet():
    return lambda **options: FakeRefiner(task="onet", size=48, **options)


@pytest.fixture
def fake_refiner():
    return lambda **options: FakeRefiner(task="refiner", size=64, **options)


@pytest.fixture
def fake_proposer():
    return FakeProposer


@pytest.fixture
def fake_lnet():
    return FakeLNet


@pytest.fixture
def square_image():
    """Black (72, 96) with white 24 x 24 squares at the given corners; multiples of 4 fall on P-Net's grid."""

    def make(*corners, size=24, shape=(72, 96), value=255):
        image = np.zeros((*shape, 3), np.uint8)
        for x, y in corners:
            image[y : y + size, x : x + size] = value
        return image

    return make


@pytest.fixture
def gradient():
    """(120, 240): red says where a pixel is from left to right, green from top to bottom."""
    rows, columns = np.mgrid[0:120, 0:240]
    return np.stack([columns, rows, np.full_like(rows, 200)], axis=2).astype(np.uint8)

"""A network for 68 points that can be checked by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.models import InputSpec, ModelCard, OutputSpec, SquareBox
from mien.models.crops import CropSpec
from mien.types import Image


def map_image(height: int = 240, width: int = 250) -> Image:
    """A map: red is x and green is y, of the first corner of each pixel; blue says that there is an image."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, 255)], axis=-1).astype(np.uint8)


def rotated(points: NDArray[np.floating], degrees: float, center: tuple[float, float]) -> NDArray[np.float64]:
    """Points after a clockwise turn on the screen."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - center) @ np.array([[cos, sin], [-sin, cos]]) + center


@dataclass
class MapReader:
    """Finds faces of a map (see ``map_image``) wherever its crops were cut, by reading where they are.

    ``faces``: the 68 points of each, in image pixels; a crop shows the one whose middle is nearest to its own.
    The second contour is the first, moved by ``jaw`` pixels. Its pose is yaw 10, pitch -20 and the turn of the eyes
    in the crop.
    """

    faces: list
    outputs: tuple[str, ...] = ("landmarks", "uncertainty", "pose")
    contours: tuple[str, ...] = ("visible", "3d")
    crop: CropSpec = field(default_factory=lambda: SquareBox(1.3))
    size: int = 128
    jaw: float = 5.0
    uncertainty: float = 0.02
    task: str = "landmarks68"
    batches: list = field(default_factory=list)

    @property
    def card(self) -> ModelCard:
        return ModelCard(
            name="map reader",
            task=self.task,
            input=InputSpec(self.size, 3, "RGB", 0.0, 1.0),
            crop=self.crop,
            output=OutputSpec(self.outputs, {"landmarks": self.contours} if "landmarks" in self.outputs else {}),
            license="none",
            training_data="none",
            source="a test",
            scores={},
            parameters=0,
        )

    def run(self, batch: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        self.batches.append(batch)
        points = np.stack([self._read(crop) for crop in batch])[:, : len(self.contours)]
        eyes = points[:, 0, 42:48].mean(axis=1) - points[:, 0, 36:42].mean(axis=1)
        pose = [[10, -20, np.degrees(np.arctan2(y, x))] for x, y in eyes]
        outputs = {
            "landmarks": points.astype(np.float32),
            "uncertainty": np.full(points.shape[:3], self.uncertainty, np.float32),
            "pose": np.array(pose, np.float32),
        }
        return tuple(outputs[name] for name in self.outputs)

    def _read(self, crop: Image) -> NDArray[np.float64]:
        """Both contours (2, 68, 2) in sides of the crop; 0 where it shows nothing."""
        y, x = np.nonzero(crop[..., 2] == 255)
        if len(x) < 20:
            return np.zeros((2, 68, 2))
        shown = crop[y, x, :2] + 0.5
        to_crop = np.linalg.lstsq(_homogeneous(shown), (np.column_stack([x, y]) + 0.5) / self.size, rcond=None)[0]
        places = [_homogeneous(np.asarray(face)) @ to_crop for face in self.faces]
        nearest = int(np.argmin([np.linalg.norm(place.mean(axis=0) - 0.5) for place in places]))
        return np.stack([places[nearest], _homogeneous(np.add(self.faces[nearest], [self.jaw, 0])) @ to_crop])


def _homogeneous(points: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.column_stack([points, np.ones(len(points))])


@pytest.fixture
def map_reader() -> type[MapReader]:
    return MapReader

"""Small data sets in official layouts, and detectors without networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.evaluation.detections import faces_without_keypoints
from mien.imaging import write_image
from mien.types import Faces, Image

BOX = [20, 10, 60, 70]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str], Path]:
    """Write an image of 100 x 80 below ``tmp_path``."""

    def _save(name: str) -> Path:
        write_image(tmp_path / name, np.zeros((80, 100, 3), dtype=np.uint8))
        return tmp_path / name

    return _save


def detect_box(image: Image) -> Faces:
    """Find one face at ``BOX`` in every image."""
    return faces_without_keypoints([BOX], [0.9])


def never(image: Image) -> Faces:
    """Fail the test: the detector must not run."""
    raise AssertionError("the detector ran")

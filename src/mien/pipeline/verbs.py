"""One-line functions that share one default analyzer, opened on first use.

For options, or to control when models are opened, make a :class:`mien.FaceAnalyzer`.
"""

from __future__ import annotations

from functools import cache

from mien.alignment import AlignedFace, AlignSpec
from mien.imaging import ImageSource
from mien.pipeline.analyzer import FaceAnalysis, FaceAnalyzer
from mien.types import Faces, Landmarks


@cache
def _default_analyzer() -> FaceAnalyzer:
    return FaceAnalyzer()


def detect(image: ImageSource) -> Faces:
    """Return the faces of an image, best first.

    Args:
        image: Path, bytes, binary file, uint8 array (RGB) or PIL image.

    Raises:
        BadImage: The image cannot be read.
    """
    return _default_analyzer().detect(image)


def analyze(image: ImageSource) -> list[FaceAnalysis]:
    """Return the analyzed faces of an image, best first. Argument and errors as for :func:`detect`."""
    return _default_analyzer()(image)


def landmarks(image: ImageSource) -> list[Landmarks]:
    """Return the 68 landmarks and head pose of each face, best first. Argument and errors as for :func:`detect`."""
    return [each.landmarks for each in analyze(image) if each.landmarks is not None]


def align(image: ImageSource, spec: AlignSpec | None = None) -> list[AlignedFace]:
    """Return the aligned faces of an image, best first.

    ``spec``: size and template; None for :meth:`AlignSpec.arcface`, 112 x 112 pixels. Otherwise as :func:`detect`.
    """
    analyses = _default_analyzer()(image, heads=(), align=spec or AlignSpec.arcface())
    return [each.aligned for each in analyses if each.aligned is not None]

"""Aligned faces: small images in which every face has its five points at the same places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry.schemes import ARCFACE_TEMPLATE, MXNET_TEMPLATE
from mien.geometry.similarity import Similarity
from mien.imaging import Mipmap
from mien.types import Faces, Image


@dataclass(frozen=True, slots=True)
class AlignSpec:
    """How an aligned face is cut: its side, ``size`` pixels, and the ``template`` of five points (5, 2), in sides.

    The template is held as a tuple of (x, y) pairs, so that equal specs compare equal and can share one warp.
    Raises BadOption where the size is below 1 or the template is not five finite points.
    """

    size: int
    template: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        points = np.asarray(self.template, dtype=np.float64)
        if self.size < 1:
            raise BadOption(f"an aligned face's size is {self.size}; it must be at least 1 pixel")
        if points.shape != (5, 2) or not np.isfinite(points).all():
            raise BadOption(f"an aligned face's template is five finite points (5, 2), not shape {points.shape}")
        object.__setattr__(self, "template", tuple((x, y) for x, y in points.tolist()))

    @classmethod
    def padded(cls, size: int = 144, padding: float = 0.37) -> AlignSpec:
        """As the MXNet port of MTCNN cuts aligned faces: ``padding``, in template sides, is added on each side."""
        if not (math.isfinite(padding) and padding > -0.5):
            raise BadOption(f"padding is {padding}; it must be above -0.5, where nothing of the template is left")
        return cls(size, ((padding + MXNET_TEMPLATE) / (2 * padding + 1)).tolist())

    @classmethod
    def arcface(cls, size: int = 112) -> AlignSpec:
        """As most recognition networks want it (Deng et al. 2019, "ArcFace")."""
        return cls(size, ARCFACE_TEMPLATE.tolist())

    @classmethod
    def of(cls, template: str, size: int | None = None, padding: float | None = None) -> AlignSpec:
        """:meth:`padded` for "mxnet", :meth:`arcface` for "arcface"; what is None is as it is there.

        Raises BadOption for another template, and for a padding of "arcface", which has none.
        """
        given = {} if size is None else {"size": size}
        if template == "mxnet":
            return cls.padded(**given) if padding is None else cls.padded(**given, padding=padding)
        if template != "arcface":
            raise BadOption(f"template {template!r}: give mxnet or arcface")
        if padding is not None:
            raise BadOption(f"padding {padding:g}: the arcface template has none; use the mxnet template")
        return cls.arcface(**given)

    @property
    def points(self) -> NDArray[np.float64]:
        """The five points (5, 2) in aligned face pixels."""
        return np.asarray(self.template, dtype=np.float64) * self.size


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFace:
    """``pixels``: RGB uint8 (size, size, 3). ``to_image`` maps aligned face pixels to image pixels."""

    pixels: Image
    to_image: Similarity


def align_faces(
    image: Image | Mipmap,
    faces: Faces,
    size: int = 144,
    padding: float = 0.37,
    spec: AlignSpec | None = None,
) -> list[AlignedFace]:
    """One aligned face a face, in the order of ``faces``; what lies outside the image is black.

    ``size`` (pixels) and ``padding`` describe :meth:`AlignSpec.padded`; ``spec`` takes their place when given.

    Raises BadOption where the five points of a face coincide.
    """
    spec = AlignSpec.padded(size, padding) if spec is None else spec
    source = image if isinstance(image, Mipmap) else Mipmap(image)
    return [_chip(source, points, spec) for points in faces.keypoints]


def _chip(source: Mipmap, points: NDArray[np.floating], spec: AlignSpec) -> AlignedFace:
    to_image = Similarity.fit(points, spec.points).inverse()
    return AlignedFace(source.warp(to_image.matrix, spec.size, spec.size), to_image)

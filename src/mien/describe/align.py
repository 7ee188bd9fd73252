"""Chips: small pictures in which every face has its five points at the same places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry.schemes import ARCFACE_TEMPLATE, MXNET_TEMPLATE
from mien.geometry.similarity import Similarity
from mien.pixels import Mipmap
from mien.values import Faces, Picture


@dataclass(frozen=True, slots=True)
class ChipSpec:
    """How a chip is cut: its side, ``size`` pixels, and the ``template`` of five points (5, 2), in sides.

    The template is held as a tuple of (x, y) pairs, so that equal specs compare equal and can share one warp.
    Raises BadOption where the size is below 1 or the template is not five finite points.
    """

    size: int
    template: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        points = np.asarray(self.template, dtype=np.float64)
        if self.size < 1:
            raise BadOption(f"a chip's size is {self.size}; it must be at least 1 pixel")
        if points.shape != (5, 2) or not np.isfinite(points).all():
            raise BadOption(f"a chip's template is five finite points (5, 2), not shape {points.shape}")
        object.__setattr__(self, "template", tuple((x, y) for x, y in points.tolist()))

    @classmethod
    def padded(cls, size: int = 144, padding: float = 0.37) -> ChipSpec:
        """As the MXNet port of MTCNN cuts chips: ``padding``, in template sides, is added on each side."""
        if not (math.isfinite(padding) and padding > -0.5):
            raise BadOption(f"padding is {padding}; it must be above -0.5, where nothing of the template is left")
        return cls(size, ((padding + MXNET_TEMPLATE) / (2 * padding + 1)).tolist())

    @classmethod
    def arcface(cls, size: int = 112) -> ChipSpec:
        """As most recognition networks want it (Deng et al. 2019, "ArcFace")."""
        return cls(size, ARCFACE_TEMPLATE.tolist())

    @classmethod
    def of(cls, template: str, size: int | None = None, padding: float | None = None) -> ChipSpec:
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
        """The five points (5, 2) in chip pixels."""
        return np.asarray(self.template, dtype=np.float64) * self.size


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """``pixels``: RGB uint8 (size, size, 3). ``to_picture`` maps chip pixels to picture pixels."""

    pixels: Picture
    to_picture: Similarity


def chips(
    picture: Picture | Mipmap,
    faces: Faces,
    size: int = 144,
    padding: float = 0.37,
    spec: ChipSpec | None = None,
) -> list[Chip]:
    """One chip a face, in the order of ``faces``; what lies outside the picture is black.

    ``size`` (pixels) and ``padding`` describe :meth:`ChipSpec.padded`; ``spec`` takes their place when given.

    Raises BadOption where the five points of a face coincide.
    """
    spec = ChipSpec.padded(size, padding) if spec is None else spec
    source = picture if isinstance(picture, Mipmap) else Mipmap(picture)
    return [_chip(source, points, spec) for points in faces.points]


def _chip(source: Mipmap, points: NDArray[np.floating], spec: ChipSpec) -> Chip:
    to_picture = Similarity.fit(points, spec.points).inverse()
    return Chip(source.warp(to_picture.matrix, spec.size, spec.size), to_picture)

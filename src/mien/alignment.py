"""Aligned faces: crops in which the keypoints lie at the places of a template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadOption
from mien.geometry.schemes import ARCFACE_TEMPLATE, MXNET_TEMPLATE
from mien.geometry.similarity import Similarity
from mien.imaging import Mipmap, encode_png
from mien.options import OptionInfo, check
from mien.types import Faces, Image

MAX_SIZE = 4096
"""Largest side of an aligned face in pixels."""


@dataclass(frozen=True, slots=True)
class AlignSpec:
    """How a face is aligned.

    Specs with equal values compare equal, so that they can share one warp.

    Attributes:
        size: Side of the aligned face in pixels, 1 to 4096.
        template: Five keypoints as (x, y) pairs, in sides of the aligned face.

    Raises:
        BadOption: The size is out of range or the template is not five finite points.
    """

    size: int
    template: Sequence[Sequence[float]]

    def __post_init__(self) -> None:
        check("size", self.size, int, OptionInfo("", "pixels", 1, MAX_SIZE))
        points = np.asarray(self.template, dtype=np.float64)
        if points.shape != (5, 2) or not np.isfinite(points).all():
            raise BadOption(f"the template has shape {points.shape}; it must be five finite points (5, 2)")
        object.__setattr__(self, "template", tuple((x, y) for x, y in points.tolist()))

    @classmethod
    def padded(cls, size: int = 144, padding: float = 0.37) -> AlignSpec:
        """Return the spec of the MXNet port of MTCNN: the template with ``padding`` template sides around it."""
        if not (math.isfinite(padding) and padding > -0.5):
            raise BadOption(f"padding={padding}: must be above -0.5, where nothing of the template is left")
        return cls(size, ((padding + MXNET_TEMPLATE) / (2 * padding + 1)).tolist())

    @classmethod
    def arcface(cls, size: int = 112) -> AlignSpec:
        """Return the spec that most recognition networks expect (Deng et al. 2019, "ArcFace")."""
        return cls(size, ARCFACE_TEMPLATE.tolist())

    @classmethod
    def of(cls, template: str, size: int | None = None, padding: float | None = None) -> AlignSpec:
        """Return :meth:`padded` for "mxnet", :meth:`arcface` for "arcface"; None keeps their defaults.

        Raises:
            BadOption: Another template, or a padding for "arcface", which has none.
        """
        given = {} if size is None else {"size": size}
        if template == "mxnet":
            return cls.padded(**given) if padding is None else cls.padded(**given, padding=padding)
        if template != "arcface":
            raise BadOption(f"template={template!r}: must be 'mxnet' or 'arcface'")
        if padding is not None:
            raise BadOption(f"padding={padding:g}: the arcface template has none; use the mxnet template")
        return cls.arcface(**given)

    @property
    def points(self) -> NDArray[np.float64]:
        """The five keypoints (5, 2) in pixels of the aligned face."""
        return np.asarray(self.template, dtype=np.float64) * self.size


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlignedFace:
    """A face crop in which the keypoints lie at the places of a template.

    Attributes:
        image: RGB, uint8 (size, size, 3).
        to_image: Maps pixels of the aligned face to pixels of the source image.
    """

    image: Image
    to_image: Similarity

    def __repr__(self) -> str:
        return f"AlignedFace({self.image.shape[1]} x {self.image.shape[0]})"

    def _repr_png_(self) -> bytes:
        """Return a PNG for notebooks."""
        return encode_png(self.image)

    def to_dict(self) -> dict[str, Any]:
        """Return size and the (2, 3) matrix from aligned to source pixels as plain Python values."""
        return {"size": self.image.shape[0], "to_image": self.to_image.matrix.tolist()}


def align_faces(
    image: Image | Mipmap,
    faces: Faces,
    size: int = 144,
    padding: float = 0.37,
    spec: AlignSpec | None = None,
) -> list[AlignedFace]:
    """Return one aligned face per face, in order; outside the image it is black.

    Args:
        image: The image that the faces were detected in.
        faces: Their keypoints are mapped to the template.
        size: Side in pixels, see :meth:`AlignSpec.padded`.
        padding: Margin in template sides, see :meth:`AlignSpec.padded`.
        spec: Replaces ``size`` and ``padding``.

    Raises:
        BadOption: The keypoints of a face coincide.
    """
    spec = AlignSpec.padded(size, padding) if spec is None else spec
    source = image if isinstance(image, Mipmap) else Mipmap(image)
    return [_align(source, keypoints, spec) for keypoints in faces.keypoints]


def _align(source: Mipmap, keypoints: NDArray[np.floating], spec: AlignSpec) -> AlignedFace:
    to_image = Similarity.fit(keypoints, spec.points).inverse()
    return AlignedFace(source.warp(to_image.matrix, spec.size, spec.size), to_image)

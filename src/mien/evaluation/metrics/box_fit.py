"""How well detected boxes fit the labeled ones: ratios of the sides, offsets of the edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mien.geometry import boxes as box_geometry
from mien.types import Floats


@dataclass(frozen=True, slots=True)
class BoxFit:
    """Medians over matched faces; NaN without any.

    Attributes:
        matched: Number of faces with a matched detection.
        width, height: Detected over labeled side.
        left, top, right, bottom: Detected minus labeled edge in labeled widths or heights; positive lies further right
            or down.
    """

    matched: int
    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float

    def to_dict(self) -> dict[str, float | int | None]:
        """Return the numbers for JSON; None for NaN."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value if math.isfinite(value) else None for name, value in values.items()}


def box_fit(labeled: Floats, detected: Floats) -> BoxFit:
    """Compare boxes ``detected`` with ``labeled`` (n, 4), row by row; rows of NaN in ``detected`` have no match."""
    known = np.isfinite(detected).all(axis=1)
    if not known.any():
        return BoxFit(0, *[math.nan] * 6)
    truth, found = labeled[known], detected[known]
    ratios = (found[:, 2:] - found[:, :2]) / (truth[:, 2:] - truth[:, :2])
    offsets = box_geometry.encode_boxes(found, truth)
    medians = [*np.median(ratios, axis=0).tolist(), *np.median(offsets, axis=0).tolist()]
    return BoxFit(int(known.sum()), *medians)

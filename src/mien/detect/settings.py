"""The knobs of the cascade: all of them, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.errors import BadOption

_FRACTIONS = (
    "pnet_threshold",
    "rnet_threshold",
    "onet_threshold",
    "level_overlap",
    "pyramid_overlap",
    "rnet_overlap",
    "final_overlap",
)
_COUNTS = ("level_windows", "strip_pixels", "chunk")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about the cascade that can be chosen; the defaults suit the shipped networks.

    ``min_face``, ``max_face``: sides in picture pixels of the smallest and largest face looked for (None: no limit).
    ``factor``: from one level of the pyramid to the next. ``*_threshold``: scores below it are dropped.
    ``*_overlap``: of two boxes that overlap more, the worse is dropped: within a level, over all levels and after
    R-Net by intersection over union; at the end by intersection over the smaller box.
    ``calibrate_first``: P-Net's boxes are calibrated before they are compared (the paper compares raw windows, of
    which about twice as many stay); the same after R-Net. ``vote``: a face is where O-Net puts it on average over
    all crops of it that R-Net kept, instead of where the best of them puts it. ``second_look``: O-Net looks at its
    own faces again, mirrored, and score, box and points are the mean of both looks. ``refine_points``: whether
    L-Net runs, where the detector has one.
    ``rotations``: by which quarter turns (degrees, counter-clockwise) the picture is turned before looking.

    The others bound memory and time and do not change what is found in an ordinary picture. ``level_windows``: of
    one level at most so many windows go on, the best; ``strip_pixels``: level pixels that P-Net is shown at once;
    ``chunk``: crops that another network is shown at once.
    Raises BadOption.
    """

    min_face: float = 20.0
    max_face: float | None = None
    factor: float = 0.709
    pnet_threshold: float = 0.05
    rnet_threshold: float = 0.1
    onet_threshold: float = 0.75
    level_overlap: float = 0.5
    pyramid_overlap: float = 0.7
    rnet_overlap: float = 0.7
    final_overlap: float = 0.5
    calibrate_first: bool = True
    vote: bool = True
    second_look: bool = True
    refine_points: bool = True
    rotations: tuple[int, ...] = (0,)
    level_windows: int = 2000
    strip_pixels: int = 1 << 17
    chunk: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotations", tuple(self.rotations))
        if not (math.isfinite(self.min_face) and self.min_face >= 1):
            raise BadOption(f"min_face={self.min_face}: must be at least 1 (pixels)")
        if self.max_face is not None and not self.max_face >= self.min_face:
            raise BadOption(f"max_face={self.max_face}: must be at least min_face={self.min_face}, or None")
        if not 0.1 <= self.factor <= 0.95:
            raise BadOption(f"factor={self.factor}: must lie between 0.1 and 0.95; the paper's is 0.709")
        for name in _FRACTIONS:
            if not 0 <= getattr(self, name) <= 1:
                raise BadOption(f"{name}={getattr(self, name)}: must lie between 0 and 1")
        for name in _COUNTS:
            if not (isinstance(getattr(self, name), int) and getattr(self, name) >= 1):
                raise BadOption(f"{name}={getattr(self, name)}: must be a whole number, 1 or more")
        turns = self.rotations
        if not turns or len(set(turns)) < len(turns) or not set(turns) <= {0, 90, 180, 270}:
            raise BadOption(f"rotations={turns}: must be different ones of 0, 90, 180 and 270, at least one")

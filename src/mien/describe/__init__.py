"""Describe: what is made of a face once it is found. ``align`` cuts chips, ``landmarks`` finds 68 points."""

from mien.describe.align import Chip, ChipSpec, chips
from mien.describe.landmarks import Contour, Landmarker

__all__ = ["Chip", "ChipSpec", "Contour", "Landmarker", "chips"]

"""Describe: what is made of a face once it is found. ``align`` cuts chips."""

from mien.describe.align import Chip, ChipSpec, chips

__all__ = ["Chip", "ChipSpec", "chips"]

"""A count out of a count, with its confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mien.errors import BadOption

_Z = 1.959964
"""The 97.5 % quantile of the normal distribution: intervals hold the true value in 95 % of all samples."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """``found`` out of ``count``, for example faces. Raises BadOption unless 0 <= found <= count."""

    found: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.found <= self.count:
            raise BadOption(f"{self.found} of {self.count} is no proportion; give 0 <= found <= count")

    @property
    def rate(self) -> float:
        """The part found; NaN out of nothing."""
        return self.found / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the rate; NaN out of nothing.

        Reference:
            Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
        """
        if not self.count:
            return math.nan, math.nan
        share = _Z * _Z / self.count
        center = (self.rate + share / 2) / (1 + share)
        half = math.sqrt(share * (self.rate * (1 - self.rate) + share / 4)) / (1 + share)
        return max(center - half, 0.0), min(center + half, 1.0)

    def to_dict(self) -> dict[str, float | int | list[float] | None]:
        """Return rate, interval and counts for JSON; rate and interval are None out of nothing."""
        known = self.count > 0
        return {
            "rate": self.rate if known else None,
            "interval": list(self.interval) if known else None,
            "found": self.found,
            "count": self.count,
        }

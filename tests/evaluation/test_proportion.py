"""Proportions and box fit by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.errors import BadOption
from mien.evaluation.metrics.box_fit import box_fit
from mien.evaluation.metrics.proportion import Proportion


def test_the_interval_is_wilsons() -> None:
    # 95 % intervals published by Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I.
    for found, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert Proportion(found, count).interval == pytest.approx((low, high), abs=5e-5)
    assert Proportion(20, 20).interval == pytest.approx((1 - 0.1611, 1), abs=5e-5)


def test_out_of_nothing() -> None:
    nothing = Proportion(0, 0)
    assert math.isnan(nothing.rate)
    assert all(map(math.isnan, nothing.interval))
    assert nothing.to_dict() == {"rate": None, "interval": None, "found": 0, "count": 0}
    with pytest.raises(BadOption, match="3 of 2 is no proportion"):
        Proportion(3, 2)


def test_box_fit() -> None:
    labeled = np.array([[0, 0, 10, 20], [100, 100, 120, 140], [0, 0, 1, 1]], np.float32)
    detected = np.array([[1, 2, 10, 20], [100, 104, 124, 140], [np.nan] * 4], np.float32)
    fit = box_fit(labeled, detected)
    assert (fit.matched, fit.width, fit.height) == (2, pytest.approx((0.9 + 1.2) / 2), pytest.approx(0.9))
    assert (fit.left, fit.top, fit.right, fit.bottom) == pytest.approx((0.05, 0.1, 0.1, 0))
    assert fit.to_dict()["matched"] == 2


def test_box_fit_of_nothing() -> None:
    fit = box_fit(np.zeros((1, 4), np.float32), np.full((1, 4), np.nan, np.float32))
    assert fit.to_dict() == dict.fromkeys(("width", "height", "left", "top", "right", "bottom")) | {"matched": 0}

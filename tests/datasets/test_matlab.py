"""MATLAB files that scipy cannot read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from mien.datasets.matlab import read_fields
from mien.errors import BadAnnotation, MissingExtra

CLASS = 128 + 8 + 8
"""Offset of the byte with the class of a file's first array."""


@pytest.mark.parametrize("kind", [0, 19, 255])
def test_an_unknown_array_type(tmp_path: Path, kind: int) -> None:
    file = tmp_path / "a.mat"
    savemat(file, {"pts_2d": np.zeros((68, 2))})
    content = bytearray(file.read_bytes())
    assert content[CLASS] == 6  # double
    content[CLASS] = kind
    file.write_bytes(content)
    with pytest.raises(BadAnnotation, match=r"a.mat: not a readable .mat file \(.*\); download it again"):
        read_fields(file, "pts_2d")


def test_without_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(MissingExtra, match=r"reading .mat files needs scipy.*pip install 'mien\[data\]'"):
        read_fields(tmp_path / "a.mat", "pts_2d")

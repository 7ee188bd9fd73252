import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.point_sources import FORMATS, read_points
from mien.datasets.pts import write_pts
from mien.errors import BadAnnotation, BadOption
from mien.imaging import write_image


def test_the_formats() -> None:
    assert FORMATS == ("300w-lp", "300w", "aflw2000", "wflw", "cofw")


def test_one_of_them(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((80, 80, 3), dtype=np.uint8))
    write_pts(tmp_path / "a.pts", np.full((68, 2), 40.0))
    totals = []

    def watch(items, total):
        totals.append(total)
        return items

    reading = read_points("300w", str(tmp_path), progress=watch)
    assert len(reading) == 1
    assert totals == [1]


def test_unknown_formats_are_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="unknown format 'menpo'; one of 300w-lp, 300w, aflw2000, wflw, cofw"):
        read_points("menpo", tmp_path)


@pytest.mark.parametrize(
    ("layout", "split"),
    [("300w-lp", "train"), ("300w", "test"), ("aflw2000", "test"), ("wflw", "val"), ("cofw", "val")],
)
def test_a_split_is_never_silently_another(tmp_path: Path, layout: str, split: str) -> None:
    with pytest.raises(BadOption, match=f"format '{layout}' has no split '{split}'; one of all"):
        read_points(layout, tmp_path, split)


@pytest.mark.parametrize("layout", FORMATS)
def test_folders_without_any_of_it(tmp_path: Path, layout: str) -> None:
    with pytest.raises(BadAnnotation, match="give the folder"):
        read_points(layout, tmp_path)
    with pytest.raises(BadAnnotation, match=f"no such folder; give the folder of '{layout}'"):
        read_points(layout, tmp_path / "nowhere")


def test_readers_load_neither_scipy_nor_h5py() -> None:
    code = "import sys, mien.datasets.point_sources; sys.exit(bool({'scipy', 'h5py'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mien.datasets.pts import read_pts, write_pts
from mien.errors import BadAnnotation, BadOption

Write = Callable[..., Path]


def test_the_first_pixel(write: Write) -> None:
    file = write("a.pts", "version: 1", "n_points:  2", "{", "1.000000 1.000000", "30.5 67.25", "}")
    points = read_pts(file)
    assert points.tolist() == [[0.5, 0.5], [30, 66.75]]
    assert points.dtype == np.float32


def test_written_text(tmp_path: Path) -> None:
    write_pts(tmp_path / "new" / "a.pts", np.array([[0.5, 0.5], [-3, 66.75]]))
    text = (tmp_path / "new" / "a.pts").read_bytes()
    assert text == b"version: 1\nn_points: 2\n{\n1.000 1.000\n-2.500 67.250\n}\n"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 98), st.just(2)), elements=st.floats(-5000, 5000)))
def test_round_trip(tmp_path: Path, points: np.ndarray) -> None:
    write_pts(tmp_path / "a.pts", points)
    # Half a thousandth is lost in the text, a quarter in float32 at 5000.
    assert np.abs(read_pts(tmp_path / "a.pts") - points).max() <= 0.00076


def test_line_endings_blanks_and_byte_order_marks(tmp_path: Path) -> None:
    (tmp_path / "a.pts").write_bytes(b"\xef\xbb\xbfversion: 1.0\r\nn_points: 1\r\n\r\n{\r\n 2  3 \r\n}\r\n\r\n")
    assert read_pts(tmp_path / "a.pts").tolist() == [[1.5, 2.5]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((" ",), r"a\.pts: no '{' before the points; write 'version: 1'"),
        (("version: 1", "n_points: 1", "1 2"), "no '{' before the points"),
        (("n_points: 1", "{", "1 2", "}"), r"a\.pts: no 'version:' before the points"),
        (("version: 1", "{", "1 2", "}"), "no 'n_points:' before the points"),
        (("version: 1", "n_points: x", "{", "1 2", "}"), r"a\.pts:2: 'x' instead of the number of points"),
        (("version: 1", "n_points: 2", "{", "1 2", "3 4"), r"a\.pts:5: '3 4' instead of '}': the file is truncated"),
        (("version: 1", "n_points: 2", "{"), r"a\.pts:3: '' instead of '}': the file is truncated"),
        (("version: 1", "n_points: 2", "{", "1 2", "}"), r"a\.pts: 2 points announced, 1 listed"),
        (("version: 1", "n_points: 0", "{", "}"), "0 points announced, 0 listed"),
        (("version: 1", "n_points: 1", "{", "1 2 3", "}"), r"a\.pts:4: 3 numbers: '1 2 3'; write 'x y'"),
        (("version: 1", "n_points: 1", "{", "1 a", "}"), r"a\.pts:4: not a number: '1 a'"),
        (("version: 1", "n_points: 1", "{", "1 nan", "}"), r"a\.pts:4: not finite"),
    ],
)
def test_other_layouts(write: Write, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadAnnotation, match=message):
        read_pts(write("a.pts", *lines))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotation, match=r"a\.pts: the list cannot be read"):
        read_pts(tmp_path / "a.pts")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((2, 3)), r"points of shape \(2, 3\)"),
        (np.zeros((0, 2)), r"points of shape \(0, 2\)"),
        (np.array([[0, 0], [1, np.nan]]), r"point 1 is \[1.0, nan\]"),
    ],
)
def test_unusable_points_are_not_written(tmp_path: Path, points: np.ndarray, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        write_pts(tmp_path / "a.pts", points)
    assert list(tmp_path.iterdir()) == []

import numpy as np
import pytest

from mien.errors import BadOption
from mien.geometry.schemes import COFW_TO_68, SIXTY_EIGHT_MIRROR, WFLW_TO_68, to_68

WFLW_MIRROR = (
    *range(32, -1, -1),
    *(46, 45, 44, 43, 42, 50, 49, 48, 47),
    *(37, 36, 35, 34, 33, 41, 40, 39, 38),
    *(51, 52, 53, 54, 59, 58, 57, 56, 55),
    *(72, 71, 70, 69, 68, 75, 74, 73),
    *(64, 63, 62, 61, 60, 67, 66, 65),
    *(82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83),
    *(92, 91, 90, 89, 88, 95, 94, 93),
    *(97, 96),
)
COFW_MIRROR = (1, 0, 3, 2, 6, 7, 4, 5, 9, 8, 11, 10, 14, 15, 12, 13, 17, 16, 19, 18, 20, 21, 23, 22, 24, 25, 26, 27, 28)


def _random(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.random((2, count, 2)), rng.integers(0, 2, (2, count)).astype(float)


@pytest.mark.parametrize("scheme", ["68", "68-3d"])
def test_68_points_are_unchanged(scheme: str) -> None:
    points, visible = _random(68)
    same, seen = to_68(points, visible, scheme)
    assert np.allclose(same, points)
    assert np.array_equal(seen, visible)
    assert same.dtype == seen.dtype == np.float32


@pytest.mark.parametrize(("scheme", "mirror"), [("98", WFLW_MIRROR), ("29", COFW_MIRROR)])
def test_conversion_commutes_with_mirroring(scheme: str, mirror: tuple[int, ...]) -> None:
    points, visible = _random(len(mirror))
    order = list(mirror)
    assert np.array_equal(np.array(order)[order], np.arange(len(order)))
    after, after_seen = to_68(points, visible, scheme)
    before, before_seen = to_68(points[:, order], visible[:, order], scheme)
    assert np.array_equal(before, after[:, list(SIXTY_EIGHT_MIRROR)], equal_nan=True)
    assert np.array_equal(before_seen, after_seen[:, list(SIXTY_EIGHT_MIRROR)], equal_nan=True)


def test_selected_wflw_points() -> None:
    points = np.stack([np.arange(98.0)] * 2, axis=1)
    reduced, _ = to_68(points, np.ones(98), "98")
    named = {"chin": 8, "left end of the left brow": 17, "nose tip": 30, "left corner of the left eye": 36}
    assert [reduced[i, 0] for i in named.values()] == [16, 33, 54, 60]
    assert [reduced[i, 0] for i in (21, 22, 26, 45, 48, 54, 60, 64)] == [37, 42, 46, 72, 76, 82, 88, 92]
    assert len(set(WFLW_TO_68)) == 68


def test_points_missing_in_cofw_are_nan() -> None:
    points = np.stack([np.arange(29.0)] * 2, axis=1)
    reduced, seen = to_68(points, np.zeros(29), "29")
    known = np.isfinite(reduced).all(axis=1)
    assert np.flatnonzero(known).tolist() == sorted(COFW_TO_68)
    assert np.array_equal(np.isfinite(seen), known)
    assert reduced[8].tolist() == [28, 28]
    assert reduced[36, 0] == 8
    assert reduced[45, 0] == 9


def test_unsupported_schemes_are_rejected() -> None:
    with pytest.raises(BadOption, match="cannot convert scheme '5' to 68 points; give one of 68, 68-3d, 98, 29"):
        to_68(np.zeros((5, 2)), np.zeros(5), "5")
    with pytest.raises(BadOption, match=r"points of shape \(68, 2\) .*'98' needs \(..., 98, 2\) and \(..., 98\)"):
        to_68(np.zeros((68, 2)), np.zeros(68), "98")
    with pytest.raises(BadOption, match=r"visible of shape \(67,\)"):
        to_68(np.zeros((68, 2)), np.zeros(67), "68")

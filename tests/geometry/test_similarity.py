import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import BadOption
from mien.geometry.schemes import ARCFACE_TEMPLATE, FIVE_MIRROR, MXNET_TEMPLATE
from mien.geometry.similarity import Similarity

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)


def similarity(scale, degrees, x, y):
    a = np.radians(degrees)
    linear = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return Similarity(np.column_stack([linear, [x, y]]))


def similarities():
    return st.builds(similarity, st.floats(0.1, 10), st.floats(-180, 180), st.floats(-99, 99), st.floats(-99, 99))


def test_fit_by_hand():
    # twice as large, a quarter turn clockwise on the screen, 3 to the right
    target = np.array([[3, 0], [3, 2], [1, 2], [1, 0]], dtype=float)
    fitted = Similarity.fit(SQUARE, target)
    assert fitted.scale == pytest.approx(2)
    assert fitted.degrees == pytest.approx(90)
    np.testing.assert_allclose(fitted.matrix, [[0, -2, 3], [2, 0, 0]], atol=1e-12)


@given(similarities())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_fit_recovers_the_transform(true):
    np.testing.assert_allclose(Similarity.fit(SQUARE, true.apply(SQUARE)).matrix, true.matrix, atol=1e-8)


@given(similarities(), similarities())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_inverse_and_compose(a, b):
    np.testing.assert_allclose(a.inverse().apply(a.apply(SQUARE)), SQUARE, atol=1e-8)
    np.testing.assert_allclose(a.compose(b).apply(SQUARE), a.apply(b.apply(SQUARE)), atol=1e-8)


def test_fit_never_reflects():
    fitted = Similarity.fit(SQUARE, SQUARE * [-1, 1])
    assert np.linalg.det(fitted.matrix[:, :2]) >= 0


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.zeros((1, 2)), np.zeros((5, 3))])
def test_fit_rejects_degenerate_points(points):
    with pytest.raises(BadOption):
        Similarity.fit(points, points)


def test_wrong_matrix_shape_is_rejected():
    with pytest.raises(BadOption, match=r"\(3, 3\)"):
        Similarity(np.eye(3))


def test_templates_are_symmetric_faces():
    assert [FIVE_MIRROR[i] for i in FIVE_MIRROR] == list(range(5))
    for template in (MXNET_TEMPLATE, ARCFACE_TEMPLATE):
        assert template[0, 0] < template[1, 0]
        assert template[0, 1] < template[2, 1] < template[3, 1]
        mirrored = np.column_stack([1 - template[:, 0], template[:, 1]])[list(FIVE_MIRROR)]
        # both means are of real faces, which are not quite symmetric
        np.testing.assert_allclose(mirrored, template, atol=0.025)

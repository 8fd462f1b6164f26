"""The patterns of the information plane: published probabilities, symmetries of the solid, the classes of the label's rule."""

from __future__ import annotations

import numpy as np
import pytest

from mine.datasets.icosahedron import icosahedron_patterns, icosahedron_vertices


def test_published_figures_of_the_label() -> None:
    x, y = icosahedron_patterns()
    assert x.shape == (4096, 12)
    np.testing.assert_array_equal(x @ (1 << np.arange(11, -1, -1)), np.arange(4096))
    p = y.mean()
    assert p == pytest.approx(0.51709, abs=5e-6)
    assert -(p * np.log2(p) + (1 - p) * np.log2(1 - p)) == pytest.approx(0.99916, abs=5e-6)


def test_the_vertices_are_an_icosahedrons() -> None:
    cosines = icosahedron_vertices() @ icosahedron_vertices().T
    # each vertex sees itself, five neighbours, the five around its opposite, and its opposite
    expected = [-1, *[-(5**-0.5)] * 5, *[5**-0.5] * 5, 1]
    np.testing.assert_allclose(np.sort(cosines, 1), [expected] * 12, atol=1e-12)


def test_the_rule_sees_64_classes_and_symmetries_keep_the_label() -> None:
    x, y = icosahedron_patterns()
    vertices = icosahedron_vertices()
    number, length = x.sum(1), np.linalg.norm(x @ vertices, axis=1)
    assert len(np.unique(np.stack([number, length.round(6)], 1), axis=0)) == 64
    assert np.abs(number + length - 7.63).min() > 0.06  # no pattern is near the threshold

    axis = vertices[0]  # a fifth of a turn about vertex 0, by Rodrigues' formula
    cross = np.cross(np.eye(3), axis)
    turn = np.eye(3) + np.sin(0.4 * np.pi) * cross + (1 - np.cos(0.4 * np.pi)) * cross @ cross
    moved = (vertices @ turn.T) @ vertices.T
    goes_to = moved.argmax(1)
    np.testing.assert_allclose(moved.max(1), 1, atol=1e-12)
    for permutation in (goes_to, (vertices @ vertices.T).argmin(1)):  # the turn; the reflection in the centre
        assert (permutation != np.arange(12)).sum() >= 10
        turned = np.zeros_like(x)
        turned[:, permutation] = x
        np.testing.assert_array_equal(y[turned.astype(int) @ (1 << np.arange(11, -1, -1))], y)

"""Probabilities of labels given z against those that the labels were drawn by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from mine.conditional.propensity import label_probabilities


@pytest.mark.parametrize("curve", [lambda t: 3 * t, lambda t: 3 * np.sin(2 * t), lambda t: 2 * np.sign(t)])
def test_probabilities_of_lines_waves_and_edges(curve) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1500, 1))
    truth = expit(curve(z[:, 0]))
    found = label_probabilities((rng.random(1500) < truth).astype(int), z, None, 1)
    assert found.sum(1) == pytest.approx(np.ones(1500))
    assert np.sqrt(np.mean((found[:, 1] - truth) ** 2)) < 0.06


def test_a_row_is_predicted_by_a_fit_that_did_not_see_it() -> None:
    rng = np.random.default_rng(2)
    z, codes = rng.normal(size=(400, 3)), rng.integers(0, 3, 400)
    found = label_probabilities(codes, z, None, 0)
    own = found[np.arange(400), codes]
    assert abs(own.mean() - 1 / 3) < 0.03  # labels that z says nothing about


def test_whole_groups_are_left_out() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(40), 10)
    z = rng.normal(size=(40, 2))[groups]  # z names the group, and the group has one label
    codes = rng.integers(0, 2, 40)[groups]
    own = label_probabilities(codes, z, groups, 0)[np.arange(400), codes]
    assert own.mean() < 0.6


def test_a_level_of_two_rows() -> None:
    codes = np.repeat([0, 1, 2], [60, 58, 2])
    found = label_probabilities(codes, np.random.default_rng(4).normal(size=(120, 1)), None, 0)
    assert found.shape == (120, 3) and np.isfinite(found).all() and (found > 0).all()

"""Correlated normals have the covariance, and so the information, that they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import multivariate_normal, norm

from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError


def test_closed_form_is_the_integral_that_defines_it():
    rho = 0.6
    joint = multivariate_normal([0, 0], [[1, rho], [rho, 1]])

    def integrand(y: float, x: float) -> float:
        return float(joint.pdf([x, y]) * (joint.logpdf([x, y]) - norm.logpdf(x) - norm.logpdf(y)))

    integral, _ = dblquad(integrand, -6, 6, -6, 6, epsabs=1e-4)
    assert correlated_normal_mi(rho) == pytest.approx(integral, abs=1e-3)


@pytest.mark.parametrize(("rho", "dim", "expected"), [(0.0, 3, 0.0), (0.5, 1, 0.1438410362), (-0.9, 20, 16.6073120682)])
def test_closed_form(rho: float, dim: int, expected: float):
    assert correlated_normal_mi(rho, dim) == pytest.approx(expected, abs=1e-9)
    # the same from the determinants of the covariances: I = (log|Sx| + log|Sy| - log|S|) / 2
    joint = np.block([[np.eye(dim), rho * np.eye(dim)], [rho * np.eye(dim), np.eye(dim)]])
    assert correlated_normal_mi(rho, dim) == pytest.approx(-np.linalg.slogdet(joint)[1] / 2, abs=1e-9)


def test_closed_form_at_the_ends():
    assert correlated_normal_mi(1) == correlated_normal_mi(-1, 3) == math.inf


def test_samples_have_the_covariance_they_say():
    n, dim, rho = 40_000, 3, -0.7
    x, y = correlated_normal(n, rho, dim, random_state=0)
    assert x.shape == y.shape == (n, dim)
    wanted = np.block([[np.eye(dim), rho * np.eye(dim)], [rho * np.eye(dim), np.eye(dim)]])
    assert np.abs(np.cov(np.c_[x, y].T) - wanted).max() < 5 * math.sqrt(2 / n)  # a variance's standard error is sqrt(2 / n)


def test_samples_follow_the_seed():
    first, again, other = (correlated_normal(5, 0.3, random_state=seed) for seed in (1, np.random.default_rng(1), 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    x, y = correlated_normal(5, 1.0, random_state=0)
    assert np.array_equal(x, y)


@pytest.mark.parametrize("rho", [1.1, -2, math.nan])
def test_rho_out_of_range(rho: float):
    with pytest.raises(InputError, match=r"rho must lie in \[-1, 1\]"):
        correlated_normal(10, rho)
    with pytest.raises(InputError, match=r"rho must lie in \[-1, 1\]"):
        correlated_normal_mi(rho)

"""The quadrature against closed forms, adaptive integrals and limits; samples against what they should look like."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr

from mine.datasets import noisy_function, noisy_function_mi
from mine.datasets.noisy_functions import NOISY_FUNCTIONS
from mine.errors import InputError, UnknownNameError


def entropy(density, low: float, high: float) -> float:
    value, _ = integrate.quad(lambda y: -density(y) * math.log(max(density(y), 1e-300)), low, high, limit=400)
    return value


@pytest.mark.parametrize("sigma", [0.1, 0.5, 0.9])
def test_a_line_by_its_entropies(sigma: float) -> None:
    # uniform plus normal has the density (Phi((y + 1) / s) - Phi((y - 1) / s)) / 2; the noise has log(s sqrt(2 pi e))
    of_y = entropy(lambda y: (ndtr((y + 1) / sigma) - ndtr((y - 1) / sigma)) / 2, -1 - 9 * sigma, 1 + 9 * sigma)
    expected = of_y - math.log(sigma * math.sqrt(2 * math.pi * math.e))
    assert noisy_function_mi("x", sigma) == pytest.approx(expected, abs=1e-4)
    # two teeth fill the same interval evenly: the same y and the same noise
    assert noisy_function_mi("sawtooth", sigma) == pytest.approx(expected, abs=1e-4)
    assert noisy_function_mi("x", sigma, dim=2) == pytest.approx(2 * expected, abs=2e-4)


@pytest.mark.parametrize("sigma", [0.3, 0.9])
@pytest.mark.parametrize(("name", "function"), [("x^3", lambda x: x**3), ("sin x", math.sin), ("exp x", math.exp)])
def test_a_curve_by_nested_integrals(name: str, function, sigma: float) -> None:
    x, weight = np.polynomial.legendre.leggauss(200)
    at = np.array([function(v) for v in x])

    def density(y: float) -> float:
        return float(0.5 * (weight * np.exp(-0.5 * ((y - at) / sigma) ** 2)).sum() / (sigma * math.sqrt(2 * math.pi)))

    of_y = entropy(density, at.min() - 9 * sigma, at.max() + 9 * sigma)
    assert noisy_function_mi(name, sigma) == pytest.approx(of_y - math.log(sigma * math.sqrt(2 * math.pi * math.e)), abs=1e-4)


def test_the_board_by_hand() -> None:
    assert noisy_function_mi("checkerboard", 0.0) == pytest.approx(math.log(2))
    # All columns of a kind look alike: the information on y is that of one fair bit
    sigma = 0.2

    def row(y: float, odd: int) -> float:
        edges = [(-1 + 0.5 * odd, -0.5 + 0.5 * odd), (0.5 * odd, 0.5 + 0.5 * odd)]
        return sum(ndtr((y - low) / sigma) - ndtr((y - high) / sigma) for low, high in edges)

    of_y = entropy(lambda y: (row(y, 0) + row(y, 1)) / 2, -3, 3)
    given_x = (entropy(lambda y: row(y, 0), -3, 3) + entropy(lambda y: row(y, 1), -3, 3)) / 2
    assert noisy_function_mi("checkerboard", sigma) == pytest.approx(of_y - given_x, abs=1e-4)


def test_the_circle_and_the_cross_by_the_mean_log_ratio() -> None:
    rng = np.random.default_rng(0)
    sigma, n = 0.3, 4_000
    grid = (np.arange(2_000) + 0.5) / 1_000 - 1
    for name, radius in (("cross", np.abs), ("circle", lambda x: np.sqrt(1 - x**2))):
        x, y = noisy_function(n, name, sigma, random_state=rng)

        def density(y: np.ndarray, r: np.ndarray) -> np.ndarray:
            return np.exp(-((y - r) ** 2) / (2 * sigma**2)) + np.exp(-((y + r) ** 2) / (2 * sigma**2))

        ratio = np.log(density(y, radius(x))[:, 0] / density(y, radius(grid)).mean(1))
        error = ratio.std() / n**0.5
        assert abs(ratio.mean() - noisy_function_mi(name, sigma)) < 4 * error < 0.06
        assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.1


@pytest.mark.parametrize("name", NOISY_FUNCTIONS)
def test_information_falls_with_noise_and_is_infinite_without(name: str) -> None:
    values = [noisy_function_mi(name, sigma) for sigma in (0.1, 0.5, 0.9)]
    assert values[0] > values[1] > values[2] > 0
    assert name == "checkerboard" or noisy_function_mi(name, 0) == math.inf


def test_samples_follow_the_function() -> None:
    x, y = noisy_function(5_000, "x^3", 0.5, dim=2, random_state=1)
    assert x.shape == y.shape == (5_000, 2)
    assert np.abs(x).max() < 1 and abs(x.mean()) < 0.03
    assert (y - x**3).std() == pytest.approx(0.5, abs=0.02)
    x, y = noisy_function(2_000, "checkerboard", 0.0, random_state=1)
    assert (np.floor(2 * (x + 1)) % 2 == np.floor(2 * (y + 1)) % 2).all()
    x, y = noisy_function(2_000, "circle", 0.0, random_state=1)
    np.testing.assert_allclose(x**2 + y**2, 1)
    np.testing.assert_array_equal(noisy_function(9, "x", 0.1, random_state=3), noisy_function(9, "x", 0.1, random_state=3))


def test_what_cannot_be_used() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown function 'sinx'.*did you mean 'sin x'"):
        noisy_function(10, "sinx", 0.1)
    with pytest.raises(InputError, match="sigma must be 0 or more, got -1"):
        noisy_function_mi("x", -1)

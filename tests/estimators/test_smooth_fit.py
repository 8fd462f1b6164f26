"""Leave-one-out errors of a Gaussian process against refits without the row."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mine.estimators.smooth_fit import LINE, NOISES, smooth_fits


def test_errors_are_those_of_fits_without_the_row():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    y = np.sin(2 * x[:, :1]) + x[:, 1:] + 0.3 * rng.normal(size=(40, 1))
    (fit,) = smooth_fits(x, y, (("square", 1.0),))
    design = np.concatenate([np.ones((40, 1)), x], 1)
    bent = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    squared = cdist(x, x, "sqeuclidean")
    kernel = np.exp(-squared / np.median(squared)) + LINE / 2 * design @ design.T
    refits = []
    for noise in NOISES[NOISES > 1e-8]:
        errors = []
        for i in range(40):
            rest = np.delete(np.arange(40), i)
            weights = np.linalg.solve(kernel[np.ix_(rest, rest)] + noise * np.eye(39), bent[rest])
            errors.append((bent[i] - kernel[i, rest] @ weights).item())
        refits.append(errors)
    assert min(np.abs(fit.residuals - errors).max() for errors in refits) < 1e-6


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.3])
def test_the_error_is_the_noise(noise: float):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, size=(450, 1))
    (fit,) = smooth_fits(x, np.sin(2 * x) + noise * rng.normal(size=x.shape))
    spread = np.diff(np.quantile(fit.target, [0.1, 0.9])).item() / 2.5631
    assert fit.error * spread == pytest.approx(noise, rel=0.15) and fit.gain < 0.1


def test_without_noise_assuming_some_is_worse():
    x = np.random.default_rng(2).uniform(-2, 2, size=(300, 2))
    product, kink = smooth_fits(x, np.stack([x[:, 0] * np.exp(x[:, 1]), np.abs(x[:, 0]) ** 1.5], 1))
    assert product.error < 1e-5 and kink.error < 0.02

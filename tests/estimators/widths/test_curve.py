"""The bound of each width against closed forms, and what it starts from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cross_decomposition import CCA

from mine.bounds import infonce
from mine.critics.bottleneck import BottleneckCritic
from mine.critics.metric import off_diagonal
from mine.data.problem import Problem, make_problem
from mine.estimators.widths.canonical import canonical_directions
from mine.estimators.widths.curve import influences, widest, width_curve
from mine.estimators.widths.training import log_ratios


def normals(n: int, r: list[float], d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two sides of d columns, rotated, that share canonical correlations ``r``."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, d))
    for i, c in enumerate(r):
        y[:, i] = c * x[:, i] + np.sqrt(1 - c**2) * y[:, i]
    turn = [np.linalg.qr(rng.normal(size=(d, d)))[0] for _ in range(2)]
    return x @ turn[0], y @ turn[1]


def problem(x: np.ndarray, y: np.ndarray, **options: object) -> Problem:
    return make_problem(x, y, random_state=0, device="cpu", **options)[0]


def test_each_width_lets_the_next_canonical_pair_through():
    r = [0.9, 0.8, 0.6]
    curve = width_curve(problem(*normals(3000, r, 6, 0)), 4)
    exact = np.cumsum([0.0, *(-0.5 * np.log(1 - np.array(r) ** 2)), 0.0])
    np.testing.assert_allclose(curve.rows.mean(0), exact, atol=0.08)
    assert (np.diff(curve.rows.mean(0))[:3] > 0.15).all()
    np.testing.assert_allclose(curve.correlations[:3], r, atol=0.06)
    assert not curve.squares and curve.rows.shape == (3000, 5)


def test_squares_are_features_where_nothing_is_linear():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 2000, 5))
    y[:, 0] = 0.9 * (x[:, 0] ** 2 - 1) / np.sqrt(2) + 0.44 * y[:, 0]
    curve = width_curve(problem(x, y), 2)
    assert curve.squares and curve.rows.mean(0)[1] > 0.5


def test_log_ratios_are_infonce_in_both_directions():
    scores = torch.randn(7, 7, generator=torch.Generator().manual_seed(0))
    there = infonce(scores.diagonal(), off_diagonal(scores)).value
    back = infonce(scores.T.diagonal(), off_diagonal(scores.T)).value
    torch.testing.assert_close(log_ratios(scores).mean(), 0.5 * (there + back))


def test_influences_give_the_sampling_error_of_the_bound():
    """Over draws, the spread of the bound on fresh rows is what one draw's influences say."""
    one, generator = torch.ones(1, 1, 1), torch.Generator().manual_seed(0)
    critic = BottleneckCritic(one, one, torch.full((1, 1), 0.8), torch.tensor([1]), generator=generator).select(0)
    bounds, errors = [], []
    for seed in range(200):
        x, y = (torch.as_tensor(side, dtype=torch.float32) for side in normals(200, [0.8], 1, seed))
        found = influences(critic, x, y * torch.sign((x * y).sum()), np.arange(200))
        bounds.append(found.mean())
        errors.append(found.std() / 200**0.5)
    assert np.mean(errors) == pytest.approx(np.std(bounds), rel=0.2)


def test_canonical_directions_are_hotellings():
    x, y = normals(4000, [0.9, 0.5], 3, 2)
    x, y = x - x.mean(0), y - y.mean(0)
    found = canonical_directions((x[:3000], y[:3000]), (x[3000:], y[3000:]), 5)
    cca = CCA(2, max_iter=5000).fit(x[:3000], y[:3000])
    theirs = [np.corrcoef(u, v)[0, 1] for u, v in zip(cca.transform(x[:3000]).T, (x[:3000] @ found.x).T, strict=False)]
    np.testing.assert_allclose(np.abs(theirs[:2]), 1, atol=0.01)
    np.testing.assert_allclose(found.correlations[:2], [0.9, 0.5], atol=0.06)
    assert found.x.shape == (3, 5) and found.correlations[3:].tolist() == [0, 0]
    assert found.nats == pytest.approx(-0.5 * np.log(1 - found.correlations**2).sum())


def test_widest_counts_what_the_narrower_side_can_hold():
    rng = np.random.default_rng(0)
    labels = np.array(list("abcd"))[rng.integers(0, 4, 200)]
    assert widest(problem(rng.normal(size=(200, 7)), labels)) == 3
    assert widest(problem(rng.normal(size=(200, 2)), rng.normal(size=(200, 9)))) == 2

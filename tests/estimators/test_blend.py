"""Two kinds of critic on the same folds, blended on the validation rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import mine
from mine.critics import Critic, GaussianCritic, MeanCritic
from mine.estimators.blend import SHARES, blend
from mine.training.pairs import Pairs


class Scaled(Critic):
    """``factor`` times the true log-ratio of normals of correlation 0.8."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.truth = GaussianCritic.fit(*normals(200_000, 9))

    def encode_x(self, x: Tensor) -> Tensor:
        return self.truth.encode_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.truth.encode_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return self.factor * self.truth.combine(hx, hy)


def normals(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1))
    return x, 0.8 * x + 0.6 * rng.normal(size=(n, 1))


@pytest.mark.parametrize(("first", "second", "share"), [(1.0, 0.2, 0.0), (0.2, 1.0, 1.0), (0.5, 1.5, 0.5), (0.25, 1.25, 0.75)])
def test_the_share_is_the_one_that_gives_the_true_log_ratio(first: float, second: float, share: float):
    """A multiple of the log-ratio bounds less than the log-ratio: the best blend is the one that adds up to it."""
    x, y = (torch.as_tensor(side) for side in normals(6000, 0))
    critics = Scaled(first), Scaled(second)
    found = blend(*critics, Pairs(x, y), torch.arange(6000), "dv", 0)
    if share in (0.0, 1.0):
        assert found is critics[int(share)]
    else:
        assert isinstance(found, MeanCritic) and found.weights == (1 - share, share)
        torch.testing.assert_close(found(x, y), Scaled(1.0)(x, y))
    assert share in SHARES


def test_weights_of_a_mean():
    x, y = (torch.as_tensor(side) for side in normals(5, 1))
    members = [Scaled(1.0), Scaled(3.0)]
    torch.testing.assert_close(MeanCritic(members)(x, y), Scaled(2.0)(x, y))
    torch.testing.assert_close(MeanCritic(members, (0.75, 0.25))(x, y), Scaled(1.5)(x, y))


@pytest.mark.slow
def test_sharp_edges_in_two_dimensions_are_found():
    """y up to 0.4 ahead of x on a circle, twice over: a distance alone misses a fifth of it at this size."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(4000, 2))
    y = (x + 0.4 * rng.uniform(size=(4000, 2))) % 1
    est = mine.estimate(x, y, random_state=0)
    truth = -2 * math.log(0.4)
    assert est.value == pytest.approx(truth, abs=0.25)
    assert est.lower_bound is not None and est.lower_bound < truth
    assert "blended with MLPs" in est.diagnostics["critic"]
    fast = mine.estimate(x[:500], y[:500], effort="fast", random_state=0)
    assert "blended" not in fast.diagnostics["critic"]

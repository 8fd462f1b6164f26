"""`mine.estimate` end to end: the number, its reproducibility, and every kind of input."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from torch import nn

import mine
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.problem import Problem

QUICK: dict[str, Any] = {"steps": 40, "hidden": (16,), "n_folds": 3}


def sine(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-math.pi, math.pi, n)
    return x, np.sin(2 * x) + 0.3 * rng.normal(size=n)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_correlated_normals_within_their_sampling_error(seed: int) -> None:
    x, y = correlated_normal(1000, 0.7, random_state=seed)
    est = mine.estimate(x, y, random_state=seed, steps=60)
    # The log-ratio's deviation is rho = .7: the standard error is .7 / sqrt(1000) = .022; three of them.
    assert est.value == pytest.approx(correlated_normal_mi(0.7), abs=0.066)
    assert est.interval[0] < correlated_normal_mi(0.7) < est.interval[1]
    assert est.stderr == pytest.approx(0.022, rel=0.4)


def test_a_dependence_that_correlation_misses() -> None:
    x, y = sine(1500, 0)
    truth = 0.862  # h(Y) - h(noise) by quadrature, as benchmarks/coverage.py computes it
    assert mine.estimate(x, y, random_state=0).value == pytest.approx(truth, abs=0.1)
    assert mine.estimate(x, y, method="gaussian").value < 0.2


def test_independence_is_near_zero_and_not_clipped() -> None:
    rng = np.random.default_rng(0)
    values = [mine.estimate(rng.normal(size=400), rng.normal(size=400), random_state=i, **QUICK).value for i in range(8)]
    assert abs(np.mean(values)) < 0.02
    ksg = [mine.estimate(rng.normal(size=400), rng.normal(size=400), method="ksg", random_state=i).value for i in range(8)]
    assert min(ksg) < 0 < max(ksg)


def test_ranks_make_it_invariant_under_monotone_maps() -> None:
    x, y = correlated_normal(300, 0.8, 2, random_state=0)
    alone = mine.estimate(x, y, method="gaussian").value
    assert mine.estimate(np.exp(3 * x), y**3, method="gaussian").value == pytest.approx(alone, abs=1e-12)


def test_the_same_seed_gives_the_same_digits() -> None:
    x, y = correlated_normal(300, 0.8, random_state=0)
    one, two, other = (mine.estimate(x, y, random_state=s, **QUICK) for s in (5, 5, 6))
    assert one.value == two.value
    np.testing.assert_array_equal(one.pointwise(), two.pointwise())
    np.testing.assert_array_equal(one.history["stop"], two.history["stop"])
    assert one.value != other.value
    for made in (np.random.default_rng, np.random.RandomState):
        assert mine.estimate(x, y, random_state=made(1), **QUICK) is not None


def test_every_kind_of_input_gives_the_same_number() -> None:
    x, y = (side[:, 0] for side in correlated_normal(200, 0.8, random_state=0))
    kinds: list[Any] = [
        np.asarray,
        torch.as_tensor,
        list,
        pd.Series,
        pl.Series,
        lambda v: v[:, None],
        lambda v: pd.DataFrame({"a": v}),
    ]
    numbers = {mine.estimate(kind(x), kind(y), random_state=0, **QUICK).value for kind in kinds}
    assert len(numbers) == 1


def test_bits() -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    nats, bits = (mine.estimate(x, y, random_state=0, unit=u, **QUICK) for u in ("nats", "bits"))
    assert bits.unit == "bits"
    assert bits.value == pytest.approx(nats.value / math.log(2))
    assert bits.pointwise().mean() == pytest.approx(bits.lower_bound)


def test_missing_rows_are_left_out_on_request() -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    holed = x.copy()
    holed[[3, 7]] = np.nan
    with pytest.raises(InputError, match="drop_missing=True"):
        mine.estimate(holed, y)
    est = mine.estimate(holed, y, method="gaussian", drop_missing=True)
    keep = np.delete(np.arange(200), [3, 7])
    assert est.n == 198
    assert est.value == mine.estimate(x[keep], y[keep], method="gaussian").value
    assert est.diagnostics["dropped_missing_rows"] == 2
    with pytest.raises(InputError, match="Every row has a missing value"):
        mine.estimate(np.full(50, np.nan), y[:50], drop_missing=True)


def test_groups_widen_the_standard_error() -> None:
    x, y = (np.repeat(side, 4, axis=0) for side in correlated_normal(150, 0.8, random_state=0))
    rng = np.random.default_rng(1)
    x, y = x + 0.05 * rng.normal(size=x.shape), y + 0.05 * rng.normal(size=y.shape)
    alone = mine.estimate(x, y, random_state=0, **QUICK)
    grouped = mine.estimate(x, y, random_state=0, groups=np.repeat(np.arange(150), 4), **QUICK)
    # Four near copies of a row tell what one does: the standard error doubles.
    assert grouped.stderr / alone.stderr == pytest.approx(2, rel=0.35)


def test_copies_of_rows_are_counted_and_constant_columns_named() -> None:
    x, y = correlated_normal(200, 0.8, 2, random_state=0)
    est = mine.estimate(np.concatenate([x, x[:20]]), np.concatenate([y, y[:20]]), random_state=0, **QUICK)
    assert est.diagnostics["duplicate_rows"] == 20
    flat = np.column_stack([x, np.ones(200)])
    est = mine.estimate(flat, y, random_state=0, **QUICK)
    assert est.diagnostics["dropped_constant_columns"] == ["x[2]"]
    assert any("x[2]" in warning for warning in est.warnings)
    with pytest.raises(InputError, match="constant"):
        mine.estimate(np.ones(200), y)


def test_labels_against_numbers() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 1000)
    x = 6.0 * label + rng.normal(size=1000)  # three deviations from the threshold: all but the whole label is known
    est = mine.estimate(x, np.where(label, "yes", "no"), random_state=0)
    assert est.diagnostics["discrete_columns"] == ["y"]
    assert est.value == pytest.approx(math.log(2), abs=0.05)
    both = mine.estimate(label, np.where(label, "yes", "no"), random_state=0)
    assert both.value == pytest.approx(math.log(2), abs=0.01)
    assert "levels" in both.diagnostics


class Pictures(nn.Module):
    """A critic of images and numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.score = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.score(torch.cat([self.look(x), y], 1))


def test_a_users_critic_sees_images_and_is_never_changed(seeded_torch: None) -> None:
    rng = np.random.default_rng(0)
    brightness = rng.normal(size=300)
    images = brightness[:, None, None, None] + 0.5 * rng.normal(size=(300, 1, 6, 6))
    critic = Pictures()
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    one, two = (mine.estimate(images, brightness, critic=critic, random_state=0, steps=60, n_folds=2) for _ in "ab")
    assert one.value == two.value > 0.1
    for name, value in critic.state_dict().items():
        assert torch.equal(value, before[name])
    assert (
        mine.estimate(images, brightness, critic=Pictures, random_state=0, steps=20, n_folds=2).diagnostics["critic"]
        == "user's"
    )


def test_critics_of_the_wrong_shape_are_explained(seeded_torch: None) -> None:
    x, y = correlated_normal(60, 0.5, 2, random_state=0)
    with pytest.raises(InputError, match=r"x of shape \(2, 2\)"):
        mine.estimate(x, y, critic=nn.Bilinear(3, 3, 1))
    with pytest.raises(InputError, match="one score a pair"):
        mine.estimate(x, y, critic=nn.Bilinear(2, 2, 5))


def test_functions_and_estimator_objects_are_methods() -> None:
    x, y = correlated_normal(50, 0.5, random_state=0)
    est = mine.estimate(x, y, method=lambda a, b: 0.25)
    assert est.value == 0.25
    assert est.warnings

    class Mine42:
        def run(self, problem: Problem) -> mine.Estimate:
            return mine.Estimate(float(problem.n), None, 0.0, (0.0, 1.0), "mine42", problem.n)

    assert mine.estimate(x, y, method=Mine42()).value == 50
    with pytest.raises(InputError, match="not an instance"):
        mine.estimate(x, y, method=Mine42)


def test_wrong_arguments_name_the_right_ones(seeded_torch: None) -> None:
    x, y = correlated_normal(50, 0.5, random_state=0)
    with pytest.raises(UnknownNameError, match="did you mean 'infonce'"):
        mine.estimate(x, y, method="infonse")
    with pytest.raises(UnknownNameError, match="did you mean 'steps'"):
        mine.estimate(x, y, stepps=3)
    with pytest.raises(UnknownNameError, match="Valid: nats, bits"):
        mine.estimate(x, y, unit="dits")
    with pytest.raises(InputError, match="steps must be an integer"):
        mine.estimate(x, y, steps=0)
    with pytest.raises(InputError, match="has no critic"):
        mine.estimate(x, y, method="ksg", critic=nn.Bilinear(1, 1, 1))
    with pytest.raises(InputError, match="x has 50 rows and y has 49"):
        mine.estimate(x, y[:49])
    with pytest.raises(NotEnoughDataError, match="at least 20"):
        mine.estimate(x[:19], y[:19])
    with pytest.raises(InputError, match="random_state"):
        mine.estimate(x, y, random_state=-1)


def test_progress_is_reported_to_the_end() -> None:
    seen: list[tuple[int, int, str]] = []
    x, y = correlated_normal(100, 0.5, random_state=0)
    mine.estimate(x, y, random_state=0, progress=lambda *call: seen.append(call), **{**QUICK, "patience": 1000})
    steps = [done for done, _, _ in seen]
    assert steps == sorted(steps)
    assert seen[-1][:2] == (40, 40)
    assert "nats" in seen[-1][2]


@pytest.mark.parametrize("method", sorted(mine.methods()))
def test_every_method_gives_finite_fields(method: str) -> None:
    x, y = correlated_normal(300, 0.7, random_state=0)
    if method == "discrete":
        x, y = (x > 0).astype(int), (y > 0).astype(int)
    options = QUICK if method not in ("ksg", "gaussian", "discrete") else {}
    est = mine.estimate(x, y, method=method, random_state=0, **options)
    assert math.isfinite(est.value)
    assert est.stderr > 0
    assert est.interval[0] < est.value < est.interval[1]
    assert est.method == method
    assert pickle.loads(pickle.dumps(est)).value == est.value
    if est.lower_bound is not None:
        assert est.pointwise().mean() == pytest.approx(est.lower_bound, abs=1e-9)

"""What neural estimates promise: honest rows, error bars that hold, and no confident wrong number."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mine
from mine import bounds
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators.neural import Neural
from mine.result import Estimate

BOUNDED = ["auto", "mine", "dv", "nwj", "jensen-shannon", "infonce"]
#: Enough for one-dimensional normals, in a tenth of a second.
QUICK: dict[str, Any] = {"steps": 60, "n_folds": 3, "hidden": (16, 16), "learning_rate": 1e-2}


def normals(n: int, rho: float, dim: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return correlated_normal(n, rho, dim, random_state=seed)


def estimate(x: Any, y: Any, method: str = "auto", **options: Any) -> Estimate:
    return mine.estimate(x, y, method=method, **{"random_state": 0, **QUICK, **options})


# === lower_bound, value, pointwise ===


@pytest.mark.parametrize("method", BOUNDED)
def test_the_mean_of_pointwise_is_the_lower_bound(method: str):
    est = estimate(*normals(301, 0.7), method)
    rows = est.pointwise()
    assert rows.shape == (301,) and np.isfinite(rows).all()
    assert est.lower_bound == pytest.approx(rows.mean(), abs=1e-9)
    assert est.value == pytest.approx(est.lower_bound + est.diagnostics["bias_correction"], abs=1e-12)
    assert est.diagnostics["bias_correction"] == pytest.approx(
        (est.diagnostics["train_bound"] - est.lower_bound) / 2, abs=1e-12
    )
    assert est.interval[0] < est.lower_bound < est.interval[1]


@pytest.mark.parametrize("method", BOUNDED)
def test_without_correction_the_value_is_the_lower_bound(method: str):
    est = estimate(*normals(200, 0.7), method, bias_correction=False)
    assert est.value == est.lower_bound
    assert est.diagnostics["train_bound"] is None


def test_pointwise_values_are_the_log_ratio():
    """log p(x, y) / (p(x) p(y)) of correlated normals is known; 1,500 rows learn it to a few hundredths on average."""
    rho = 0.8
    x, y = normals(1500, rho)
    u, v = x[:, 0], y[:, 0]
    truth = -0.5 * math.log(1 - rho**2) + (2 * rho * u * v - rho**2 * (u**2 + v**2)) / (2 * (1 - rho**2))
    rows = estimate(x, y).pointwise()
    assert np.corrcoef(rows, truth)[0, 1] > 0.98
    # the fitted Gaussian is off by about its standard errors, 1 / sqrt(1500) = 0.026 of each moment
    assert np.median(np.abs(rows - truth)) < 4 * 0.026


def test_smile_is_no_bound():
    est = estimate(*normals(300, 0.7), "smile")
    assert est.lower_bound is None and est.pointwise_values is None
    assert est.value == pytest.approx(correlated_normal_mi(0.7), abs=4 * est.stderr + 0.05)
    with pytest.raises(
        InputError, match="Method 'smile' has no pointwise estimate: use 'auto' or another method with a lower bound"
    ):
        est.pointwise()


@pytest.mark.parametrize(
    ("method", "reported"),
    [("mine", "dv"), ("dv", "dv"), ("nwj", "nwj"), ("jensen-shannon", "dv"), ("infonce", "infonce"), ("smile", "smile")],
)
def test_what_trains_and_what_is_reported(method: str, reported: str):
    est = estimate(*normals(1000, 0.8), method, steps=150)
    assert est.diagnostics["trained_by"] == method
    assert est.diagnostics["reported_bound"] == reported
    # the log-ratio has standard deviation rho, so 1,000 rows know the mean to 0.025: four of these, and as much for a
    # critic of 16 units after 150 steps
    truth = correlated_normal_mi(0.8)
    assert est.value == pytest.approx(truth, abs=8 * 0.8 / math.sqrt(1000))
    assert est.interval[0] <= truth <= est.interval[1]


def test_a_bound_of_ones_own():
    calls = []

    def doubled(joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> bounds.BoundResult:
        calls.append(joint.shape)
        return bounds.donsker_varadhan(joint, marginal, state)

    est = estimate(*normals(300, 0.7), "dv", bound=doubled)
    assert calls and calls[0][0] == 3  # three folds in one stack
    assert est.diagnostics["trained_by"] == "doubled"
    # the built-in bound has its gradient written out: the same up to rounding, which training carries on
    assert est.value == pytest.approx(estimate(*normals(300, 0.7), "dv").value, abs=0.02)


# === Honest rows ===


class RowRecorder(nn.Module):
    """Takes row numbers for x; remembers which of them it met, in which mode."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
        self.met: list[tuple[bool, frozenset[int]]] = []

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        self.met.append((self.training, frozenset(x[:, 0].round().long().tolist())))
        return self.net(torch.cat([x / 100, y], 1))

    def parts(self) -> tuple[set[int], set[int], set[int]]:
        """Rows trained on, rows that chose the step, rows reported on."""
        trained = set().union(*(rows for training, rows in self.met if training))
        last = max(i for i, (training, _) in enumerate(self.met) if training)
        validations = [rows for training, rows in self.met[1:last] if not training]  # the first is the trial of two rows
        assert len(set(validations)) == 1, "every validation reads the same rows"
        chosen_by = set(validations[0])
        reported = set().union(*(rows for _, rows in self.met[last + 1 :] if rows != validations[0]))
        return trained, chosen_by, reported


@pytest.mark.parametrize("grouped", [False, True])
def test_every_row_is_reported_once_by_a_critic_that_neither_trained_on_it_nor_chose_by_it(grouped: bool):
    n, made = 150, []

    def factory() -> nn.Module:
        made.append(RowRecorder())
        return made[-1]

    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(n) // 5) if grouped else None
    est = mine.estimate(
        np.arange(float(n)), rng.normal(size=n), critic=factory, method="mine", preprocess=None, bias_correction=False,
        n_folds=4, steps=20, groups=labels, random_state=0,
    )  # fmt: skip
    assert est.n == n and len(made) == 4
    units = (lambda rows: rows) if labels is None else (lambda rows: set(labels[sorted(rows)].tolist()))
    seen: list[int] = []
    for critic in made:
        trained, chosen_by, reported = critic.parts()
        assert trained | chosen_by | reported == set(range(n))
        assert not units(trained) & units(reported)
        assert not units(chosen_by) & units(reported)
        assert not units(trained) & units(chosen_by)
        seen += sorted(reported)
    assert sorted(seen) == list(range(n))


@pytest.mark.parametrize("method", ["auto", "mine", "nwj"])
def test_a_critic_that_can_learn_the_rows_by_heart_finds_nothing_in_independent_ones(method: str):
    """A held-out bound is at most 0 in expectation, whatever the critic; 6 draws, four standard errors of their mean."""
    rng = np.random.default_rng(0)
    found = [
        mine.estimate(
            rng.normal(size=(90, 4)),
            rng.normal(size=(90, 4)),
            method=method,
            hidden=(128, 128),
            n_folds=3,
            steps=40,
            random_state=seed,
        )
        for seed in range(6)
    ]
    held = np.array([est.lower_bound for est in found])
    assert held.mean() < 4 * max(held.std(ddof=1), 0.01) / math.sqrt(len(held))
    for est in found:
        assert est.interval[0] < 0 < est.interval[1]


def test_groups_keep_near_copies_out_of_training():
    """30 independent pairs, each measured eight times: read as 240 rows they hold ln 30 nats, as 30 groups none."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(30), 8)
    x, y = (rng.normal(size=(30, 2))[labels] + 1e-3 * rng.normal(size=(240, 2)) for _ in range(2))
    order = rng.permutation(240)
    options: dict[str, Any] = {"hidden": (64, 64), "steps": 150}
    leaked = estimate(x[order], y[order], "auto", **options)
    honest = estimate(x[order], y[order], "auto", groups=labels[order], **options)
    assert leaked.lower_bound is not None and honest.lower_bound is not None
    assert leaked.lower_bound > 1
    assert honest.lower_bound < 0.1
    assert honest.interval[0] <= 0 <= honest.interval[1]


# === Error bars ===


@cache
def draws(rho: float, count: int = 30, n: int = 500) -> list[Estimate]:
    return [estimate(*normals(n, rho, seed=seed), random_state=seed) for seed in range(count)]


def check_error_bars(found: list[Estimate], truth: float) -> None:
    spread = np.std([est.value for est in found], ddof=1)
    ratio = np.mean([est.stderr for est in found]) / spread
    # the spread of 30 draws is known to 1 / sqrt(60) = 13 %, four of which are 52 %: between 1 / 1.52 and 1 / 0.48, the
    # upper end cut to where an error bar would no longer be one
    assert 0.6 < ratio < 1.7
    covered = sum(est.interval[0] <= truth <= est.interval[1] for est in found)
    # at a true coverage of 95 %, fewer than 24 of 30 have probability 2e-4
    assert covered >= 0.8 * len(found)
    # and no bias that a hundred rows more could not hide: four standard errors of the mean
    assert np.mean([est.value for est in found]) == pytest.approx(truth, abs=4 * spread / math.sqrt(len(found)) + 0.01)


@pytest.mark.parametrize("rho", [0.6, pytest.param(0.9, marks=pytest.mark.slow)])  # 0.22 and 0.83 nats
def test_stderr_is_the_spread_over_draws_and_the_interval_covers(rho: float):
    check_error_bars(draws(rho), correlated_normal_mi(rho))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["auto", "mine", "infonce"])
def test_error_bars_of_the_default_options(method: str):
    found = [mine.estimate(*normals(500, 0.8, seed=seed), method=method, random_state=seed) for seed in range(30)]
    check_error_bars(found, correlated_normal_mi(0.8))


@pytest.mark.slow
def test_no_bias_on_independent_rows():
    """The project's target: a mean within 0.01 nats over 50 draws of 1,000 rows."""
    rng = np.random.default_rng(0)
    found = [mine.estimate(rng.normal(size=1000), rng.normal(size=1000), random_state=seed) for seed in range(50)]
    assert abs(np.mean([est.value for est in found])) < 0.01
    assert all(est.interval[0] <= 0 <= est.interval[1] for est in found)


@pytest.mark.slow
def test_error_bars_of_grouped_rows():
    """100 groups of five rows that share x's and y's level: the rows' spread alone would be too short."""
    rng = np.random.default_rng(0)
    found, truth = [], 0.0
    labels = np.repeat(np.arange(100), 5)
    for seed in range(30):
        level = rng.normal(size=(100, 2)) @ np.linalg.cholesky([[1, 0.8], [0.8, 1]]).T
        rows = math.sqrt(0.9) * level[labels] + math.sqrt(0.1) * rng.normal(size=(500, 2))
        found.append(mine.estimate(rows[:, 0], rows[:, 1], groups=labels, random_state=seed, steps=100))
    truth = -0.5 * math.log(1 - (0.9 * 0.8) ** 2)
    check_error_bars(found, truth)


# === Saturation ===


@cache
def high_information(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Ten coordinates seen with noise 0.05: 5 ln(401) = 29.97 nats."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 10))
    return x, x + 0.05 * rng.normal(size=x.shape)


HIGH = 5 * math.log(401)


@pytest.mark.parametrize("method", ["mine", "dv", "nwj", "jensen-shannon", "infonce", "smile"])
@pytest.mark.parametrize("steps", [20, 200])
def test_never_a_confident_wrong_number(method: str, steps: int):
    x, y = high_information()
    est = estimate(x, y, method, steps=steps, hidden=(32, 32))
    assert est.interval[1] == math.inf or est.interval[1] >= HIGH
    assert est.interval[0] < HIGH
    assert est.warnings
    if est.lower_bound is not None:
        assert est.lower_bound < HIGH
    if est.diagnostics["reported_bound"] == "infonce":
        assert est.lower_bound <= math.log(len(x) / 3)
    assert est.diagnostics["basis"] == "variational bound from shuffled pairs"


def test_auto_goes_on_with_a_gaussian_copula_and_says_so():
    x, y = high_information()
    est = estimate(x, y, "auto")
    assert est.diagnostics["saturated"] is True
    assert est.diagnostics["basis"] == "model-based: Gaussian copula"
    assert est.interval[1] == math.inf
    assert est.lower_bound is not None and est.lower_bound <= math.log(len(x))
    assert est.interval[0] <= est.lower_bound
    # a Gaussian copula it is: above what 600 rows resolve, and not above the truth
    assert math.log(len(x)) < est.value < HIGH + 4 * est.stderr
    assert any("right only if the dependence has that form" in w for w in est.warnings)


@pytest.mark.parametrize("method", ["auto", "mine", "nwj", "infonce"])
def test_a_deterministic_relation_has_no_upper_end(method: str):
    x = np.random.default_rng(0).uniform(-1, 1, size=400)
    est = estimate(x, np.exp(3 * x), method)
    assert math.isfinite(est.value) and math.isfinite(est.stderr)
    assert est.interval[1] == math.inf
    assert est.lower_bound is not None and est.lower_bound <= math.log(400)


def test_infonce_cannot_exceed_the_log_of_its_choices():
    x, y = normals(100, 0.99999)
    est = estimate(x, y, "infonce", steps=300, n_folds=5, gaussian_base=True)
    rows = est.pointwise()
    assert est.diagnostics["largest_resolvable_nats"] == pytest.approx(math.log(20))  # 20 rows a fold: one and 19 others
    assert est.lower_bound is not None and 1 < est.lower_bound <= math.log(20)
    assert rows.max() <= math.log(20) + 1e-12
    assert est.diagnostics["saturated"] is True and est.interval[1] == math.inf


def test_moderate_information_is_not_called_saturated():
    est = estimate(*normals(600, 0.9))
    assert est.diagnostics["saturated"] is False
    assert math.isfinite(est.interval[1])
    assert est.diagnostics["basis"] == "variational bound from shuffled pairs"


# === A critic that misses what it could see ===


@pytest.mark.parametrize("change", [{"steps": 1}, {"hidden": (1,)}, {"learning_rate": 1e-9}])
def test_the_gaussian_reference_extends_the_interval_of_a_critic_that_sees_too_little(change: dict[str, Any]):
    x, y = normals(500, 0.95)
    truth = correlated_normal_mi(0.95)
    est = estimate(x, y, "mine", **change)
    assert est.value < 0.7 * truth
    assert est.interval[1] > truth
    assert est.diagnostics["copula_nats"] == pytest.approx(truth, abs=4 * 0.95 / math.sqrt(500))
    (warning,) = [w for w in est.warnings if "The critic misses dependence" in w]
    assert "use method 'auto'" in warning


def test_training_that_still_rose_is_reported():
    est = estimate(*normals(500, 0.99), "mine", steps=4, learning_rate=0.05)
    assert est.diagnostics["converged"] is False
    assert any("still rising after 4 steps: pass steps=8" in w for w in est.warnings)
    assert estimate(*normals(300, 0.3)).diagnostics["converged"] is True


# === Options ===


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"steps": 0}, "steps must be an integer of at least 1, got 0"),
        ({"steps": 10.5}, "steps must be an integer of at least 1, got 10.5"),
        ({"steps": "100"}, "steps must be an integer of at least 1, got '100'"),
        ({"batch_size": 1}, "batch_size must be an integer of at least 2, got 1"),
        ({"shuffles": 0}, "shuffles must be an integer of at least 1, got 0"),
        ({"n_folds": 1}, "n_folds must be an integer of at least 2, got 1"),
        ({"patience": None}, "patience must be an integer of at least 1, got None"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate must be positive, got nan"),
        ({"learning_rate": "fast"}, "learning_rate must be positive, got 'fast'"),
        ({"weight_decay": -0.1}, "weight_decay must be zero or more, got -0.1"),
        ({"hidden": ()}, r"hidden needs at least one layer"),
        ({"hidden": 64}, "hidden must .* got 64"),
        ({"hidden": (64, 0)}, r"hidden must .* got \(64, 0\)"),
        ({"activation": "rely"}, "Unknown activation 'rely'.* Valid: relu"),
        ({"bound": "donsker"}, "Unknown bound 'donsker'"),
        ({"preprocess": "ranks"}, "Unknown preprocess 'ranks': did you mean 'rank'"),
        ({"critic": "dense"}, "Unknown critic 'dense'"),
        ({"critic": 7}, r"critic must be an nn.Module taking \(x, y\), or a function making one; got int"),
        ({"critic": lambda: "mlp"}, "The critic factory must return an nn.Module, got str"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.parametrize("method", ["auto", "mine"])
def test_options_that_cannot_be(method: str, options: dict[str, Any], match: str):
    with pytest.raises(InputError, match=match):
        estimate(*normals(60, 0.5), method, **options)


def test_more_folds_than_rows_allow():
    with pytest.raises(NotEnoughDataError, match="60 rows are too few for 31 folds: pass more rows or a smaller n_folds"):
        estimate(*normals(60, 0.5), n_folds=31)
    assert math.isfinite(estimate(*normals(60, 0.5), n_folds=30, steps=5).value)


def test_unknown_bound_by_hand():
    with pytest.raises(UnknownNameError, match="did you mean 'infonce'"):
        mine.estimate(*normals(60, 0.5), method=Neural(bound="info_nce"))


@pytest.mark.parametrize("method", [*BOUNDED, "smile"])
def test_twenty_rows(method: str):
    est = mine.estimate(*normals(20, 0.9), method=method, random_state=0)
    assert math.isfinite(est.value) and math.isfinite(est.stderr) and est.stderr > 0
    assert est.interval[0] < est.value < est.interval[1]


def test_batches_and_shuffles_larger_than_the_data():
    est = estimate(*normals(100, 0.8), batch_size=10_000, shuffles=10_000)
    assert est.interval[0] < correlated_normal_mi(0.8) < est.interval[1]


def test_history_is_one_list_a_quantity():
    est = estimate(*normals(300, 0.8), "mine", steps=80)
    assert set(est.history) == {"step", "train", "validation"}
    steps = est.history["step"]
    assert steps[0] == 0 and steps == sorted(set(steps)) and steps[-1] <= 80
    assert len(est.history["train"]) == len(est.history["validation"]) == len(steps)
    assert math.isnan(est.history["train"][0]) and np.isfinite(est.history["train"][1:]).all()
    assert est.history["validation"][-1] > est.history["validation"][0] + 0.1  # it learned
    assert est.diagnostics["most_steps"] == 80


@pytest.mark.parametrize(("n", "few"), [(500, True), (501, False)])
def test_few_rows_a_column_are_flagged(n: int, few: bool) -> None:
    x, y = mine.datasets.correlated_normal(n, 0.5, random_state=0)
    assert mine.estimate(x, y, method="mine", steps=2, random_state=0).diagnostics["few_rows"] is few

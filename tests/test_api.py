"""`mine.estimate` end to end: the number, its reproducibility, and every kind of input."""

from __future__ import annotations

import copy
import math
import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from scipy.integrate import trapezoid
from scipy.special import entr
from scipy.stats import norm
from torch import nn

import mine
from mine.critics import ConcatCritic, SeparableCritic
from mine.data.problem import Problem
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators.neural import Neural

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
    np.testing.assert_array_equal(one.history["validation"], two.history["validation"])
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
    with pytest.raises(InputError, match="Every row has a missing or infinite value"):
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
    if method == "ross":
        x = (x > 0).astype(int)
    options = QUICK if method not in ("ksg", "gaussian", "discrete", "ross") else {}
    est = mine.estimate(x, y, method=method, random_state=0, **options)
    assert math.isfinite(est.value)
    assert est.stderr > 0
    assert est.interval[0] < est.value < est.interval[1]
    assert est.method == method
    assert pickle.loads(pickle.dumps(est)).value == est.value
    if est.lower_bound is not None:
        assert est.pointwise().mean() == pytest.approx(est.lower_bound, abs=1e-9)


# === Laws ===


@pytest.mark.parametrize("method", ["auto", "mine", "ksg", "gaussian"])
def test_the_arguments_may_be_swapped(method: str) -> None:
    x, y = correlated_normal(600, 0.8, random_state=0)
    options = {"steps": 150, "learning_rate": 1e-2} if method in ("auto", "mine") else {}
    one, two = (mine.estimate(*sides, method=method, random_state=0, **options) for sides in ((x, y), (y, x)))
    # The rows are the same, so what differs is the training: less than the sampling error of either.
    assert one.value == pytest.approx(two.value, abs=one.stderr)


def test_monotone_maps_of_every_coordinate_change_little() -> None:
    """The ranks stay as they are; the scaled coordinates beside them give the critic another start, not other information."""
    x, y = correlated_normal(600, 0.8, 2, random_state=0)
    plain = mine.estimate(x, y, random_state=0)
    mapped = mine.estimate(np.exp(2 * x) * 1e15, np.sinh(3 * y) - 1e6, random_state=0)
    assert mapped.value == pytest.approx(plain.value, abs=plain.stderr)


def test_the_order_of_columns_and_the_form_of_a_frame_do_not_matter() -> None:
    x, y = correlated_normal(300, 0.8, 3, random_state=0)
    frames = [
        pd.DataFrame(x, columns=pd.Index(["a", "b", "c"])),
        pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}),
        pa.table({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}),
        x.tolist(),
        torch.as_tensor(x).requires_grad_(),
        np.asfortranarray(x),
    ]
    numbers = {mine.estimate(frame, y, random_state=0, **QUICK).value for frame in frames}
    assert len(numbers) == 1
    swapped = mine.estimate(x[:, ::-1], y, method="gaussian").value
    assert swapped == pytest.approx(mine.estimate(x, y, method="gaussian").value, abs=1e-12)


def test_noise_columns_add_no_information() -> None:
    x, y = correlated_normal(800, 0.8, random_state=0)
    wide = np.column_stack([x, np.random.default_rng(1).normal(size=(800, 5))])
    est = mine.estimate(wide, y, random_state=0)
    assert est.interval[0] < correlated_normal_mi(0.8) < est.interval[1]
    assert est.value == pytest.approx(correlated_normal_mi(0.8), abs=4 * 0.8 / math.sqrt(800))


# === Seeds ===


@pytest.mark.parametrize("made", [np.random.default_rng, np.random.RandomState, np.random.SeedSequence])
def test_generators_are_seeds(made: Any) -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    if made is np.random.SeedSequence:
        with pytest.raises(InputError, match="random_state must be a non-negative integer, a numpy generator or None"):
            mine.estimate(x, y, random_state=made(1))
        return
    one, two, other = (mine.estimate(x, y, random_state=made(s), **QUICK).value for s in (1, 1, 2))
    assert one == two != other
    used = made(1)
    first, second = (mine.estimate(x, y, random_state=used, **QUICK).value for _ in "ab")
    assert first == one != second  # a generator moves on


def test_without_a_seed_every_run_is_another() -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    assert len({mine.estimate(x, y, **QUICK).value for _ in range(3)}) == 3


@pytest.mark.parametrize("seed", [0, np.int64(7), 2**31, 2**32, 2**40])
def test_seeds_of_any_size(seed: Any) -> None:
    x, y = correlated_normal(100, 0.8, random_state=0)
    one, two = (mine.estimate(x, y, random_state=seed, **QUICK).value for _ in "ab")
    assert one == two


@pytest.mark.parametrize("method", ["mine", "nwj", "infonce", "ksg"])
def test_every_method_repeats_its_digits(method: str) -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    options = {} if method == "ksg" else QUICK
    one, two = (mine.estimate(x, y, method=method, random_state=4, **options) for _ in "ab")
    assert (one.value, one.stderr, one.interval, one.lower_bound) == (two.value, two.stderr, two.interval, two.lower_bound)


# === Labels ===


def test_the_sign_of_a_noisy_number() -> None:
    """y = sign(x + noise): I = H(Y) - E H(Y | x), with P(y = 1 | x) = Phi(x / s), by quadrature."""
    s, n = 0.5, 1500
    grid = np.linspace(-8, 8, 20_001)
    p, q = norm.cdf(grid / s), norm.cdf(-grid / s)
    conditional = trapezoid(norm.pdf(grid) * (entr(p) + entr(q)), grid)
    truth = math.log(2) - conditional

    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = np.where(x + s * rng.normal(size=n) > 0, "above", "below")
    # the log-ratio log 2 + log p(y | x) lies between -inf and log 2; its deviation by the same quadrature
    squared = trapezoid(norm.pdf(grid) * (p * np.log(2 * p) ** 2 + q * np.log(2 * q) ** 2), grid)
    deviation = math.sqrt(squared - truth**2)
    for sides in ((x, y), (y, x)):
        est = mine.estimate(*sides, random_state=0)
        assert est.value == pytest.approx(truth, abs=4 * deviation / math.sqrt(n))
        assert est.stderr == pytest.approx(deviation / math.sqrt(n), rel=0.3)
        assert est.interval[0] < truth < est.interval[1] and est.value < math.log(2)


def test_labels_cannot_hold_more_than_their_entropy() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["a", "b", "c"], size=600, p=[0.7, 0.2, 0.1])
    x = pd.Series(label).map({"a": 0.0, "b": 5.0, "c": 10.0}).to_numpy() + 0.1 * rng.normal(size=600)
    frequency = np.unique(label, return_counts=True)[1] / 600
    est = mine.estimate(x, label, random_state=0)
    # all of the label is known, and its entropy in these rows is what can be measured
    assert est.value == pytest.approx(-(frequency * np.log(frequency)).sum(), abs=0.05)


def test_two_labels_are_a_contingency_table() -> None:
    rng = np.random.default_rng(0)
    u = rng.integers(0, 3, 900)
    v = np.where(rng.random(900) < 0.6, u, rng.integers(0, 3, 900))
    est = mine.estimate(u, np.array(["x", "y", "z"])[v], random_state=0)
    table = np.zeros((3, 3))
    np.add.at(table, (u, v), 1)
    p = table / 900
    plug_in = (p * np.log(p / p.sum(1, keepdims=True) / p.sum(0, keepdims=True))).sum()
    assert est.value == pytest.approx(plug_in - 4 / 1800, abs=1e-12)  # less (3 - 1)(3 - 1) / 2n
    assert est.history == {} and est.lower_bound is None and est.method == "auto"


@pytest.mark.slow
def test_numbers_and_labels_on_one_side() -> None:
    rng = np.random.default_rng(0)
    n = 1500
    kind, a = rng.choice(["low", "high"], n), rng.normal(size=n)
    y = np.where(kind == "high", a, -a) + 0.5 * rng.normal(size=n)  # neither column alone tells anything linear
    frame = pd.DataFrame({"a": a, "kind": kind})
    # given both, y is normal around +-a: half a log of 1 + 1 / 0.25, as if the sign were known
    truth = 0.5 * math.log(5)
    est = mine.estimate(frame, y, random_state=0)
    assert est.diagnostics["discrete_columns"] == ["kind"]
    assert est.interval[0] < truth < est.interval[1]
    alone = mine.estimate(frame[["a"]], y, random_state=0)
    assert alone.value < est.value - 0.2


def test_declared_labels() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 40, 400)
    frame = pd.DataFrame({"code": codes, "b": rng.normal(size=400)})
    y = (codes % 2) + 0.5 * rng.normal(size=400)
    assert mine.estimate(frame, y, random_state=0, **QUICK).diagnostics["discrete_columns"] == []
    est = mine.estimate(frame, y, discrete=["code"], random_state=0, **QUICK)
    assert est.diagnostics["discrete_columns"] == ["code"]
    with pytest.raises(UnknownNameError, match="did you mean 'code'"):
        mine.estimate(frame, y, discrete=["kode"])
    with pytest.raises(InputError, match=r"needs numbers, but these columns are labels: code\. Use method 'auto'"):
        mine.estimate(frame, y, method="ksg", discrete=["code"])


# === Groups, copies, missing rows ===


def test_copies_stay_in_one_fold() -> None:
    """Each row twice: read as twice the data they would halve the variance, and train on the rows reported."""
    x, y = correlated_normal(150, 0.8, random_state=0)
    twice = np.repeat(np.arange(150), 2)
    once = mine.estimate(x, y, random_state=0, **QUICK)
    est = mine.estimate(x[twice], y[twice], random_state=0, **QUICK)
    assert est.diagnostics["duplicate_rows"] == 150
    assert any("150 rows are exact copies of others and were kept in one fold" in w for w in est.warnings)
    assert est.stderr == pytest.approx(once.stderr, rel=0.3)


def test_repeated_values_of_labels_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    est = mine.estimate(rng.integers(0, 2, 200), rng.integers(0, 3, 200), random_state=0)
    assert est.diagnostics["duplicate_rows"] == 0


def test_a_label_that_is_a_function_of_another_column() -> None:
    """Every row has likes by nature: with these in one fold no critic would see what it reports on, and find 0."""
    rng = np.random.default_rng(0)
    number = rng.integers(0, 40, 600)
    label = np.array(list("abcde"))[rng.permutation(40)[number] % 5]
    share = np.unique(label, return_counts=True)[1] / 600
    entropy = -float((share * np.log(share)).sum())
    names = np.array([f"site {k}" for k in number])
    est = mine.estimate(names, label, random_state=0, n_folds=2, steps=150)
    assert est.diagnostics["duplicate_rows"] == 0
    assert est.value == pytest.approx(entropy, abs=0.15)
    near = mine.estimate(number, label, method="ross", random_state=0)
    assert near.value == pytest.approx(entropy, abs=0.05)


@pytest.mark.parametrize("made", [np.asarray, list, pd.Series, lambda v: [f"patient {i}" for i in v], torch.as_tensor])
def test_groups_of_every_kind(made: Any) -> None:
    x, y = correlated_normal(200, 0.8, random_state=0)
    labels = np.random.default_rng(0).integers(0, 30, 200)
    plain = mine.estimate(x, y, groups=labels, random_state=0, **QUICK).value
    other = mine.estimate(x, y, groups=made(labels), random_state=0, **QUICK).value
    # text sorts otherwise than numbers, so its folds differ
    assert other == plain or (isinstance(made(labels), list) and other == pytest.approx(plain, abs=0.1))


def test_groups_that_cannot_be_split() -> None:
    x, y = correlated_normal(100, 0.8, random_state=0)
    with pytest.raises(NotEnoughDataError, match=r"groups has 3 distinct group\(s\); 3 folds need at least 4"):
        mine.estimate(x, y, groups=np.arange(100) % 3, **QUICK)
    with pytest.raises(InputError, match="groups has 99 labels for 100 rows"):
        mine.estimate(x, y, groups=np.arange(99), **QUICK)
    mostly = np.r_[np.zeros(80), np.arange(1, 21)]
    for seed in range(3):
        with pytest.raises(NotEnoughDataError, match="one group holds 80 of the 100 rows"):
            mine.estimate(x, y, groups=mostly, random_state=seed, **QUICK)


@pytest.mark.parametrize("method", ["gaussian", "ksg", "auto"])
def test_one_group_does_not_show_how_sure_a_value_is(method: str) -> None:
    x, y = correlated_normal(60, 0.7, random_state=0)
    with pytest.raises(NotEnoughDataError, match="1 distinct group"):
        mine.estimate(x, y, groups=np.zeros(60), method=method)
    series = mine.estimate(x, y, groups=np.zeros(60), order="time", method="gaussian")
    assert (
        series.interval == mine.estimate(x, y, order="time", method="gaussian").interval
    )  # one series is as good as no groups


def test_missing_rows_in_frames_texts_and_groups() -> None:
    rng = np.random.default_rng(0)
    n = 120
    frame = pd.DataFrame({"a": rng.normal(size=n), "kind": rng.choice(["u", "v"], n).astype(object)})
    y = frame["a"] + rng.normal(size=n)
    frame.loc[3, "kind"] = None
    frame.loc[5, "a"] = np.nan
    y[7] = np.nan
    labels = np.arange(n) // 3
    keep = np.delete(np.arange(n), [3, 5, 7])
    est = mine.estimate(frame, y, groups=labels, drop_missing=True, random_state=0, **QUICK)
    whole = mine.estimate(frame.iloc[keep], y.iloc[keep], groups=labels[keep], random_state=0, **QUICK)
    assert est.n == n - 3 and est.diagnostics["dropped_missing_rows"] == 3
    assert est.value == whole.value
    polars = mine.estimate(pl.from_pandas(frame), pl.from_pandas(y), groups=labels, drop_missing=True, random_state=0, **QUICK)
    assert polars.value == est.value


# === Critics ===


class Bilinear(nn.Module):
    """With the layers whose behaviour depends on the mode and on torch's global generator."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.net(torch.cat([x, y], 1))


@pytest.mark.parametrize("form", ["module", "factory", "concatenating module"])
def test_critics_with_batchnorm_and_dropout_are_reproducible_and_left_alone(form: str, seeded_torch: None) -> None:
    x, y = correlated_normal(300, 0.9, random_state=0)
    module: nn.Module = Bilinear().net if form == "concatenating module" else Bilinear()
    critic: Any = Bilinear if form == "factory" else module
    module.train()
    before = copy.deepcopy(module.state_dict())
    generator = torch.get_rng_state()
    options: dict[str, Any] = {"critic": critic, "method": "mine", "steps": 80, "n_folds": 2, "learning_rate": 2e-2}
    one, two = (mine.estimate(x, y, random_state=1, **options) for _ in "ab")
    other = mine.estimate(x, y, random_state=2, **options)
    assert one.value == two.value != other.value
    np.testing.assert_array_equal(one.pointwise(), two.pointwise())
    assert one.value > 0.4  # of 0.83: it did train
    assert torch.equal(generator, torch.get_rng_state())
    assert module.training and all(torch.equal(t, before[k]) for k, t in module.state_dict().items())


def test_a_trained_critic_starts_anew(seeded_torch: None) -> None:
    """A module that knows the answer is of no use: its copies are initialised again, so that nothing seen can leak."""
    x, y = correlated_normal(200, 0.9, random_state=0)
    module = Bilinear()
    with torch.no_grad():
        for p in module.parameters():
            p.fill_(1e3)
    est = mine.estimate(x, y, method="mine", critic=module, steps=1, n_folds=2, random_state=0, learning_rate=1e-6)
    assert abs(est.history["validation"][0]) < 1


def test_built_in_critics_are_critics_too() -> None:
    x, y = correlated_normal(300, 0.8, 2, random_state=0)
    for critic in (lambda: SeparableCritic(2, 2, hidden=(16,)), lambda: ConcatCritic(2, 2, hidden=(16,))):
        est = mine.estimate(x, y, critic=critic, steps=100, n_folds=2, random_state=0)
        assert est.interval[0] < correlated_normal_mi(0.8, 2) < est.interval[1]
    with pytest.raises(InputError, match="pass it without stack="):
        mine.estimate(x, y, critic=lambda: ConcatCritic(2, 2, stack=(3,)))


def test_lazy_layers_take_their_shape(seeded_torch: None) -> None:
    x, y = correlated_normal(100, 0.8, 3, random_state=0)
    est = mine.estimate(
        x, y, steps=10, n_folds=2, random_state=0, critic=lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 1))
    )
    assert math.isfinite(est.value)


def test_a_critic_sees_constant_columns_and_one_number_a_column() -> None:
    seen: list[tuple[int, ...]] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            seen.append((x.shape[1], y.shape[1]))
            return self.w * (x[:, 0] * y[:, 0])

    x, y = correlated_normal(60, 0.8, 2, random_state=0)
    flat = np.column_stack([x, np.ones(60)])
    est = mine.estimate(flat, y, critic=Spy(), steps=2, n_folds=2, random_state=0)
    assert set(seen) == {(3, 2)}
    assert est.diagnostics["dropped_constant_columns"] == []


# === Arguments ===


def test_a_short_side_is_constant_or_wrong() -> None:
    x, y = correlated_normal(60, 0.8, random_state=0)
    with pytest.raises(InputError, match="x is constant"):
        mine.estimate(np.ones((60, 3)), y)
    with pytest.raises(InputError, match="y is constant"):
        mine.estimate(x, ["a"] * 60)
    with pytest.raises(InputError, match="y is a single value"):
        mine.estimate(x, np.array(3.0))


@pytest.mark.parametrize(
    ("method", "valid"),
    [
        ("auto", "There are 19, the first: bound, critic,"),
        ("mine", "There are 18, the first: bound, critic,"),
        ("ksg", "Valid: n_neighbors, preprocess."),
        ("gaussian", "There are none."),
        ("discrete", "There are none."),
    ],
)
def test_an_unknown_option_names_the_valid_ones(method: str, valid: str) -> None:
    x, y = correlated_normal(60, 0.8, random_state=0)
    with pytest.raises(UnknownNameError, match=rf"Unknown '{method}' option 'colour'\. {re.escape(valid)}"):
        mine.estimate(x, y, method=method, colour="red")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    x, y = correlated_normal(60, 0.8, random_state=0)
    with pytest.raises(InputError, match=f"device '{device}' was asked for, but torch sees no CUDA GPU: pass device='cpu'"):
        mine.estimate(x, y, device=device)


def test_an_unknown_device() -> None:
    x, y = correlated_normal(60, 0.8, random_state=0)
    with pytest.raises(UnknownNameError, match="did you mean 'cuda'"):
        mine.estimate(x, y, device="cudda")


def test_options_of_an_object_are_its_own() -> None:
    x, y = correlated_normal(60, 0.8, random_state=0)
    with pytest.raises(InputError, match="takes its options itself; got steps"):
        mine.estimate(x, y, method=Neural(), steps=3)
    assert mine.estimate(x, y, method=Neural(name="my own", steps=3, n_folds=2), random_state=0).method == "my own"
    for wrong in (3, None):
        with pytest.raises(InputError, match=r"method must be a name, an estimator with run\(problem\), or a function"):
            mine.estimate(x, y, method=wrong)
    aliases = [mine.estimate(x, y, method=name, random_state=0, **QUICK).method for name in ("fdiv", "MINE", "js")]
    assert aliases == ["nwj", "mine", "jensen-shannon"]


def test_arguments_are_not_changed() -> None:
    x, y = correlated_normal(100, 0.8, 2, random_state=0)
    frame = pd.DataFrame(x)
    kept = x.copy(), y.copy(), frame.copy()
    x.setflags(write=False)
    mine.estimate(x, y, random_state=0, **QUICK)
    mine.estimate(frame, y, random_state=0, **QUICK)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])
    pd.testing.assert_frame_equal(frame, kept[2])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda est: pickle.loads(pickle.dumps(est))])
def test_an_estimate_is_plain_data(copied: Any) -> None:
    est = mine.estimate(*correlated_normal(100, 0.8, random_state=0), random_state=0, **QUICK)
    again = copied(est)
    assert repr(again) == repr(est) and again.to_dict() == est.to_dict()
    np.testing.assert_array_equal(again.pointwise(), est.pointwise())
    again.pointwise()[:] = 0  # a copy of a copy: nobody's numbers change
    assert again.pointwise().mean() == pytest.approx(again.lower_bound)


def test_progress_of_critics_trained_one_by_one_is_one_count() -> None:
    seen: list[tuple[int, int, str]] = []
    x, y = correlated_normal(100, 0.5, random_state=0)
    mine.estimate(
        x, y, critic=lambda: ConcatCritic(1, 1, hidden=(4,)), steps=10, n_folds=3, patience=1000, random_state=0,
        progress=lambda *call: seen.append(call),
    )  # fmt: skip
    done = [call[0] for call in seen]
    assert done == sorted(done) and seen[-1][:2] == (30, 30) and {call[1] for call in seen} == {30}
    assert {call[2].split(",")[0] for call in seen} == {f"training critic {k} of 3" for k in (1, 2, 3)}


def test_an_error_in_the_callback_is_the_callers() -> None:
    def stop(done: int, total: int, message: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mine.estimate(*correlated_normal(60, 0.5, random_state=0), progress=stop, **QUICK)

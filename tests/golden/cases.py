"""Small estimates by the public API, one a kind of data and a way of asking; their numbers are in ``estimates.json``.

A case is a function without arguments that gives its numbers by name. It draws its data from a generator of its own and asks
for the CPU, so that it gives the same anywhere. What an option's default does is part of what is held still: few are passed.
A case called ``ksg_...`` is one of the method "ksg".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from torch import Tensor, nn

import mine
from mine import bounds, tasks
from mine.critics import ConcatCritic, Critic, GaussianCritic, SeparableCritic
from mine.models.mine import Mine
from mine.terms import GaussianConditional

#: Numbers by name; None where an estimate has none. Several results in one: "a~b value", "a~b stderr".
Numbers = dict[str, float | None]


class Case(NamedTuple):
    """``kind`` is "closed" where float64 arithmetic alone makes the numbers, "trained" where float32 or a training does."""

    kind: str
    run: Callable[[], Numbers]


CASES: dict[str, Case] = {}


def closed(run: Callable[[], Numbers]) -> Callable[[], Numbers]:
    CASES[run.__name__] = Case("closed", run)
    return run


def trained(run: Callable[[], Numbers]) -> Callable[[], Numbers]:
    CASES[run.__name__] = Case("trained", run)
    return run


# === What the cases share ===


def numbers(found: mine.Estimate, name: str = "") -> Numbers:
    """An estimate's numbers, after a name where a case has several."""
    low, high = found.interval
    told = {"value": found.value, "lower_bound": found.lower_bound, "stderr": found.stderr, "low": low, "high": high}
    return {f"{name} {key}".strip(): value for key, value in told.items()}


def estimate(x: Any, y: Any, z: Any = None, **options: Any) -> Numbers:
    return numbers(mine.estimate(x, y, z, device="cpu", random_state=0, **options))


def independence(x: Any, y: Any, z: Any = None, **options: Any) -> Numbers:
    found = mine.independence_test(x, y, z, device="cpu", random_state=0, **options)
    return {"statistic": found.statistic, "p": found.p_value, "n": found.n}


def table(frame: Any, *also: str) -> Numbers:
    """The numbers of a frame of pairs, each after the names of its columns; strength, steep at zero, only where asked for."""
    kept = [c for c in ("value", "lower_bound", "stderr", "low", "high", "p", "q", *also) if c in frame.columns]
    return {f"{row.x}~{row.y} {column}": getattr(row, column) for row in frame.itertuples() for column in kept}


def wave(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers that no copula explains: the critic has to learn."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, np.sin(2 * x) + 0.6 * rng.normal(size=n)


def columns(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three columns and two: one pair goes together along a line, one along a bend."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    y = np.stack([x[:, 0], np.abs(x[:, 1])], 1) + 0.7 * rng.normal(size=(n, 2))
    return x, y


def classes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of three levels, and two numbers that differ by the label, the second in its spread alone."""
    rng = np.random.default_rng(seed)
    label = rng.integers(3, size=n)
    return label, np.stack([label + rng.normal(size=n), (1 + label) * rng.normal(size=n)], 1)


def mixed_frame(n: int, seed: int) -> pd.DataFrame:
    """Every kind of column there is, all about one hidden number."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)

    def noisy() -> np.ndarray:
        return hidden + 0.7 * rng.normal(size=n)

    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.round(100 * noisy()), unit="D")
    return pd.DataFrame(
        {
            "number": noisy(),
            "skewed": np.exp(noisy()),
            "flag": noisy() > 0,
            "town": np.array(["north", "middle", "south"], object)[np.digitize(noisy(), [-0.5, 0.5])],
            "size": pd.Categorical(np.array(["S", "M", "L"], object)[np.digitize(noisy(), [-0.7, 0.7])], ["S", "M", "L"]),
            "day": days,
        }
    )


def walk(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two series: x remembers itself, and drives y one step later."""
    rng = np.random.default_rng(seed)
    noise_x, noise_y = rng.normal(size=(2, n))
    x, y = np.zeros(n), np.zeros(n)
    for t in range(1, n):
        x[t] = 0.5 * x[t - 1] + noise_x[t]
        y[t] = 0.3 * y[t - 1] + 0.8 * x[t - 1] + noise_y[t]
    return x, y


def tensors(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Rows for a training loop: one coordinate of four tells about y."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 4))
    b = a[:, :1] + 0.3 * rng.normal(size=(n, 1))
    return torch.as_tensor(a, dtype=torch.float32), torch.as_tensor(b, dtype=torch.float32)


@contextmanager
def seeded() -> Iterator[None]:
    """Torch's global generator seeded and put back: modules of torch know no other source."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


# === Methods in closed form ===


@closed
def gaussian_columns() -> Numbers:
    return estimate(*columns(400, 1), method="gaussian")


@closed
def gaussian_groups() -> Numbers:
    x, y = columns(400, 2)
    return estimate(x, y, groups=np.arange(400) // 4, method="gaussian")


@closed
def ksg_pair() -> Numbers:
    return estimate(*wave(400, 3), method="ksg")


@closed
def ksg_columns() -> Numbers:
    return estimate(*columns(400, 4), method="ksg")


@closed
def ross_labels_numbers() -> Numbers:
    return estimate(*classes(400, 5), method="ross")


@closed
def ross_numbers_strings() -> Numbers:
    label, values = classes(400, 6)
    return estimate(values[:, 0], [f"class {k}" for k in label], method="ross")


@closed
def discrete_strings_booleans() -> Numbers:
    frame = mixed_frame(400, 7)
    return estimate(frame["town"], frame["flag"], method="discrete")


@closed
def discrete_bits_missing() -> Numbers:
    frame = mixed_frame(400, 8)
    town = frame["town"].where(np.arange(400) % 9 > 0)  # every ninth is missing
    return estimate(town, frame["size"], method="discrete", unit="bits", drop_missing=True)


@closed
def auto_labels_labels() -> Numbers:
    frame = mixed_frame(400, 9)
    return estimate(frame[["town", "flag"]], frame["size"])


@closed
def function_as_method() -> Numbers:
    def correlation(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(x[:, 0], y[:, 0])[0, 1])

    return estimate(*columns(200, 10), method=correlation)


# === The default method, kind by kind ===


@trained
def auto_pair_fast() -> Numbers:
    return estimate(*wave(300, 20), effort="fast")


@trained
def auto_pair() -> Numbers:
    return estimate(*wave(400, 21))


@trained
def auto_pair_thorough() -> Numbers:
    return estimate(*wave(100, 22), effort="thorough")


@trained
def auto_columns_fast() -> Numbers:
    return estimate(*columns(300, 23), effort="fast")


@trained
def auto_columns() -> Numbers:
    return estimate(*columns(240, 24))


@trained
def auto_labels_numbers() -> Numbers:
    return estimate(*classes(400, 25), effort="fast")


@trained
def auto_number_strings() -> Numbers:
    frame = mixed_frame(400, 26)
    return estimate(frame["number"], frame["town"])


@trained
def auto_sharp_label() -> Numbers:
    """An edge so sharp that nearest neighbours see more of it than the critics do."""
    x = np.random.default_rng(27).normal(size=300)
    return estimate(x, np.floor(4 * x) % 2 == 1, effort="fast")


@trained
def auto_mixed_frames() -> Numbers:
    frame = mixed_frame(300, 28)
    return estimate(frame[["number", "town", "flag"]], frame[["skewed", "size", "day"]], effort="fast")


@trained
def auto_dates_polars() -> Numbers:
    """Days on one side, and on the other a polars frame with a boolean."""
    frame = mixed_frame(300, 29)
    days = pl.Series("day", [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(d)) for d in 50 * frame["number"]])
    return estimate(days, pl.DataFrame({"skewed": frame["skewed"].to_list(), "flag": frame["flag"].to_list()}), effort="fast")


@trained
def auto_heavy_tails_arrow() -> Numbers:
    """Cauchy numbers as a pyarrow table, and a constant column that is left out."""
    rng = np.random.default_rng(30)
    x = rng.standard_t(1, size=300)
    arrow = pa.table({"a": x, "b": rng.standard_t(1, size=300), "same": np.ones(300)})
    return estimate(arrow, x * np.exp(rng.normal(size=300)), effort="fast")


@trained
def auto_strong() -> Numbers:
    """Nearly a function: what a regression leaves tells more than shuffled pairs can."""
    rng = np.random.default_rng(31)
    x = rng.normal(size=(250, 2))
    return estimate(x, x @ rng.normal(size=(2, 2)) + 0.001 * rng.normal(size=(250, 2)), effort="fast")


@trained
def auto_saturated() -> Numbers:
    """Eight columns, more information than the rows resolve: the interval is open above."""
    rng = np.random.default_rng(32)
    x = rng.normal(size=(200, 8))
    return estimate(x, x + 0.05 * rng.normal(size=(200, 8)), effort="fast")


@trained
def auto_independent() -> Numbers:
    x, y = np.random.default_rng(33).normal(size=(2, 300))
    return estimate(x, y, effort="fast")


@trained
def auto_groups() -> Numbers:
    """Four rows a patient, who has a level of his own on both sides."""
    rng = np.random.default_rng(34)
    patient = np.repeat(np.arange(75), 4)
    level = rng.normal(size=75)[patient]
    x = level + rng.normal(size=300)
    return estimate(x, np.abs(x) + level + 0.5 * rng.normal(size=300), groups=patient, effort="fast")


@trained
def auto_copied_rows_bits() -> Numbers:
    """A third of the rows are there twice: both copies stay in one fold."""
    x, y = wave(225, 35)
    twice = np.concatenate([np.arange(225), np.arange(75)])
    return estimate(x[twice], y[twice], effort="fast", unit="bits")


@trained
def auto_missing() -> Numbers:
    """Gaps on both sides and in the groups."""
    x, y = columns(330, 36)
    x[5::40, 1], y[9::30, 0] = np.nan, np.nan
    groups = [None if k % 50 == 7 else f"group {k // 3}" for k in range(330)]
    return estimate(x, y, groups=groups, drop_missing=True, effort="fast")


@trained
def auto_pointwise() -> Numbers:
    """That a row's contribution belongs to the row: it goes with the true log-ratio. Tensors come in."""
    task = tasks.get_task("1v1-normal-0.75")
    x, y = task.sample(300, random_state=37)
    found = mine.estimate(torch.as_tensor(x), torch.as_tensor(y), device="cpu", random_state=0, effort="fast")
    return {**numbers(found), "correlation": float(np.corrcoef(found.pointwise(), task.log_ratio(x, y))[0, 1])}


# === The other neural methods ===


@trained
def mine_pair() -> Numbers:
    return estimate(*wave(300, 40), method="mine", effort="fast")


@trained
def mine_labels_thorough() -> Numbers:
    return estimate(*classes(100, 41), method="mine", effort="thorough")


@trained
def dv_columns() -> Numbers:
    return estimate(*columns(300, 42), method="dv", effort="fast")


@trained
def nwj_pair() -> Numbers:
    return estimate(*wave(300, 43), method="nwj", effort="fast")


@trained
def jensen_shannon_pair() -> Numbers:
    return estimate(*wave(300, 44), method="jensen-shannon", effort="fast")


@trained
def infonce_pair() -> Numbers:
    return estimate(*wave(150, 45), method="infonce", effort="fast")


@trained
def smile_columns() -> Numbers:
    return estimate(*columns(300, 46), method="smile", effort="fast")


# === A user's critic ===


class ImageCritic(nn.Module):
    """An image on one side, a number on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(1, 6, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 4))
        self.pair = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.pair(torch.cat([self.image(x), y], dim=1))


class TwoTowers(Critic):
    """A network for each side and a dot product: it shuffles cheaply."""

    def __init__(self) -> None:
        super().__init__()
        self.tower_x = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 8))
        self.tower_y = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 8))

    def encode_x(self, x: Tensor) -> Tensor:
        return self.tower_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.tower_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (hx * hy).sum(-1)


@trained
def auto_images_own_critic() -> Numbers:
    rng = np.random.default_rng(50)
    bright = rng.normal(size=240)
    images = rng.normal(size=(240, 1, 6, 6))
    images[:, 0, 2:5, 2:5] += bright[:, None, None]
    return estimate(images, bright, critic=ImageCritic, effort="fast")


@trained
def dv_own_critic_one_argument() -> Numbers:
    """A module that takes the concatenation, and drops out in training."""
    with seeded():
        critic = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
    return estimate(*columns(240, 51), method="dv", critic=critic, effort="fast")


@trained
def infonce_own_towers() -> Numbers:
    return estimate(*wave(200, 52), method="infonce", critic=TwoTowers, effort="fast")


# === As scikit-learn has it ===


@trained
def sklearn_fit_and_score() -> Numbers:
    x, y = columns(400, 55)
    fitted = mine.MutualInformation(effort="fast", device="cpu", random_state=0).fit(x[:300], y[:300])
    return {**numbers(fitted.estimate_), "new rows value": fitted.score(x[300:], y[300:])}


# === Given a third variable ===


@closed
def gaussian_given_numbers_bits() -> Numbers:
    x, y = columns(400, 60)
    return estimate(x[:, 0], y, x[:, 1:], method="gaussian", unit="bits")


@closed
def ksg_given_number_groups() -> Numbers:
    x, y = columns(400, 61)
    return estimate(x[:, 0], y[:, 0], x[:, 1], method="ksg", groups=np.arange(400) // 5)


@closed
def discrete_given_labels() -> Numbers:
    """Two coins say everything about each other once it is known whether they fell alike."""
    first, second = np.random.default_rng(62).integers(0, 2, size=(2, 300))
    return estimate(first, second, first ^ second, method="discrete")


@trained
def auto_given_number() -> Numbers:
    rng = np.random.default_rng(63)
    z = rng.normal(size=300)
    x = z + rng.normal(size=300)
    return estimate(x, np.sin(2 * x) + z + 0.3 * rng.normal(size=300), z, effort="fast")


@trained
def auto_given_strings_missing() -> Numbers:
    frame = mixed_frame(320, 64)
    frame.loc[3::29, "number"] = np.nan
    return estimate(frame["number"], frame["skewed"], frame["town"], drop_missing=True, effort="fast")


@trained
def smile_given_number() -> Numbers:
    x, y = columns(240, 65)
    return estimate(x[:, :2], y, x[:, 2], method="smile", effort="fast")


@trained
def shuffle_given_labels() -> Numbers:
    """One critic on exchanged rows: exact where z is labels, with a lower bound."""
    rng = np.random.default_rng(66)
    clinic = rng.integers(2, size=240)
    dose = rng.normal(size=240)
    return estimate(dose, np.where(clinic, dose, 0) + 0.5 * rng.normal(size=240), clinic, conditional="shuffle", steps=60)


@trained
def shuffle_given_numbers() -> Numbers:
    x, y = columns(150, 67)
    return estimate(x[:, 0], y[:, 0], x[:, 1:], conditional="shuffle", steps=60)


# === Tests of independence: nothing is trained by default, but the features are float32 ===


@trained
def independence_numbers() -> Numbers:
    x, y = wave(200, 70)
    return independence(x, y + 2 * np.random.default_rng(71).normal(size=200))


@trained
def independence_of_independent() -> Numbers:
    x, y = np.random.default_rng(72).normal(size=(2, 200))
    return independence(x, y)


@trained
def independence_labels_groups() -> Numbers:
    frame = mixed_frame(240, 73)
    rng = np.random.default_rng(74)
    return independence(frame["town"], rng.permutation(frame["number"]), groups=np.arange(240) // 3)


@trained
def independence_given() -> Numbers:
    rng = np.random.default_rng(75)
    z = rng.normal(size=240)
    return independence(z + rng.normal(size=240), z**2 + rng.normal(size=240), z)


@trained
def independence_given_labels() -> Numbers:
    frame = mixed_frame(240, 76)
    return independence(frame["number"], frame["skewed"], frame["size"])


@trained
def independence_by_network() -> Numbers:
    x, y = wave(240, 77)
    return independence(x, y + np.random.default_rng(78).normal(size=240), critic="network")


# === Time series ===


@closed
def transfer_entropy_gaussian() -> Numbers:
    x, y = walk(500, 80)
    there = mine.transfer_entropy(x, y, 2, method="gaussian", random_state=0)
    back = mine.transfer_entropy(y, x, 2, method="gaussian", random_state=0)
    return {**numbers(there, "there"), **numbers(back, "back")}


@closed
def lagged_information_ksg() -> Numbers:
    found = mine.lagged_information(*walk(500, 81), range(3), method="ksg", random_state=0)
    return {name: value for lag, est in found.items() for name, value in numbers(est, f"lag{lag}").items()}


@trained
def transfer_entropy_auto() -> Numbers:
    return numbers(mine.transfer_entropy(*walk(320, 82), effort="fast", device="cpu", random_state=0))


@trained
def lagged_information_auto() -> Numbers:
    found = mine.lagged_information(*walk(320, 83), [1], effort="fast", device="cpu", random_state=0)
    return numbers(found[1])


# === Tables ===


@closed
def pairwise_ksg_target() -> Numbers:
    """One column set against all others, by a method that takes numbers only."""
    x, y = columns(300, 90)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "target": y[:, 1]})
    return table(mine.pairwise(frame, "target", method="ksg", random_state=0), "strength")


@closed
def pairwise_labels_tested() -> Numbers:
    frame = mixed_frame(300, 91)[["town", "size", "flag"]].assign(coin=np.random.default_rng(92).integers(2, size=300))
    return table(mine.pairwise(frame, test=True, unit="bits", random_state=0), "strength")


@trained
def pairwise_all_kinds() -> Numbers:
    return table(mine.pairwise(mixed_frame(250, 93), random_state=0))


@trained
def pairwise_tested_groups() -> Numbers:
    frame = mixed_frame(240, 94)[["number", "skewed", "flag"]]
    frame["noise"] = np.random.default_rng(95).normal(size=240)
    return table(mine.pairwise(frame, test=True, groups=np.arange(240) // 2, random_state=0))


@trained
def pairwise_missing_default_effort() -> Numbers:
    """Two tables, with gaps that are left out pair by pair."""
    x, y = columns(200, 96)
    x[4::50, 0], y[7::60, 1] = np.nan, np.nan
    return table(mine.pairwise(x, y, effort="default", drop_missing=True, random_state=0))


# === Several variables, two samples ===


@closed
def total_correlation_gaussian() -> Numbers:
    x, y = columns(400, 100)
    return numbers(mine.total_correlation({"x": x, "first": y[:, 0], "second": y[:, 1]}, method="gaussian", random_state=0))


@closed
def total_correlation_labels() -> Numbers:
    frame = mixed_frame(400, 101)
    return numbers(mine.total_correlation([frame["town"], frame["size"], frame["flag"]], unit="bits", random_state=0))


@trained
def total_correlation_auto() -> Numbers:
    x, y = wave(240, 102)
    blocks = [x, y, x * y + np.random.default_rng(103).normal(size=240)]
    return numbers(mine.total_correlation(blocks, effort="fast", device="cpu", random_state=0))


@trained
def kl_divergence_columns() -> Numbers:
    rng = np.random.default_rng(104)
    p, q = rng.normal([0.7, 0], 1, size=(200, 2)), rng.normal(0, 1.3, size=(260, 2))
    return numbers(mine.kl_divergence(p, q, steps=120, device="cpu", random_state=0))


@trained
def kl_divergence_apart_bits() -> Numbers:
    """Hardly a row of q where p has its mass: the interval is open above."""
    rng = np.random.default_rng(105)
    p, q = rng.normal(4, 1, 80), rng.normal(0, 1, 80)
    return numbers(mine.kl_divergence(p, q, steps=100, unit="bits", device="cpu", random_state=0))


# === Selecting features ===


def _features() -> tuple[pd.DataFrame, pd.Series]:
    frame = mixed_frame(300, 110).drop(columns="day")
    frame["copy"] = frame["number"] + 0.1 * np.random.default_rng(111).normal(size=300)
    return frame.drop(columns="size"), frame["size"]


@closed
def mutual_info_scores() -> Numbers:
    X, y = _features()
    numeric = X["number"] + X["flag"]
    return {
        **{f"{name} of labels": score for name, score in zip(X, mine.mutual_info(X, y, random_state=0), strict=True)},
        **{f"{name} of numbers": score for name, score in zip(X, mine.mutual_info(X, numeric, random_state=0), strict=True)},
    }


@closed
def selector_criteria() -> Numbers:
    X, y = _features()
    out: Numbers = {}
    for criterion in ("relevance", "mrmr", "jmi"):
        fitted = mine.MutualInfoSelector(3, criterion=criterion, random_state=0).fit(X, y)
        out |= {f"{criterion}: place {k}": group for k, group in enumerate(fitted.order_)}
        out |= {f"{criterion}: score {k}": score for k, score in enumerate(fitted.scores_)}
    return out


@closed
def selector_groups_by_method() -> Numbers:
    x, y = columns(300, 112)
    X = np.concatenate([x, y[:, :1]], 1)
    fitted = mine.MutualInfoSelector(2, feature_groups=["a", "a", "b", "c"], method="gaussian", random_state=0).fit(
        X, y[:, 0] + x[:, 2]
    )
    scores = {f"score of {name}": score for name, score in zip(fitted.feature_groups_, fitted.scores_, strict=True)}
    return {**scores, **{f"place {k}": group for k, group in enumerate(fitted.order_)}}


# === Terms of a loss ===


def _term_after(term: Any, x: Tensor, y: Tensor, steps: int = 50) -> Numbers:
    """What is logged, what new rows give, and how the loss pulls at x, once the critic has seen so many batches of 64."""
    train, test = slice(0, 256), slice(256, None)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        rows = torch.as_tensor(rng.choice(256, 64, replace=False))
        term.critic_step(x[train][rows], y[train][rows])
    leaf = x[train][:64].clone().requires_grad_()
    loss = term(leaf, y[train][:64])
    loss.backward()
    assert leaf.grad is not None
    return {
        "logged": term.estimate,
        "new rows": term.evaluate(x[test], y[test]),
        "loss": loss.item(),
        "pull": leaf.grad.norm().item(),
    }


def _named(found: Numbers, name: str) -> Numbers:
    return {f"{name}: {key}": value for key, value in found.items()}


@trained
def maximize_every_bound() -> Numbers:
    x, y = tensors(384, 120)
    out: Numbers = {}
    for bound in ("dv", "mine", "nwj", "jensen-shannon", "infonce", "smile"):
        critic = ConcatCritic(4, 1, (32, 32), generator=torch.Generator().manual_seed(1))
        out |= _named(_term_after(mine.MaximizeMI(critic, bound, learning_rate=3e-3), x, y), bound)
    return out


@trained
def minimize_bounds_and_club() -> Numbers:
    x, y = tensors(384, 121)
    towers = SeparableCritic(4, 1, (32,), embed=8, generator=torch.Generator().manual_seed(1))
    with seeded():
        conditional = GaussianConditional(4, 1, (32,))
    return {
        **_named(_term_after(mine.MinimizeMI(towers, "infonce", learning_rate=3e-3), x, y), "infonce"),
        **_named(_term_after(mine.MinimizeMI(conditional, upper_bound="club", learning_rate=3e-3), x, y), "club"),
    }


@closed
def minimize_known_density() -> Numbers:
    """Upper bounds by the density that a code was drawn from, without a critic."""
    rng = np.random.default_rng(122)
    mean, noise = (torch.as_tensor(rng.normal(size=(96, 2))) for _ in range(2))
    out: Numbers = {}
    for bound in ("leave-one-out", "club"):
        leaf = mean.clone().requires_grad_()
        term = mine.MinimizeMI(upper_bound=bound)
        loss = term(leaf + 0.5 * noise, torch.distributions.Normal(leaf, 0.5))
        loss.backward()
        assert leaf.grad is not None
        out |= _named({"loss": loss.item(), "pull": leaf.grad.norm().item(), "logged": term.estimate}, bound)
    return out


@closed
def clipped_gradient() -> Numbers:
    rng = np.random.default_rng(123)
    weights = [nn.Parameter(torch.as_tensor(rng.normal(size=shape))) for shape in ((3, 2), (4,))]
    first, second = (w.square().sum() for w in weights)
    done = mine.clipped_backward(first.sqrt(), 5 * (first + second), weights)
    norms: Numbers = {name: value.item() for name, value in done._asdict().items()}
    return {**norms, **{f"gradient {k}": w.grad.norm().item() for k, w in enumerate(weights) if w.grad is not None}}


@trained
def encoder_in_a_loop() -> Numbers:
    """The README's loop, the information clipped to the length of a main loss."""
    a, b = tensors(256, 124)
    rng = np.random.default_rng(0)
    with seeded():
        encoder = nn.Linear(4, 1)
        critic = ConcatCritic(1, 1, (32, 32))
    term = mine.MaximizeMI(critic, learning_rate=3e-3)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    for _ in range(50):
        rows = torch.as_tensor(rng.choice(256, 64, replace=False))
        z = encoder(a[rows])
        term.critic_step(z, b[rows])
        optimizer.zero_grad()
        mine.clipped_backward((z - a[rows, 1:2]).square().mean(), term(z, b[rows]), encoder.parameters())
        optimizer.step()
    weights = encoder.weight.detach().flatten().tolist()
    return {"logged": term.estimate, **{f"weight {k}": weight for k, weight in enumerate(weights)}}


# === The paper's class ===


@trained
def model_every_loss() -> Numbers:
    x, y = wave(300, 130)
    out: Numbers = {}
    for loss in ("mine", "mine_biased", "fdiv"):
        with seeded():
            network = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 1))
            model = Mine(T=network, loss=loss, method="concat")
            told = model.optimize(x, y, iters=80, batch_size=50)
        out |= {f"{loss}: held out": told, f"{loss}: all rows": model.mi(x, y).item()}
    return out


# === What the rest is made of ===


@closed
def bounds_of_scores() -> Numbers:
    rng = np.random.default_rng(140)
    joint = torch.as_tensor(1 + rng.normal(size=64))
    marginal = torch.as_tensor(2 * rng.normal(size=(64, 7)) - 1)
    state = torch.tensor(0.3, dtype=torch.float64)
    out: Numbers = {}
    for name in ("dv", "mine", "nwj", "jensen-shannon", "infonce", "smile"):
        result = bounds.get_bound(name)(joint, marginal, state)
        out |= {f"{name}: loss": result.loss.item(), f"{name}: value": result.value.item()}
    return out


@closed
def gaussian_critic() -> Numbers:
    x, y = columns(300, 141)
    critic = GaussianCritic.fit(x, y)
    scores = critic(torch.as_tensor(x), torch.as_tensor(y))
    return {"information": critic.mutual_information.item(), "mean score": scores.mean().item(), "spread": scores.std().item()}


@closed
def tasks_draws() -> Numbers:
    """The truth of every task, and its mean log-ratio over 64 rows, or their mean where it has none (bounded: tails)."""
    out: Numbers = {}
    for name in tasks.names():
        task = tasks.get_task(name)
        x, y = task.sample(64, random_state=0)
        out[f"{name}: truth"] = task.mutual_information
        if task.has_log_ratio:
            out[f"{name}: log-ratio"] = task.log_ratio(x, y).mean()
        else:
            out[f"{name}: rows"] = np.tanh(x).mean() + np.tanh(y).mean()
    return out

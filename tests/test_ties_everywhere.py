"""Tied columns through every function: a value within its sampling error of the truth, or a refusal that names another method.

Columns made of a normal u, whose information with a normal v of correlation RHO is an integral: u in cells (0/1, levels), and
u below a threshold at one value, as rainfall has its zeros.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import mine
from mine.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

RHO, N = 0.8, 2000
RNG = np.random.default_rng(11)
U, E = RNG.normal(size=(2, N))
V = RHO * U + math.sqrt(1 - RHO**2) * E
#: v one row later, for the functions of series.
LATER = np.concatenate([RNG.normal(size=1), V[:-1]])


def of_cell(low: float, high: float) -> float:
    """What the event low < u < high tells of v: the integral of p(v) P(cell | v) log(P(cell | v) / P(cell))."""

    def integrand(v: float) -> float:
        within = np.diff(norm.cdf((np.array([low, high]) - RHO * v) / math.sqrt(1 - RHO**2)))[0]
        return norm.pdf(v) * within * math.log(within / share) if within > 1e-300 else 0.0

    share = norm.cdf(high) - norm.cdf(low)
    return quad(integrand, -9, 9, limit=200)[0]


def of_cells(*edges: float) -> float:
    ends = (-math.inf, *edges, math.inf)
    return sum(of_cell(low, high) for low, high in itertools.pairwise(ends))


def of_censored(threshold: float) -> float:
    """Information of max(u, threshold): its heap's, and the normal pair's log-ratio over u > threshold in closed form."""
    above = -0.5 * math.log(1 - RHO**2) * norm.sf(threshold) + RHO**2 * threshold * norm.pdf(threshold) / 2
    return float(of_cell(-math.inf, threshold) + above)


COLUMNS: dict[str, tuple[np.ndarray, float]] = {
    "zero and one": ((U > 0.3).astype(float), of_cells(0.3)),
    "booleans": (U > -1, of_cells(-1)),
    "five levels": (np.digitize(U, [-1, -0.3, 0.3, 1]), of_cells(-1, -0.3, 0.3, 1)),
    "a third zeros": (np.maximum(U, -0.43) + 0.43, of_censored(-0.43)),
    "two thirds zeros": (np.exp(np.maximum(U, 0.43)) - math.exp(0.43), of_censored(0.43)),
    "rounded": (U.round(1), -0.5 * math.log(1 - RHO**2)),
}
HEAPED = ("a third zeros", "two thirds zeros")
LABELS = ("zero and one", "booleans", "five levels")

ENTRIES: dict[str, Callable[[Any, str], Any]] = {
    "estimate x": lambda x, method: mine.estimate(x, V, method=method, random_state=0).value,
    "estimate y": lambda x, method: mine.estimate(V, x, method=method, random_state=0).value,
    "estimate of a frame": lambda x, method: mine.estimate(pd.DataFrame({"a": x}), V, method=method, random_state=0).value,
    "MutualInformation": lambda x, method: mine.MutualInformation(method, random_state=0).fit(x, V).value_,
    "mutual_info X": lambda x, method: mine.mutual_info(pd.DataFrame({"a": x}), V, method=method)[0],
    "mutual_info y": lambda x, method: mine.mutual_info(V[:, None], x, method=method)[0],
    "selector": lambda x, method: mine.MutualInfoSelector(1, method=method).fit(pd.DataFrame({"a": x}), V).scores_[0],
    "pairwise": lambda x, method: one_pair(mine.pairwise(pd.DataFrame({"a": x, "v": V}), method=method, random_state=0)),
    "lagged_information": lambda x, method: mine.lagged_information(x, LATER, [1], method=method, random_state=0)[1].value,
    "transfer_entropy": lambda x, method: mine.transfer_entropy(x, LATER, method=method, random_state=0).value,
    "total_correlation": lambda x, method: mine.total_correlation([x, V], method=method, random_state=0).value,
}
OF_NEIGHBORS = ("mutual_info X", "mutual_info y", "selector")


def one_pair(pairs: pd.DataFrame) -> float:
    value, note = (np.asarray(pairs[name])[0] for name in ("value", "note"))
    if math.isnan(value):
        raise InputError(str(note))
    return float(value)


def check(value: float, column: str, entry: str) -> None:
    """Within 0.07 nats, four times the error of the mean log-ratio at most; the neighbours of three columns err by more."""
    assert value == pytest.approx(COLUMNS[column][1], abs=0.15 if entry == "transfer_entropy" else 0.07)


def test_the_truth_of_a_censored_column_is_that_of_its_cells_in_the_limit() -> None:
    """Fine cells above the threshold tell almost as much as u itself there."""
    fine = of_cells(0.43, *(0.43 + np.arange(1, 60) / 20))
    assert of_censored(0.43) == pytest.approx(fine, abs=2e-3)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("method", ["gaussian", "ksg", "ross"])
def test_closed_forms_are_right_or_name_another_method(method: str, column: str, entry: str) -> None:
    try:
        value = ENTRIES[entry](COLUMNS[column][0], method)
    except InputError as refused:
        assert "'auto'" in str(refused) or "'ksg'" in str(refused), refused
    else:
        check(value, column, entry)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("column", HEAPED)
@pytest.mark.parametrize("method", ["gaussian", "ksg"])
def test_no_copula_and_no_neighbours_of_a_heap(method: str, column: str, entry: str) -> None:
    with pytest.raises(
        InputError, match=f"method '{method}' needs numbers without large ties, and column .* distinct values in"
    ):
        ENTRIES[entry](COLUMNS[column][0], method)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("entry", OF_NEIGHBORS)
def test_neighbours_of_the_selector_are_right_on_all_of_them(entry: str, column: str) -> None:
    check(ENTRIES[entry](COLUMNS[column][0], "neighbors"), column, entry)


@pytest.mark.parametrize("column", COLUMNS)
def test_pairs_of_a_table_are_right_on_all_of_them(column: str) -> None:
    pairs = mine.pairwise(pd.DataFrame({"a": COLUMNS[column][0], "v": V}), random_state=0, progress=False)
    low, high = pairs["low"][0], pairs["high"][0]
    assert low <= COLUMNS[column][1] <= high and high - low < 0.35
    assert pairs["note"][0] == ""


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("method", ["auto", "dv"])
def test_critics_are_right_on_all_of_them_without_a_false_alarm(method: str, column: str) -> None:
    options: dict[str, Any] = {"effort": "fast"} if method == "auto" else {"steps": 300}
    found = mine.estimate(COLUMNS[column][0], V, method=method, random_state=0, **options)
    assert found.interval[0] <= COLUMNS[column][1] <= found.interval[1]
    assert not any("dependence" in warning for warning in found.warnings)


@pytest.mark.parametrize("seed", [0, 5])
def test_ties_are_not_told_apart_by_the_numbers_that_they_hide(seed: int) -> None:
    """Data and estimate of one seed: noise in the order of the data would undo the heap, and give 0.26 nats for 0.10."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=N)
    v = RHO * u + math.sqrt(1 - RHO**2) * rng.normal(size=N)
    label, heap = v > 0, np.maximum(u, 1)
    truth = of_label_and_censored(1.0)
    for method in ("ross", "neighbors"):
        found = mine.mutual_info(heap[:, None], label, method=method, random_state=seed, discrete=False)[0]
        assert found == pytest.approx(truth, abs=0.04)
    levels = np.digitize(u, [-0.5, 0.5]).astype(float)
    assert mine.estimate(levels, v, method="ksg", random_state=seed).value == pytest.approx(of_cells(-0.5, 0.5), abs=0.05)


def of_label_and_censored(threshold: float) -> float:
    """I(v > 0; max(u, threshold)): ln 2 less the mean entropy of v > 0 given u, or given u < threshold."""

    def entropy(p: float) -> float:
        return -p * math.log(p) - (1 - p) * math.log1p(-p) if 0 < p < 1 else 0.0

    def positive(u: float) -> float:
        return float(norm.cdf(RHO * u / math.sqrt(1 - RHO**2)))

    below = norm.cdf(threshold)
    of_heap = quad(lambda u: norm.pdf(u) * positive(u), -9, threshold)[0] / below
    return math.log(2) - below * entropy(of_heap) - quad(lambda u: norm.pdf(u) * entropy(positive(u)), threshold, 9)[0]

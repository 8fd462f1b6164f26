"""Two columns of numbers in milliseconds: a Gaussian copula, or nearest neighbours where they find more."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from mine.data.problem import Problem, clustered_stderr
from mine.errors import InputError
from mine.estimators.crossfit import SATURATION_MARGIN, upper_half_width
from mine.estimators.gaussian import wishart_bias
from mine.estimators.neighbours import SHARED_NEIGHBOURS, without_copies
from mine.estimators.rank_neighbours import NEIGHBOURS, RankNeighbours, Scores, rank_neighbours
from mine.result import Estimate

__all__ = ["NO_BOUND", "OWN_STREAM", "Screen", "Screened", "screen_estimate", "screened"]

#: Nats times the root of the rows by which neighbours must exceed the copula, two and a half times the spread that they have
#: where there is nothing to find. The constants of this file were chosen on lines, waves, steps, circles, checkerboards,
#: mixtures and heavy tails of 200, 1,000 and 5,000 rows; benchmarks/pairwise_tiers.py measures them on other draws.
EXCESS = 1.25
#: Spread of the difference between k and 2 k neighbours where neither misses anything, likewise.
NOISE_OF_DIFFERENCE = 0.6
#: What neighbours miss at a sharp edge falls with the root of k / n, and is 2.4 times that difference. The value takes the part
#: of the difference that is no noise (two of its spreads), and the upper end so many times all that it may be (with so many
#: spreads more).
BEYOND, SPREADS = 3.0, 1.5
#: Standard errors of the interval, its floor (nats times the root of the rows) on either side, and the share of the value that
#: neighbours may find too much where the density bends.
WIDTH, FLOOR_BELOW, FLOOR_ABOVE, BENT = 1.98, 1.0, 0.7, 0.01
#: Nats between k and 2 k neighbours from which on nobody knows how much is missed.
UNRESOLVED = 0.3
#: Users give their data and the estimate one seed: this number parts the two streams.
OWN_STREAM = 0x5EED
#: What the method never has.
NO_BOUND = "No held-out lower bound: nearest neighbours have none."


@dataclass(frozen=True)
class Screened:
    """What one pair of columns tells, in nats: ``rows`` (n,) are the contributions whose mean the value is, up to a constant.

    ``unresolved`` says why the interval is open above, or is empty.
    """

    value: float
    stderr: float
    low: float
    high: float
    rows: np.ndarray
    basis: str
    unresolved: str


def screened(x: Scores, y: Scores, *, k: int = NEIGHBOURS, groups: np.ndarray | None = None) -> Screened:
    """Neighbours on normal scores, or the Gaussian copula unless they exceed it clearly.

    A copula is the better estimate near independence, where the noise of neighbours is all that there is to see, and of normal
    pairs; and its information is never above the true one. Columns with heaps have no copula.

    Arguments:
        x: Normal scores of n rows.
        y: Those of the other column.
        k: Neighbours.
        groups: Integer label of the unit of each row, shape (n,), or None: a group is one term of the standard error.
    """
    most = min(x.told, y.told)
    neighbours = _by_neighbours(rank_neighbours(x, y, k), groups, most)
    if x.heap is not None or y.heap is not None:
        return neighbours
    copula = _by_copula(x, y, groups)
    if copula.value > most or neighbours.value > copula.value + EXCESS / math.sqrt(len(x.values)):
        return neighbours
    high, unresolved = max(copula.high, neighbours.high), copula.unresolved or neighbours.unresolved
    return Screened(copula.value, copula.stderr, copula.low, high, copula.rows, copula.basis, unresolved)


def _by_neighbours(found: RankNeighbours, groups: np.ndarray | None, most: float) -> Screened:
    """The value with the surely missed part of the difference between k and 2 k neighbours, and its interval."""
    n, plain = len(found.rows), found.value
    noise, difference = NOISE_OF_DIFFERENCE / math.sqrt(n), plain - found.coarse
    missed = max(0.0, difference - 2 * noise)
    value = min(plain + missed, most)
    stderr = SHARED_NEIGHBOURS * clustered_stderr(found.rows, groups)
    # what seems missed may be luck: the lower end knows nothing of it
    below = math.hypot(WIDTH * stderr, min(difference, 0.0), FLOOR_BELOW / math.sqrt(n), BENT * plain)
    beyond = BEYOND * max(0.0, difference + SPREADS * noise)
    above = math.hypot(upper_half_width(math.hypot(WIDTH * stderr, FLOOR_ABOVE / math.sqrt(n)), 2, n), beyond)
    unresolved = ""
    if value > math.log(n) - SATURATION_MARGIN or difference > UNRESOLVED:
        unresolved = (
            f"saturated: {n:,} rows resolve no more, and the value is a lower end (it rose by {difference:.2f} nats with half "
            "the neighbours); try mine.estimate on this pair"
        )
    high = math.inf if unresolved else min(value + above, most + stderr)
    return Screened(value, stderr, min(plain, value) - below, high, found.rows, "nearest neighbours on ranks", unresolved)


def _by_copula(x: Scores, y: Scores, groups: np.ndarray | None) -> Screened:
    """The Gaussian copula in closed form; a correlation that so few rows cannot tell from 1 leaves the interval open."""
    n = len(x.values)
    u, v = x.values / x.values.std(), y.values / y.values.std()
    r = float(u @ v) / n
    v, r = math.copysign(1.0, r) * v, abs(r)
    at_limit = 1 - r**2 < 1 / n
    r = min(r, math.sqrt(1 - 1 / n))
    told = -0.5 * math.log1p(-(r**2))
    rows = told - r * (u - v) ** 2 / (2 * (1 - r**2)) + r * (u**2 + v**2) / (2 * (1 + r))
    value, stderr = told - _bias(n), clustered_stderr(rows, groups)
    # Near independence the log-ratio vanishes, and n times the value is half a chi-square with one degree of freedom, less its
    # mean: 1 in place of its spread, 0.7, leaves 2.5 % of it beyond the lower end.
    half_width = 1.96 * math.hypot(stderr, 1 / n)
    unresolved = f"saturated: {n:,} rows cannot tell this pair from copies; the value is a lower end" if at_limit else ""
    high = math.inf if at_limit else value + half_width
    return Screened(value, stderr, value - half_width, high, rows, "model-based: Gaussian copula", unresolved)


@lru_cache(maxsize=64)
def _bias(n: int) -> float:
    return wishart_bias(n, 1, 1)


@dataclass(frozen=True)
class Screen:
    """Two columns of numbers by nearest neighbours on their ranks, or a Gaussian copula; no training, no lower bound.

    Attributes:
        n_neighbors: The k of the neighbours.
    """

    n_neighbors: int = NEIGHBOURS
    name: str = "rank neighbours"
    numeric_only = True

    def run(self, problem: Problem) -> Estimate:
        """The estimate of a problem with one column of numbers on each side.

        Raises:
            InputError: Other sides.
        """
        whole, problem = problem, without_copies(problem)
        x, y = problem.x.flat, problem.y.flat
        if x.shape[1] != 1 or y.shape[1] != 1 or problem.x.n_discrete or problem.y.n_discrete:
            raise InputError("Neighbours on ranks take one column of numbers on each side: use method 'auto' or 'ksg'.")
        rng = np.random.default_rng([problem.seed, OWN_STREAM])
        scores = Scores.of(x[:, 0], rng), Scores.of(y[:, 0], rng)
        estimate = screen_estimate(*scores, self.n_neighbors, problem.groups, self.name)
        # without copies these are other rows than the caller's
        return estimate if problem.n == whole.n else replace(estimate, influence=None)


def screen_estimate(
    x: Scores, y: Scores, n_neighbors: int = NEIGHBOURS, groups: np.ndarray | None = None, name: str = Screen.name
) -> Estimate:
    """The :class:`~mine.Estimate` of :func:`screened`, of at most half as many neighbours as there are other rows."""
    n = len(x.values)
    found = screened(x, y, k=max(1, min(n_neighbors, (n - 1) // 2)), groups=groups)
    diagnostics: dict[str, Any] = {
        "basis": found.basis,
        "n_neighbors": n_neighbors,
        "saturated": bool(found.unresolved),
        "no_lower_bound": NO_BOUND,
        "warnings": [found.unresolved] if found.unresolved else [],
    }
    interval = (found.low, found.high)
    return Estimate(found.value, None, found.stderr, interval, name, n, diagnostics=diagnostics, influence=found.rows)

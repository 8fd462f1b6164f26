"""What ranking hides of a strong dependence: the Gaussian copula whose ranks look like the observed ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mine.data.preprocessing import rank_gaussianize

__all__ = ["RANKS_TOO_COARSE", "RankNoise", "rank_noise"]

#: The warning where the interval is open above.
RANKS_TOO_COARSE = (
    "The dependence is so strong that the ranks of so few rows cannot distinguish larger information: the interval has no "
    "upper end. Use method 'auto'."
)

#: Rows that are simulated for one step, within these numbers of copies of the data.
SIMULATED, FEWEST_COPIES, MOST_COPIES = 40_000, 8, 40
#: Steps of the iteration at most, how far each goes beyond the difference seen, since ranks show a part of it only, and the
#: share of the spread of a step's mean below which it has arrived.
STEPS, BEYOND, ARRIVED = 10, 1.5, 0.5
#: Rows times the smallest eigenvalue of the correlations above which ranking hides little: less than half a spread of the
#: estimate on random copulas of 2 to 10 columns and 60 to 10,000 rows.
CLEAR = 300.0
#: Smallest eigenvalue above which no dependence is strong, however few the rows; and below which columns have equal ranks.
WEAK, COPIES = 0.5, 1e-10
#: What ranking hides is counted if it is at least this share of the standard error, and so many of its own.
COUNTED, SURELY = 0.5, 2.0
#: Standard error of what is hidden, as a share of it: the spread grows with the information.
UNSURE = 0.25
#: The ranks show less than this share of a change of the information: then they cannot tell how large it is.
SHOWN, SMALLEST_SHOWN = 0.3, 1e-3
#: Narrowest directions that are tried, by how much the logarithm of their variance is lowered, and the change of the
#: information (nats) below which they do not matter, and the share of it below which ranks hardly show it.
MOST_DIRECTIONS, DEEPER, LEAST_CHANGE, HARDLY_SHOWN = 3, 3.0, 0.5, 0.07
#: Smallest eigenvalue of a correlation matrix: beyond it float64 sees copies.
SMALLEST = 1e-13


@dataclass(frozen=True)
class RankNoise:
    """What ranking hides of a Gaussian copula's information.

    Attributes:
        hidden: Nats to add to the information of the scores' correlations, less its bias.
        spread: Standard deviation (nats) of the scores' information between samples, by simulation.
        shown: Its change per change of the true information, 1 where ranks lose nothing.
    """

    hidden: float
    spread: float
    shown: float

    @property
    def open_above(self) -> bool:
        """Whether the ranks of so few rows would look alike at any larger information."""
        return self.shown < SHOWN

    def stderr(self, plain: float) -> float:
        """The standard error (nats) with what ranking hides added; ``plain`` is that of the scores' information."""
        return math.hypot(max(plain, self.spread) / self.shown, UNSURE * self.hidden)


def rank_noise_of(x: np.ndarray, y: np.ndarray, bias: float, stderr: float) -> RankNoise | None:
    """:func:`rank_noise` of the normal scores of two sides, (n, dx) and (n, dy); other arguments as there."""
    with np.errstate(invalid="ignore"):  # a column may be constant in some of the rows: it is correlated with nothing
        correlation = np.nan_to_num(np.corrcoef(np.concatenate([x, y], 1), rowvar=False))
    return rank_noise(correlation, len(x), x.shape[1], bias, stderr)


def rank_noise(correlation: np.ndarray, n: int, dx: int, bias: float, stderr: float) -> RankNoise | None:
    """What ranking hides of the information of a Gaussian copula, by simulation; None if it is within the standard error.

    A rank gives its number up to the distance to the next one. Two columns that differ by less exchange ranks only now and
    then, and each time by a whole place: their scores differ more than the numbers do. Mixtures of several columns lose more,
    since each column's scores are bent by its own sample. Both depend on the copula and on n alone, whatever the margins. So
    the copula is moved until its simulated scores have the observed correlations on average: its matrix logarithm moves by
    the difference between the observed one and the simulated mean.

    References:
        Gourieroux, Monfort & Renault, 1993, 'Indirect inference' (Journal of Applied Econometrics 8).

    Arguments:
        correlation: Correlations of the normal scores of both sides, shape (dx + dy, dx + dy).
        n: Rows.
        dx: Columns of x.
        bias: Nats that the information of the correlations has too much for the number of rows.
        stderr: Its standard error (nats).

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(400, 1))
    >>> near = np.corrcoef(rank_gaussianize(np.concatenate([x, x + 0.001 * rng.normal(size=(400, 1))], 1)), rowvar=False)
    >>> plain, noise = _information(near, 1), rank_noise(near, 400, 1, 0.0, 0.05)  # log(1 + 1e6) / 2 = 6.9 nats
    >>> round(plain, 1), abs(plain + noise.hidden - 6.9) < 2 * noise.stderr(0.05)
    (5.7, True)
    """
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest > min(CLEAR / n, WEAK) or smallest < COPIES:
        return None
    plain, observed = _information(correlation, dx), _logarithm(correlation)
    copies = int(np.clip(SIMULATED // n, FEWEST_COPIES, MOST_COPIES))
    model, noise = observed, 0.0
    path: list[_Step] = []
    for _ in range(STEPS):
        correlation = _exponential(model)
        logs, seen = _simulated(correlation, n, dx, copies)
        path.append(_Step(_information(correlation, dx), float(seen.mean()), float(seen.std(ddof=1))))
        noise = path[-1][2] / math.sqrt(copies)
        if len(path) == 1 and plain - path[0][1] + bias < max(COUNTED * stderr, SURELY * noise):
            return None
        if abs(plain - path[-1][1]) < ARRIVED * noise:
            break
        model = model + BEYOND * (observed - logs)
    value, seen, spread = path[-1]
    spread = math.hypot(spread, noise)
    hides_more = _hides_more(model, _Step(value, seen, spread), n, dx, copies)
    return RankNoise(value - (plain - bias), spread, SMALLEST_SHOWN if hides_more else _shown(path, noise))


def _shown(path: list[_Step], noise: float) -> float:
    """The seen change per true change between the last step and the last one that is a spread of what is seen below it."""
    value, seen, spread = path[-1]
    before, seen_before, _ = next((step for step in reversed(path) if seen - step[1] >= spread), path[0])
    return (
        1.0
        if value - before <= SURELY * noise
        else float(np.clip((seen - seen_before) / (value - before), SMALLEST_SHOWN, 1.0))
    )


class _Step(NamedTuple):
    """A copula's information, what is seen of it on average, and the spread of that between samples, in nats."""

    value: float
    seen: float
    spread: float


def _hides_more(model: np.ndarray, found: _Step, n: int, dx: int, copies: int) -> bool:
    """Whether ranks would look alike if the variance along one of the narrowest directions of ``model`` were far smaller.

    Several directions can make up for each other: the information seen is as observed, and one of them may hold far more than
    the ranks of so few rows show. A direction within one side changes no information and does not count.

    Arguments:
        model: Logarithm of the correlation matrix, shape (d, d).
        found: Its information, what is seen of it, and the spread of that.
        n: Rows.
        dx: Columns of x.
        copies: Copies of the data to simulate.
    """
    logs, vectors = np.linalg.eigh(model)
    for narrow in range(min(MOST_DIRECTIONS, len(logs))):
        if logs[narrow] > math.log(min(CLEAR / n, WEAK)):
            break
        deeper = logs.copy()
        deeper[narrow] -= DEEPER
        correlation = _exponential((vectors * deeper) @ vectors.T)
        change = _information(correlation, dx) - found.value
        if change > LEAST_CHANGE:
            more = float(_simulated(correlation, n, dx, copies)[1].mean()) - found.seen
            if more < min(SURELY * found.spread, HARDLY_SHOWN * change):
                return True
    return False


def _simulated(correlation: np.ndarray, n: int, dx: int, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean logarithm of the correlation matrix of simulated scores, shape (d, d), and their information, shape (copies,).

    Each call draws the same normals, so that two correlations are compared on the same samples.
    """
    rng = np.random.default_rng(0)
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    logs, seen = np.zeros_like(correlation), np.empty(copies)
    for i in range(copies):
        found = np.corrcoef(rank_gaussianize(rng.normal(size=(n, len(root))) @ root), rowvar=False)
        logs += _logarithm(found) / copies
        seen[i] = _information(found, dx)
    return logs, seen


def _information(correlation: np.ndarray, dx: int) -> float:
    """Mutual information (nats) of a normal vector's first ``dx`` columns with its others."""
    x, y = correlation[:dx, :dx], correlation[dx:, dx:]
    return 0.5 * (_log_det(x) + _log_det(y) - _log_det(correlation))


def _log_det(matrix: np.ndarray) -> float:
    return float(np.log(np.maximum(np.linalg.eigvalsh(matrix), SMALLEST)).sum())


def _logarithm(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.log(np.maximum(values, SMALLEST))) @ vectors.T


def _exponential(logarithm: np.ndarray) -> np.ndarray:
    """The correlation matrix of a covariance's logarithm: scores do not see the scale of a column."""
    values, vectors = np.linalg.eigh(logarithm)
    covariance = (vectors * np.exp(np.maximum(values, math.log(SMALLEST)))) @ vectors.T
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)

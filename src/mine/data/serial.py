"""Rows that resemble their neighbours: how long the resemblance lasts, and whether there is any."""

from __future__ import annotations

import numpy as np

from mine.data.labels import level_numbers
from mine.data.preprocessing import rank_gaussianize
from mine.data.variable import Variable

__all__ = [
    "SERIAL",
    "autocorrelations",
    "drifts",
    "is_serial",
    "is_sorted",
    "joint_autocorrelations",
    "memory",
    "remember_each_other",
    "same_season",
    "serial_features",
    "serial_sides",
    "slowest_autocorrelation",
    "summed_time",
]

#: Columns of a side that are looked at, and rows: resemblance that matters is seen in a few of either.
MOST_COLUMNS, MOST_ROWS = 8, 50_000
#: Commonest levels of a label that are looked at, each as a column of 0 and 1.
MOST_LEVELS = 6
#: Lags of the portmanteau test, and its level for a whole side: two sides, hence far below one in a hundred of tables.
LAGS, LEVEL = 10, 1e-3
#: A table is called a series only where the resemblance would widen an honest interval by a fifth or more: many tables that
#: are no series begin with rows of one kind.
LEAST_TIME = 1.5
#: A side drifts if a line in time explains more of it than chance does at this level, judged by at least so many independent
#: rows.
DRIFT_LEVEL, DRIFT_ROWS = 1e-6, 20
#: A side has a season if one frequency makes up this share of the variance of a feature, and is so many times as strong as
#: those up to eight steps away on either side; and so many periods are in sight. A long memory spreads over many frequencies.
SEASON_SHARE, SEASON_LINE, SEASON_PERIODS = 0.2, 25.0, 4
#: What to say of a table whose rows resemble their neighbours.
SERIAL = (
    "Rows resemble the rows next to them on both sides: unrelated series look dependent then, and intervals and p-values are "
    "too narrow. Where rows come in the order of time, pass order='time' (--order time); where each belongs to a person or a "
    "site, groups=. Where the table was only sorted, shuffle its rows."
)


def serial_features(side: Variable) -> np.ndarray:
    """What resemblance is looked for in: each number's normal score and how far out it is, each common level: (n, f).

    How far out a number is (its absolute score) shows what calm and wild stretches share when their signs do not. Labels that
    are numbers, as counts are, have both too: a slow count changes its level at every row. Columns of no variance are left out.
    """
    n = min(len(side), MOST_ROWS)
    part = side.take(slice(0, n))
    columns: list[np.ndarray] = []
    if part.n_continuous:
        some = np.unique(np.linspace(0, part.n_continuous - 1, MOST_COLUMNS).astype(int))
        columns += _scores(part.flat[:, some])
    for i, codes in enumerate(part.discrete.T[:MOST_COLUMNS]):
        numbers = level_numbers(part.levels[i]) if part.levels and len(part.levels[i]) > 2 else None
        columns += [] if numbers is None else _scores(numbers[codes, None])
        commonest = np.argsort(-np.bincount(codes), kind="stable")[:MOST_LEVELS]
        columns.append((codes[:, None] == commonest).astype(np.float64))
    features = np.concatenate(columns, 1) if columns else np.empty((n, 0))
    return features[:, features.std(0) > 1e-12]


def _scores(values: np.ndarray) -> list[np.ndarray]:
    """Normal scores of the columns of ``values`` (n, c), and how far out they are."""
    scores = rank_gaussianize(values)
    return [scores, np.abs(scores)]


def autocorrelations(values: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelation of each column of ``values`` (n, f) at lags 0 to ``lags``, shape (lags + 1, f).

    Sums over the overlap are divided by n, which keeps the sequence positive definite.

    >>> autocorrelations(np.array([[1.0], [-1.0], [1.0], [-1.0]]), 2).ravel()
    array([ 1.  , -0.75,  0.5 ])
    """
    n = len(values)
    centred = values - values.mean(0)
    size = 1 << int(np.ceil(np.log2(2 * n)))
    power = np.abs(np.fft.rfft(centred, size, axis=0)) ** 2
    sums = np.fft.irfft(power, size, axis=0)[: lags + 1]
    return sums / sums[0]


def is_serial(features: np.ndarray) -> bool:
    """Whether any column of ``features`` (n, f) resembles itself a few rows on, beyond chance.

    The portmanteau statistic of Ljung & Box over ten lags, at a level shared by the columns. Its distribution is that of
    normal scores of independent rows whatever the distribution of the values.

    References:
        Ljung & Box, 1978, 'On a measure of lack of fit in time series models' (doi 10.1093/biomet/65.2.297).

    >>> rng = np.random.default_rng(0)
    >>> is_serial(rng.normal(size=(500, 1))), is_serial(rng.normal(size=(500, 1)).cumsum(0))
    (False, True)
    """
    from scipy.special import chdtri  # the inverse of the chi-square's upper tail

    n, count = features.shape
    lags = min(LAGS, n // 5)
    if not count or not lags:
        return False
    r = autocorrelations(features, lags)[1:]
    statistic = n * (n + 2) * (r**2 / (n - np.arange(1, lags + 1))[:, None]).sum(0)
    return bool(statistic.max() > chdtri(lags, LEVEL / count))


def drifts(features: np.ndarray) -> bool:
    """Whether a line in time explains more of any column of ``features`` (n, f), in the order of time, than chance does.

    Chance is judged by how long the column remembers besides the line. Where fewer than twenty independent rows are left,
    nobody can tell a line from a long memory.

    >>> rng = np.random.default_rng(0)
    >>> drifts(rng.normal(size=(500, 1))), drifts(rng.normal(size=(500, 1)) + np.linspace(0, 3, 500)[:, None])
    (False, True)
    """
    from scipy.special import chdtri

    n, count = features.shape
    if n < DRIFT_ROWS or not count:
        return False
    time = np.linspace(-1, 1, n)[:, None]
    centred = features - features.mean(0)
    line = time * ((time * centred).sum(0) / (time**2).sum())
    explained = (line**2).sum(0) / np.maximum((centred**2).sum(0), np.finfo(float).tiny)
    acf = autocorrelations(centred - line, max(1, n // 3))
    rows = n / np.array([summed_time(column) for column in acf.T])
    return bool((explained * rows > chdtri(1, DRIFT_LEVEL / count))[rows >= DRIFT_ROWS].any())


def same_season(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether features of two sides, (n, f) and (n, g) in the order of time, repeat with one period or its half.

    >>> time, rng = np.arange(300), np.random.default_rng(0)
    >>> wave, walk = (np.cos(time / 4) + 0.5 * rng.normal(size=300))[:, None], rng.normal(size=(300, 1)).cumsum(0)
    >>> same_season(wave, np.roll(wave, 9)), same_season(wave, walk)
    (True, False)
    """
    return any(min(abs(a - b), abs(a - 2 * b), abs(2 * a - b)) <= 1 for a in _periods(x) for b in _periods(y))


def _periods(features: np.ndarray) -> list[int]:
    """How many periods of a season each column of ``features`` (n, f) that has one goes through."""
    strength = np.abs(np.fft.rfft(features - features.mean(0), axis=0)) ** 2
    found = []
    for power in strength.T:
        best = int(power.argmax())
        line = power[max(best - 1, 0) : best + 2].sum()
        around = [power[max(best - 8, 0) : max(best - 2, 0)], power[best + 3 : best + 9]]
        if best < SEASON_PERIODS or line < SEASON_SHARE * power.sum():
            continue
        if all(line >= SEASON_LINE * side.mean() for side in around if len(side)):
            found.append(best)
    return found


def serial_sides(x: Variable, y: Variable) -> bool:
    """Whether both sides resemble themselves along the rows, so much that rows cannot be taken for independent.

    A side sorted by its values is no series: the table was ordered by it, and its rows may be independent.
    """
    remembered = memory(x)
    return remembered is not None and remember_each_other(remembered, memory(y))


def memory(side: Variable) -> np.ndarray | None:
    """The autocorrelation of the feature of a side that lasts longest (k,); None if the side is no series."""
    if is_sorted(side):
        return None
    features = serial_features(side)
    return slowest_autocorrelation(features) if is_serial(features) else None


def remember_each_other(x: np.ndarray | None, y: np.ndarray | None) -> bool:
    """Whether two sides of these memories share so much by chance that rows cannot be taken for independent."""
    if x is None or y is None:
        return False
    lags = min(len(x), len(y))
    return summed_time(x[:lags] * y[:lags]) > LEAST_TIME


def is_sorted(side: Variable) -> bool:
    """Whether the side is one column whose values only rise, only fall, or come level by level."""
    if side.is_label:
        codes = side.discrete[:, 0]
        return int((codes[1:] != codes[:-1]).sum()) == len(np.unique(codes)) - 1
    if side.n_continuous != 1 or side.n_discrete:
        return False
    values = side.flat[:, 0]
    before, after = values[:-1], values[1:]  # whose difference could overflow
    return bool((before <= after).all() or (before >= after).all())


def joint_autocorrelations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Autocorrelation of the product of independent features, of each side the slowest one: lags 0 to n / 3, shape (k,).

    What two series seem to share by chance has this autocorrelation, and no more rows count than its sum leaves.
    """
    return slowest_autocorrelation(x) * slowest_autocorrelation(y)


def slowest_autocorrelation(features: np.ndarray) -> np.ndarray:
    """The autocorrelation of the feature (n, f) that resembles itself longest: lags 0 to n / 3, shape (k,)."""
    if not features.shape[1]:
        return np.ones(1)
    r = autocorrelations(features, max(1, len(features) // 3))
    times = np.array([summed_time(column**2) for column in r.T])
    return r[:, times.argmax()]


def summed_time(r: np.ndarray) -> float:
    """``1 + 2 sum r_k`` over the lags before what remains is noise: rows that tell as much as one independent row.

    The window ends at the first lag of six times the sum so far. Never below 1.

    References:
        Sokal, 1997, 'Monte Carlo methods in statistical mechanics', section 3, for the window.

    >>> round(summed_time(0.9 ** np.arange(500)))  # (1 + .9) / (1 - .9)
    19
    """
    sums = 2 * np.cumsum(r) - 1
    ends = np.flatnonzero(np.arange(len(r)) >= 6 * np.maximum(sums, 1.0))
    return max(1.0, float(sums[ends[0] if len(ends) else -1]))

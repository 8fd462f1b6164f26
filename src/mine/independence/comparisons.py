"""The statistic of the test without a third variable: many comparisons of two views, and their combination.

All comparisons are computed for every permutation, and it is their combination that is permuted: the p-value is exact whatever
the views, the weights and the rule of combination, as long as they treat the true order and the others alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.special import gammaincc

from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles
from mine.data.variable import Variable
from mine.independence.neighbour_graph import nearest_rows
from mine.independence.views import FINE, FINEST, LINEAR, RADIUS, SMOOTH, SQUARES, Views, principal
from mine.progress import Callback, reported

__all__ = ["NEAREST", "WEIGHTS", "combined", "compared", "strongest_comparison"]

NEAREST = "nearest rows"
#: Weight of each comparison (view of x, view of y), and of the same with x and y exchanged. What one gains by its weight the
#: others lose: chosen on 40 data sets of each of hyppo's simulations, so that none is far below the best of three other tests.
WEIGHTS: dict[tuple[str, str], float] = {
    (LINEAR, LINEAR): 10.0,
    (LINEAR, RADIUS): 0.5,
    (LINEAR, SQUARES): 0.5,
    (RADIUS, RADIUS): 1.0,
    (RADIUS, SQUARES): 0.5,
    (SQUARES, SQUARES): 1.0,
    (SMOOTH, SMOOTH): 2.0,
    (FINE, FINE): 1.5,
    (FINEST, LINEAR): 0.5,
    (FINEST, RADIUS): 0.25,
    (NEAREST, LINEAR): 2.0,
    (NEAREST, RADIUS): 1.0,
}
WEIGHTS |= {(y, x): weight for (x, y), weight in WEIGHTS.items()}
#: Linear features that local views are compared with.
FEW_LINEAR = 8
#: Numbers moved at a time, and row numbers drawn at a time.
CHUNK, BATCH = 1 << 22, 1 << 21
#: Permutations after which a test may stop, and the p-value above which it does.
FIRST, SURELY_LARGE = 99, 0.2

Statistics = dict[tuple[str, str], np.ndarray]


def strongest_comparison(
    x: Variable,
    y: Variable,
    shuffles: Shuffles | TimeShifts,
    n_permutations: int,
    seeds: Sequence[int],
    *,
    stop_early: bool = False,
    on_progress: Callback | None = None,
) -> tuple[np.ndarray, str]:
    """The combination of all comparisons, the true order first, shape (1 + m,), and the name of the largest.

    m is ``n_permutations``, or with ``stop_early`` the first ``FIRST`` of them if their p-value is above ``SURELY_LARGE``. The
    test stays exact: a p-value of at most alpha is, for an alpha of ``SURELY_LARGE`` or less, one of all permutations; for a
    larger alpha, the first permutations gave at most alpha already.

    Arguments:
        x: Rows of the first side in the order of ``shuffles.rows``.
        y: Rows of the second side.
        shuffles: Which rows of y may take each other's place.
        n_permutations: Most permutations after the true order.
        seeds: Of the views and of the permutations.
        stop_early: Whether the first permutations may do.
        on_progress: Called with (done, total, message) as permutations are compared.
    """
    rng = np.random.default_rng(seeds[0])

    batches = shuffles.draw(n_permutations, seeds[1], min(BATCH, FIRST * len(x)))
    draws = reported(batches, n_permutations, "permutations", on_progress)
    first = np.concatenate([np.arange(len(x))[None], next(draws)])
    compared_so_far = compared_batches(Views.of(x, rng), Views.of(y, rng), shuffles.units, chain([first], draws), rng)
    parts = [next(compared_so_far)]
    if stop_early and len(first) > FIRST:
        values, name = _strongest(parts)
        if (values >= values[0]).mean() > SURELY_LARGE:
            return values, name
    return _strongest([*parts, *compared_so_far])


def _strongest(parts: list[Statistics]) -> tuple[np.ndarray, str]:
    """The combination of all comparisons of some batches, and the name of the largest."""
    found = _joined(parts)
    weights = np.array([WEIGHTS[pair] for pair in found])
    values, largest = combined(np.stack(list(found.values()), 1), weights)
    return values, "x: {}, y: {}".format(*list(found)[largest])


def _joined(parts: list[Statistics]) -> Statistics:
    return {pair: np.concatenate([part[pair] for part in parts]) for pair in parts[0]}


def compared(x: Views, y: Views, units: np.ndarray, permutations: Iterable[np.ndarray], rng: np.random.Generator) -> Statistics:
    """:func:`compared_batches` of all batches together: each statistic has shape (sum of b,)."""
    return _joined(list(compared_batches(x, y, units, permutations, rng)))


def compared_batches(
    x: Views, y: Views, units: np.ndarray, permutations: Iterable[np.ndarray], rng: np.random.Generator
) -> Iterator[Statistics]:
    """The statistic of every comparison for each batch of permutations, each of shape (b,).

    Arguments:
        x: Views of the first side, n rows.
        y: Views of the second.
        units: Unit of each row, shape (n,).
        permutations: Batches (b, n): place i gets the row of y that stands at ``batch[:, i]``.
        rng: For the neighbour graphs.
    """
    sides = (x.features, y.features)
    coarse = [_coarse(side) for side in sides]
    graphs = [None if side.places is None else nearest_rows(side.places, units, rng) for side in (x, y)]
    blocks: list[tuple[str, ...]] = [(LINEAR, RADIUS, SQUARES)]
    if graphs != [None, None]:  # two labels look the same at every scale
        blocks += [(SMOOTH,), (FINE,)]
    for batch in permutations:
        orders = torch.as_tensor(batch)
        where = torch.arange(orders.shape[1]).expand_as(orders)
        places = torch.empty_like(orders).scatter_(1, orders, where)  # where each row of y went: to move x instead
        found: Statistics = {}
        for names in blocks:
            found |= _covariances(_chosen(sides[0], names), _chosen(sides[1], names), orders)
        found |= _covariances(_chosen(sides[0], (FINEST,)), coarse[1], orders)
        found |= _transposed(_covariances(_chosen(sides[1], (FINEST,)), coarse[0], places))
        if graphs[0] is not None:
            found |= _along_edges(graphs[0], coarse[1], orders)
        if graphs[1] is not None:
            found |= _transposed(_along_edges(graphs[1], coarse[0], places))
        yield found


def _chosen(features: dict[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    return {name: features[name] for name in names if name in features}


def _coarse(features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {LINEAR: principal(features[LINEAR], FEW_LINEAR, 1.0), **_chosen(features, (RADIUS,))}


def _transposed(statistics: Statistics) -> Statistics:
    return {(b, a): values for (a, b), values in statistics.items()}


def _covariances(fixed: dict[str, np.ndarray], moved: dict[str, np.ndarray], orders: torch.Tensor) -> Statistics:
    """``n |C|^2`` of each fixed view with each moved one, their cross-covariances C, for every order (b, n)."""
    if not fixed or not moved:
        return {}
    left, of_left = _stacked(fixed)
    right, of_right = _stacked(moved)
    n, p = right.shape
    left = left.T.contiguous()
    out = []
    for part in orders.split(max(1, CHUNK // (n * p))):
        # One product for many orders: (fixed features, n) @ (n, orders * moved features).
        products = (left @ right[part.T].reshape(n, -1)).square_().reshape(len(left), len(part), p)
        out.append((of_left.T @ products.flatten(1)).reshape(-1, len(part), p).transpose(0, 1) @ of_right)
    values = (torch.cat(out) / n).double().numpy()
    return {(a, b): values[:, i, j] for i, a in enumerate(fixed) for j, b in enumerate(moved)}


def _along_edges(graph: csr_array, moved: dict[str, np.ndarray], orders: torch.Tensor) -> Statistics:
    """Sum of the products of the moved features of neighbours, for every order (b, n)."""
    right, of_right = _stacked(moved)
    n, p = right.shape
    out = []
    for part in orders.split(max(1, CHUNK // (n * p))):
        values = right[part.T].reshape(n, -1).numpy()
        sums = (values * (graph @ values)).sum(0).reshape(len(part), p)
        out.append(sums @ of_right.numpy())
    found = np.concatenate(out).astype(np.float64) / n
    return {(NEAREST, name): found[:, j] for j, name in enumerate(moved)}


def _stacked(views: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Features side by side, shape (n, p), and which view each belongs to, shape (p, views)."""
    widths = [values.shape[1] for values in views.values()]
    view = np.repeat(np.arange(len(views)), widths)
    return torch.as_tensor(np.concatenate(list(views.values()), 1)), torch.as_tensor(np.eye(len(views), dtype=np.float32)[view])


def combined(statistics: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, int]:
    """One number per permutation, large where any comparison is surprisingly large; and the first one's largest comparison.

    Each comparison's statistics (m,) become tail probabilities of the Pearson III law of their mean, variance and skewness,
    which is near the law of a weighted sum of squares. The inverses of the probabilities are averaged (Wilson, 2019, 'The
    harmonic mean p-value'). The laws are fitted to all permutations alike, the true order among them: the test stays exact.

    Arguments:
        statistics: Shape (m, comparisons), the true order first.
        weights: Of the comparisons.

    Returns:
        The combination, shape (m,), and the number of the comparison that contributes most to its first entry.
    """
    mean, spread = statistics.mean(0), statistics.std(0)
    moving = spread > 1e-6 * np.abs(mean)
    if not moving.any():
        return np.zeros(len(statistics)), 0
    # Permutations that change nothing give sums that differ by rounding: they must stay equal.
    z = ((statistics[:, moving] - mean[moving]) / spread[moving]).round(4)
    skewness = (z**3).mean(0).clip(0.1, 2.8)
    shape = 4 / skewness**2
    tail = gammaincc(shape, (shape + np.sqrt(shape) * z).clip(0))
    terms = weights[moving] / tail.clip(1e-300)
    return np.log(terms.sum(1) / weights[moving].sum()), int(np.flatnonzero(moving)[terms[0].argmax()])

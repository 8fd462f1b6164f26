"""Strong dependence, by what is left of y once x is known: beyond what shuffled pairs can resolve.

For any function f of x alone, with e = y - f(x),

    I(x; y) = h(y) - h(e) + I(x; e)

exactly. And for any matrix S(x) of x alone, with e = S(x)^-1 (y - f(x)),

    I(x; y) = h(y) - h(e) - E log |S(x)| + I(x; e).

Entropies of few coordinates come from nearest neighbours and need joint rows only, and I(x; e) is small enough for
a critic. The better f, the more of the information is in the difference of entropies.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy.special import digamma, gammaln, ndtr

from mine.data.preprocessing import RobustLogScaler
from mine.data.splits import Fold
from mine.estimators.local_scale import scaled_by_neighbours
from mine.estimators.nearest import Nearest

__all__ = ["MOST_COLUMNS", "Residual", "best_residual", "entropy_rows", "fit_neighbors"]

#: Nearest-neighbour entropies are trusted up to so many coordinates.
MOST_COLUMNS = 6
#: Neighbours behind a local linear fit, besides one a coefficient; and the fewest behind an entropy.
FIT_NEIGHBORS, ENTROPY_NEIGHBORS = 24, 4
#: Rows from which an entropy takes more, as the root of their number: at 10,000 rows ten err half as much as four by chance,
#: and hardly more by reaching farther.
ENTROPY_ROWS = 1600
#: Quantiles behind a smooth map to normal scores, and behind one that follows bends as sharp as that of a cube at 0.
SCORE_KNOTS, FINE_KNOTS = 29, 225
#: Fall (nats) of what is explained, from half of the rows to all, that is no sign of a thin curve.
LARGEST_FALL = 0.05
#: Standard errors by which a finer map must explain more.
SURELY = 2.0
#: Share of a side's rows that must differ in each coordinate: ties have no density.
DISTINCT = 0.99
#: Variance along a direction, as a share of the largest, below which rows lie in a plane: they have no density either.
FLAT = 1e-12
#: Rows per coordinate of a target, from two coordinates on, below which its entropy is not trusted.
ROWS_A_COORDINATE = 60

#: (predictor, target) -> maps of both, each with its name.
Spaces: TypeAlias = Callable[[np.ndarray, np.ndarray], list[tuple[str, np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Residual:
    """What was found in one space: the residual and what it tells.

    Attributes:
        explained: ``h(y) - h(e)`` in nats.
        rows: Its contributions, shape (n,); their mean is ``explained`` and their spread its sampling error.
        e: Residual of each row under a fit that never saw it, shape (n, d), whitened, all rows alike or each by its neighbours.
        swapped: Whether x was explained by y rather than y by x.
        name: How it was fitted.
        fall: By how many nats half of the rows explain more than all. Positive if neighbours do not resolve the target.
        other_way: The most that is explained of the other side, in nats; None if nothing was tried.
    """

    explained: float
    rows: np.ndarray
    e: np.ndarray
    swapped: bool
    name: str
    fall: float = 0.0
    other_way: float | None = None


def best_residual(x: np.ndarray, y: np.ndarray, folds: list[Fold]) -> Residual | None:
    """The residual that explains most, over spaces, directions and fits; None where no side is continuous and narrow.

    ``h(y) - h(e)`` is never above I(x; y), up to the error of the entropies: the largest is the best. Entropies by neighbours
    are too large for nearly collinear columns, so that both are those of whitened rows, and for rows on a thin curve: what
    explains less with more rows is passed over. The fits see training rows only. Finer maps, which err more, only replace
    plain ones that surely explain less.
    """
    plain = _best_in(x, y, folds, _spaces)
    fine = _best_in(x, y, folds, _fine_spaces)
    if plain is None or fine is None:
        return plain or fine
    gain = fine.rows - plain.rows
    return fine if gain.mean() > SURELY * gain.std() / math.sqrt(len(gain)) else plain


def _best_in(x: np.ndarray, y: np.ndarray, folds: list[Fold], spaces: Spaces) -> Residual | None:
    """The residual that explains most in these spaces, over directions and fits."""
    candidates: list[_Candidate] = []
    for swapped, (predictor, target) in ((False, (x, y)), (True, (y, x))):
        most = min(MOST_COLUMNS, predictor.shape[1] if swapped else MOST_COLUMNS)
        if not _has_density(target) or target.shape[1] > most or not _enough_rows(*target.shape):
            continue
        for space, u, v in spaces(predictor, target):
            white, volume = _whitened(v)
            if white is None:
                continue
            before = entropy_rows(white)
            if not np.isfinite(before).all():  # neighbours at distance 0: values that repeat have no density
                continue
            fits = [("linear", _linear)]
            if predictor.shape[1] <= MOST_COLUMNS:
                fits.append(("local linear", _local_linear))
            for name, fit in fits:
                e = np.empty_like(v)
                for fold in folds:
                    e[fold.evaluation] = v[fold.evaluation] - fit(u[fold.train], v[fold.train], u[fold.evaluation])
                whitened, log_volume = _whitened(e)
                if whitened is None:
                    continue
                after = entropy_rows(whitened)
                if np.isfinite(after).all():
                    rows = before + volume - after - log_volume
                    residual = Residual(float(rows.mean()), rows, whitened, swapped, f"{name} fit of {space}")
                    candidates.append(_Candidate(residual, u, white, before - after))
    candidates.sort(key=lambda candidate: -candidate.residual.explained)
    candidates = [scaled for candidate in _best_each_way(candidates) if (scaled := _scaled(candidate, folds))] + candidates
    candidates.sort(key=lambda candidate: -candidate.residual.explained)
    for candidate in candidates:
        residual = candidate.residual
        fall, falls = _fall(candidate.white, residual.e, candidate.difference)
        if not falls:
            others = (other.residual.explained for other in candidates if other.residual.swapped != residual.swapped)
            return replace(residual, fall=fall, other_way=next(others, None))
    return None


@dataclass(frozen=True)
class _Candidate:
    """A residual, the predictor (n, p) in its space, the whitened target, and the difference of their entropies by row."""

    residual: Residual
    predictor: np.ndarray
    white: np.ndarray
    difference: np.ndarray


def _best_each_way(candidates: list[_Candidate]) -> list[_Candidate]:
    """The first of those that explain y, and of those that explain x."""
    return list({candidate.residual.swapped: candidate for candidate in reversed(candidates)}.values())


def _scaled(candidate: _Candidate, folds: list[Fold]) -> _Candidate | None:
    """``candidate`` with residuals in units of the noise around each row; None if that does not surely explain more."""
    residual = candidate.residual
    scaled = scaled_by_neighbours(candidate.predictor, residual.e, folds)
    if scaled is None:
        return None
    e, log_volume = _whitened(scaled[0])
    if e is None or not np.isfinite(after := entropy_rows(e)).all():
        return None
    before = residual.rows + entropy_rows(residual.e)
    rows = before - after - log_volume - scaled[1]
    gain = rows - residual.rows
    if gain.mean() <= SURELY * gain.std() / math.sqrt(len(gain)):
        return None
    target = candidate.difference + entropy_rows(residual.e)
    found = replace(residual, explained=float(rows.mean()), rows=rows, e=e, name=f"{residual.name}, in units of local noise")
    return replace(candidate, residual=found, difference=target - after)


def _enough_rows(n: int, d: int) -> bool:
    return d == 1 or n >= ROWS_A_COORDINATE * d


def _fall(target: np.ndarray, residual: np.ndarray, difference: np.ndarray) -> tuple[float, bool]:
    """By how many nats half of the rows explain more than all, and whether by more than chance.

    The target's entropy is then too large.

    Neighbours do not see that rows lie on a curve thinner than their distance. More rows come nearer to it, and their entropy
    falls, by log(2) for each dimension that is missing when the number of rows doubles.

    Arguments:
        target: Shape (n, d).
        residual: Shape (n, d).
        difference: Entropy contributions of ``target`` less those of ``residual``, shape (n,).
    """
    half = np.random.default_rng(0).permutation(len(target))[: len(target) // 2]
    fall = entropy_rows(target[half]) - entropy_rows(residual[half]) - difference[half]
    return float(fall.mean()), bool(fall.mean() > LARGEST_FALL + 3 * fall.std() / math.sqrt(len(half)))


def entropy_rows(values: np.ndarray) -> np.ndarray:
    """Contributions of the rows of ``values`` (n, d) to their differential entropy in nats, shape (n,).

    It takes four neighbours up to 1,600 rows, then a tenth of the square root of the number of rows.

    Arguments:
        values: Shape (n, d), without ties.

    References:
        Kozachenko and Leonenko, 1987; in the form of Kraskov et al., 2004 (arXiv cond-mat/0305641), eq. 20.

    >>> values, truth = np.random.default_rng(0).normal(size=(20_000, 1)), 0.5 * np.log(2 * np.pi * np.e)
    >>> bool(abs(entropy_rows(values).mean() - truth) < 0.01)
    True
    """
    n_neighbors = round(ENTROPY_NEIGHBORS * max(1.0, len(values) / ENTROPY_ROWS) ** 0.5)
    joint = _neighbor_rows(values, n_neighbors)
    if values.shape[1] == 1:
        return joint
    # Entropy is at most the sum over coordinates, which one dimension tells well: balls of many reach beyond sharp edges.
    apart = np.sum([_neighbor_rows(column[:, None], n_neighbors) for column in values.T], 0)
    return apart if apart.mean() < joint.mean() else joint


def _neighbor_rows(values: np.ndarray, n_neighbors: int) -> np.ndarray:
    n, d = values.shape
    distance = Nearest(values).reach(n_neighbors)
    log_ball = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
    with np.errstate(divide="ignore"):
        return digamma(n) - digamma(n_neighbors) + log_ball + d * np.log(distance)


def _has_density(values: np.ndarray) -> bool:
    return bool(values.shape[1]) and all(len(np.unique(column)) >= DISTINCT * len(column) for column in values.T)


def _spaces(predictor: np.ndarray, target: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Invertible maps of both sides, coordinate by coordinate: noise may be even in one of them and not in another."""

    def scaled(values: np.ndarray) -> np.ndarray:
        return RobustLogScaler().fit_transform(values)

    def logs(values: np.ndarray) -> np.ndarray:
        return scaled(np.where((values > 0).all(0), np.log(np.abs(values) + (values == 0)), values))

    spaces = [
        ("smooth normal scores", _smooth_scores(predictor), _smooth_scores(target)),
        ("scaled values", scaled(predictor), scaled(target)),
    ]
    if (target > 0).all(0).any() or (predictor > 0).all(0).any():
        spaces.append(("logarithms", logs(predictor), logs(target)))
    return spaces


def _fine_spaces(predictor: np.ndarray, target: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    return [("fine normal scores", _smooth_scores(predictor, FINE_KNOTS), _smooth_scores(target, FINE_KNOTS))]


def _smooth_scores(values: np.ndarray, n_knots: int = SCORE_KNOTS) -> np.ndarray:
    """Normal scores of each column by a smooth monotone curve through a few quantiles, straight beyond the outermost.

    Ranks would not do: they lie on a lattice, and the distances that entropies are made of would be those of the lattice.
    """
    from scipy.interpolate import PchipInterpolator

    knots = np.linspace(-2.8, 2.8, n_knots)
    out = np.empty(values.shape)
    for j, column in enumerate(RobustLogScaler().fit_transform(values).T):
        at = np.quantile(column, ndtr(knots))
        distinct = np.concatenate([[True], np.diff(at) > 1e-12 * (at[-1] - at[0])])
        if distinct.sum() < 4:
            out[:, j] = column
            continue
        at, scores = at[distinct], knots[distinct]
        curve = PchipInterpolator(at, scores)
        inside = column.clip(at[0], at[-1])
        slopes = (scores[1] - scores[0]) / (at[1] - at[0]), (scores[-1] - scores[-2]) / (at[-1] - at[-2])
        out[:, j] = curve(inside) + np.where(column < at[0], slopes[0], slopes[1]) * (column - inside)
    return out


def _linear(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    mean_x, mean_y = x.mean(0), y.mean(0)
    slope = np.linalg.lstsq(x - mean_x, y - mean_y, rcond=None)[0]
    return mean_y + (new - mean_x) @ slope


def fit_neighbors(columns: int) -> int:
    """How many rows a local fit in so many columns is made to."""
    return FIT_NEIGHBORS + 4 * columns


def _local_linear(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Weighted linear fits to the training rows nearest to each new one, evaluated there, shape (m, dy)."""
    d = x.shape[1]
    k = min(len(x), fit_neighbors(d))
    tree = Nearest(x)
    out = np.empty((len(new), y.shape[1]))
    for start in range(0, len(new), 4096):
        part = slice(start, start + 4096)
        distance, index = tree.query(new[part], k)
        reach = np.maximum(distance.max(1, keepdims=True), 1e-300)
        weight = (1 - (distance / reach) ** 3).clip(1e-3) ** 3  # tricube, as in loess
        design = np.concatenate([np.ones((*index.shape, 1)), (x[index] - new[part, None]) / reach[..., None]], -1)
        weighted = design * weight[..., None]
        gram = np.swapaxes(weighted, 1, 2) @ design + 1e-8 * np.eye(d + 1)
        out[part] = np.linalg.solve(gram, np.swapaxes(weighted, 1, 2) @ y[index])[:, 0]
    return out


def _whitened(e: np.ndarray) -> tuple[np.ndarray | None, float]:
    """``e`` with unit covariance, turned as little as possible, and the log of the volume that was divided out.

    None if it lies in a plane of fewer dimensions, up to rounding.
    """
    # A few wild residuals must not set the scale: each coordinate by its quartiles first.
    low, middle, high = np.quantile(e, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / 1.349
    if not (scale > 1e-300).all() or not np.isfinite(e).all():
        return None, 0.0
    e = (e - middle) / scale
    values, vectors = np.linalg.eigh(np.cov(e.clip(-5, 5).T).reshape(e.shape[1], -1))
    if not values[0] > FLAT * values[-1]:
        return None, 0.0
    return e @ ((vectors * values**-0.5) @ vectors.T), float(np.log(scale).sum() + 0.5 * np.log(values).sum())

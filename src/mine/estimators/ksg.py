"""Kraskov's k-nearest-neighbour estimator, on scipy's KDTree and, in many dimensions, on all distances."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from scipy.special import digamma

from mine.data.problem import Problem, clustered_stderr
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators.gaussian import copula_information
from mine.estimators.neighbours import disjoint_parts, drift_warnings, prepared, spread, without_copies
from mine.estimators.ties import check_neighbours, most_told, tied_column
from mine.result import Estimate

__all__ = ["FAR_NEIGHBOURS", "KSG", "conditional_ksg", "conditional_ksg_rows", "count_closer", "ksg", "neighbours_are_far"]

#: Columns from which a tree finds neighbours no faster than all distances do.
WIDE = 24
#: Counting all rows in a ball costs a tree more: up to this number of rows a dimension above two, all distances are faster.
EACH_DIMENSION = 5000
#: Distances held at a time.
AT_A_TIME = 1 << 22
#: Share of the median distance between any two rows from which a neighbour is no neighbour, and rows that are asked.
FAR, FAR_ROWS = 0.5, 200
#: Nats below the most that k neighbours can resolve from which on the value hardly rises with the information: normal pairs of
#: 60 to 2,000 rows lack .9 nats there, and .4 at a margin of .8, which the halves of the rows show.
CEILING_MARGIN = 0.42
#: What is said where neighbours are far.
FAR_NEIGHBOURS = (
    "In so many columns a row's nearest neighbours are hardly nearer than any other row: KSG reads low, by an unknown amount, "
    "and the interval has no upper end. Use method 'auto'."
)


def ksg(x: np.ndarray, y: np.ndarray, n_neighbors: int = 3) -> float:
    r"""Kraskov's first estimator: ``psi(k) + psi(n) - < psi(n_x + 1) + psi(n_y + 1) >`` in nats.

    ``n_x`` counts the other rows whose x lies strictly closer (maximum norm) than the k-th neighbour in the joint space.
    Ties must be broken beforehand, as :class:`KSG` does.

    References:
        Kraskov, Stoegbauer & Grassberger, 2004 (arXiv cond-mat/0305641), eq. 8.

    Arguments:
        x: Rows of shape (n, dx).
        y: Rows of shape (n, dy).
        n_neighbors: k, from 1 to n - 1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(2000, 1)); y = 0.8 * x + 0.6 * rng.normal(size=(2000, 1))
        >>> round(ksg(x, y), 1)
        0.5
    """
    return float(ksg_rows(x, y, n_neighbors).mean())


def ksg_rows(x: np.ndarray, y: np.ndarray, n_neighbors: int = 3) -> np.ndarray:
    """What each row contributes to :func:`ksg`, shape (n,)."""
    distance = kth_distance(np.concatenate([x, y], 1), n_neighbors)
    counts = [count_closer(side, distance) for side in (x, y)]
    return digamma(n_neighbors) + digamma(len(x)) - digamma(counts[0]) - digamma(counts[1])


def conditional_ksg(x: np.ndarray, y: np.ndarray, z: np.ndarray, n_neighbors: int = 3) -> float:
    r"""Frenzel and Pompe's estimator: ``psi(k) - < psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1) >`` in nats.

    ``n_xz``, ``n_yz`` and ``n_z`` count the other rows that are strictly closer (maximum norm) in these coordinates than the
    k-th neighbour in the joint space, which is searched for once. Ties must be broken beforehand.

    References:
        Frenzel & Pompe, 2007, 'Partial mutual information for coupling analysis of multivariate time series' (Physical Review
        Letters 99, 204101), eq. 8.

    Arguments:
        x: Rows of shape (n, dx).
        y: Rows of shape (n, dy).
        z: Rows of shape (n, dz).
        n_neighbors: k, from 1 to n - 1.

    Example:
        >>> x, y, z = np.random.default_rng(0).normal(size=(3, 2000, 1))
        >>> abs(round(conditional_ksg(x, y, z), 1)), round(conditional_ksg(x, 0.75 * x + y, z), 1)  # log(1 + 0.75^2) / 2 = 0.22
        (0.0, 0.2)
    """
    return float(conditional_ksg_rows(x, y, z, n_neighbors).mean())


def conditional_ksg_rows(x: np.ndarray, y: np.ndarray, z: np.ndarray, n_neighbors: int = 3) -> np.ndarray:
    """The contribution of each row to :func:`conditional_ksg`, shape (n,)."""
    distance = kth_distance(np.concatenate([x, y, z], 1), n_neighbors)
    spaces = (np.concatenate([x, z], 1), np.concatenate([y, z], 1), z)
    of_x, of_y, alone = (digamma(count_closer(space, distance)) for space in spaces)
    return digamma(n_neighbors) - (of_x + of_y - alone)


def kth_distance(values: np.ndarray, k: int) -> np.ndarray:
    """Distance (maximum norm) of each row of ``values`` (n, d) to its k-th neighbour, shape (n,)."""
    if values.shape[1] < WIDE:
        return KDTree(values).query(values, k + 1, p=np.inf)[0][:, -1]
    return np.concatenate([np.partition(distance, k, 1)[:, k] for _, distance in _all_distances(values)])


def count_closer(side: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Rows strictly closer than ``distance`` to each row, itself included, shape (n,)."""
    if len(side) <= EACH_DIMENSION * (side.shape[1] - 2):
        closer = [(near < distance[rows, None]).sum(1) for rows, near in _all_distances(side)]
        return np.maximum(np.concatenate(closer), 1)  # none at distance 0
    if side.shape[1] > 1:
        radius = np.nextafter(distance, -1)  # none at distance 0
        return np.maximum(KDTree(side).query_ball_point(side, radius, p=np.inf, return_length=True), 1)

    values = side[:, 0]  # sorting beats a tree in one dimension
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values - distance, side="left")
    high = np.searchsorted(ordered, values + distance, side="right")
    # The k-th neighbour lies on one of these edges, and the rounding of value + distance would often let it in. The
    # distance was a rounded difference: only a difference can be compared with it.
    while (out := (high > 0) & (ordered[high - 1] - values >= distance)).any():
        high[out] = np.searchsorted(ordered, ordered[high[out] - 1], side="left")
    last = len(values) - 1
    while (out := (low <= last) & (values - ordered[np.minimum(low, last)] >= distance)).any():
        low[out] = np.searchsorted(ordered, ordered[low[out]], side="right")
    return np.maximum(high - low, 1)


def neighbours_are_far(joint: np.ndarray, n_neighbors: int) -> bool:
    """Whether rows (n, d) have no near neighbours: the k-th is half as far from most of them as any other row, or farther.

    Columns of independent normals do so from about 10 on at 1,000 rows; KSG then finds less than half of what there is.

    >>> rng = np.random.default_rng(0)
    >>> neighbours_are_far(rng.normal(size=(500, 2)), 3), neighbours_are_far(rng.normal(size=(500, 50)), 3)
    (False, True)
    """
    some = joint[:: max(1, len(joint) // FAR_ROWS)]
    distances = cdist(some, joint, "chebyshev")
    nearest = np.partition(distances, n_neighbors, 1)[:, n_neighbors]  # the row itself comes first
    return bool(np.median(nearest) > FAR * np.median(distances))


def _all_distances(values: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some of the rows after the other, and their distances (maximum norm) to all rows."""
    rows = max(1, AT_A_TIME // len(values))
    for start in range(0, len(values), rows):
        part = slice(start, start + rows)
        yield part, cdist(values[part], values, "chebyshev")


@dataclass(frozen=True)
class KSG:
    """Estimator ``"ksg"``: Kraskov 1 in any dimension; no training, no lower bound.

    Attributes:
        n_neighbors: The k of the estimator; smaller has less bias, larger less variance.
        preprocess: ``"robust"`` scales each coordinate, ``"rank"`` takes normal scores, None keeps the numbers.
    """

    n_neighbors: int = 3
    preprocess: str | None = "robust"
    name: str = "ksg"
    numeric_only = True

    def run(self, problem: Problem) -> Estimate:
        check_neighbours(problem, self.name)
        whole = problem
        problem = without_copies(problem)
        k, n = self.n_neighbors, problem.n
        self.check(n, whole.n)
        rng = np.random.default_rng(problem.seed)
        sides = [prepared(v.flat, self.preprocess, rng) for v in (problem.x, problem.y)]
        rows = ksg_rows(sides[0], sides[1], k)
        value = float(rows.mean())

        part_of, n_parts, n_units = disjoint_parts(n, problem.groups, 8 * k + 8, rng)
        if np.bincount(part_of, minlength=n_parts).min() <= k:
            raise NotEnoughDataError(
                f"{n_units} distinct group(s) cannot be dealt into {n_parts} parts of more than {k} rows, which the standard "
                "error needs: use more or smaller groups."
            )
        parts = [self._on(sides, part_of == p, k) for p in range(n_parts)]
        halves = [self._on(sides, (part_of % 2) == h, k) for h in (0, 1)]
        stderr, drift, half_width = spread(value, clustered_stderr(rows, problem.groups), parts, halves)
        diagnostics: dict[str, Any] = {
            "n_neighbors": k,
            "drift_from_half_the_rows": drift,
            "warnings": drift_warnings(drift, stderr),
        }
        low, high = value - half_width, value + half_width
        # Neighbours tell tied rows apart; a copula fitted to ties errs upwards, and is no witness.
        tied = tied_column(problem.x, problem.y) is not None
        reference = None if tied else copula_information(problem.x.flat, problem.y.flat)
        if reference is not None and reference > most_told(problem):
            reference = None
        diagnostics["copula_nats"] = reference
        if reference is not None and reference > high:  # neighbours are far apart in many dimensions, and KSG reads low
            high = reference + half_width
            diagnostics["warnings"].append(
                f"KSG misses dependence here: a Gaussian copula alone gives {reference:.2f} nats. Use method 'auto'."
            )
        ceiling = float(digamma(n) - digamma(k + 1))  # none but nearer neighbours nearer in x or in y
        diagnostics["saturated"] = value > ceiling - CEILING_MARGIN
        if diagnostics["saturated"]:
            high = math.inf
            diagnostics["warnings"].insert(
                0,
                f"Saturated: {k} neighbours among {n:,} rows resolve at most {ceiling:.1f} nats; the value is a lower end. Use "
                "method 'auto'.",
            )
        if neighbours_are_far(np.concatenate(sides, 1), k):
            high = math.inf
            diagnostics["warnings"].insert(0, FAR_NEIGHBOURS)
        interval = (low, high)
        influence = rows if n == whole.n else None  # without copies these are other rows than the caller's
        return Estimate(value, None, stderr, interval, self.name, n, diagnostics=diagnostics, influence=influence)

    def check(self, n: int, n_before: int) -> None:
        """Whether the options suit ``n`` distinct rows of ``n_before``.

        Raises:
            InputError: Options that cannot be used.
            UnknownNameError: No such ``preprocess``.
            NotEnoughDataError: Too few rows without their copies.
        """
        k = self.n_neighbors
        if not isinstance(k, (int, np.integer)):
            raise InputError(f"n_neighbors must be an integer, got {k!r}.")
        if self.preprocess not in ("rank", "robust", None):
            raise UnknownNameError("preprocess", self.preprocess, ["rank", "robust", "None"])
        if n < n_before and not 1 <= k <= n // 4:
            raise NotEnoughDataError(
                f"Only {n} of {n_before} rows are distinct rows, too few for n_neighbors={k}: lower it, or use method 'auto'."
            )
        if not 1 <= k <= n // 4:
            raise InputError(f"n_neighbors must lie between 1 and n / 4 = {n // 4} for {n} rows, got {k}.")

    @staticmethod
    def _on(sides: list[np.ndarray], rows: np.ndarray, k: int) -> float:
        return ksg(sides[0][rows], sides[1][rows], min(k, int(rows.sum()) - 1))

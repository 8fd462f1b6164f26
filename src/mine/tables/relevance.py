"""The information between sets of columns of a table, and with a target: what features are selected by."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from sklearn.exceptions import DataConversionWarning

from mine.api import estimate
from mine.data.columns import DiscreteSpec, merged_by_float, own_spec
from mine.data.order import read_order
from mine.data.preprocessing import RobustLogScaler
from mine.data.problem import problem_seed
from mine.data.sides import as_variable
from mine.data.sources import named_columns
from mine.errors import InputError
from mine.estimators.counts.choose import information
from mine.estimators.counts.identifier import is_identifier
from mine.estimators.ksg import ksg
from mine.estimators.levels.estimate import few_rows_per_level, levels_information
from mine.estimators.neighbours import jittered
from mine.estimators.rank_neighbours import Scores
from mine.estimators.ross import merge_rare, ross
from mine.estimators.screen import OWN_STREAM, Screen, screened
from mine.tables.orphans import end_with, workers

__all__ = ["Feature", "Scorer"]

#: Above so many columns neighbours are far apart, and a critic is trained instead.
NEIGHBOUR_COLUMNS = 5


@dataclass(frozen=True)
class Feature:
    """A column: ``values`` (n,) scaled numbers or None for text, ``codes`` (n,) from 0 where it is labels or None.

    The values hold a tiny noise that tells ties apart for neighbours; ``tied`` are those without it, for other methods.
    """

    values: np.ndarray | None
    codes: np.ndarray | None
    constant: bool = False
    tied: np.ndarray | None = None

    @property
    def identifier(self) -> bool:
        """Whether these labels differ in (nearly) every row, so that nothing can be known of what they say."""
        return self.codes is not None and is_identifier(self.codes)


@dataclass(frozen=True)
class Scorer:
    """Information (nats) between sets of columns, and with the target."""

    features: list[Feature]
    target: Feature
    method: str
    n_neighbors: int
    seed: int
    order: Any = None

    @classmethod
    def of(
        cls,
        X: dict[str, np.ndarray],
        y: Any,
        method: str,
        discrete: DiscreteSpec,
        discrete_target: bool | None,
        n_neighbors: int,
        random_state: Any,
        order: Any = None,
    ) -> Scorer:
        from mine.estimators import get_estimator

        if method != "neighbors":
            get_estimator(method)
        if not isinstance(n_neighbors, (int, np.integer)) or n_neighbors < 1:
            raise InputError(f"n_neighbors must be an integer of 1 or more, got {n_neighbors!r}.")
        target = _target(y)
        seed = problem_seed(random_state)
        rng = np.random.default_rng(seed)
        features = [_feature(values, name, own_spec(name, discrete), rng) for name, values in X.items()]
        n = len(next(iter(X.values())))
        if len(target) != n:
            raise InputError(f"X has {n} rows and y has {len(target)}: inconsistent numbers of samples.")
        if order is not None:
            order = read_order(order, n, None)
        return cls(features, _feature(target, "y", discrete_target, rng), method, n_neighbors, seed, order)

    def relevance(self, blocks: list[tuple[int, ...]], n_jobs: int | None) -> list[float]:
        target = [self.target]
        jobs = [([self.features[j] for j in dict.fromkeys(block)], target) for block in blocks]
        return self._all(jobs, n_jobs)

    def between(self, pairs: list[tuple[tuple[int, ...], tuple[int, ...]]], n_jobs: int | None) -> list[float]:
        return self._all([([self.features[j] for j in a], [self.features[j] for j in b]) for a, b in pairs], n_jobs)

    def _all(self, jobs: list[tuple[list[Feature], list[Feature]]], n_jobs: int | None) -> list[float]:
        values: Any = workers(n_jobs)(
            delayed(_work)(a, b, self.method, self.n_neighbors, self.seed, self.order, os.getpid()) for a, b in jobs
        )
        return [float(value) for value in values]


def _target(y: Any) -> np.ndarray:
    """The one column of y, shape (n,)."""
    columns = list(named_columns(y, "y").values())
    if len(columns) > 1:
        raise InputError(f"y should be a 1d array, one label or number per row; it has {len(columns)} columns.")
    if len(getattr(y, "shape", ())) == 2 and not hasattr(y, "columns"):
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected: pass y.ravel().", DataConversionWarning, stacklevel=4
        )
    return columns[0]


def _feature(values: np.ndarray, name: str, discrete: DiscreteSpec, rng: np.random.Generator) -> Feature:
    column = as_variable(values, name, discrete, allow_constant=True, min_rows=2)
    codes = column.discrete[:, 0] if column.n_discrete else None
    numbers: np.ndarray | None = None
    if column.n_continuous:
        numbers = column.flat[:, 0]
    elif values.dtype.kind in "biuf" and not merged_by_float(values):
        numbers = values.astype(np.float64)
    if numbers is None:
        return Feature(None, codes, codes is None or int(codes.max()) == 0)
    constant = bool((numbers == numbers[0]).all() if codes is None else codes.max() == 0)
    scaled = RobustLogScaler().fit(numbers[:, None]).transform(numbers[:, None])[:, 0]
    return Feature(jittered(scaled[:, None], rng)[:, 0], codes, constant, scaled)


def _work(a: list[Feature], b: list[Feature], method: str, k: int, seed: int, order: np.ndarray | None, parent: int) -> float:
    end_with(parent)
    return _information(a, b, method, k, seed, order)


def _information(a: list[Feature], b: list[Feature], method: str, k: int, seed: int, order: np.ndarray | None = None) -> float:
    a, b = ([f for f in side if not f.constant and not f.identifier] for side in (a, b))
    if not a or not b:
        return 0.0
    if order is not None:  # neighbours in time are no neighbours: mine.estimate knows which rows count as independent
        if method != "neighbors":
            return _by_method(a, b, method, seed, order)
        of_kinds, options = _method_of_kinds(a, b, k)
        return _by_method(a, b, of_kinds, seed, order, **options)
    if method != "neighbors" or sum(len([f for f in side if f.values is not None]) for side in (a, b)) > NEIGHBOUR_COLUMNS + 1:
        return _by_method(a, b, "auto" if method == "neighbors" else method, seed)
    return _by_neighbors(a, b, k)


def _by_neighbors(a: list[Feature], b: list[Feature], k: int) -> float:
    """Tables where there are labels only and rows enough, else neighbours; text beside numbers by the chain rule."""
    sides = (a, b)
    if all(f.codes is not None for side in sides for f in side):
        x, y = (_joined(side) for side in sides)
        cells = (x.max() + 1) * (y.max() + 1)
        if len(x) >= 5 * cells or any(f.values is None for side in sides for f in side):
            return information(x, y).value
    for side, other in (sides, sides[::-1]):
        text = [f for f in side if f.values is None]
        rest = [f for f in side if f.values is not None]
        if text and rest:  # I(t, r; o) = I(t; o) + sum over t of p(t) I(r; o | t)
            codes = _joined(text)
            value = _by_neighbors(text, other, k)
            for level in np.unique(codes):
                rows = codes == level
                if rows.sum() > 2 * k:
                    value += rows.mean() * _by_neighbors([_rows(f, rows) for f in rest], [_rows(f, rows) for f in other], k)
            return value
    labels = [side if all(f.codes is not None for f in side) else None for side in sides]
    for i in (1, 0):  # the target's labels before the features'
        numbers, side = [f.values for f in sides[1 - i]], labels[i]
        if side is not None and all(v is not None for v in numbers):
            codes, values = _joined(side), np.stack([v for v in numbers if v is not None], 1)
            if few_rows_per_level(codes):
                return levels_information(values, codes, seed=0)
            codes, _ = merge_rare(codes, k + 1)
            if codes.max() == 0:
                return 0.0
            value = ross(values, codes, k)
            return 0.0 if np.isnan(value) else value
    if len(a) == len(b) == 1:
        return _screened(a[0], b[0], k)
    x, y = (np.stack([f.values for f in side if f.values is not None], 1) for side in sides)
    return ksg(x, y, min(k, len(x) - 1))


def _screened(a: Feature, b: Feature, k: int) -> float:
    """Two columns of numbers as :func:`mine.pairwise` screens them."""
    assert a.tied is not None and b.tied is not None
    rng = np.random.default_rng(OWN_STREAM)
    x, y = Scores.of(a.tied, rng), Scores.of(b.tied, rng)
    return screened(x, y, k=max(1, min(k, (len(a.tied) - 1) // 2))).value


def _joined(side: list[Feature]) -> np.ndarray:
    """One code a row for all labels of a side."""
    out = np.zeros(1, np.int64)
    for feature in side:
        assert feature.codes is not None
        out = np.unique(out * (int(feature.codes.max()) + 1) + feature.codes, return_inverse=True)[1].ravel()
    return out


def _rows(feature: Feature, rows: np.ndarray) -> Feature:
    values, codes, tied = (
        None if part is None else part[rows] for part in (feature.values, feature.codes, feature.tied)
    )  # fmt: skip
    return Feature(values, codes, tied=tied)


def _method_of_kinds(a: list[Feature], b: list[Feature], k: int) -> tuple[str | Screen, dict[str, int]]:
    """The method, and its options, of :func:`mine.estimate` that does what :func:`_by_neighbors` would."""
    labels = [[f.codes is not None for f in side] for side in (a, b)]
    if all(map(all, labels)):
        return "discrete", {}
    numbers = sum(side.count(False) for side in labels)
    if numbers > NEIGHBOUR_COLUMNS + 1 or any(any(side) and not all(side) for side in labels):
        return "auto", {}
    if len(a) == len(b) == 1 and numbers == 2:
        return Screen(n_neighbors=k), {}
    return "ross" if any(map(all, labels)) else "ksg", {"n_neighbors": k}


def _by_method(
    a: list[Feature],
    b: list[Feature],
    method: str | Screen,
    seed: int,
    order: np.ndarray | None = None,
    **options: int,
) -> float:
    """Through :func:`mine.estimate`: labels as labels, numbers as numbers."""
    import pyarrow as pa

    tables, labels = [], {}
    for name, side in (("x", a), ("y", b)):
        columns: dict[str, Any] = {}
        for j, feature in enumerate(side):
            labels[f"{name}[{j}]"] = feature.codes is not None
            columns[f"{name}[{j}]"] = feature.codes if feature.codes is not None else feature.tied
        tables.append(pa.table(columns))
    return estimate(*tables, method=method, discrete=labels, order=order, random_state=seed, progress=False, **options).value

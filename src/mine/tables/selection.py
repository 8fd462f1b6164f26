"""Feature selection by mutual information, for scikit-learn: a selector that knows redundancy, and a score function."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from mine.api import estimate
from mine.data.columns import DiscreteSpec, merged_by_float, own_spec
from mine.data.parsing import read_texts
from mine.data.preprocessing import RobustLogScaler
from mine.data.problem import problem_seed
from mine.data.sides import as_variable
from mine.data.sources import named_columns
from mine.errors import InputError, UnknownNameError
from mine.estimators.counts.choose import information
from mine.estimators.counts.identifier import is_identifier
from mine.estimators.ksg import ksg
from mine.estimators.levels.estimate import few_rows_per_level, levels_information
from mine.estimators.neighbours import jittered
from mine.estimators.ross import merge_rare, ross
from mine.surroundings import plain_modes
from mine.tables.orphans import end_with

__all__ = ["CRITERIA", "MutualInfoSelector", "mutual_info"]

Criterion: TypeAlias = Literal["relevance", "mrmr", "jmi"]
CRITERIA: tuple[Criterion, ...] = ("relevance", "mrmr", "jmi")
#: Above so many columns neighbours are far apart, and a critic is trained instead.
NEIGHBOUR_COLUMNS = 5


@plain_modes()
def mutual_info(
    X: Any,
    y: Any,
    *,
    method: str = "neighbors",
    discrete: DiscreteSpec = None,
    discrete_target: bool | None = None,
    n_neighbors: int = 3,
    parse: bool = False,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Mutual information (nats) of each column of ``X`` with ``y``, shape (n_features,): a score function for ``SelectKBest``.

    Unlike scikit-learn's own, it tells numbers from labels column by column, corrects the bias of tables, and does not clip:
    a slightly negative score means none.

    Arguments:
        X: Rows, shape (n, n_features): an array or a frame.
        y: Labels or numbers, shape (n,).
        method: ``"neighbors"`` (tables for two labels, Ross or Kraskov otherwise), or a method of :func:`mine.estimate`.
        discrete: Which columns of X are labels; see :func:`mine.estimate`.
        discrete_target: Whether y is labels; None decides by the same rule.
        n_neighbors: k of the neighbours.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`; a warning names them.
        random_state: Seed or generator of the tiny noise that tells ties apart, or of a critic.
        n_jobs: Workers of joblib.

    Example:
        >>> from sklearn.feature_selection import SelectKBest
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(300, 4)); y = X[:, 2] ** 2 > 0.5
        >>> SelectKBest(mutual_info, k=1).fit(X, y).get_support()
        array([False, False,  True, False])
    """
    X, y = _read(parse, X, y, discrete, discrete_target)
    scorer = _Scorer.of(named_columns(X, "x"), y, method, discrete, discrete_target, n_neighbors, random_state)
    return np.array(scorer.relevance([(j,) for j in range(len(scorer.features))], n_jobs))


class MutualInfoSelector(SelectorMixin, BaseEstimator):
    r"""Keeps the features that tell most about the target, as a step of a scikit-learn pipeline.

    ``"relevance"`` ranks each by I(x; y). ``"mrmr"`` takes off the mean information that a candidate shares with what is
    chosen already, ``"jmi"`` adds up I(x, s; y) over the chosen s: it sees features that tell something together only.

    References:
        Peng, Long & Ding, 2005 (mRMR, doi 10.1109/TPAMI.2005.159); Yang & Moody, 1999 (JMI); Brown et al., 2012, for both.

    A column of labels that differ in (nearly) every row, an identifier, scores 0 and is never chosen.

    Arguments:
        n_features_to_select: How many features, or groups of them, to keep; all where there are fewer.
        criterion: ``"relevance"``, ``"mrmr"`` or ``"jmi"``.
        groups: A label for each column: columns of one group (an embedding, an encoded category) are one feature. None makes
            every column its own.
        method: As in :func:`mine.mutual_info`.
        discrete: Which columns are labels; see :func:`mine.estimate`.
        discrete_target: Whether y is labels; None decides by the rule.
        n_neighbors: k of the neighbours.
        parse: Read columns of numbers written as text as numbers; see :func:`mine.estimate`.
        random_state: Seed; an integer gives the same choice every time.
        n_jobs: Workers of joblib.

    Attributes:
        scores_: I(x; y) in nats of each feature or group, shape (n_groups,), in the order of first appearance.
        order_: Groups in the order in which they were chosen.
        groups_: The label of each group.
        n_features_in_: Number of columns seen in ``fit``.
        feature_names_in_: Their names, where X has names that are strings.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> selector = MutualInfoSelector(2, criterion="relevance").fit(X, y)
        >>> list(selector.get_feature_names_out())
        ['petal length (cm)', 'petal width (cm)']
    """

    def __init__(
        self,
        n_features_to_select: int = 10,
        *,
        criterion: Criterion = "mrmr",
        groups: Any = None,
        method: str = "neighbors",
        discrete: DiscreteSpec = None,
        discrete_target: bool | None = None,
        n_neighbors: int = 3,
        parse: bool = False,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_features_to_select = n_features_to_select
        self.criterion = criterion
        self.groups = groups
        self.method = method
        self.discrete = discrete
        self.discrete_target = discrete_target
        self.n_neighbors = n_neighbors
        self.parse = parse
        self.random_state = random_state
        self.n_jobs = n_jobs

    @plain_modes()
    def fit(self, X: Any, y: Any) -> Self:
        """Choose the features.

        Arguments:
            X: Rows, shape (n, n_features).
            y: Labels or numbers, shape (n,).

        Raises:
            InputError: Missing values, or arguments that cannot be used.
        """
        if self.criterion not in CRITERIA:
            raise UnknownNameError("criterion", self.criterion, CRITERIA)
        wanted = self.n_features_to_select
        if not isinstance(wanted, (int, np.integer)) or wanted < 1:
            raise InputError(f"n_features_to_select must be an integer of 1 or more, got {wanted!r}.")
        if y is None:
            raise InputError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None: information is "
                "about something."
            )
        if getattr(X, "ndim", 2) == 1:
            raise InputError("X has one dimension: pass a table, one row per observation. Reshape your data: X.reshape(-1, 1).")
        read, y = _read(self.parse, X, y, self.discrete, self.discrete_target)
        columns = named_columns(read, "x")
        n_features = len(columns)
        if len(getattr(X, "shape", ())) == 2:
            validate_data(self, X, skip_check_array=True)  # sets n_features_in_ and feature_names_in_
        else:
            self.n_features_in_ = n_features
        scorer = _Scorer.of(columns, y, self.method, self.discrete, self.discrete_target, self.n_neighbors, self.random_state)
        members = self._members(n_features)
        self.groups_ = list(members)
        blocks = list(members.values())
        self.scores_ = np.array(scorer.relevance(blocks, self.n_jobs))
        self.order_ = self._chosen(scorer, blocks)
        mask = np.zeros(n_features, bool)
        for g in self.order_:
            mask[list(blocks[g])] = True
        self._mask = mask
        return self

    def _members(self, n_features: int) -> dict[Any, tuple[int, ...]]:
        """The columns of each group, in the order of first appearance."""
        if self.groups is None:
            return {j: (j,) for j in range(n_features)}
        labels = [getattr(label, "item", lambda label=label: label)() for label in self.groups]
        if len(labels) != n_features:
            raise InputError(f"groups has {len(labels)} labels for {n_features} columns: pass one a column.")
        return {label: tuple(j for j, other in enumerate(labels) if other == label) for label in dict.fromkeys(labels)}

    def _chosen(self, scorer: _Scorer, blocks: list[tuple[int, ...]]) -> list[int]:
        known = [g for g, block in enumerate(blocks) if not all(scorer.features[j].identifier for j in block)]
        wanted = min(self.n_features_to_select, len(known))
        if self.criterion == "relevance" or not known:
            return [int(known[i]) for i in np.argsort(-self.scores_[known], kind="stable")[:wanted]]
        order = [known[int(np.argmax(self.scores_[known]))]]
        total = np.zeros(len(blocks))
        while len(order) < wanted:
            left = [g for g in known if g not in order]
            newest = blocks[order[-1]]
            if self.criterion == "mrmr":
                total[left] += scorer.between([(blocks[g], newest) for g in left], self.n_jobs)
                value = self.scores_[left] - total[left] / len(order)
            else:
                total[left] += scorer.relevance([(*blocks[g], *newest) for g in left], self.n_jobs)
                value = total[left]
            order.append(left[int(np.argmax(value))])
        return order

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self._mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


@dataclass(frozen=True)
class _Feature:
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
class _Scorer:
    """Information (nats) between sets of columns, and with the target."""

    features: list[_Feature]
    target: _Feature
    method: str
    n_neighbors: int
    seed: int

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
    ) -> _Scorer:
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
        return cls(features, _feature(target, "y", discrete_target, rng), method, n_neighbors, seed)

    def relevance(self, blocks: list[tuple[int, ...]], n_jobs: int | None) -> list[float]:
        target = [self.target]
        jobs = [([self.features[j] for j in dict.fromkeys(block)], target) for block in blocks]
        return self._all(jobs, n_jobs)

    def between(self, pairs: list[tuple[tuple[int, ...], tuple[int, ...]]], n_jobs: int | None) -> list[float]:
        return self._all([([self.features[j] for j in a], [self.features[j] for j in b]) for a, b in pairs], n_jobs)

    def _all(self, jobs: list[tuple[list[_Feature], list[_Feature]]], n_jobs: int | None) -> list[float]:
        values: Any = Parallel(n_jobs=n_jobs)(
            delayed(_work)(a, b, self.method, self.n_neighbors, self.seed, os.getpid()) for a, b in jobs
        )
        return [float(value) for value in values]


def _read(parse: bool, X: Any, y: Any, discrete: DiscreteSpec, discrete_target: bool | None) -> tuple[Any, Any]:
    """X and y, with ``parse`` their columns of numbers written as text as numbers, and a warning for each."""
    (X,), read = read_texts(parse, discrete, x=X)
    (y,), more = read_texts(parse, discrete_target, y=y)
    for column in (*read, *more):
        warnings.warn(column.sentence, UserWarning, stacklevel=3)
    return X, y


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


def _feature(values: np.ndarray, name: str, discrete: DiscreteSpec, rng: np.random.Generator) -> _Feature:
    column = as_variable(values, name, discrete, allow_constant=True, min_rows=2)
    codes = column.discrete[:, 0] if column.n_discrete else None
    numbers: np.ndarray | None = None
    if column.n_continuous:
        numbers = column.flat[:, 0]
    elif values.dtype.kind in "biuf" and not merged_by_float(values):
        numbers = values.astype(np.float64)
    if numbers is None:
        return _Feature(None, codes, codes is None or int(codes.max()) == 0)
    constant = bool((numbers == numbers[0]).all() if codes is None else codes.max() == 0)
    scaled = RobustLogScaler().fit(numbers[:, None]).transform(numbers[:, None])[:, 0]
    return _Feature(jittered(scaled[:, None], rng)[:, 0], codes, constant, scaled)


def _work(a: list[_Feature], b: list[_Feature], method: str, k: int, seed: int, parent: int) -> float:
    end_with(parent)
    return _information(a, b, method, k, seed)


def _information(a: list[_Feature], b: list[_Feature], method: str, k: int, seed: int) -> float:
    a, b = ([f for f in side if not f.constant and not f.identifier] for side in (a, b))
    if not a or not b:
        return 0.0
    if method != "neighbors" or sum(len([f for f in side if f.values is not None]) for side in (a, b)) > NEIGHBOUR_COLUMNS + 1:
        return _by_method(a, b, "auto" if method == "neighbors" else method, seed)
    return _by_neighbors(a, b, k)


def _by_neighbors(a: list[_Feature], b: list[_Feature], k: int) -> float:
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
    x, y = (np.stack([f.values for f in side if f.values is not None], 1) for side in sides)
    return ksg(x, y, min(k, len(x) - 1))


def _joined(side: list[_Feature]) -> np.ndarray:
    """One code a row for all labels of a side."""
    out = np.zeros(1, np.int64)
    for feature in side:
        assert feature.codes is not None
        out = np.unique(out * (int(feature.codes.max()) + 1) + feature.codes, return_inverse=True)[1].ravel()
    return out


def _rows(feature: _Feature, rows: np.ndarray) -> _Feature:
    return _Feature(
        None if feature.values is None else feature.values[rows], None if feature.codes is None else feature.codes[rows]
    )


def _by_method(a: list[_Feature], b: list[_Feature], method: str, seed: int) -> float:
    """Through :func:`mine.estimate`: labels as labels, numbers as numbers."""
    import pyarrow as pa

    tables, labels = [], {}
    for name, side in (("x", a), ("y", b)):
        columns: dict[str, Any] = {}
        for j, feature in enumerate(side):
            labels[f"{name}[{j}]"] = feature.codes is not None
            columns[f"{name}[{j}]"] = feature.codes if feature.codes is not None else feature.tied
        tables.append(pa.table(columns))
    return estimate(*tables, method=method, discrete=labels, random_state=seed, progress=False).value

"""Feature selection by mutual information, for scikit-learn: a selector that knows redundancy, and a score function."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from mine.data.columns import DiscreteSpec
from mine.data.parsing import read_texts
from mine.data.rows import carried_order, rereadable
from mine.data.sources import named_columns, plain_array
from mine.data.unreadable import foreign
from mine.errors import InputError, UnknownNameError, renamed_arguments, warn_renamed
from mine.surroundings import plain_modes
from mine.tables.relevance import Scorer

__all__ = ["CRITERIA", "MutualInfoSelector", "mutual_info"]

Criterion: TypeAlias = Literal["relevance", "mrmr", "jmi"]
CRITERIA: tuple[Criterion, ...] = ("relevance", "mrmr", "jmi")


@renamed_arguments()
@plain_modes()
def mutual_info(
    X: Any,
    y: Any,
    *,
    method: str = "neighbors",
    discrete: DiscreteSpec = None,
    discrete_target: bool | None = None,
    n_neighbors: int = 3,
    order: Any = None,
    parse: bool = False,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Mutual information (nats) of each column of ``X`` with ``y``, shape (n_features,): a score function for ``SelectKBest``.

    Unlike scikit-learn's own function, it decides column by column whether values are numbers or labels, and corrects the bias
    of contingency tables. It does not clip: a slightly negative score means no information.

    Arguments:
        X: Rows, shape (n, n_features): an array or a frame.
        y: Labels or numbers, shape (n,).
        method: ``"neighbors"``, or a method of :func:`mine.estimate`. ``"neighbors"`` takes the contingency table
            for two labels, the neighbours of Ross for a label and numbers, the screen of :func:`mine.pairwise` for two numbers,
            and the neighbours of Kraskov for several columns.
        discrete: Which columns of X are labels; see :func:`mine.estimate`.
        discrete_target: Whether y is labels; None decides by the same rule.
        n_neighbors: k of the neighbours.
        order: ``"time"`` where rows come in the order of time, or one number or date per row; see :func:`mine.estimate`. Rows
            near in time do not count as neighbours then.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`; a warning names them.
        random_state: Seed or generator of the tiny noise that breaks ties, or of a critic.
        n_jobs: Workers of joblib.

    Example:
        >>> from sklearn.feature_selection import SelectKBest
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(300, 4)); y = X[:, 2] ** 2 > 0.5
        >>> SelectKBest(mutual_info, k=1).fit(X, y).get_support()
        array([False, False,  True, False])
    """
    order = carried_order(order, X, y)
    X, y = _read(parse, X, y, discrete, discrete_target)
    scorer = Scorer.of(named_columns(X, "x"), y, method, discrete, discrete_target, n_neighbors, random_state, order)
    return np.array(scorer.relevance([(j,) for j in range(len(scorer.features))], n_jobs))


class MutualInfoSelector(SelectorMixin, BaseEstimator):
    r"""Keep the features with the most information about the target, as a step of a scikit-learn pipeline.

    ``"relevance"`` ranks each feature by I(x; y). ``"mrmr"`` subtracts the mean information that a candidate shares with the
    features already chosen. ``"jmi"`` adds up I(x, s; y) over the chosen s, so it finds features that are informative only
    together.

    References:
        Peng, Long & Ding, 2005 (mRMR, doi 10.1109/TPAMI.2005.159); Yang & Moody, 1999 (JMI); Brown et al., 2012, for both.

    A column of labels that differ in (nearly) every row, an identifier, scores 0 and is never chosen.

    Arguments:
        n_features_to_select: How many features, or groups of features, to keep; all if there are fewer.
        criterion: ``"relevance"``, ``"mrmr"`` or ``"jmi"``.
        feature_groups: One label per column: columns with the same label (an embedding, an encoded category) are one feature.
            None makes every column its own feature.
        method: As in :func:`mine.mutual_info`.
        discrete: Which columns are labels; see :func:`mine.estimate`.
        discrete_target: Whether y is labels; None decides by the rule.
        n_neighbors: k of the neighbours.
        order: As in :func:`mine.mutual_info`; one value per row of the data passed to ``fit``.
        parse: Read columns of numbers written as text as numbers; see :func:`mine.estimate`.
        random_state: Seed; an integer gives the same choice every time.
        n_jobs: Workers of joblib.

    Attributes:
        scores_: I(x; y) in nats of each feature or group, shape (n_groups,), in the order of first appearance.
        order_: Groups in the order in which they were chosen.
        feature_groups_: The label of each group.
        n_features_in_: Number of columns seen in ``fit``.
        feature_names_in_: Their names, where X has names that are strings.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> selector = MutualInfoSelector(2, criterion="relevance").fit(X, y)
        >>> list(selector.get_feature_names_out())
        ['petal length (cm)', 'petal width (cm)']
    """

    @renamed_arguments(groups="feature_groups")
    def __init__(
        self,
        n_features_to_select: int = 10,
        *,
        criterion: Criterion = "mrmr",
        feature_groups: Any = None,
        method: str = "neighbors",
        discrete: DiscreteSpec = None,
        discrete_target: bool | None = None,
        n_neighbors: int = 3,
        order: Any = None,
        parse: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_features_to_select = n_features_to_select
        self.criterion = criterion
        self.feature_groups = feature_groups
        self.method = method
        self.discrete = discrete
        self.discrete_target = discrete_target
        self.n_neighbors = n_neighbors
        self.order = order
        self.parse = parse
        self.random_state = random_state
        self.n_jobs = n_jobs

    @renamed_arguments(groups="feature_groups")
    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, as every scikit-learn estimator does."""
        return super().set_params(**params)

    @property
    def groups(self) -> Any:
        """The old name of ``feature_groups``."""
        warn_renamed("MutualInfoSelector.groups", "MutualInfoSelector.feature_groups")
        return self.feature_groups

    @property
    def groups_(self) -> list[Any]:
        """The old name of ``feature_groups_``."""
        warn_renamed("MutualInfoSelector.groups_", "MutualInfoSelector.feature_groups_")
        return self.feature_groups_

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
        order = carried_order(self.order, X, y)
        read, y = _read(self.parse, X, y, self.discrete, self.discrete_target)
        columns = named_columns(read, "x")
        n_features = len(columns)
        if len(getattr(X, "shape", ())) == 2:
            with foreign("X"):
                validate_data(self, X, skip_check_array=True)  # sets n_features_in_ and feature_names_in_
        else:
            self.n_features_in_ = n_features
        scorer = Scorer.of(
            columns, y, self.method, self.discrete, self.discrete_target, self.n_neighbors, self.random_state, order
        )
        members = self._members(n_features)
        self.feature_groups_ = list(members)
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
        if self.feature_groups is None:
            return {j: (j,) for j in range(n_features)}
        labels = [getattr(label, "item", lambda label=label: label)() for label in self.feature_groups]
        if len(labels) != n_features:
            raise InputError(f"feature_groups has {len(labels)} labels for {n_features} columns: pass one per column.")
        return {label: tuple(j for j, other in enumerate(labels) if other == label) for label in dict.fromkeys(labels)}

    def _chosen(self, scorer: Scorer, blocks: list[tuple[int, ...]]) -> list[int]:
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

    def transform(self, X: Any) -> Any:
        """The chosen columns.

        Arguments:
            X: Rows with the columns of ``fit``.

        Raises:
            NotFittedError: Before ``fit``.
            InputError: Data that cannot be read, or columns that ``fit`` did not see.
        """
        check_is_fitted(self)
        X = rereadable(X)
        named_columns(X, "X")  # what it cannot read is no table
        if getattr(X, "ndim", 2) == 1:
            raise InputError("X has one dimension: pass a table, one row per observation. Reshape your data: X.reshape(-1, 1).")
        if not hasattr(X, "columns"):
            X = plain_array(X, "X")  # masked values as None
        with foreign("X"):
            return super().transform(X)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self._mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _read(parse: bool, X: Any, y: Any, discrete: DiscreteSpec, discrete_target: bool | None) -> tuple[Any, Any]:
    """X and y, with ``parse`` their columns of numbers written as text as numbers, and a warning for each."""
    (X,), read = read_texts(parse, discrete, x=X)
    (y,), more = read_texts(parse, discrete_target, y=y)
    for column in (*read, *more):
        warnings.warn(column.sentence, UserWarning, stacklevel=3)
    return X, y

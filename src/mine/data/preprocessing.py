"""Invertible maps of one side alone, fitted on its rows: MI does not change, estimators see tame numbers.

Whatever sees pairs must not be fitted here: these transforms may look at every row of a side because they never learn
which x belongs to which y.
"""

from __future__ import annotations

import inspect
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from scipy.special import ndtri

from mine.data import outofcore
from mine.data.labels import codes_among
from mine.data.one_hot import OneHot
from mine.data.sides import as_variable
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError

__all__ = ["Preprocess", "RankGaussianizer", "RobustLogScaler", "SideEncoder", "n_norms", "rank_gaussianize"]

Preprocess: TypeAlias = 'Literal["rank", "robust"] | None'

#: Knots of a rank transform that is fitted on a subsample anyway.
MAX_KNOTS = 4096
#: A label column keeps this many levels; rarer ones share one, which can only lower the information.
MAX_CATEGORIES = 64


def n_norms(dim: int) -> int:
    """Number of length features of ``dim`` coordinates, after the ranked and the scaled ones; one coordinate is its own.

    >>> n_norms(1), n_norms(3)
    (0, 2)
    """
    return 2 if dim > 1 else 0


def rank_gaussianize(values: np.ndarray) -> np.ndarray:
    """Normal scores of each column, ties sharing their mean rank: ``ndtri((rank - 1/2) / n)``, shape as given.

    >>> rank_gaussianize(np.array([[1.0], [2.0], [100.0]])).round(2).ravel()
    array([-0.97,  0.  ,  0.97])
    """
    return ndtri((_mean_ranks(values) - 0.5) / len(values))


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 along the first axis, tied values sharing their mean: ``scipy.stats.rankdata`` is slow to import."""
    columns = values.reshape(len(values), -1)
    ranks = np.empty(columns.shape)
    for j, column in enumerate(columns.T):
        order = np.argsort(column)
        risen = column[order]
        first = np.flatnonzero(np.concatenate([[True], risen[1:] != risen[:-1]]))
        counts = np.diff(first, append=len(column))
        ranks[order, j] = np.repeat(first + (counts + 1) / 2, counts)
    return ranks.reshape(values.shape)


class _Transformer:
    """A transformer as scikit-learn knows them, without its base class: that takes as long to import as an estimate."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor."""
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags("transformer", TargetTags(required=False), TransformerTags())

    def fit(self, X: Any, y: Any = None) -> Self:
        raise NotImplementedError

    def transform(self, X: Any) -> np.ndarray:
        raise NotImplementedError

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """``fit(X).transform(X)``."""
        return self.fit(X, y).transform(X)


class RankGaussianizer(_Transformer):
    """Normal scores of each column, with linear interpolation and linear tails for new rows.

    Removes heavy tails: on Student variables plain standardising costs neural estimators several nats.

    >>> rg = RankGaussianizer().fit([[0.0], [1.0], [2.0]])
    >>> rg.transform([[1.0], [1.5]]).round(2).ravel()
    array([0.  , 0.48])

    Arguments:
        max_knots: Interpolate between at most this many of the values seen in ``fit``, the outermost and otherwise every
            so many; None keeps all, so that those values get their very scores. Fewer are found faster.
    """

    def __init__(self, max_knots: int | None = None) -> None:
        self.max_knots = max_knots

    def fit(self, X: Any, y: Any = None) -> Self:
        X = np.asarray(X, dtype=np.float64)
        scores = rank_gaussianize(X)
        self.knots_ = []
        for column, score in zip(X.T, scores.T, strict=True):
            values, first = np.unique(column, return_index=True)
            keep = _knots(len(values), self.max_knots)
            self.knots_.append((values[keep], score[first][keep]))
        return self

    def transform(self, X: Any) -> np.ndarray:
        X = np.asarray(X, dtype=np.float64)
        out = np.empty(X.shape)
        for j, (values, scores) in enumerate(self.knots_):
            column = np.ascontiguousarray(X[:, j])
            out[:, j] = _interpolated(column, values, scores)
            if len(values) < 2:
                continue
            # Beyond the data: on at the mean slope of the outer tenth, at most three units past the last score.
            k = max(1, len(values) // 10)
            for edge, inner, sign in ((0, k, -1.0), (-1, -1 - k, 1.0)):
                outside = np.flatnonzero(sign * column > sign * values[edge])
                if not len(outside):
                    continue
                with np.errstate(over="ignore", invalid="ignore"):  # numbers near the ends of float64
                    span = abs(values[edge] - values[inner])
                    slope = abs(scores[edge] - scores[inner]) / span if span > 0 else 0.0
                    beyond = sign * (column[outside] - values[edge])
                    out[outside, j] += sign * np.minimum(np.nan_to_num(beyond * slope, posinf=3.0), 3.0)
        return out


def _knots(n: int, most: int | None) -> np.ndarray | slice:
    """Which of ``n`` sorted values are kept: evenly spread ones, and an unthinned sixty-fourth at either end."""
    if most is None or n <= most:
        return slice(None)
    edge = most // 64
    inner = np.linspace(edge, n - edge - 1, most - 2 * edge).astype(np.int64)
    return np.concatenate([np.arange(edge), inner, np.arange(n - edge, n)])


def _interpolated(column: np.ndarray, values: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Linear between the knots, the outermost scores beyond them; a knot gets its very score."""
    below = (np.searchsorted(values, column, side="right") - 1).clip(0)  # the last knot not above, or the first
    above = (below + 1).clip(max=len(values) - 1)
    low, high = scores[below], scores[above]
    start = values[below]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # knots at the ends of float64, or one only
        share = (column - start) / (values[above] - start)
    share = np.fmin(np.fmax(share, 0.0), 1.0)  # not a number where the distance of the knots is infinite or zero: 0
    return np.minimum(low + share * (high - low), high)


class RobustLogScaler(_Transformer):
    """Median 0 and quartile range that of a standard normal, then ``sign(z) (c + log(1 + |z| - c))`` beyond ``|z| > c``.

    Invertible, so MI is unchanged, and finite in float32 for any finite input.

    >>> bool(RobustLogScaler().fit_transform([[0.0], [1.0], [2.0], [1e30]]).max() < 100)
    True
    """

    def __init__(self, linear_within: float = 4.0) -> None:
        self.linear_within = linear_within

    def fit(self, X: Any, y: Any = None) -> Self:
        X = np.asarray(X, dtype=np.float64)
        # Dividing by the largest magnitude first keeps differences of 1e308-sized numbers finite.
        largest = np.abs(X).max(0)
        self.unit_ = np.where(largest > 0, largest, 1.0)
        low, self.center_, high = np.quantile(X / self.unit_, [0.25, 0.5, 0.75], axis=0)
        scale = (high - low) / 1.349
        spread = (X / self.unit_).std(0)
        self.scale_ = np.where(scale > 0, scale, np.where(spread > 0, spread, 1.0))
        return self

    def linear(self, X: Any) -> np.ndarray:
        """The scaled values without the logarithm."""
        with np.errstate(over="ignore"):
            z = (np.asarray(X, dtype=np.float64) / self.unit_ - self.center_) / self.scale_
        return np.clip(z, -1e300, 1e300)

    def transform(self, X: Any) -> np.ndarray:
        c = self.linear_within
        z = self.linear(X)
        size = np.abs(z)
        return np.where(size <= c, z, np.sign(z) * (c + np.log1p(np.maximum(size - c, 0.0))))


class SideEncoder:
    """A :class:`Variable` as the float32 features that critics read, the continuous coordinates first.

    Arguments:
        preprocess: ``"rank"`` (normal scores), ``"robust"`` (scaled, logarithmic tails) or None (as given).
        both: Append the robustly scaled coordinates to the ranked ones (ranks alone hide distances in the tails) and, for two
            coordinates or more, the normal scores of two lengths: of the ranked coordinates and of the plain ones about 0.

    n-D inputs keep their shape and are scaled as one: a rank of each pixel would undo the image.
    Above ``mine.data.outofcore.FIT_ROWS`` rows the maps are fitted on a fixed random subsample.
    """

    def __init__(self, preprocess: Preprocess, *, both: bool = False) -> None:
        if preprocess not in ("rank", "robust", None):
            raise UnknownNameError("preprocess", preprocess, ["rank", "robust", "None"])
        self.preprocess = preprocess
        self.both = both

    def fit(self, variable: Variable, *, keep_shape: bool = False) -> Self:
        self.keep_shape = keep_shape and variable.continuous.ndim > 2
        self.side_, self.columns_, self.discrete_ = variable.name, variable.columns, variable.discrete_columns
        sample = outofcore.fit_rows(len(variable), variable.n_continuous + variable.n_discrete)
        if sample is not None:
            variable = variable.take(sample)
        flat = variable.flat
        self.scalers_: list[Any] = []
        if self.keep_shape:
            self.scalers_ = [] if self.preprocess is None else [RobustLogScaler().fit(flat.reshape(-1, 1))]
        elif flat.shape[1]:
            if self.preprocess == "rank":
                self.scalers_.append(RankGaussianizer(None if sample is None else MAX_KNOTS).fit(flat))
            if self.preprocess == "robust" or (self.preprocess == "rank" and self.both):
                self.scalers_.append(RobustLogScaler().fit(flat))
        self.length_unit_ = float(np.abs(flat).max()) if flat.size else 1.0
        self.norms_ = None
        if self.both and self.preprocess == "rank" and not self.keep_shape and n_norms(flat.shape[1]):
            self.norms_ = RankGaussianizer().fit(self._squared_lengths(self.scalers_[0].transform(flat), flat))
        self.labels_, self.levels_ = None, variable.levels
        self.merged_: dict[str, int] = {}
        if variable.n_discrete:
            self.labels_ = OneHot(MAX_CATEGORIES).fit(variable.discrete)
            self.label_means_ = self.labels_.transform(variable.discrete).mean(0)
            for name, n_rare in zip(variable.columns[-variable.n_discrete :], self.labels_.rare_, strict=True):
                if n_rare:
                    self.merged_[name] = n_rare
        return self

    def read(self, data: Any) -> Variable:
        """New data as a variable with the very columns, and kinds of columns, that ``fit`` saw.

        Raises:
            InputError: Other columns, other kinds of columns or another shape.
        """
        kinds = {column: column in self.discrete_ for column in self.columns_}
        variable = as_variable(data, self.side_, kinds, keep_constant=True).select(self.columns_)
        if (variable.columns, variable.discrete_columns) != (self.columns_, self.discrete_):
            raise InputError(
                f"{self.side_} has other columns, labels in place of numbers, or another shape than the data of fit: pass data "
                "of the same kind."
            )
        return variable

    def _known_codes(self, variable: Variable) -> np.ndarray:
        """Its labels (n, d) as the codes that they had in ``fit``, -1 for a label that fit did not have."""
        if variable.levels == self.levels_:
            return variable.discrete
        out = np.empty_like(variable.discrete)
        for j, (levels, known) in enumerate(zip(variable.levels, self.levels_, strict=True)):
            out[:, j] = codes_among(variable.discrete[:, j], levels, known)
        return out

    def _squared_lengths(self, ranked: np.ndarray, flat: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", under="ignore"):  # subnormal numbers; new rows far beyond those of the fit
            plain = ((flat / (self.length_unit_ or 1.0)).clip(-1e100, 1e100) ** 2).sum(1)
        return np.stack([(ranked**2).sum(1), plain], 1)

    def transform(self, variable: Variable) -> np.ndarray:
        """Features of shape (n, p), or (n, *event) for an n-D input whose shape is kept; float32."""
        if self.keep_shape:
            values = np.asarray(variable.continuous)
            for scaler in self.scalers_:
                values = scaler.transform(values.reshape(-1, 1)).reshape(values.shape)
            return values.astype(np.float32)
        flat = variable.flat
        parts = [scaler.transform(flat) for scaler in self.scalers_] or [flat]
        if len(parts) == 2:  # the ranks tell far values apart already: an outlier's size would only upset the critic
            parts[1] = parts[1].clip(-8.0, 8.0)
        if self.norms_ is not None:
            parts.append(self.norms_.transform(self._squared_lengths(parts[0], flat)))
        if self.labels_ is not None:
            # Without what they share, dozens of label columns would hide in a constant as long as they are many.
            parts.append(self.labels_.transform(self._known_codes(variable)) - self.label_means_)
        with np.errstate(over="ignore"):
            return np.concatenate(parts, 1).clip(-3e38, 3e38).astype(np.float32)

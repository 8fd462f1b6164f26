"""The third variable, and the sides without what it explains of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from mine.data.columns import ConstantError, DiscreteSpec
from mine.data.kernels import KernelFeatures
from mine.data.rows import rereadable
from mine.data.sides import as_variable
from mine.data.variable import Variable

__all__ = ["CONSTANT", "by_group", "predictions", "residuals", "residuals_and_share", "third_variable"]


#: What a result says where z has no column that varies.
CONSTANT = "z is constant and explains nothing: the result is the information of x and y alone."


def third_variable(z: Any, discrete: DiscreteSpec) -> Variable:
    """z as checked columns, the constant ones left out; without any column where all are constant.

    Raises:
        InputError: Data that cannot be used.

    >>> third_variable(np.zeros(3), None).columns, third_variable(np.eye(3)[:, :2], False).columns
    ((), ('z[0]', 'z[1]'))
    """
    z = rereadable(z)
    try:
        return as_variable(z, "z", discrete)
    except ConstantError:
        constant = as_variable(z, "z", discrete, allow_constant=True)
        n = len(constant)
        return Variable("z", (), np.empty((n, 0)), np.empty((n, 0), np.int64), dropped=constant.columns)


def residuals(side: np.ndarray, z: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """``side`` (n, d) less its regression on z (n, dz), of unit variance; see :func:`residuals_and_share`."""
    return residuals_and_share(side, z, groups, seed)[0]


def residuals_and_share(
    side: np.ndarray, z: np.ndarray, groups: np.ndarray | None, seed: int, *, trees: bool = False, own_penalty: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """``side`` (n, d) less its regression on z (n, dz), of unit variance, and the share of its spread (d,) which that was.

    The regression is that of :func:`predictions`, with one penalty for all columns or, with ``own_penalty``, one for each. With
    ``trees`` boosted trees too, which see edges in z: each column takes the one that leaves less of it.
    """
    if own_penalty:
        fitted = np.concatenate([predictions(column[:, None], z, groups, seed) for column in side.T], 1)
    else:
        fitted = predictions(side, z, groups, seed)
    if trees:
        folds = list(KFold(5, shuffle=True, random_state=seed % 2**32).split(z) if groups is None else by_group(groups))
        boosted = HistGradientBoostingRegressor(random_state=seed % 2**32)
        for j, column in enumerate(side.T):
            other = np.asarray(cross_val_predict(boosted, z, column, cv=folds))
            if ((column - other) ** 2).mean() < ((column - fitted[:, j]) ** 2).mean():
                fitted[:, j] = other
    left = side - fitted
    spread = np.maximum(left.std(0), 1e-12)
    return left / spread, spread / np.maximum(side.std(0), 1e-12)


def predictions(side: np.ndarray, z: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """What a regression on z (n, dz) predicts of ``side`` (n, d), each row by a fit that did not see it.

    Ridge regression on z and on smooth functions of it, the penalty chosen by leave-one-out error, or by the error on groups
    left out: the other rows of a row's own group would choose next to none.
    """
    smooth = KernelFeatures.fit([z], seed)
    inputs = np.concatenate([z - z.mean(0), smooth.values.astype(np.float64)], 1)
    alphas = np.logspace(-2, 4, 13)
    if groups is None:
        folds = KFold(5, shuffle=True, random_state=seed % 2**32)
        return np.asarray(cross_val_predict(RidgeCV(alphas), inputs, side, cv=folds)).reshape(side.shape)
    fitted = np.empty(side.shape)
    for train, test in by_group(groups):
        inner = list(by_group(groups[train]))
        fitted[test] = (
            RidgeCV(alphas, cv=inner).fit(inputs[train], side[train]).predict(inputs[test]).reshape(-1, side.shape[1])
        )
    return fitted


def by_group(groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Up to five splits into rows to fit and rows to predict, whole groups each."""
    return GroupKFold(min(5, len(np.unique(groups)))).split(groups, groups=groups)

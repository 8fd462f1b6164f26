"""The third variable: read, its rows with gaps left out, and what it explains of a side taken out."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from mine.api import select_rows
from mine.errors import InputError
from mine.statistics.kernels import KernelFeatures
from mine.variables import DiscreteSpec, Variable, as_variable, missing_rows

__all__ = ["check_length", "complete_rows", "residuals", "third_variable"]


def third_variable(z: Any, discrete: DiscreteSpec) -> Variable:
    """z as checked columns.

    Raises:
        InputError: Data that cannot be used.
    """
    return as_variable(z, "z", discrete)


def check_length(third: Variable, n: int) -> None:
    """Raise where z has other than ``n`` rows."""
    if len(third) != n:
        raise InputError(f"x has {n} rows and z has {len(third)}: each row of x must belong to one of z.")


def complete_rows(x: Any, y: Any, z: Any, groups: Any) -> tuple[Any, Any, Any, Any]:
    """All four without the rows in which x, y, z or the groups have a missing value.

    Raises:
        InputError: Another number of rows.
    """
    sides = {"x": x, "y": y, "z": z, **({} if groups is None else {"groups": groups})}
    missing = {name: missing_rows(data, name) for name, data in sides.items()}
    for name, rows in missing.items():
        if len(rows) != len(missing["x"]):
            raise InputError(
                f"x has {len(missing['x'])} rows and {name} has {len(rows)}: each row must belong to one of the other."
            )
    keep = ~np.any(list(missing.values()), axis=0)
    if not keep.any():
        raise InputError("Every row has a missing value: choose other columns, or fill the gaps.")
    return *(select_rows(data, keep) for data in (x, y, z)), None if groups is None else select_rows(groups, keep)


def residuals(side: np.ndarray, z: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """``side`` (n, d) less its regression on z (n, dz), each row by a fit that did not see it, at the scale of ``side``.

    Ridge regression on z and on smooth functions of it, the penalty chosen by leave-one-out error.
    """
    smooth = KernelFeatures.fit([z], seed)
    inputs = np.concatenate([z - z.mean(0), smooth.values.astype(np.float64)], 1)
    n_folds = 5 if groups is None else min(5, len(np.unique(groups)))
    folds = KFold(n_folds, shuffle=True, random_state=seed % 2**32) if groups is None else GroupKFold(n_folds)
    fitted = cross_val_predict(RidgeCV(alphas=np.logspace(-2, 4, 13)), inputs, side, groups=groups, cv=folds)
    left = side - np.asarray(fitted).reshape(side.shape)
    return left / np.maximum(left.std(0), 1e-12)

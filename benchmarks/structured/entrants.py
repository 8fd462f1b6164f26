"""Rivals on structured data, for ``mine benchmark --methods benchmarks/structured/entrants.py:NAME``.

A stored cell counts as long as this file is unchanged: editing it measures these entrants anew.
"""

from __future__ import annotations

import contextlib
import io
from unittest import mock

import numpy as np
from sklearn.decomposition import PCA

import mine


def pca_ksg(x: np.ndarray, y: np.ndarray, n_components: int = 5, random_state: int | None = None) -> mine.Estimate:
    """The strongest principal components of each side, then the KSG estimator on them: an ``Estimate`` in nats."""
    sides = []
    for side in (x, y):
        rows = side.reshape(len(side), -1).astype(float)
        few = rows.shape[1] <= n_components
        sides.append(rows if few else PCA(n_components, random_state=random_state).fit_transform(rows))
    return mine.estimate(*sides, method="ksg", random_state=random_state, progress=False)


def latentmi(x: np.ndarray, y: np.ndarray) -> float:
    """LMI (Gowri et al., 2024, arXiv 2409.02732) with its default settings, in nats.

    Needs ``pip install --no-deps latentmi``: release 0.1.3 asks for numpy below 2, of which it uses the name ``np.NaN`` only.
    It draws from the global generators, which the benchmark seeds.
    """
    from latentmi import lmi

    sides = [side.reshape(len(side), -1).astype(float) for side in (x, y)]
    constant = [np.flatnonzero(side.std(0) == 0) for side in sides]
    x, y = (np.delete(side, columns, 1) for side, columns in zip(sides, constant, strict=True))
    with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(np, "NaN", np.nan, create=True):
        bits = lmi.estimate(x, y, device="cpu")[0]
    return float(np.nanmean(bits)) * float(np.log(2))

"""The probabilities of labels given a third variable: classifiers that are cross-fitted, chosen and calibrated by log-loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from mine.conditional.given import by_group
from mine.data.kernels import KernelFeatures

__all__ = ["label_probabilities"]

N_FOLDS = 5
#: Inverse penalties of the logistic regressions on z itself, and on smooth functions of z.
LINEAR_PENALTIES, SMOOTH_PENALTIES = (30.0,), (0.3, 3.0)
#: Rows left out, of whole folds, by which the candidates are compared.
CHOOSING_ROWS = 300
#: Boosted trees: few and small, for each is fitted five times.
TREES, LEAVES = 25, 8
#: Probabilities are at least this much.
SMALLEST = 1e-4


class _Classifier(Protocol):
    @property
    def classes_(self) -> Any: ...

    def fit(self, X: Any, y: Any) -> Any: ...

    def predict_proba(self, X: Any) -> Any: ...


def label_probabilities(codes: np.ndarray, z: np.ndarray, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """p(label | z) of every level, shape (n, levels), each row by a classifier that did not see it.

    Candidates are logistic regressions on z and on smooth functions of z, and boosted trees, which see edges in z. The one with
    the smallest log-loss on rows left out is taken, and its logits are scaled by the factor that makes this loss smallest: a
    penalty alone would leave all probabilities too near to the shares of the levels.

    Arguments:
        codes: Labels (n,), from 0 with no number left out.
        z: Coordinates of the third variable, shape (n, dz).
        groups: Integer label of the unit of each row, shape (n,), or None: whole units are left out.
        seed: Of the folds.
    """
    levels = int(codes.max()) + 1
    folds = list(_folds(codes, groups, seed))
    smooth = np.concatenate([z, KernelFeatures.fit([z], seed).values.astype(np.float64)], 1)

    candidates = [_Candidate(partial(_logistic, penalty), z) for penalty in LINEAR_PENALTIES]
    candidates += [_Candidate(partial(_logistic, penalty), smooth) for penalty in SMOOTH_PENALTIES]
    candidates.append(_Candidate(partial(_boosted, seed), z))
    enough = int(np.searchsorted(np.cumsum([len(test) for _, test in folds]), min(CHOOSING_ROWS, len(codes)))) + 1
    first = np.concatenate([test for _, test in folds[:enough]])
    tried = [candidate.log_probabilities(codes, levels, folds[:enough]) for candidate in candidates]
    best = min(range(len(candidates)), key=lambda k: _loss(_calibrated(tried[k][first], codes[first]), codes[first]))
    rest = candidates[best].log_probabilities(codes, levels, folds[enough:])
    left = np.setdiff1d(np.arange(len(codes)), first)
    tried[best][left] = rest[left]
    return np.exp(_calibrated(tried[best], codes))


@dataclass(frozen=True)
class _Candidate:
    """A classifier, made anew for every fit, and its inputs (n, p)."""

    make: Callable[[], _Classifier]
    inputs: np.ndarray

    def log_probabilities(self, codes: np.ndarray, levels: int, folds: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Logarithms of the probabilities (n, levels) of the rows that the folds leave out.

        A level that a fit did not meet gets the smallest probability, and so do the rows of no fold.
        """
        out = np.full((len(codes), levels), SMALLEST)
        for train, test in folds:
            if (codes[train] == codes[train[0]]).all():
                out[test, codes[train[0]]] = 1.0
                continue
            classifier = self.make().fit(self.inputs[train], codes[train])
            out[np.ix_(test, classifier.classes_)] = classifier.predict_proba(self.inputs[test]).clip(SMALLEST)
        return np.log(out / out.sum(1, keepdims=True))


def _logistic(penalty: float) -> _Classifier:
    return LogisticRegression(C=penalty, max_iter=1000, tol=1e-3)


def _boosted(seed: int) -> _Classifier:
    return HistGradientBoostingClassifier(max_iter=TREES, max_leaf_nodes=LEAVES, random_state=seed % 2**32)


def _folds(codes: np.ndarray, groups: np.ndarray | None, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Splits into rows to fit and rows to predict: every level in every part if it has as many rows, or whole groups."""
    if groups is not None:
        yield from by_group(groups)
        return
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    for k in range(N_FOLDS):
        yield np.sort(np.delete(order, np.s_[k::N_FOLDS])), np.sort(order[k::N_FOLDS])


def _calibrated(log_p: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """``log_p`` (n, levels) sharpened or flattened by one factor, which the labels choose.

    References:
        Guo et al., 2017, 'On calibration of modern neural networks' (temperature scaling).
    """

    def loss(log_factor: float) -> float:
        return _loss(log_softmax(np.exp(log_factor) * log_p, axis=1), codes)

    found = minimize_scalar(loss, bounds=(-1.0, 1.0), method="bounded", options={"xatol": 1e-2})
    return log_softmax(np.exp(found.x) * log_p, axis=1)


def _loss(log_p: np.ndarray, codes: np.ndarray) -> float:
    return -float(log_p[np.arange(len(codes)), codes].mean())

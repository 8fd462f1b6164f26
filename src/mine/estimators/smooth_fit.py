"""Gaussian-process regression on a few hundred rows, with the error of each row under the fit to all others in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

__all__ = ["KERNELS", "SmoothFit", "smooth_fits"]

#: Kernels: squared exponentials whose squared width is this share of the median squared distance, and Matern kernels of order
#: 3/2 of this many times the median distance, for functions with kinks. And means of Matern kernels of single columns, for sums
#: of functions of one column each, and with products of them, for functions of two: what one column out of five does is seen in
#: a hundred rows, where distances in five dimensions see nothing.
KERNELS = (
    ("square", 0.1), ("square", 0.3), ("square", 1.0), ("square", 4.0), ("matern", 1.0), ("matern", 0.33),
    ("sum", 0.1), ("sum", 0.5), ("sum", 3.0), ("pairs", 3.0),
)  # fmt: skip
#: Variances of the noise that are tried, in units of the variance that a line leaves.
NOISES = 10.0 ** np.arange(-12, 0.6, 0.5)
#: Prior variance of the line that is part of each fit, and the smallest eigenvalue that rounding leaves meaningful.
LINE, ROUNDING = 30.0, 1e-14
#: Share of the error's variance from which noise counts as a part of it.
NOISE_SHARE = 0.1
#: Errors are told up to so many times the spread of a target, which may be next to nothing beside a few far rows.
MOST = 1e200


@dataclass(frozen=True)
class SmoothFit:
    """The best fit of one target.

    Attributes:
        error: Scale of the errors by their 80 % quantile, relative to the target's by its 10 and 90 % quantiles: noise that
            moves along a curve is small wherever the curve is flat.
        largest: The same by their 95 % quantile: far above ``error`` if noise is in a part of the rows only.
        gain: By how much the logarithm of ``error`` falls if the fit assumes (nearly) no noise; 0 if assuming noise is as good.
        target: The target, shape (m,).
        residuals: Error of each row under the fit to all other rows, shape (m,).
        kernels: The kernels in the order of their best fits, the best first.
    """

    error: float
    largest: float
    gain: float
    target: np.ndarray
    residuals: np.ndarray
    kernels: tuple[tuple[str, float], ...]


def smooth_fits(
    predictor: np.ndarray, targets: np.ndarray, kernels: tuple[tuple[str, float], ...] = KERNELS
) -> list[SmoothFit]:
    """The best fit of each target by leave-one-out errors, over kernels and noise levels; a straight line is one of the fits.

    Arguments:
        predictor: Rows of shape (m, d), scaled.
        targets: Shape (m, t).
        kernels: Kernels to try, out of ``KERNELS``.

    References:
        Rasmussen and Williams, 'Gaussian Processes for Machine Learning', 2006, eq. 5.12.

    >>> x = np.random.default_rng(0).normal(size=(150, 1))
    >>> noisy = np.sin(x) + 0.1 * np.random.default_rng(1).normal(size=x.shape)
    >>> exact, blurred = smooth_fits(x, np.concatenate([np.sin(x), noisy], 1))
    >>> bool(exact.error < 1e-6), bool(0.1 < blurred.error < 0.2), blurred.gain < 0.1
    (True, True, True)
    """
    design = np.concatenate([np.ones((len(predictor), 1)), predictor], 1)
    basis = np.linalg.svd(design, full_matrices=False)[0]
    bent = targets - basis @ (basis.T @ targets)
    unit = np.maximum(bent.std(0), 1e-16 * np.maximum(targets.std(0), np.finfo(float).tiny))
    errors = [bent / np.maximum(1 - (basis**2).sum(1), 1e-12)[:, None]]
    noises, of_kernel = [np.inf], [-1]
    squared = cdist(predictor, predictor, "sqeuclidean")
    squared /= np.median(squared) or np.median(squared[squared > 0])  # of mostly equal rows half are 0 apart
    columns = predictor.T if predictor.shape[1] > 1 else ()
    apart = [cdist(column[:, None], column[:, None], "sqeuclidean") for column in columns]
    apart = [one / np.median(one[one > 0]) for one in apart]
    line = LINE / predictor.shape[1] * (design @ design.T)
    for k, (kind, width) in enumerate(kernels):
        of_columns = kind in ("sum", "pairs")
        if of_columns and not apart:  # one column: the plain kernel is the same
            continue
        covariance = _of_columns(apart, kind, width) if of_columns else _kernel(squared, kind, width)
        values, vectors = np.linalg.eigh(covariance + line)
        values = values.clip(ROUNDING)
        rotated, squares = vectors.T @ (bent / unit), vectors**2
        for noise in NOISES:
            weights = 1 / (values + noise)
            errors.append(vectors @ (weights[:, None] * rotated) / (squares @ weights)[:, None] * unit)
            noises.append(noise)
            of_kernel.append(k)
    stacked, order = np.stack(errors), np.array(of_kernel)
    return [
        _best(targets[:, t], stacked[:, :, t], np.array(noises) * unit[t] ** 2, order, kernels) for t in range(targets.shape[1])
    ]


def _best(
    target: np.ndarray, errors: np.ndarray, noises: np.ndarray, of_kernel: np.ndarray, kernels: tuple[tuple[str, float], ...]
) -> SmoothFit:
    """The fit with the least error out of ``errors`` (f, m), with variances ``noises`` (f,) of the noise."""
    spread = max(np.diff(np.quantile(target, [0.1, 0.9])).item() / 2.5631, np.finfo(float).tiny)
    scales = np.quantile(np.abs(errors), 0.8, axis=1) / 1.2816
    logs = np.log(np.minimum(scales, MOST * spread) / spread + 1e-13)
    best = int(logs.argmin())
    noisy = noises >= NOISE_SHARE * scales[best] ** 2
    ranked = sorted(set(of_kernel.tolist()) - {-1}, key=lambda k: logs[of_kernel == k].min())
    return SmoothFit(
        math.exp(logs[best]),
        min(float(np.quantile(np.abs(errors[best]), 0.95)) / 1.96, MOST * spread) / spread,
        float(logs[noisy].min() - logs[best]),
        target,
        errors[best],
        tuple(kernels[k] for k in ranked),
    )


def _of_columns(apart: list[np.ndarray], kind: str, width: float) -> np.ndarray:
    """The mean of kernels of single columns, whose squared distances are ``apart``; with ``"pairs"`` that of products too."""
    alone = [_kernel(squared, "matern", width) for squared in apart]
    total = np.sum(alone, 0)
    if kind == "sum":
        return total / len(alone)
    products = 0.5 * (total**2 - np.sum(np.square(alone), 0))
    return total / len(alone) + products / (0.5 * len(alone) * (len(alone) - 1))


def _kernel(squared: np.ndarray, kind: str, width: float) -> np.ndarray:
    if kind == "square":
        return np.exp(-squared / width)
    distance = np.sqrt(3 * squared) / width
    return (1 + distance) * np.exp(-distance)

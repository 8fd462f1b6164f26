"""How far a sample covariance is best drawn towards a multiple of the identity."""

from __future__ import annotations

import numpy as np

__all__ = ["ledoit_wolf_shrinkage"]


def ledoit_wolf_shrinkage(rows: np.ndarray) -> float:
    r"""Weight in [0, 1] of the identity (times the mean variance) next to the covariance of ``rows`` (n, d).

    The ratio of the mean squared error of the sample covariance, ``sum_k |x_k x_k^T - S|^2 / n^2``, to its squared distance
    from the target, ``|S - m I|^2``. scikit-learn has the same; importing it takes longer than most estimates of a table.

    References:
        Ledoit & Wolf, 2004, 'A well-conditioned estimator for large-dimensional covariance matrices' (Journal of Multivariate
        Analysis 88), section 3.2.

    >>> ledoit_wolf_shrinkage(np.ones((5, 1))), 0 < ledoit_wolf_shrinkage(np.random.default_rng(0).normal(size=(30, 4))) <= 1
    (0.0, True)
    """
    n, d = rows.shape
    if d == 1:
        return 0.0
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / n
    mean_variance = float(np.trace(covariance)) / d
    squared = float(np.square(covariance).sum())
    distance = squared - d * mean_variance**2
    fourth = float(np.square(np.square(centred).sum(1)).sum())  # sum over rows of |x|^4
    error = (fourth / n - squared) / n
    return min(error, distance) / distance if error > 0 and distance > 0 else 0.0

"""The Gaussian copula in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import digamma

from mine.critics.gaussian import GaussianCritic
from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem, clustered_stderr
from mine.errors import NotEnoughDataError
from mine.estimators.partition import log_partition
from mine.estimators.rank_noise import RANKS_TOO_COARSE, rank_noise_of
from mine.estimators.ties import TiesError, check_ranks, most_told
from mine.result import Estimate

__all__ = ["GaussianCopula", "copula_information", "wishart_bias"]


def wishart_bias(n: int, dx: int, dy: int) -> float:
    """Bias (nats) of the plug-in Gaussian MI from n rows: exact for normal data, by the mean log-determinant of a Wishart.

    References:
        Anderson, An Introduction to Multivariate Statistical Analysis, theorem 7.5.1 and its mean logarithm.

    >>> round(wishart_bias(100, 1, 1), 4)
    0.0051
    """

    def log_det_bias(d: int) -> float:
        return float(digamma((n - 1 - np.arange(d)) / 2).sum() + d * np.log(2 / (n - 1)))

    return 0.5 * (log_det_bias(dx) + log_det_bias(dy) - log_det_bias(dx + dy))


def copula_information(x: np.ndarray, y: np.ndarray) -> float | None:
    """Mutual information (nats) of the Gaussian copula fitted to (n, dx) and (n, dy), bias removed; None for too few rows.

    >>> copula_information(np.zeros((3, 2)), np.zeros((3, 2))) is None
    True
    """
    n, d = len(x), x.shape[1] + y.shape[1]
    if n <= d + 2:
        return None
    critic = GaussianCritic.fit(rank_gaussianize(x), rank_gaussianize(y))
    return float(critic.mutual_information) - wishart_bias(n, x.shape[1], y.shape[1])


@dataclass(frozen=True)
class GaussianCopula:
    """Estimator ``"gaussian"``: normal scores, then the closed form ``-sum log(1 - r^2) / 2`` over canonical correlations.

    Invariant to monotone maps of every coordinate; exact where the copula is Gaussian, blind to any other dependence. Columns
    of few distinct values, or with a quarter of the rows at one of them, are refused.

    References:
        Ince et al., 2017 ('Gaussian-copula mutual information', doi 10.1002/hbm.23471).
    """

    name: str = "gaussian"
    numeric_only = True

    def run(self, problem: Problem) -> Estimate:
        check_ranks(problem, self.name)
        x, y = (rank_gaussianize(v.flat) for v in (problem.x, problem.y))
        n, dx, dy = problem.n, x.shape[1], y.shape[1]
        if n <= dx + dy + 2:
            raise NotEnoughDataError(
                f"method 'gaussian' needs more rows than columns: got {n} rows for {dx} + {dy} columns. "
                "Use method 'auto', which shrinks, or fewer columns."
            )
        critic = GaussianCritic.fit(x, y)
        bias = wishart_bias(n, dx, dy)
        value = float(critic.mutual_information) - bias
        if value > (most := most_told(problem)):
            raise TiesError(
                f"A Gaussian copula gives {value:.2f} nats where the repeated values of a side can tell at most {most:.2f}: it "
                "does not fit. Use method 'auto' or 'ksg'."
            )
        scores = critic(torch.as_tensor(x), torch.as_tensor(y)).numpy()
        stderr = clustered_stderr(scores, problem.groups)
        # One column's scores are normal. Several may not be so jointly, and what ranks hide of a copula that does not fit is
        # as wrong as the rest.
        fits = dx + dy == 2 or log_partition(critic, torch.as_tensor(x), torch.as_tensor(y)).fits
        noise = rank_noise_of(x, y, bias, stderr) if fits else None
        least = -math.inf  # ranks hide information and add none: what they show is a lower end too
        if noise is not None:
            least = value - 1.96 * max(stderr, noise.spread)
            value, stderr = value + noise.hidden, noise.stderr(stderr)
        # Near independence the log-ratio vanishes and with it its spread; n times the estimate is then half a chi-square
        # with dx * dy degrees of freedom.
        half_width = float(1.96 * np.hypot(stderr, np.sqrt(dx * dy / 2) / n))

        r = critic.correlations.numpy().ravel()
        diagnostics = {
            "basis": "model-based: Gaussian copula",
            "canonical_correlations": r[:10].tolist(),
            "bias_correction": -bias,
            "warnings": [],
        }
        if r[0] ** 2 > 1 - 1e-6:
            diagnostics["warnings"].append(
                "A linear combination of y's scores equals one of x's: the true value may be infinite."
            )
        low, high = max(value - half_width, least), value + half_width
        if r[0] ** 2 > 1 - 1e-6:
            high = math.inf
        if noise is not None:
            diagnostics["hidden_by_ranks_nats"] = noise.hidden
        if noise is not None and noise.open_above:
            high = math.inf
            diagnostics["warnings"].append(RANKS_TOO_COARSE)
        if not fits:
            low = min(low, 0.0)
            diagnostics["warnings"].append(
                "The columns of a side are not jointly Gaussian: the copula counts repeatedly what several columns share, and "
                "the value may be far too large. Use method 'auto'."
            )
        return Estimate(value, None, stderr, (low, high), self.name, n, diagnostics=diagnostics, influence=scores)

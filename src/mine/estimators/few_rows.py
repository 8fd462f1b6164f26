"""Few rows in many columns: the Gaussian copula in closed form, where critics shrink the dependence away."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from scipy.special import polygamma

from mine.critics.gaussian import GaussianCritic
from mine.data.components import is_wide
from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem, clustered_stderr
from mine.estimators.gaussian import wishart_bias
from mine.estimators.ties import tied_column
from mine.result import Estimate

__all__ = ["by_closed_form", "looks_normal", "wilks_stderr"]

#: Rows for each column up to which the closed form is asked. With more rows critics see what it sees.
ROWS_PER_COLUMN = 20
#: Fewest columns of which linear combinations are chosen: with fewer there is nothing to shrink.
FEWEST_COLUMNS = 6
#: Standard errors by which the closed form must exceed the critics' value.
SURELY = 3.0
#: Normal samples that a side is compared with, and how many standard deviations it may differ from them.
NORMAL_SAMPLES, UNLIKE = 12, 4.0
#: Canonical directions whose scores must each look normal, and the p-value of that test below which they do not.
DIRECTIONS, IMPROBABLE = 8, 1e-3
#: Rows for which that test is made.
SHAPIRO_ROWS = 5000


def by_closed_form(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate``, or the Gaussian copula's closed form where that surely finds more in few rows of many columns.

    The critics start from a copula shrunk until it predicts held-out rows; where rows are few that removes true dependence
    too. The closed form has no such loss: its bias is known exactly. It is taken if each side by itself looks jointly normal
    after ranking, since it can exceed the information where the sides are not; otherwise it only raises the interval's end, and
    not even that for sides of so many columns that :mod:`mine.estimators.wide` makes a few of them.
    """
    x, y = problem.x, problem.y
    columns = x.n_continuous + y.n_continuous
    if x.n_discrete or y.n_discrete or columns < FEWEST_COLUMNS or estimate.diagnostics["saturated"]:
        return estimate
    if not columns + 2 < problem.n <= ROWS_PER_COLUMN * columns or problem.groups is not None:
        return estimate
    if tied_column(x, y) is not None:
        return estimate
    u, v = rank_gaussianize(x.flat), rank_gaussianize(y.flat)
    critic = GaussianCritic.fit(u, v)
    closed = float(critic.mutual_information) - wishart_bias(problem.n, u.shape[1], v.shape[1])
    chance = wilks_stderr(problem.n, u.shape[1], v.shape[1])
    if closed <= estimate.value + SURELY * chance:
        return estimate
    stderr = math.hypot(clustered_stderr(critic(torch.as_tensor(u), torch.as_tensor(v)).numpy(), None), chance)
    low, high = estimate.interval
    rng = np.random.default_rng(problem.seeds(1)[0])
    if not (_normal_along_directions(critic, u, v) and looks_normal(u, rng) and looks_normal(v, rng)):
        # Hundreds of columns that repeat each other are no normal ones: what the closed form makes of them says nothing.
        return estimate if is_wide(x, y) else replace(estimate, interval=(low, max(high, closed + 1.96 * stderr)))
    high = max(high, closed + 1.96 * stderr)
    return _closed_form(estimate, closed, stderr, (min(estimate.value, closed - 1.96 * stderr), high))


def wilks_stderr(n: int, dx: int, dy: int) -> float:
    """Standard deviation (nats) of the plug-in Gaussian MI of n rows of independent normal sides, exact.

    exp(-2 MI) is Wilks' lambda, a product of independent beta variables.

    References:
        Anderson, An Introduction to Multivariate Statistical Analysis, theorem 8.4.1.

    >>> round(wilks_stderr(1000, 1, 1) * 1000 * 2**0.5, 2)  # n MI is half a chi-square variable of one degree of freedom
    1.0
    """
    rows = (n - dy - np.arange(1, dx + 1)) / 2
    return 0.5 * math.sqrt(float((polygamma(1, rows) - polygamma(1, rows + dy / 2)).sum()))


def looks_normal(scores: np.ndarray, rng: np.random.Generator) -> bool:
    """Whether normal scores (n, d) are like those of a normal sample jointly, by the skewness and kurtosis of Mardia (1970).

    What they are compared with is simulated: ranking, and as many columns as a tenth of the rows, change both.
    """
    observed = _mardia(scores)
    covariance = np.corrcoef(scores, rowvar=False).reshape(scores.shape[1], -1)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(covariance)))
    normal = np.array([_mardia(rank_gaussianize(rng.normal(size=scores.shape) @ root.T)) for _ in range(NORMAL_SAMPLES)])
    return bool((np.abs(observed - normal.mean(0)) <= UNLIKE * normal.std(0, ddof=1)).all())


def _normal_along_directions(critic: GaussianCritic, u: np.ndarray, v: np.ndarray) -> bool:
    """Whether the canonical scores that correlate most look normal, each by the test of Shapiro and Wilk (1965).

    Two clusters differ along one direction of many, which a measure of all directions together hardly sees.
    """
    from scipy.stats import shapiro

    scores = [critic.encode_x(torch.as_tensor(u)), critic.encode_y(torch.as_tensor(v))]
    columns = torch.cat([side[:, :DIRECTIONS] for side in scores], 1).numpy()
    return all(shapiro(column[:SHAPIRO_ROWS]).pvalue > IMPROBABLE for column in columns.T)


def _mardia(values: np.ndarray) -> np.ndarray:
    """Skewness and kurtosis of rows (n, d)."""
    centered = values - values.mean(0)
    white = centered @ np.linalg.pinv(np.linalg.cholesky(np.cov(centered, rowvar=False).reshape(values.shape[1], -1))).T
    products = white @ white.T
    return np.array([(products * products * products).mean(), (np.diag(products) ** 2).mean()])


def _closed_form(estimate: Estimate, value: float, stderr: float, interval: tuple[float, float]) -> Estimate:
    warning = (
        f"So few rows for so many columns: critics find {estimate.value:.2f} nats, a Gaussian copula in closed form "
        f"{value:.2f}. The value is the copula's, right if the dependence is of that form; the interval holds both."
    )
    diagnostics = {
        **estimate.diagnostics,
        "basis": "model-based: Gaussian copula",
        "shuffled_pairs_nats": estimate.value,
        "warnings": [warning, *(w for w in estimate.warnings if not w.startswith(("The bias", "The critic misses")))],
    }
    return replace(estimate, value=value, stderr=stderr, interval=interval, diagnostics=diagnostics)

"""Labels on one side or on both: channels between letters, and classes of normal rows."""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats

from mine.tasks.task import Task

COVER = "Cover & Thomas, 2006, Elements of Information Theory, section 7.1"


def _channel(levels: int, error: float) -> Task:
    """A letter arrives right, or with probability ``error`` as any other one: ``log m - h(error) - error log(m - 1)``."""

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.integers(levels, size=(n, 1))
        wrong = (x + rng.integers(1, levels, size=(n, 1))) % levels
        return x.astype(float), np.where(rng.uniform(size=(n, 1)) < error, wrong, x).astype(float)

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.log(levels * np.where(x == y, 1 - error, error / (levels - 1)))[:, 0]

    noise = float(special.entr(error) + special.entr(1 - error)) + error * math.log(levels - 1)
    words = f"{levels} letters, equally likely; one in {round(1 / error)} arrives as another"
    return Task(
        name=f"labels-channel-{levels}", dx=1, dy=1, mutual_information=math.log(levels) - noise, description=words,
        source=COVER, suite="labels", sampler=sampler, ratio=ratio,
    )  # fmt: skip


def _classes(levels: int, distance: float, dy: int) -> Task:
    """A class, and a row of normals whose first coordinate has the mean ``distance`` times the class.

    ``I = log m - E H(class | y)``, by quadrature over the first coordinate.
    """
    means = distance * np.arange(levels)

    def log_posterior(y: np.ndarray) -> np.ndarray:
        likelihood = stats.norm.logpdf(y[:, None], means)
        return likelihood - special.logsumexp(likelihood, axis=1, keepdims=True)

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.integers(levels, size=(n, 1))
        y = rng.normal(size=(n, dy))
        y[:, 0] += means[x[:, 0]]
        return x.astype(float), y

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        posterior = log_posterior(y[:, 0])
        return math.log(levels) + np.take_along_axis(posterior, x.astype(int), 1)[:, 0]

    grid = np.linspace(means[0] - 9, means[-1] + 9, 20_001)  # the trapezoidal rule is exact for what decays so fast
    density = stats.norm.pdf(grid[:, None], means).mean(1)
    uncertainty = -(np.exp(log_posterior(grid)) * log_posterior(grid)).sum(1)
    information = math.log(levels) - float((density * uncertainty).sum() * (grid[1] - grid[0]))
    words = f"{levels} classes, equally likely; y normal, the means {distance:g} apart"
    if dy > 1:
        words += f", and {dy - 1} columns of noise"
    return Task(
        name=f"labels-classes-{levels}-{dy}d", dx=1, dy=dy, mutual_information=information, description=words,
        source="this project", suite="labels", sampler=sampler, ratio=ratio,
    )  # fmt: skip


TASKS = (_channel(2, 0.1), _channel(8, 0.25), _classes(2, 2.0, 1), _classes(5, 1.5, 1), _classes(3, 2.0, 3))

"""Two texts on the same topic, as counts of words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

__all__ = ["TopicWords"]


@dataclass(frozen=True)
class TopicWords:
    """A topic, each of ``topics`` equally likely, then two texts of Poisson counts of ``words`` words, given the topic.

    Half of the ``length`` words expected come from the topic's own distribution, half from one that all topics share.
    """

    topics: int
    words: int
    length: float
    seed: int = 3

    @cached_property
    def log_rates(self) -> np.ndarray:
        """Logarithm of the expected counts, (2, topics, words)."""
        rng = np.random.default_rng(self.seed)
        common = rng.dirichlet(np.full(self.words, 0.5), size=(2, 1))
        own = rng.dirichlet(np.full(self.words, 0.05), size=(2, self.topics))
        return np.log(self.length * (0.5 * common + 0.5 * own) + 1e-12)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        topic = rng.integers(self.topics, size=n)
        x, y = (rng.poisson(np.exp(rates[topic])).astype(np.float32) for rates in self.log_rates)
        return x, y

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``log sum_k p(k | x) p(k | y) / p(k)`` in nats, (n,)."""
        posteriors = (self._log_posterior(rows, side) for side, rows in enumerate((x, y)))
        return np.asarray(special.logsumexp(sum(posteriors), axis=1)) + math.log(self.topics)

    def _log_posterior(self, rows: np.ndarray, side: int) -> np.ndarray:
        rates = self.log_rates[side]
        likelihood = rows @ rates.T - np.exp(rates).sum(1)
        return likelihood - special.logsumexp(likelihood, axis=1, keepdims=True)

    def information(self, n: int, rng: np.random.Generator) -> tuple[float, float]:
        """Information in nats and its standard error, by Monte Carlo over ``n`` rows."""
        ratio = self.ratio(*self.sampler(n, rng))
        return float(ratio.mean()), float(ratio.std() / math.sqrt(n))

"""A distribution in branches that cannot be confused: x alone and y alone both determine the branch of a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Branches", "SignTable"]


class _Part(Protocol):
    @property
    def mutual_information(self) -> float: ...
    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]: ...
    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Branches:
    """``parts`` with their probabilities ``weights``; ``which`` tells each row's part from one side, (n, d) -> (n,).

    The label is a function of x and one of y, so ``I = H(label) + sum of weight * I(part)``.
    """

    weights: tuple[float, ...]
    parts: tuple[_Part, ...]
    which: Callable[[np.ndarray], np.ndarray]

    @property
    def mutual_information(self) -> float:
        """In nats."""
        return sum(w * (part.mutual_information - math.log(w)) for w, part in zip(self.weights, self.parts, strict=True))

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        label = rng.choice(len(self.weights), size=n, p=self.weights)
        drawn = [part.sampler(n, rng) for part in self.parts]
        x, y = (np.stack([rows[side].reshape(n, -1) for rows in drawn]) for side in (0, 1))
        return x[label, np.arange(n)], y[label, np.arange(n)]

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,): minus infinity where the sides are of different branches."""
        label = self.which(x)
        inside = np.stack([part.ratio(x, y) for part in self.parts])
        return np.where(label == self.which(y), inside[label, np.arange(len(x))] - np.log(self.weights)[label], -np.inf)


@dataclass(frozen=True)
class SignTable:
    """``x`` is 1 or -1 with equal chance, ``y`` the same sign with probability ``agree``."""

    agree: float

    @property
    def mutual_information(self) -> float:
        """``log 2 - H(agree)`` in nats."""
        a = self.agree
        return math.log(2) + a * math.log(a) + (1 - a) * math.log(1 - a)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.choice([-1.0, 1.0], size=(n, 1))
        return x, x * np.where(rng.uniform(size=(n, 1)) < self.agree, 1.0, -1.0)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.log(2 * np.where(x[:, 0] == y[:, 0], self.agree, 1 - self.agree))

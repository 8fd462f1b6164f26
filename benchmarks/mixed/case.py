"""One table with what is known about it, and the sums and integrals that truths are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

__all__ = [
    "Case",
    "columns",
    "independent_third",
    "log_uniform",
    "margin",
    "names_of",
    "normal_sum",
    "reshaped",
    "table_information",
]


@dataclass(frozen=True)
class Case:
    """A table of n rows, and the answers.

    Attributes:
        x: The first side, one column or more.
        y: The second side.
        z: What is conditioned on.
        truth: I(x; y) in nats, infinite for functions of numbers; None if no amount of data could tell.
        truth_given: I(x; y | z), likewise.
        ceiling: The logarithm of the number of levels of a side of labels: no information and no interval is beyond it.
        settings: Further arguments of the calls, such as ``parse``.
    """

    x: pd.DataFrame
    y: pd.DataFrame
    z: pd.DataFrame
    truth: float | None
    truth_given: float | None
    ceiling: float = math.inf
    settings: dict[str, Any] = field(default_factory=dict)


def columns(prefix: str, *values: Any) -> pd.DataFrame:
    """Columns (n,) as a frame; a matrix gives one column each."""
    parts = [part for v in values for part in (v.T if getattr(v, "ndim", 1) == 2 else [v])]
    return pd.DataFrame({f"{prefix}{i}": part for i, part in enumerate(parts)})


def names_of(codes: np.ndarray, word: str) -> np.ndarray:
    """Codes (n,) as text, in no order that their numbers have."""
    return np.array([f"{word}{(int(code) * 7919 + 13) % 104_729:05d}" for code in codes], dtype=object)


def independent_third(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A number, or a label of three levels, that has nothing to do with anything."""
    return columns("z", rng.normal(size=n) if rng.random() < 0.5 else names_of(rng.integers(0, 3, n), "g"))


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def margin(k: int, rng: np.random.Generator) -> np.ndarray:
    """Shares (k,) of k levels: equal ones, or those of Zipf."""
    weight = np.ones(k) if rng.random() < 0.5 else 1 / np.arange(1.0, k + 1)
    return weight / weight.sum()


def table_information(joint: np.ndarray) -> float:
    """Information (nats) of a joint distribution of shape (a, b)."""
    outer = joint.sum(1, keepdims=True) * joint.sum(0)
    some = joint > 0
    return float((joint[some] * np.log(joint[some] / outer[some])).sum())


def normal_sum(means: np.ndarray, weights: np.ndarray, scale: float, noise: float) -> float:
    """I(s; s + e) in nats, with s a mixture of normals (``means``, ``weights``, sd ``scale``) and e normal of sd ``noise``."""
    sd = math.hypot(scale, noise)
    grid = np.arange(means.min() - 7 * sd, means.max() + 7 * sd, sd / 40)
    density = np.zeros(len(grid))
    for part in range(0, len(means), 200):  # a few hundred components at a time bound the memory
        gap = (grid[:, None] - means[None, part : part + 200]) / sd
        density += np.exp(-0.5 * gap**2) @ weights[part : part + 200]
    density /= sd * math.sqrt(2 * math.pi)
    entropy = -float((density * np.log(np.maximum(density, 1e-300))).sum()) * sd / 40
    return entropy - 0.5 * math.log(2 * math.pi * math.e * noise**2)


MAPS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda v: v,
    np.exp,
    lambda v: v**3,
    lambda v: 1e6 + 50 * v,
    lambda v: np.tan(1.5 * (2 * ndtr(v) - 1)),  # tails like Cauchy's, cut
)


def reshaped(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A monotone map of numbers (n,), which changes no information."""
    return MAPS[rng.integers(len(MAPS))](values)

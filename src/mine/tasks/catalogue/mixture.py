"""Discrete with continuous, in one pair or in one coordinate."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from mine.tasks.families.branches import Branches, SignTable
from mine.tasks.families.multinormal import JointNormal, paired_covariance
from mine.tasks.task import LogRatio, Sampler, Task

GAO = "Gao et al., 2017, Estimating Mutual Information for Discrete-Continuous Mixtures (arXiv 1709.06212)"


def _task(name: str, information: float, words: str, sampler: Sampler, ratio: LogRatio) -> Task:
    return Task(
        name=name, dx=1, dy=1, mutual_information=information, description=words, source=GAO, suite="mixture",
        sampler=sampler, ratio=ratio,
    )  # fmt: skip


def _atoms_and_normal() -> Task:
    family = Branches(
        (0.5, 0.5),
        (JointNormal(paired_covariance(1, 1, 0.9), 1), SignTable(0.9)),
        lambda rows: (np.abs(rows[:, 0]) == 1).astype(int),  # a normal value is 1 or -1 with probability 0
    )
    words = "half of the rows normal of correlation 0.9, half signs that agree with probability 0.9"
    return _task("mixture-normal-and-signs", family.mutual_information, words, family.sampler, family.ratio)


def _steps(m: int) -> Task:
    """``x`` uniform on 0 .. m - 1, ``y ~ U(x, x + 2)``: ``log m - (m - 1) log 2 / m``."""

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.integers(m, size=(n, 1)).astype(float)
        return x, x + rng.uniform(0, 2, size=(n, 1))

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # y lies in the steps of floor(y) and of the one before it, where there are such
        overlapping = np.where((y < 1) | (y >= m), 1.0, 2.0)
        inside = (y >= x) & (y < x + 2)
        with np.errstate(divide="ignore"):
            return np.log(np.where(inside, m / overlapping, 0.0))[:, 0]

    information = math.log(m) - (m - 1) * math.log(2) / m
    return _task(f"mixture-steps-{m}", information, f"x uniform on 0 .. {m - 1}, y uniform on (x, x + 2)", sampler, ratio)


def _zero_inflated_poisson(p: float) -> Task:
    """``x ~ Exp(1)``; ``y`` is 0 with probability ``p``, else Poisson with mean x, so geometric by itself.

    H(y) is a sum; H(y | x) one over k of ``integral e^-x P(k | x) log P(k | x)``, closed but for the term of y = 0.
    """

    def log_marginal(y: np.ndarray) -> np.ndarray:
        return np.where(y == 0, np.log(p + (1 - p) / 2), np.log1p(-p) - (y + 1) * math.log(2))

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.exponential(size=(n, 1))
        return x, np.where(rng.uniform(size=(n, 1)) < p, 0, rng.poisson(x)).astype(float)

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        poisson = np.log1p(-p) + special.xlogy(y, x) - x - special.gammaln(y + 1)
        given = np.where(y == 0, np.log(p + (1 - p) * np.exp(-x)), poisson)
        return (given - log_marginal(y))[:, 0]

    k = np.arange(1, 200.0)
    # x given y = k is Gamma(k + 1, rate 2): E x = (k + 1) / 2, E log x = psi(k + 1) - log 2
    counts = (1 - p) * 2.0 ** -(k + 1)
    positive = counts @ (
        k * (special.digamma(k + 1) - math.log(2)) - (k + 1) / 2 + (k + 1) * math.log(2) - special.gammaln(k + 1)
    )
    nodes, weights = special.roots_legendre(60)
    u = (nodes + 1) / 2  # u = e^-x is uniform
    given = p + (1 - p) * u
    zero = weights / 2 @ (given * (np.log(given) - math.log(p + (1 - p) / 2)))
    words = f"x exponential, y 0 with probability {p:g}, else Poisson of mean x"
    return _task(f"mixture-zero-inflated-poisson-{p:g}", float(positive + zero), words, sampler, ratio)


TASKS = (_atoms_and_normal(), _steps(3), _steps(20), _zero_inflated_poisson(0.15), _zero_inflated_poisson(0.5))

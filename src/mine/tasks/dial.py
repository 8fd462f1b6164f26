"""Families with a dial: a task of any information, in nats.

Where a family is not jointly distributed by nature, its coordinates are independent pairs and each has its share.

>>> from mine.tasks import dial
>>> task = dial.student(6.0, dim=3, dof=3)
>>> task.name, task.mutual_information
('student-3d-dof3-mi-6', 6.0)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from scipy import optimize

from mine.errors import InputError
from mine.tasks import maps
from mine.tasks.families.additive_uniform import AdditiveUniform
from mine.tasks.families.log_gamma_exponential import LogGammaExponential
from mine.tasks.families.multistudent import JointStudent, shared_scale_information
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.task import Task

__all__ = ["log_gamma_exponential", "normal", "smoothed_uniform", "student", "uniform"]

BUTAKOV = "Butakov et al., 2024, Mutual Information Estimation via Normalizing Flows (arXiv 2403.02187)"


class _Family(Protocol):
    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]: ...
    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray: ...


def normal(information: float, dim: int = 1) -> Task:
    """Correlated standard normal vectors.

    Raises:
        InputError: ``information`` negative or not finite, or ``dim`` below 1.

    Example:
        >>> normal(4.0, dim=5).name
        'normal-5d-mi-4'
    """
    _check(information, dim)
    return _task("normal", information, dim, "correlated normal", CorrelatedNormal(information, dim))


def uniform(information: float, dim: int = 1) -> Task:
    """Uniform margins on (0, 1): correlated normal vectors through the normal distribution function."""
    base = normal(information, dim)
    return base.transformed(
        _name("uniform", information, dim),
        f"normal copula, margins uniform, {_size(information, dim)}",
        x=maps.NORMAL_CDF,
        y=maps.NORMAL_CDF,
    )


def student(information: float, dim: int = 1, dof: float = 3) -> Task:
    """Jointly Student vectors: correlated normal ones over a shared scale, whose own information counts.

    Raises:
        InputError: ``information`` is less than the shared scale gives by itself; ``dof`` not positive.
    """
    _check(information, dim)
    if not (math.isfinite(dof) and dof > 0):
        raise InputError(f"dof must be positive, got {dof!r}.")
    scale = shared_scale_information(dim, dim, dof)
    if information < scale:
        raise InputError(
            f"A Student variable of {dim} + {dim} coordinates and dof {dof:g} has at least {scale:.4f} nats, by its shared "
            f"scale; got {information!r}. Raise information or dof."
        )
    family = JointStudent(CorrelatedNormal(information - scale, dim), dof)
    return _task(f"student-{dim}d-dof{dof:g}", information, dim, f"jointly Student, dof {dof:g}", family)


def smoothed_uniform(information: float, dim: int = 1) -> Task:
    """``x`` uniform and ``y`` = ``x`` + uniform noise: the additive noise of 'Beyond Normal', with a dial.

    Raises:
        InputError: ``information`` is 0, which the family only reaches with infinite noise.
    """
    share = _positive("smoothed_uniform", information, dim) / dim
    # 1 / (4 epsilon) from epsilon = 1/2 on, epsilon - log(2 epsilon) below it
    below = _solve(lambda e: AdditiveUniform(e).mutual_information - share, math.exp(-share) / 2, 0.5) if share > 0.5 else None
    family = AdditiveUniform(below or 1 / (4 * share), dim)
    words = f"uniform, noise uniform within {family.epsilon:.3g}"
    return _task("smoothed-uniform", information, dim, words, family, BUTAKOV)


def log_gamma_exponential(information: float, dim: int = 1) -> Task:
    """Logarithms of a gamma variable and of an exponential one with that rate.

    Raises:
        InputError: ``information`` is 0, which the family only reaches in a limit.
    """
    share = _positive("log_gamma_exponential", information, dim) / dim

    def excess(log_shape: float) -> float:
        return LogGammaExponential(math.exp(log_shape)).mutual_information - share

    # 1 / (2 a) < I < 1 / a, and I > -log a - Euler's constant for every a
    shape = math.exp(_solve(excess, -share - 1, math.log(1 / share) + 1))
    words = f"log-gamma-exponential, shape {shape:.3g}"
    return _task("log-gamma-exponential", information, dim, words, LogGammaExponential(shape, dim), BUTAKOV)


def _solve(function: Callable[[float], float], lower: float, upper: float) -> float:
    return float(optimize.root_scalar(function, bracket=(lower, upper), method="brentq", xtol=1e-15, rtol=1e-14).root)


def _task(family_name: str, information: float, dim: int, words: str, family: _Family, source: str | None = None) -> Task:
    name = f"{family_name}-mi-{information:g}" if "d-dof" in family_name else _name(family_name, information, dim)
    return Task(
        name=name, dx=dim, dy=dim, mutual_information=float(information), description=f"{words}, {_size(information, dim)}",
        source=source or "Belghazi et al., 2018 (arXiv 1801.04062), section 4.1; Czyz et al., 2023 (arXiv 2306.11078)",
        suite="dial", sampler=family.sampler, ratio=family.ratio,
    )  # fmt: skip


def _name(family: str, information: float, dim: int) -> str:
    return f"{family}-{dim}d-mi-{information:g}"


def _size(information: float, dim: int) -> str:
    return f"{dim} x {dim}, {information:g} nats"


def _check(information: float, dim: int) -> None:
    if not (math.isfinite(information) and information >= 0):
        raise InputError(f"information must be 0 nats or more and finite, got {information!r}.")
    if dim < 1:
        raise InputError(f"dim must be 1 or more, got {dim!r}.")


def _positive(family: str, information: float, dim: int) -> float:
    _check(information, dim)
    if information == 0:
        raise InputError(f"{family} reaches 0 nats only in a limit: take a positive information, or normal(0).")
    return information

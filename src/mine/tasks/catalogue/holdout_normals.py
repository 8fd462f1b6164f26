"""Held-out tasks: normal and Student vectors of other covariance and under other maps. Not for tuning."""

from __future__ import annotations

import numpy as np

from mine.tasks import maps
from mine.tasks import mixing_maps as mixing
from mine.tasks.families.multinormal import JointNormal, paired_covariance
from mine.tasks.families.multistudent import JointStudent
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.task import Map, Task


def _task(name: str, words: str, family: JointNormal | JointStudent | CorrelatedNormal) -> Task:
    dx, dy = (family.normal.dx, family.normal.dy) if isinstance(family, JointStudent) else (family.dx, family.dy)
    return Task(
        name=f"holdout-{name}", dx=dx, dy=dy, mutual_information=family.mutual_information, description=words,
        source="this project; closed form of the normal or Student vector, invariant under the maps", suite="holdout",
        sampler=family.sampler, ratio=family.ratio,
    )  # fmt: skip


def _mapped(task: Task, x: Map, y: Map) -> Task:
    return task.transformed(task.name, task.description, x=x, y=y)


def _series(d: int, phi: float) -> JointNormal:
    """An autoregressive series of 2 d steps; x has the even steps, y the odd ones."""
    step = np.concatenate([np.arange(0, 2 * d, 2), np.arange(1, 2 * d, 2)])
    return JointNormal(phi ** np.abs(step[:, None] - step), d)


def _blocks(d: int, size: int, within: float, across: float) -> JointNormal:
    """Blocks of ``size`` coordinates on each side, correlated within; only like blocks of x and y correlate."""
    same = np.kron(np.eye(d // size), np.ones((size, size)))
    own = within * same + (1 - within) * np.eye(d)
    return JointNormal(np.block([[own, across * same], [across * same, own]]), d)


def _factors(dx: int, dy: int, k: int, seed: int) -> JointNormal:
    """``k`` hidden normals, loaded at random on every coordinate, and unit noise."""
    loads = np.random.default_rng(seed).normal(size=(dx + dy, k)) / np.sqrt(2 * k)
    return JointNormal(loads @ loads.T + np.eye(dx + dy), dx)


EXP = Map(np.exp, np.log)
SOFTSIGN = Map(lambda u: u / (1 + np.abs(u)), lambda v: v / (1 - np.abs(v)))
SINH = Map(np.sinh, np.arcsinh)

TASKS = (
    _task("ar1-10d", "even and odd steps of an AR(1) series, phi 0.6, 10 x 10", _series(10, 0.6)),
    _task("blocks-30d", "ten blocks of three, correlation 0.5 within and 0.3 across, 30 x 30", _blocks(30, 3, 0.5, 0.3)),
    _task("factors-30-4d", "three hidden factors under noise, 30 x 4", _factors(30, 4, 3, 5)),
    _mapped(
        _task("sparse-15d", "three pairs of correlation 0.7; exp of x, u / (1 + |u|) of y, 15 x 15",
              JointNormal(paired_covariance(15, 3, 0.7), 15)), EXP, SOFTSIGN,
    ),
    _mapped(
        _task("sparse-6d", "four pairs of correlation 0.85; sinh of x, signed square root of y, 6 x 6",
              JointNormal(paired_covariance(6, 4, 0.85), 6)), SINH, maps.power(0.5),
    ),
    _mapped(
        _task("shells-4d", "normal, 1.5 nats; planes turned by a wave of the length, sheared, 4 x 4", CorrelatedNormal(1.5, 4)),
        maps.chain(mixing.rotation(4, 300), mixing.bend_shells(2.0, 0.7), mixing.linear(np.triu(np.ones((4, 4))))),
        maps.chain(mixing.rotation(4, 301), mixing.bend_shells(1.5, 0.5), mixing.linear(np.tril(np.ones((4, 4))))),
    ),
    _mapped(
        _task("student-roots-4-2d", "Student of dof 4 and shape by two factors, signed roots, 4 x 2",
              JointStudent(_factors(4, 2, 2, 6), 4)), maps.power(0.5), maps.power(0.7),
    ),
)  # fmt: skip

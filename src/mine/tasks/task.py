"""A task: a joint distribution that can be sampled and whose mutual information is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from mine.errors import InputError

__all__ = ["Map", "Task"]

Sampler: TypeAlias = Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]
LogRatio: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Map:
    """An invertible map of one side: ``forward`` and ``inverse`` take and give rows, (n, d) -> (n, d').

    ``inverse`` may be None; a task then loses its log-ratio, not its information.
    """

    forward: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Task:
    """A distribution with known mutual information.

    Attributes:
        name: Unique name, as on the command line.
        dx: Numbers in one row of x.
        dy: Numbers in one row of y.
        mutual_information: I(x; y) in nats.
        description: One line.
        source: Paper, and where in it.
        suite: The suite it is reported in, for example ``"published"``.
        sampler: ``(n, generator) -> (x, y)`` of shapes (n, dx) and (n, dy).
        ratio: ``log p(x, y) / (p(x) p(y))`` of rows in nats, shape (n,), or None where no closed form exists.
        x_shape: Shape of one row of x if it is an image or a sequence, for example (1, 16, 16); None for a row of columns.
        y_shape: Shape of one row of y, likewise.

    Raises:
        InputError: A shape of other than ``dx`` or ``dy`` numbers.
    """

    name: str
    dx: int
    dy: int
    mutual_information: float
    description: str
    source: str
    suite: str
    sampler: Sampler
    ratio: LogRatio | None = None
    x_shape: tuple[int, ...] | None = None
    y_shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for side, shape, size in (("x", self.x_shape, self.dx), ("y", self.y_shape, self.dy)):
            if shape is not None and math.prod(shape) != size:
                raise InputError(f"{side}_shape {shape} has {math.prod(shape)} numbers, but d{side} is {size}.")

    def sample(self, n: int, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw ``n`` independent rows; the same seed gives the same rows.

        x has shape ``(n, dx)``, or ``(n, *x_shape)`` if the task has one; y likewise.
        """
        if n < 1:
            raise InputError(f"n must be 1 or more, got {n!r}.")
        x, y = self.sampler(n, np.random.default_rng(random_state))
        return x.reshape(n, *(self.x_shape or (self.dx,))), y.reshape(n, *(self.y_shape or (self.dy,)))

    @property
    def has_log_ratio(self) -> bool:
        return self.ratio is not None

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``log p(x, y) - log p(x) - log p(y)`` of each row in nats, shape (n,); its mean over joint rows is the oracle.

        Raises:
            InputError: The task has none in closed form (``has_log_ratio`` is False).
        """
        if self.ratio is None:
            raise InputError(f"Task {self.name!r} has no log-ratio in closed form.")
        return np.asarray(self.ratio(np.asarray(x).reshape(-1, self.dx), np.asarray(y).reshape(-1, self.dy)))

    def transformed(
        self,
        name: str,
        description: str,
        *,
        x: Map | None = None,
        y: Map | None = None,
        dx: int | None = None,
        dy: int | None = None,
        source: str | None = None,
        suite: str | None = None,
    ) -> Task:
        """The same information under invertible maps of x and y; ``dx`` and ``dy`` where a map changes the dimension.

        A side that is mapped has rows of columns again, whatever its shape was.
        """
        base = self

        def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
            u, v = base.sampler(n, rng)
            u, v = u.reshape(n, base.dx), v.reshape(n, base.dy)
            return (x.forward(u) if x else u), (y.forward(v) if y else v)

        ratio = None
        back_x, back_y = (m.inverse if m else _same for m in (x, y))
        if base.ratio is not None and back_x is not None and back_y is not None:
            ratio = _through(base.ratio, back_x, back_y)
        return replace(
            self, name=name, description=description, sampler=sampler, ratio=ratio, dx=dx or self.dx, dy=dy or self.dy,
            source=source or self.source, suite=suite or self.suite,
            x_shape=None if x else self.x_shape, y_shape=None if y else self.y_shape,
        )  # fmt: skip


def _same(rows: np.ndarray) -> np.ndarray:
    return rows


def _through(
    ratio: LogRatio, back_x: Callable[[np.ndarray], np.ndarray], back_y: Callable[[np.ndarray], np.ndarray]
) -> LogRatio:
    return lambda x, y: ratio(back_x(x), back_y(y))

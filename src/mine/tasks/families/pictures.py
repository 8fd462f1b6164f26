"""Pictures of a few correlated numbers: bumps on a line, a blob, a rectangle. The numbers can be computed from the picture.

Each ``draw`` maps normal numbers, shape (n, k), to pictures; each ``read`` inverts it. An invertible map of one side changes
no information, so the information of two pictures is that of their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["Blobs", "Bumps", "Rectangles"]

#: Probabilities are kept this far from 0 and 1 when a rounded picture is read.
EDGE = 1e-7


@dataclass(frozen=True)
class Bumps:
    """``count`` Gaussian bumps of one number: a curve in ``count`` dimensions."""

    count: int = 8
    width: float = 0.8

    @property
    def _centres(self) -> np.ndarray:
        return np.linspace(-2, 2, self.count)

    def draw(self, t: np.ndarray) -> np.ndarray:
        """(n, 1) -> (n, count)."""
        return np.exp(-0.5 * ((t - self._centres) / self.width) ** 2)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, count) -> (n, 1): the logarithm of the ratio of two neighbouring bumps is linear in the number."""
        k = self.count // 2 - 1
        low, high = self._centres[k : k + 2]
        slope = np.log(rows[:, k + 1] / rows[:, k]) * self.width**2 / (high - low)
        return slope[:, None] + (low + high) / 2


@dataclass(frozen=True)
class Blobs:
    """A round grey blob on ``size`` x ``size`` pixels, whose place is two numbers."""

    size: int = 16
    spread: float = 1.7
    margin: float = 3.0

    def draw(self, t: np.ndarray) -> np.ndarray:
        """(n, 2) -> (n, size * size)."""
        place = self.margin + (self.size - 1 - 2 * self.margin) * special.ndtr(t)
        profiles = np.exp(-0.5 * ((np.arange(self.size) - place[:, :, None]) / self.spread) ** 2).astype(np.float32)
        return (profiles[:, 0, :, None] * profiles[:, 1, None, :]).reshape(len(t), -1)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, size * size) -> (n, 2), by the pixels around the brightest row and column."""
        pictures = rows.reshape(len(rows), self.size, self.size).astype(float)
        places = np.stack([self._place(pictures.sum(axis)) for axis in (2, 1)], 1)
        share = (places - self.margin) / (self.size - 1 - 2 * self.margin)
        return special.ndtri(np.clip(share, EDGE, 1 - EDGE))

    def _place(self, profile: np.ndarray) -> np.ndarray:
        top = profile.argmax(1)
        rows = np.arange(len(profile))
        return top + self.spread**2 * np.log(profile[rows, top + 1] / profile[rows, top - 1]) / 2


@dataclass(frozen=True)
class Rectangles:
    """A rectangle with soft edges on ``size`` x ``size`` pixels: its centre and its half sides are four numbers."""

    size: int = 28
    shortest: float = 2.0
    longest: float = 7.0
    softness: float = 2.0

    def draw(self, t: np.ndarray) -> np.ndarray:
        """(n, 4) -> (n, size * size)."""
        share = special.ndtr(t)
        centre = self.longest + 1 + (self.size - 3 - 2 * self.longest) * share[:, :2]
        half = self.shortest + (self.longest - self.shortest) * share[:, 2:]
        inside = half[:, :, None] - np.abs(np.arange(self.size) - centre[:, :, None])  # distance from the edge, per axis
        nearest = np.minimum(inside[:, 0, :, None], inside[:, 1, None, :])
        return special.expit(self.softness * nearest).astype(np.float32).reshape(len(t), -1)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, size * size) -> (n, 4), by the grey of the pixels next to the four edges."""
        pictures = rows.reshape(len(rows), self.size, self.size).astype(float)
        starts, ends = zip(*(self._edges(pictures.max(axis)) for axis in (2, 1)), strict=True)
        first, last = np.stack(starts, 1), np.stack(ends, 1)
        centre = ((first + last) / 2 - self.longest - 1) / (self.size - 3 - 2 * self.longest)
        half = ((last - first) / 2 - self.shortest) / (self.longest - self.shortest)
        return special.ndtri(np.clip(np.concatenate([centre, half], 1), EDGE, 1 - EDGE))

    def _edges(self, profile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the profile of each row, (n, size), rises through one half and falls below it again."""
        at, rows, light = np.arange(self.size), np.arange(len(profile)), profile > 0.5
        left, right = light.argmax(1), self.size - 1 - light[:, ::-1].argmax(1)
        distance = special.logit(profile[rows, left]) / self.softness, special.logit(profile[rows, right]) / self.softness
        return at[left] - distance[0], at[right] + distance[1]

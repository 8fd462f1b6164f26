"""Two series of several channels that share a slow signal, bent by an invertible map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mine.tasks.families.multinormal import JointNormal

__all__ = ["Sequences"]


@dataclass(frozen=True)
class Sequences:
    """Each side: one slow signal in a direction of its own among ``channels``, autocorrelated noise, then channels bent.

    Along its direction, of length 1, a side is ``amplitude * signal + noise`` at ``steps`` times; across it there is noise
    alone. Channel by channel ``bend * sin(2 * the channel before)`` is added, which can be undone.
    """

    steps: int = 64
    channels: int = 4
    amplitude: float = 0.85
    memory: float = 0.9
    noise_memory: float = 0.5
    bend: float = 1.5
    seed: int = 11

    @property
    def directions(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors of x and of y, (channels,) each."""
        u, v = np.random.default_rng(self.seed).normal(size=(2, self.channels))
        return u / np.linalg.norm(u), v / np.linalg.norm(v)

    @property
    def covariances(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the shared signal and of the noise, over time: (steps, steps) each."""
        apart = np.abs(np.arange(self.steps)[:, None] - np.arange(self.steps))
        return self.memory**apart, self.noise_memory**apart

    @cached_property
    def along(self) -> JointNormal:
        """The two sides along their directions, (2 * steps,); nothing else of them is shared."""
        signal, noise = self.covariances
        shared = self.amplitude**2 * signal
        return JointNormal(np.block([[shared + noise, shared], [shared, shared + noise]]), self.steps)

    @property
    def mutual_information(self) -> float:
        """In nats."""
        return self.along.mutual_information

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        signal, noise = (np.linalg.cholesky(c) for c in self.covariances)
        shared = self.amplitude * rng.normal(size=(n, self.steps)) @ signal.T
        sides = []
        for direction in self.directions:
            own = noise @ rng.normal(size=(n, self.steps, self.channels))
            sides.append(self._bent(shared[:, :, None] * direction + own))
        return sides[0], sides[1]

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,), of rows (n, steps * channels)."""
        u, v = (self.straight(side) @ direction for side, direction in zip((x, y), self.directions, strict=True))
        return self.along.ratio(u, v)

    def _bent(self, rows: np.ndarray) -> np.ndarray:
        for c in range(1, self.channels):
            rows[:, :, c] += self.bend * np.sin(2 * rows[:, :, c - 1])
        return rows.astype(np.float32)

    def straight(self, rows: np.ndarray) -> np.ndarray:
        """Undo the bending: (n, steps * channels) -> (n, steps, channels)."""
        rows = rows.reshape(len(rows), self.steps, self.channels).astype(float)
        for c in range(self.channels - 1, 0, -1):
            rows[:, :, c] -= self.bend * np.sin(2 * rows[:, :, c - 1])
        return rows

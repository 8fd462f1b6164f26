"""Images of the same handwritten digit, or of another one now and then: the 1,797 images that scikit-learn ships."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

__all__ = ["PixelDigits", "known_images"]

LABELS = 10
SIDE = 8


@cache
def known_images() -> tuple[np.ndarray, np.ndarray]:
    """The images, (1797, 64) with grey values 0 to 16, and their labels, (1797,); read from the package's own file."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return np.asarray(images, np.float32), np.asarray(labels)


@dataclass(frozen=True)
class PixelDigits:
    """``pairs`` digits side by side in x; in y other images, each of the same digit, or of another with probability ``flip``.

    Images are drawn with replacement, and each pixel gets normal noise. The noise is small against the distance of any two
    images with different labels, so that an image determines its label and the information is that of the labels, exactly.

    Attributes:
        flip: Probability that the digit of y is one of the other nine.
        pairs: Digits per image.
        labels_only: y is the label itself.
        noise: Standard deviation per pixel, in grey values.
    """

    flip: float = 0.0
    pairs: int = 1
    labels_only: bool = False
    noise: float = 0.5

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: channels, height, width."""
        return 1, SIDE, SIDE * self.pairs

    @property
    def mutual_information(self) -> float:
        """``log 10 - H(flip) - flip log 9`` per pair, in nats."""
        uncertain = float(special.entr(self.flip) + special.entr(1 - self.flip)) + self.flip * math.log(LABELS - 1)
        return self.pairs * (math.log(LABELS) - uncertain)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        digit = rng.integers(LABELS, size=(n, self.pairs))
        flipped = rng.uniform(size=digit.shape) < self.flip
        other = np.where(flipped, (digit + rng.integers(1, LABELS, size=digit.shape)) % LABELS, digit)
        y = other.astype(float) if self.labels_only else self._images(other, rng)
        return self._images(digit, rng), y

    def _images(self, digit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n, pairs) -> (n, 8 * 8 * pairs), digits side by side."""
        images, labels = known_images()
        order = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=LABELS)
        first = np.cumsum(counts) - counts
        chosen = order[first[digit] + (rng.uniform(size=digit.shape) * counts[digit]).astype(int)]
        drawn = images[chosen].reshape(len(digit), self.pairs, SIDE, SIDE).transpose(0, 2, 1, 3).reshape(len(digit), -1)
        return drawn + np.float32(self.noise) * rng.standard_normal(size=drawn.shape, dtype=np.float32)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """(n, 8 * 8 * pairs) -> labels (n, pairs), of the nearest known image."""
        images, labels = known_images()
        each = rows.reshape(len(rows), SIDE, self.pairs, SIDE).transpose(0, 2, 1, 3).reshape(-1, SIDE * SIDE)
        squares, parts = (images**2).sum(1), np.array_split(each, 1 + len(each) // 5000)
        nearest = [labels[(squares - 2 * part @ images.T).argmin(1)] for part in parts]
        return np.concatenate(nearest).reshape(len(rows), self.pairs)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,): minus infinity for different digits if none is ever flipped."""
        same = self.read(x) == (y if self.labels_only else self.read(y))
        with np.errstate(divide="ignore"):
            logs = np.log(LABELS * np.array([self.flip / (LABELS - 1), 1 - self.flip]))
        return logs[same.astype(int)].sum(1)

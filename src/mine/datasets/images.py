"""A labelled set of images, split into a part to train on and a part to test on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Images"]


@dataclass(frozen=True, repr=False)
class Images:
    """Grey images and what they show; the rows to train on come first.

    Attributes:
        images: Brightness from 0 to ``white``, uint8, shape (n, height, width).
        labels: What an image shows, uint8, shape (n,).
        n_train: How many rows are for training; the others test.
        white: The brightest value there can be.
        source: Where the images came from.
    """

    images: np.ndarray
    labels: np.ndarray
    n_train: int
    white: int
    source: str

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels to train on."""
        return self.images[: self.n_train], self.labels[: self.n_train]

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels to test on."""
        return self.images[self.n_train :], self.labels[self.n_train :]

    def __repr__(self) -> str:
        n, height, width = self.images.shape
        return f"Images({self.n_train:,} to train and {n - self.n_train:,} to test, {height} x {width}, from {self.source})"

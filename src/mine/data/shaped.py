"""Rows of two or more axes as features that keep their shape: each channel with its own scale."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from mine.data.preprocessing import Preprocess, SideEncoder
from mine.data.variable import Variable

__all__ = ["ShapedEncoder"]

#: Rows that scales are computed from, and the share of the values of a channel that is cut off at either end for that.
SCALE_ROWS, CUT_OFF = 2000, 1e-3
#: Standard deviations within which values stay as they are; beyond, they grow by their logarithm only.
LINEAR_WITHIN = 4.0


class ShapedEncoder(SideEncoder):
    """A :class:`SideEncoder` that keeps the shape of rows of two or more axes, and gives each of their channels its own scale.

    A channel is shifted by its mean and divided by its standard deviation, both without the outermost values; far outliers
    are drawn in by a logarithm. Ranks of single pixels would undo an image, and quartiles say nothing of pixels most of
    which are background.

    Arguments:
        preprocess: As for :class:`SideEncoder`; ``"rank"`` and ``"robust"`` are the same for rows that keep their shape.
        both: As for :class:`SideEncoder`.
        channels: ``"first"`` (C, H, W), ``"last"`` (T, D), or None for one scale for all values.
    """

    def __init__(self, preprocess: Preprocess, *, both: bool = False, channels: Literal["first", "last"] | None = None) -> None:
        super().__init__(preprocess, both=both)
        self.channels = channels

    def fit(self, variable: Variable, *, keep_shape: bool = True) -> Self:
        if not keep_shape or variable.continuous.ndim <= 2:
            super().fit(variable)
            return self
        self.keep_shape = True
        self.side_, self.columns_, self.discrete_ = variable.name, variable.columns, variable.discrete_columns
        self.merged_: dict[str, int] = {}
        some = np.linspace(0, len(variable) - 1, min(len(variable), SCALE_ROWS)).astype(np.int64)
        values = self._by_channel(np.asarray(variable.continuous[some], dtype=np.float64))
        low, high = np.quantile(values, [CUT_OFF, 1 - CUT_OFF], axis=0)
        # Of a channel that hardly ever differs from its background, the outermost values are all there is.
        inner = np.where(low < high, values.clip(low, high), values)
        largest = np.abs(inner).max(0)  # divided by it first, numbers near the ends of float64 stay finite
        self.unit_ = np.where(largest > 0, largest, 1.0)
        self.center_ = (inner / self.unit_).mean(0)
        spread = (inner / self.unit_).std(0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        return self

    def transform(self, variable: Variable) -> np.ndarray:
        """Features of shape (n, *event), or (n, p) of flat rows; float32."""
        if not self.keep_shape:
            return super().transform(variable)
        values = np.asarray(variable.continuous, dtype=np.float64)
        if self.preprocess is None:
            return values.clip(-3e38, 3e38).astype(np.float32)
        with np.errstate(over="ignore"):
            z = ((self._by_channel(values) / self.unit_ - self.center_) / self.scale_).clip(-1e300, 1e300)
        beyond = np.maximum(np.abs(z) - LINEAR_WITHIN, 0.0)
        z = np.where(beyond > 0, np.sign(z) * (LINEAR_WITHIN + np.log1p(beyond)), z)
        return self._in_shape(z, values.shape).astype(np.float32)

    def _by_channel(self, values: np.ndarray) -> np.ndarray:
        """Values (n, *event) as a matrix with a column per channel."""
        if self.channels == "first":
            values = np.moveaxis(values, 1, -1)
        return values.reshape(-1, values.shape[-1] if self.channels else 1)

    def _in_shape(self, by_channel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        if self.channels != "first":
            return by_channel.reshape(shape)
        return np.moveaxis(by_channel.reshape(shape[0], *shape[2:], shape[1]), -1, 1)

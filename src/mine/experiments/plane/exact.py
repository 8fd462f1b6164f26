"""What layers hold on their input and on the label: exactly, with noise; and by binning and by kernels."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

__all__ = ["binned", "kernel_bound", "noisy_information"]

_CHUNK = 512


def noisy_information(h: Tensor, y: Tensor, sigma: float, generator: torch.Generator) -> tuple[float, float]:
    """I(X; T) and I(T; Y) in nats of ``T = h(X) + sigma * noise``, all rows equally likely, by Monte Carlo.

    T is a mixture of as many normals as there are rows: its density, and that given a label, is a sum over them. One draw of
    the noise for each row; the error is about ``1 / sqrt(n)``.

    Arguments:
        h: Output of a layer for every input, shape (n, d).
        y: Label of every input, 0 or 1, shape (n,).
        sigma: Standard deviation of the noise.
        generator: Draws the noise.
    """
    h = h / sigma
    order = y.argsort(stable=True)
    h, y = h[order], y[order]
    zeros = int((y == 0).sum())
    with_x, with_y = 0.0, 0.0
    for rows in torch.arange(len(h)).split(_CHUNK):
        noise = torch.randn(len(rows), h.shape[1], generator=generator, dtype=h.dtype)
        exponents = -0.5 * _distance(h[rows] + noise, h) ** 2
        by_label = torch.stack([exponents[:, :zeros].logsumexp(1), exponents[:, zeros:].logsumexp(1)], 1)
        log_density = by_label.logsumexp(1) - math.log(len(h))
        with_x += float((-0.5 * (noise**2).sum(1) - log_density).sum())
        counts = torch.tensor([zeros, len(h) - zeros], dtype=h.dtype)
        given = (by_label - counts.log()).gather(1, y[rows, None].long())[:, 0]
        with_y += float((given - log_density).sum())
    return with_x / len(h), with_y / len(h)


def binned(h: Tensor, y: Tensor, edges: Tensor) -> tuple[float, float]:
    """I(X; T) and I(T; Y) in nats of outputs without noise, each unit cut into bins.

    References:
        Shwartz-Ziv & Tishby, 2017 (arXiv 1703.00810), section 3.2.

    Arguments:
        h: Outputs of a layer for all inputs, shape (n, d).
        y: Labels, shape (n,).
        edges: Inner edges of the bins, rising, shape (bins - 1,) for all units or (d, bins - 1).
    """
    cells = torch.stack(
        [torch.bucketize(h[:, i].contiguous(), edges if edges.ndim == 1 else edges[i]) for i in range(h.shape[1])], 1
    )
    _, code = np.unique(cells.numpy(), axis=0, return_inverse=True)
    code = code.reshape(-1)
    joint = _entropy(np.unique(np.stack([code, y.numpy()]), axis=1, return_counts=True)[1])
    of_t, of_y = _entropy(np.bincount(code)), _entropy(np.bincount(y.numpy()))
    return of_t, of_t + of_y - joint


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def kernel_bound(h: Tensor, y: Tensor, sigma: float) -> tuple[float, float]:
    """Upper bound on I(X; T), and the estimate of I(T; Y) made of such bounds (nats), for noise ``sigma``, without samples.

    References:
        Kolchinsky & Tracey, 2017 (arXiv 1706.02419), eq. 10; used for layers by Saxe et al., 2018.
    """
    of_t = _pairwise(h, sigma)
    given = sum(float((y == label).double().mean()) * _pairwise(h[y == label], sigma) for label in (0, 1))
    return of_t, of_t - given


def _pairwise(h: Tensor, sigma: float) -> float:
    """``-mean_i log mean_j exp(-|h_i - h_j|^2 / 2 sigma^2)``: the entropy of the mixture, less that of the noise, at most."""
    h = h / sigma
    sums = [(-0.5 * _distance(part, h) ** 2).logsumexp(1) for part in h.split(_CHUNK)]
    return math.log(len(h)) - float(torch.cat(sums).mean())


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Of every row to every row; by differences, which keep their digits where a product of matrices loses them."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")

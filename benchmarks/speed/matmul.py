"""The machine's rate of single-precision matrix products on one core, measured."""

from __future__ import annotations

import statistics
import time

import torch


def matmul_rate(size: int = 2048, repeats: int = 7) -> float:
    """Floating-point operations a second of a ``size x size`` float32 product: the median of some runs."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(size, size, generator=generator) for _ in range(2))
    out = torch.mm(a, b)
    rates = []
    for _ in range(repeats):
        start = time.process_time()
        torch.mm(a, b, out=out)
        rates.append(2 * size**3 / (time.process_time() - start))
    return statistics.median(rates)

"""Floating-point operations of a training step of the factored critic."""

from __future__ import annotations

from benchmarks.speed.race import Race


def step_flops(race: Race, shuffles: int = 1) -> int:
    """Operations of a step's matrix products: 2 a multiply-add, the backward pass twice the forward one.

    The first layer reads each x and each y once; the layers above it see all ``(shuffles + 1) * batch`` pairs. No gradient
    is taken for x and y, so the first layer's backward pass costs as much as its forward one. Activations, the bound and
    the optimizer are not counted: they are what keeps a step from the rate of the matrix products.
    """
    first = 2 * 2 * race.batch * race.dim * race.width
    pairs = (shuffles + 1) * race.batch
    above = 2 * pairs * (race.width * race.width * (race.layers - 1) + race.width)
    return 2 * first + 3 * above

"""A torchmetrics metric of mutual information, for training loops.

Needs torchmetrics, which the extra ``lightning`` brings: ``pip install "torch-mine[lightning]"``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mine.api import estimate
from mine.data.rows import MIN_ROWS
from mine.errors import InputError, UnknownNameError
from mine.result import UNITS, Estimate

try:
    from torchmetrics import Metric
except ImportError as missing:  # an ImportError, so that try/except around the import works as everywhere
    raise ImportError('mine.metrics needs torchmetrics: pip install "torch-mine[lightning]".') from missing

__all__ = ["MutualInformationMetric"]


class MutualInformationMetric(Metric):
    """The mutual information of what two sides showed over an epoch, by :func:`mine.estimate` on all rows together.

    An average of estimates per batch would be biased: few rows know little. So rows are kept until :meth:`compute`, which
    trains nothing of the model and leaves its gradients and modes alone. Cross-fitting holds rows out of each critic, so the
    rows of one validation epoch are enough. With several processes torchmetrics gathers the rows of all.

    Arguments:
        max_rows: Rows to keep in each process; the first ones of an epoch.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed of the estimate: the same rows give the same number.
        method: As in :func:`mine.estimate`.
        effort: As in :func:`mine.estimate`, for the methods that have it.
        **options: Further arguments of :func:`mine.estimate`.

    Attributes:
        estimate: The last :class:`mine.Estimate`, with its interval and warnings; None before the first.

    Raises:
        UnknownNameError: A unit that does not exist.
        InputError: Too few rows, batches of different numbers of rows, or data that cannot be used.

    Example:
        >>> metric = MutualInformationMetric(method="ksg")
        >>> generator = torch.Generator().manual_seed(0)
        >>> for _ in range(4):
        ...     x = torch.randn(250, 1, generator=generator)
        ...     metric.update(x, x + 0.75 * torch.randn(250, 1, generator=generator))
        >>> abs(metric.compute().item() - 0.51) < 0.1  # 0.5 log(1 + 1 / 0.75^2)
        True
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(
        self,
        *,
        max_rows: int = 10_000,
        unit: str = "nats",
        random_state: int = 0,
        method: Any = "auto",
        effort: str | None = "fast",
        **options: Any,
    ) -> None:
        super().__init__()
        if unit not in UNITS:
            raise UnknownNameError("unit", unit, UNITS)
        if max_rows < MIN_ROWS:
            raise InputError(f"max_rows must be {MIN_ROWS} or more, got {max_rows!r}.")
        self.max_rows, self.unit, self.random_state = max_rows, unit, random_state
        self.options = {**options, "method": method, **({"effort": effort} if method == "auto" and effort is not None else {})}
        self.estimate: Estimate | None = None
        self.add_state("x", [], dist_reduce_fx="cat")
        self.add_state("y", [], dist_reduce_fx="cat")

    def update(self, x: Tensor, y: Tensor) -> None:
        """Keep the rows of a batch.

        Arguments:
            x: Rows of one side, shape (B, ...).
            y: The same rows of the other, shape (B, ...); integers are labels where their values say so.
        """
        if len(x) != len(y):
            raise InputError(f"x has {len(x)} rows and y has {len(y)}: a batch has the same rows on both sides.")
        kept: list[Tensor] = self.x  # pyright: ignore[reportAssignmentType]
        room = self.max_rows - sum(map(len, kept))
        if room > 0:
            kept.append(x[:room].detach())
            self.y.append(y[:room].detach())  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]

    def compute(self) -> Tensor:
        """The estimate's value in ``unit``, a scalar in float32."""
        sides = [_joined(side) for side in (self.x, self.y)]
        if not len(sides[0]):
            raise InputError("The metric has seen no rows: call update(x, y) before compute().")
        self.estimate = estimate(*sides, unit=self.unit, random_state=self.random_state, **self.options)
        return torch.tensor(self.estimate.value, dtype=torch.float32, device=self.device)


def _joined(parts: Any) -> Tensor:
    """All rows of a side: a list of batches, or what torchmetrics has made of the lists of all processes."""
    if isinstance(parts, Tensor):
        return parts
    return torch.cat(list(parts)) if len(parts) else torch.empty(0)

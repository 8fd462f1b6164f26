"""Log densities of rows under ``torch.distributions``, whatever shape a distribution gives to one row."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from mine.errors import InputError, MineError

__all__ = ["as_density", "check_rows", "is_discrete", "log_density_matrix", "log_probs", "row_shape"]


def as_density(density: Any, rows: int, *, remedy: str) -> Distribution:
    """``density`` itself, if it is a distribution with one component for each of ``rows`` rows.

    Raises:
        InputError: It is something else; the message ends with ``remedy``.
    """
    if not isinstance(density, Distribution):
        raise InputError(f"This upper bound needs a torch.distributions.Distribution, got {type(density).__name__}: {remedy}")
    if density.batch_shape[:1] != (rows,):
        raise InputError(
            f"{rows} rows, but a {type(density).__name__} of batch shape {tuple(density.batch_shape)} and event shape "
            f"{tuple(density.event_shape)}: the batch shape must begin with the number of rows; {remedy}"
        )
    return density


def row_shape(density: Distribution) -> torch.Size:
    """Shape of one row: coordinates may be part of the batch or of the event."""
    return density.batch_shape[1:] + density.event_shape


def check_rows(given: torch.Size, density: Distribution) -> None:
    """Raise InputError unless rows of the shape ``given`` can be rows of the density; axes of size 1 do not count."""
    wanted = row_shape(density)
    if [size for size in given if size != 1] != [size for size in wanted if size != 1]:
        raise InputError(
            f"Rows of shape {tuple(given)}, but a {type(density).__name__} whose rows have shape {tuple(wanted)} (batch shape "
            f"{tuple(density.batch_shape)}, event shape {tuple(density.event_shape)}): they must agree."
        )


def log_probs(density: Distribution, values: Tensor) -> Tensor:
    """Log densities of whole rows, summed over the coordinates of a row.

    A label may come as (B,) or as a column (B, 1), and so may a density of one number per row: the two are the same. Whole
    numbers become floats, which all of torch's distributions accept, also those over labels.

    Arguments:
        density: A distribution with B components.
        values: Rows, shape ``(N, B, ...)`` or ``(N, 1, ...)``.

    Returns:
        Log densities, shape ``(N, B)``.

    Raises:
        InputError: The rows of ``values`` do not have the shape of the density's rows, or lie outside its support.
        MineError: Some values are not finite.

    Example:
        >>> labels = torch.tensor([[[0], [1], [1]]])  # a column of labels, under three distributions over two labels
        >>> log_probs(torch.distributions.Categorical(torch.full((3, 2), 0.5)), labels).exp()
        tensor([[0.5000, 0.5000, 0.5000]])
    """
    check_rows(values.shape[2:], density)
    values = values.reshape(values.shape[:2] + row_shape(density))
    values = values if values.is_floating_point() else values.to(torch.get_default_dtype())
    try:
        found = density.log_prob(values)
    except ValueError as error:  # torch checks what a density can give, and says so in pages
        if not torch.isfinite(values).all():
            raise MineError("Some rows have values that are not finite. This step changed nothing.") from error
        if is_discrete(density):
            raise InputError(
                f"Some rows lie outside the values that a {type(density).__name__} can take. Labels must be whole numbers from "
                "0 to the number of classes less one."
            ) from error
        raise InputError(
            f"Some rows lie outside the values that a {type(density).__name__} can take. Where the range depends on the input, "
            "as with a Uniform, every row must be possible under every other row's density. Use a density on the whole line."
        ) from error
    return found if found.ndim == 2 else found.flatten(2).sum(-1)


def is_discrete(density: Distribution) -> bool:
    """Whether a density is over labels or counts."""
    try:
        return bool(getattr(density.support, "is_discrete", False))
    except NotImplementedError:
        return False


def log_density_matrix(values: Tensor, density: Distribution) -> Tensor:
    """``log p(y_i | x_j)`` of every pair, shape (N, B), for N rows of y and a distribution with one component per row of x.

    Arguments:
        values: Rows of y, shape (N, ...).
        density: A distribution with B components.

    Example:
        >>> log_density_matrix(torch.zeros(3, 2), torch.distributions.Normal(torch.zeros(4, 2), 1.0)).shape
        torch.Size([3, 4])
    """
    return log_probs(density, values.unsqueeze(1))

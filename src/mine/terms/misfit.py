"""An error of a critic on rows that do not fit it, explained by the shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mine.errors import InputError, MineError
from mine.terms.modes import NO_HOOKS, transforming

__all__ = ["explained", "misfit", "not_finite", "value_not_finite"]


def misfit(critic: nn.Module, x: Tensor, y: Any, what: str) -> InputError:
    """The error for a critic that cannot score x and y; ``what`` says what it did instead."""
    sides = [(name, side) for name, side in (("x", x), ("y", y)) if isinstance(side, Tensor) and side.numel()]
    given = " and ".join(
        f"{name} of shape {tuple(side.shape)} ({str(side.dtype).removeprefix('torch.')})" for name, side in sides
    )
    takes = getattr(critic, "takes", None)
    message = f"The critic, a {type(critic).__name__}, cannot score {given}" + (f": it takes {takes}." if takes else ".")
    message += (
        " Give each side as one row of numbers per example (flatten(1)) and make the critic for that many numbers, or pass a "
        "module of your own that takes (x, y) as they are and gives one score per row."
    )
    if any(not side.is_floating_point() for _, side in sides):
        message += " Whole numbers reach a module as they are, for an embedding; pass one-hot codes as floats (.float())."
    return InputError(f"{message} {what}")


@contextmanager
def explained(critic: nn.Module, x: Tensor, y: Any) -> Iterator[None]:
    """Within, an error of the critic's own layers becomes one that names the shapes and the remedy."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        if transforming() or NO_HOOKS in str(error):  # in transforms the critic may break rules, and no value can be read
            raise
        for name, side in (("x", x), ("y", y)):
            if isinstance(side, Tensor) and not torch.isfinite(side).all():
                raise MineError(f"{name} has values that are not finite. This step changed nothing.") from error
        raise misfit(critic, x, y, f"It failed with: {str(error).splitlines()[0]}") from error


def not_finite(critic: nn.Module | None, loss: Tensor, length: Tensor | float | None = None) -> MineError:
    """The error for a loss, or for a gradient of this length, that is not finite."""
    gradient = "" if length is None else f", the length of its gradient {float(length)}"
    found = f"The critic's loss is {loss.item()}{gradient}."
    spoilt = [] if critic is None else [name for name, p in critic.named_parameters() if not torch.isfinite(p).all()]
    if spoilt:
        return MineError(
            f"{found} {len(spoilt)} of the critic's parameters are not finite, the first: {spoilt[0]}. A step of the optimizer "
            "made them so: lower learning_rate. In float16 the eps of Adam is 0: keep the critic in float32 under autocast, or "
            "use bfloat16. Load a checkpoint or make a new term."
        )
    return MineError(
        f"{found} Look for values in x and y that are not finite or are very large, or lower learning_rate. This step changed "
        "nothing."
    )


def value_not_finite(value: Tensor, takes_density: bool) -> MineError:
    """The error for an information that is not finite, of rows that are."""
    found = f"The information of this batch is {value.item()}"
    if takes_density:
        return MineError(
            f"{found}: the density gives some rows a log density that is not finite. Draw the rows from it with rsample. Keep "
            "its scale away from 0, and the rows off the border of its range."
        )
    return MineError(f"{found}: x and y are on another scale than the critic's.")

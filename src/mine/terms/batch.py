"""What a term takes: checked before anything is computed or changed, and recognised when it comes again."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution

from mine.data.tensors import check_tensor
from mine.errors import InputError, MineError
from mine.terms.partners import Keys

__all__ = ["Batch", "LastBatch", "check_batch", "check_finite"]


def check_batch(x: Any, y: Any, *, takes_density: bool) -> None:
    """Raise unless x and y have shapes and kinds that a term can use; no value is read.

    Raises:
        InputError: Something else than tensors of real numbers, lengths that differ, a density where rows of y are needed, or
            the other way round.
    """
    _check_rows(x, "x")
    if takes_density:
        if not isinstance(y, Distribution):
            raise InputError(
                f"This upper bound needs a torch.distributions.Distribution, got {type(y).__name__}: pass the distribution "
                "that the first argument was drawn from (with rsample), one component per row."
            )
        return
    if isinstance(y, Distribution):
        raise InputError(
            f"y must be a tensor with one row per example, got a {type(y).__name__}. Only the upper bounds from the encoder's "
            'density, such as MinimizeMI(upper_bound="vib"), take a distribution.'
        )
    _check_rows(y, "y")
    if len(x) != len(y):
        raise InputError(f"x and y must have equally many rows, got shapes {tuple(x.shape)} and {tuple(y.shape)}.")


def _check_rows(rows: Any, name: str) -> None:
    if not isinstance(rows, Tensor):
        remedy = ""
        if isinstance(rows, (tuple, list)) and all(isinstance(part, Tensor) for part in rows):
            shapes = ", ".join(str(tuple(part.shape)) for part in rows)
            remedy = f" of {len(rows)} tensors of shape {shapes}. Join them: torch.cat([part.flatten(1) for part in {name}], 1)"
        elif hasattr(rows, "__array__"):
            remedy = f". Pass torch.as_tensor({name})"
        raise InputError(f"{name} must be a tensor with one row per example, got {type(rows).__name__}{remedy}.")
    check_tensor(rows, name)
    if rows.is_complex():
        raise InputError(f"{name} is complex: pass real numbers, for example torch.view_as_real({name}).flatten(1).")
    if rows.ndim == 0:
        raise InputError(f"{name} must be a tensor with one row per example, got shape ().")
    if len(rows) and not rows.numel():
        raise InputError(f"{name} has rows without numbers, shape {tuple(rows.shape)}: pass at least one column.")


def check_finite(x: Tensor, y: Any) -> None:
    """Raise MineError if a side has values that are not finite."""
    for name, side in (("x", x), ("y", y)):
        if isinstance(side, Tensor) and not torch.isfinite(side).all():
            raise MineError(f"{name} has values that are not finite. This step changed nothing.")


def _leaf(side: Tensor) -> Tensor:
    """Cut off from what made it. It asks for a gradient only because reentrant checkpoints give none without."""
    side = side.clone() if side.is_inference() else side.detach()
    return side.requires_grad_(side.is_floating_point())


class Batch(NamedTuple):
    """What a call of a term is about.

    Attributes:
        x: Rows of x, shape (B,) or (B, ...).
        y: Rows of y, or the density of x.
        keys: Keys of the rows that restrict shuffled pairs.
    """

    x: Tensor
    y: Any
    keys: Keys | None = None

    def cut_off(self) -> Batch:
        """The same batch without what made it."""
        return self._replace(x=_leaf(self.x), y=_leaf(self.y) if isinstance(self.y, Tensor) else self.y)


class LastBatch:
    """A batch to compare later ones with."""

    def __init__(self, x: Tensor, y: Any) -> None:
        self._sides = (x.detach(), y.detach() if isinstance(y, Tensor) else y)
        self._versions = [_version(side) for side in self._sides]

    def is_surely(self, x: Tensor, y: Any) -> bool:
        """Whether these are the very tensors, not written to since; the device is not asked."""
        return all(
            version is not None and version == _version(now) and _same_memory(now, before)
            if isinstance(before, Tensor)
            else now is before
            for now, before, version in zip((x, y), self._sides, self._versions, strict=True)
        )

    def equals(self, x: Tensor, y: Any) -> Tensor | bool:
        """Whether the tensors have the same values; a density is not compared.

        Tensors that were written to since have lost the values to compare with, so they count as others.
        On another device than the CPU the answer is a boolean there, for which nothing has waited.
        """
        sides = [(now, before) for now, before in zip((x, y), self._sides, strict=True) if isinstance(now, Tensor)]
        if not all(_same_form(now, before) for now, before in sides):
            return False
        if any(_version(before) != version for before, version in zip(self._sides, self._versions, strict=True)):
            return False
        if x.device.type == "cpu":
            return all(torch.equal(now, before) for now, before in sides)
        same = [(now == before).all() for now, before in sides]
        return same[0] & same[1] if len(same) == 2 else same[0]


def _version(side: Any) -> int | None:
    """The count of writes to a tensor; None if nobody counts them."""
    return side._version if isinstance(side, Tensor) and not side.is_inference() else None


def _same_form(now: Tensor, before: Any) -> bool:
    return (
        isinstance(before, Tensor) and now.shape == before.shape and now.device == before.device and now.dtype == before.dtype
    )


def _same_memory(now: Any, before: Tensor) -> bool:
    return (
        isinstance(now, Tensor)
        and _same_form(now, before)
        and now.data_ptr() == before.data_ptr()
        and now.stride() == before.stride()
    )

"""Which rows may stand in for a row's own partner: any other, those of other groups, or those with the same label."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from mine.errors import InputError
from mine.sampling import cyclic_shifts, longest_run, shifted_partners
from mine.terms.modes import outside_transforms

__all__ = ["Keys", "checked_keys", "restricted_partners"]


class Keys(NamedTuple):
    """One key for each row, and the rule for shuffled pairs.

    Attributes:
        values: Shape (B,).
        same: Whether shuffled pairs have the same key, else different ones.
    """

    values: Tensor
    same: bool


def checked_keys(groups: Any, z: Any, x: Tensor) -> Keys | None:
    """What a user passed as ``groups`` or ``z``, on the device of the batch ``x``; None for neither.

    Raises:
        InputError: Both, something else than one number per row, or numbers that are not finite.
    """
    if groups is None and z is None:
        return None
    if groups is not None and z is not None:
        raise InputError("Pass groups or z, not both: shuffled pairs either differ in their key or agree in it.")
    name, values = ("groups", groups) if z is None else ("z", z)
    try:
        keys = torch.as_tensor(values, device=x.device).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be a tensor with one whole number per row; got {type(values).__name__}.") from error
    if keys.shape not in ((len(x),), (len(x), 1)) or keys.is_complex():
        raise InputError(f"{name} must have one number per row, shape ({len(x)},); got shape {tuple(keys.shape)}.")
    if keys.is_floating_point() and not torch.isfinite(keys).all():
        raise InputError(f"{name} has values that are not finite.")
    if not keys.is_floating_point() and keys.dtype.itemsize < 8:  # torch cannot search in all of these
        keys = keys.long()
    return Keys(keys.reshape(len(x)), z is not None)


def restricted_partners(keys: Keys, k: int, generator: torch.Generator) -> Tensor:
    """Rows that each row meets in K shuffles, shape (K, B): every row is met once in each shuffle.

    Rows are sorted by key and shifted cyclically: within their key, or by more than the longest group. A row whose key occurs
    once has no other partner with that key. It meets itself, which says that it tells nothing.

    Arguments:
        keys: Of the joined batch of all ranks.
        k: Number of shuffles; fewer where fewer shifts exist.
        generator: On the CPU.

    Raises:
        InputError: One group fills more than half of the batch.

    Example:
        >>> restricted_partners(Keys(torch.tensor([5, 7, 5, 7]), same=True), 1, torch.Generator())
        tensor([[2, 3, 0, 1]])
    """
    total = len(keys.values)
    ordered, order = keys.values.sort(stable=True)
    place = torch.arange(total, device=order.device)
    if keys.same:
        starts = torch.searchsorted(ordered, ordered)
        sizes = torch.searchsorted(ordered, ordered, right=True) - starts
        # One shift from each of k equal parts of a label's range: different ones, where the label has so many rows.
        with outside_transforms():
            parts = torch.randperm(k, generator=generator, device="cpu")
            spread = (parts + torch.rand(k, generator=generator, device="cpu")) / k
        shifts = 1 + (spread.to(order.device).unsqueeze(1) * (sizes - 1)).long()
        met = starts + (place - starts + shifts) % sizes
    else:
        longest = longest_run(ordered)
        if 2 * longest > total:
            raise InputError(
                f"One of the groups fills {longest} of the batch's {total} rows, so other groups have too few partners for it: "
                "use larger batches."
            )
        with outside_transforms():
            cyclic = cyclic_shifts(total, k, generator, gap=longest)
        met = shifted_partners(place, cyclic, total)
    partners = torch.empty_like(met)
    partners[:, order] = order[met]
    return partners

"""Checks of options that several estimators share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mine.errors import InputError

__all__ = ["check_integers", "check_widths"]


def check_integers(options: Mapping[str, Any], least: Mapping[str, int]) -> None:
    """Check options that are whole numbers; None stands for a default and is left.

    Arguments:
        options: Values by name.
        least: The smallest value of each option to check.

    Raises:
        InputError: Another kind of value, or a smaller one.
    """
    for name, low in least.items():
        value = options[name]
        if value is not None and (not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < low):
            raise InputError(f"{name} must be an integer of at least {low}, got {value!r}.")


def check_widths(hidden: Any) -> None:
    """Check the widths of hidden layers; None stands for a default and is left.

    Raises:
        InputError: No layer, or a width that is no positive integer.
    """
    if hidden is None:
        return
    listed = isinstance(hidden, (list, tuple))
    if listed and not hidden:
        raise InputError("hidden needs at least one layer: it must list the widths of the layers, for example (64, 64).")
    whole = listed and all(
        isinstance(width, (int, np.integer)) and not isinstance(width, bool) and width >= 1 for width in hidden
    )
    if not whole:
        raise InputError(f"hidden must list the widths of the layers, for example (64, 64); got {hidden!r}.")

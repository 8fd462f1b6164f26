"""The columns of two sides as one side, as z is put beside one of them."""

from __future__ import annotations

import numpy as np

from mine.data.variable import Variable

__all__ = ["joined"]


def joined(a: Variable, b: Variable) -> Variable:
    """The columns of both side by side, as one variable under the name of the first; n-D inputs become columns."""
    names_a, names_b = (
        [f"{v.name}: {column}" if column in other.columns else column for column in v.columns] for v, other in ((a, b), (b, a))
    )
    cut_a, cut_b = a.n_continuous, b.n_continuous
    return Variable(
        a.name,
        (*names_a[:cut_a], *names_b[:cut_b], *names_a[cut_a:], *names_b[cut_b:]),
        np.concatenate([a.flat, b.flat], 1),
        np.concatenate([a.discrete, b.discrete], 1),
        (*a.levels, *b.levels),
        (*a.dropped, *b.dropped),
    )

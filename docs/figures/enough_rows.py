"""Draw the two figures of ``how-to/enough-rows.md``: ``python docs/figures/enough_rows.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import mine

STATIC = Path(__file__).parents[1] / "_static"


def draw(columns: int, noise: float, name: str) -> None:
    """``y = x + noise`` with that many columns a side, checked by nearest neighbours."""
    x, e = np.random.default_rng(0).normal(size=(2, 800, columns))
    check = mine.sample_size_check(x, x + noise * e, method="ksg", random_state=0)
    print(name, check, sep="\n")
    check.plot().savefig(STATIC / name, dpi=110)


if __name__ == "__main__":
    draw(2, 0.8, "enough_rows_line.png")
    draw(20, 0.3, "enough_rows_bent.png")

"""Draw the figure of ``how-to/shared-dimensions.md``: ``python docs/figures/shared_dimensions.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import mine

STATIC = Path(__file__).parents[1] / "_static"

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    n = 1500
    shared = rng.normal(size=(n, 3))
    seen = 0.9 * shared + 0.44 * rng.normal(size=(n, 3))
    x = np.tanh(shared @ rng.normal(size=(3, 20))) + 0.3 * rng.normal(size=(n, 20))
    y = np.tanh(seen @ rng.normal(size=(3, 30))) + 0.3 * rng.normal(size=(n, 30))
    found = mine.shared_dimensions(x, y, max_dimensions=5, random_state=0)
    print(found)
    found.plot().savefig(STATIC / "shared_dimensions.png", dpi=110)

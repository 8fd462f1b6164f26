"""The heat map of a table of pairs, its columns in the order of a clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import as_label, new_figure
from mine.tables.significance import LEVEL, is_found

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["clustered_order", "found_matrix", "orders", "plot_pairwise", "strength_matrix"]

#: Above this many columns their names would overlap, and numbers in the cells would not be read.
NAMED, NUMBERED = 60, 14


def strength_matrix(pairs: Any) -> tuple[list[str], list[str], np.ndarray]:
    """Names of rows and columns, and the strength of each pair, NaN where there is none.

    A table of all pairs gives a symmetric matrix, one of pairs with some columns has these as its columns.

    Arguments:
        pairs: What :func:`mine.pairwise` returns, or its columns as lists by name.
    """
    x, y, strength = (_values(pairs, name) for name in ("x", "y", "strength"))
    left, right = list(dict.fromkeys(x)), list(dict.fromkeys(y))
    if set(left) & set(right):  # every pair once
        left = right = list(dict.fromkeys([*left, *right]))
    matrix = np.full((len(left), len(right)), np.nan)
    row, column = ({name: i for i, name in enumerate(names)} for names in (left, right))
    for a, b, value in zip(x, y, strength, strict=True):
        matrix[row[a], column[b]] = value
        if left is right:
            matrix[row[b], column[a]] = value
    return left, right, matrix


def found_matrix(pairs: Any) -> np.ndarray:
    """Whether each pair differs from independence (see :func:`mine.tables.significance.is_found`), as the matrix of strengths.

    Arguments:
        pairs: As in :func:`strength_matrix`.
    """
    columns = {name: _values(pairs, name) for name in ("q", "low") if name in _names(pairs)}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    found = {"x": _values(pairs, "x"), "y": _values(pairs, "y"), "strength": [float(is_found(row)) for row in rows]}
    return strength_matrix(found)[2] == 1.0


def _names(pairs: Any) -> list[str]:
    """Names of the columns of a frame of any library, or of a dictionary."""
    names = getattr(pairs, "column_names", None) or getattr(pairs, "columns", None)
    return list(pairs if names is None else names)


def _values(pairs: Any, name: str) -> list[Any]:
    """A column of such a frame as a list of Python's own values."""
    column = pairs[name]
    return column.to_pylist() if hasattr(column, "to_pylist") else list(column)


def clustered_order(matrix: np.ndarray) -> list[int]:
    """An order of the rows that puts similar rows next to each other: average linkage, leaves ordered optimally.

    A symmetric matrix of strengths is a similarity itself; the rows of any other are compared with each other.

    References:
        Bar-Joseph et al., 2001, 'Fast optimal leaf ordering' (doi 10.1093/bioinformatics/17.suppl_1.S22), in scipy.

    >>> clustered_order(np.array([[np.nan, 0.1, 0.9], [0.1, np.nan, 0.2], [0.9, 0.2, np.nan]])) in ([1, 2, 0], [0, 2, 1])
    True
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist, squareform

    if len(matrix) < 3:
        return list(range(len(matrix)))
    filled = np.nan_to_num(matrix, nan=0.0)
    if matrix.shape[0] == matrix.shape[1] and np.allclose(filled, filled.T):
        distance = 1 - filled
        np.fill_diagonal(distance, 0.0)
        distances = squareform(distance, checks=False)
    else:
        distances = pdist(filled)
    return [int(i) for i in leaves_list(linkage(distances, "average", optimal_ordering=True))]


def plot_pairwise(pairs: Any) -> Figure:
    """Heat map of the strength of every pair, similar columns next to each other.

    Pairs that do not differ from independence are grey: their q is above 0.05 or, without a test, their interval contains 0.

    Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.

    Arguments:
        pairs: What :func:`mine.pairwise` returns.
    """
    rows, columns, matrix = strength_matrix(pairs)
    found = found_matrix(pairs)
    order, across = orders(rows, columns, matrix, found)
    noise = np.isfinite(matrix) & ~found
    matrix, noise = np.where(found, matrix, np.nan)[np.ix_(order, across)], noise[np.ix_(order, across)]
    rows, columns = [rows[i] for i in order], [columns[i] for i in across]
    longest = max(map(len, [*rows, *columns]))
    side = [1.6 + 0.09 * min(longest, 30) + 0.32 * min(max(len(names), 3), 40) for names in (columns, rows)]
    figure, axes = new_figure(1, 1, (side[0] + 1.0, side[1]))
    axis = axes[0, 0]
    image = axis.imshow(matrix, vmin=0, vmax=1, cmap="viridis", aspect="equal", interpolation="nearest")
    grey = np.where(noise, 0.12, np.nan)
    axis.imshow(grey, vmin=0, vmax=1, cmap="Greys", aspect="equal", interpolation="nearest")
    for names, set_ticks, angle in ((columns, axis.set_xticks, 90), (rows, axis.set_yticks, 0)):
        if len(names) <= NAMED:
            set_ticks(range(len(names)), [as_label(_short(name)) for name in names], rotation=angle, fontsize=8)
        else:
            set_ticks([])
    if max(matrix.shape) <= NUMBERED:
        _number(axis, matrix)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(image, ax=axis, shrink=0.8, label="strength: sqrt(1 − exp(−2 I)), I in nats")
    grey_are = f"q > {LEVEL:g}" if "q" in _names(pairs) else "interval contains 0"
    axis.set_title("Mutual information of pairs" + (f" (grey: {grey_are})" if noise.any() else ""), loc="left")
    return figure


def orders(rows: list[str], columns: list[str], matrix: np.ndarray, found: np.ndarray) -> tuple[list[int], list[int]]:
    """The clustered order of the rows and of the columns of a matrix, in which pairs that are not ``found`` count as 0."""
    counted = np.where(found | np.isnan(matrix), matrix, 0.0)
    order = clustered_order(counted)
    return order, order if rows == columns else clustered_order(counted.T)


def _number(axis: Any, matrix: np.ndarray) -> None:
    for i, j in np.argwhere(np.isfinite(matrix)):
        dark = matrix[i, j] < 0.6
        axis.text(j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", fontsize=7, color="white" if dark else "black")


def _short(name: str, most: int = 30) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"

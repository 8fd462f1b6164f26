"""What pairs of numbers share when a table is screened: the scores of each column, and the distribution of the test."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from mine.data.rows import MIN_ROWS
from mine.estimators.rank_neighbours import Scores
from mine.estimators.screen import OWN_STREAM, Screen
from mine.independence.rank_test import COSINES, covariances, null_statistics, rank_cosines, shared_p, statistics
from mine.tables.blocks import Cell, cell_seed
from mine.tables.columns import Column

__all__ = ["SCREEN", "column_scores", "with_p_values"]

#: The name of the effort.
SCREEN = "screen"
#: A test of fewer rows than the table has leaves out as many as needed for this share of them, its square, ...: pairs of
#: different rows then share the few distributions.
STEP = 0.95


def column_scores(columns: dict[str, Column], pairs: list[tuple[str, str]], rows: np.ndarray, seed: int) -> dict[str, Scores]:
    """Normal scores of these rows of every column of numbers without gaps that is in a pair.

    Arguments:
        columns: The columns of the table.
        pairs: The pairs to be measured.
        rows: Numbers of the rows, shape (m,): all, or of copies one each.
        seed: Of the run.
    """
    out: dict[str, Scores] = {}
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        if columns[name].kind == "number" and columns[name].present.all():
            out[name] = Scores.of(columns[name].values[rows], _rng(seed, name))
    return out


def with_p_values(
    cells: dict[tuple[str, str], Cell], columns: dict[str, Column], rows: np.ndarray, most: int, seed: int
) -> dict[tuple[str, str], Cell]:
    """The cells, those of screened pairs with a p-value and the number of its permutations.

    The ranks of all pairs of as many rows have one distribution if the columns are independent, and share its permutations.

    Arguments:
        cells: All cells by their pair.
        columns: The columns of the table.
        rows: Numbers of the rows, shape (m,): all, or of copies one each.
        most: Permutations at most.
        seed: Of the run.
    """
    classes: dict[int, list[tuple[str, str]]] = defaultdict(list)
    whole = max((cell.n for cell in cells.values()), default=0)
    for pair, cell in cells.items():
        if cell.method == Screen.name and cell.p is None:
            classes[_class_of(cell.n, whole)].append(pair)
    out = dict(cells)
    for n, pairs in classes.items():
        observed = _observed(pairs, columns, rows, n, seed)
        null = null_statistics(n, most, cell_seed(seed, str(n)))
        for pair, (p, draws) in zip(pairs, shared_p(observed, null, most), strict=True):
            out[pair] = replace(cells[pair], p=p, permutations=draws)
    return out


def _class_of(rows: int, whole: int) -> int:
    """The most rows out of ``whole``, ``STEP * whole``, ... that ``rows`` suffice for.

    >>> _class_of(1000, 1000), _class_of(999, 1000), _class_of(20, 1000)
    (1000, 950, 20)
    """
    n = whole
    while n > rows:
        n = max(int(STEP * n), MIN_ROWS)
    return n


def _observed(pairs: list[tuple[str, str]], columns: dict[str, Column], rows: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The statistic of each pair on n of its ``rows``, shape (P,)."""
    out = np.empty(len(pairs))
    place = {pair: i for i, pair in enumerate(pairs)}
    complete = [pair for pair in pairs if n == len(rows) and all(columns[name].present.all() for name in pair)]
    names = list(dict.fromkeys(name for pair in complete for name in pair))
    number = {name: i for i, name in enumerate(names)}
    cosines = np.empty((len(names), COSINES, n), np.float32)
    for name, i in number.items():
        cosines[i] = rank_cosines(columns[name].values[rows], _rng(seed, name))
    partners: dict[str, list[str]] = defaultdict(list)
    for a, b in complete:
        partners[a].append(b)
    for a, others in partners.items():
        found = covariances(cosines[number[a]], cosines)[[number[b] for b in others]]
        out[[place[a, b] for b in others]] = statistics(found)
    for a, b in set(pairs).difference(complete):
        rng = _rng(seed, a, b)
        both = rows[columns[a].present[rows] & columns[b].present[rows]]
        some = rng.permutation(both)[:n]
        x, y = (rank_cosines(columns[name].values[some], rng) for name in (a, b))
        out[place[a, b]] = statistics(covariances(x, y[None]))[0]
    return out


def _rng(seed: int, *names: str) -> np.random.Generator:
    return np.random.default_rng([cell_seed(seed, *names), OWN_STREAM])

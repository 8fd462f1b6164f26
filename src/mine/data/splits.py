"""Honest splits: every row is reported on once, by a critic that neither trained on it nor chose its step by it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from mine.data.outofcore import mix
from mine.data.variable import Variable
from mine.errors import NotEnoughDataError

__all__ = ["Fold", "copied_rows", "duplicate_groups", "make_folds", "repeats_by_nature", "subsampled", "trimmed"]

#: Fewest rows of a validation or evaluation part: below that its bound is noise.
MIN_PART = 4
#: Numbers are counts or were rounded where a grid of the smallest gap between them has at most so many points a value, and
#: where each value averages so many rows.
GRID_POINTS, ROWS_A_VALUE = 10, 1.5


@dataclass(frozen=True)
class Fold:
    """Row numbers: ``train`` fits the critic, ``validation`` chooses its step, ``evaluation`` is used once."""

    train: np.ndarray
    validation: np.ndarray
    evaluation: np.ndarray


def make_folds(n: int, n_folds: int, seed: int, groups: np.ndarray | None = None, validation_share: float = 0.15) -> list[Fold]:
    """Cross-fitting folds whose evaluation parts partition ``range(n)``; a group stays on one side of every split.

    Raises:
        NotEnoughDataError: Too few rows or groups for ``n_folds`` folds, or a group with more than half of the rows.

    >>> folds = make_folds(100, 5, seed=0)
    >>> sorted(np.concatenate([f.evaluation for f in folds])) == list(range(100))
    True
    """
    rows = np.arange(n)
    if groups is not None:
        sizes = np.unique(groups, return_counts=True)[1]
        n_groups, largest = len(sizes), int(sizes.max())
        needed = max(4, n_folds + 1)  # outside the largest evaluation part, one group to train on and one to validate on
        if n_groups < needed:
            remedy = f" or pass n_folds={n_groups - 1}" if n_groups >= 4 else ""
            raise NotEnoughDataError(
                f"groups has {n_groups} distinct group(s); {n_folds} folds need at least {needed}. Use finer groups{remedy}."
            )
        if 2 * largest > n:  # told from its share: only some draws of folds would meet it
            raise NotEnoughDataError(
                f"groups: one group holds {largest} of the {n} rows, and a row can only be shuffled with rows of other groups. "
                "Use smaller groups or drop it."
            )
        from sklearn.model_selection import GroupKFold, GroupShuffleSplit

        outer = GroupKFold(n_folds, shuffle=True, random_state=seed % 2**32).split(rows, groups=groups)
    else:
        if n // n_folds < 2 or n - math.ceil(n / n_folds) < MIN_PART + 2:
            raise _too_few(n, n_folds)
        outer = _shuffled_folds(n, n_folds, seed % 2**32)

    folds: list[Fold] = []
    for k, (rest, evaluation) in enumerate(outer):
        inner_seed = (seed + 1 + k) % 2**32
        if groups is not None:
            size = max(validation_share, 1 / len(np.unique(groups[rest])))
            split = GroupShuffleSplit(1, test_size=size, random_state=inner_seed).split(rest, groups=groups[rest])
            train, validation = next(iter(split))
        else:
            mixed = np.random.RandomState(inner_seed).permutation(len(rest))
            validation, train = np.split(mixed, [max(MIN_PART, round(validation_share * len(rest)))])
        folds.append(Fold(rest[train], rest[validation], evaluation))
    for fold in folds:
        if min(map(len, (fold.train, fold.validation, fold.evaluation))) < 2:
            raise _too_few(n, n_folds)
    return folds


def _shuffled_folds(n: int, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The other rows and the rows of each of ``n_folds`` random parts of ``range(n)``, in order.

    The parts are those of scikit-learn's ``KFold(n_folds, shuffle=True, random_state=seed)``, without a second for its import.
    """
    mixed = np.arange(n)
    np.random.RandomState(seed).shuffle(mixed)
    parts = [np.sort(part) for part in np.array_split(mixed, n_folds)]
    return [(np.setdiff1d(np.arange(n), part, assume_unique=True), part) for part in parts]


def trimmed(folds: list[Fold], most: int, seed: int) -> list[Fold]:
    """The folds with at most ``most`` training rows each, random ones: no more than the steps of a training will read.

    >>> [len(f.train) for f in trimmed(make_folds(100, 2, seed=0), 30, seed=0)]
    [30, 30]
    """
    rng = np.random.default_rng(seed)
    return [f if len(f.train) <= most else replace(f, train=np.sort(rng.choice(f.train, most, replace=False))) for f in folds]


def subsampled(folds: list[Fold], most: int) -> tuple[list[Fold], np.ndarray | None]:
    """The folds on a fixed random subsample of ``most`` of their rows, renumbered, and those rows; None where there are fewer.

    >>> few, rows = subsampled(make_folds(100, 2, seed=0), 30)
    >>> len(rows), sorted(np.concatenate([f.evaluation for f in few])) == list(range(30))
    (30, True)
    """
    n = sum(len(f.evaluation) for f in folds)  # every row is reported on once
    if n <= most:
        return folds, None
    rows = np.sort(np.random.default_rng(0).choice(n, most, replace=False))
    place = np.full(n, -1)
    place[rows] = np.arange(most)
    parts = [[place[part][place[part] >= 0] for part in (f.train, f.validation, f.evaluation)] for f in folds]
    return [Fold(*part) for part in parts], rows


def _too_few(n: int, n_folds: int) -> NotEnoughDataError:
    return NotEnoughDataError(f"{n} rows are too few for {n_folds} folds: pass more rows or a smaller n_folds.")


#: Chance that two rows have the same label above which it is not asked whether their numbers are copies.
MOST_CHANCE = 0.9


def copied_rows(x: Variable, y: Variable) -> tuple[np.ndarray | None, int]:
    """:func:`duplicate_groups` of the rows of x and y; none where all their columns repeat by nature.

    Where y is a function of x, every pair of values comes as often as its x does: kept in one fold, no critic would ever see
    the values that it reports on.
    """
    ids = x.row_ids(), y.row_ids()
    codes, copies = duplicate_groups(*ids)
    if copies and (all(map(_repeats, (x, y))) or _coincide(*sorted(ids, key=lambda side: -len(np.unique(side))))):
        return None, 0
    return codes, copies


def _coincide(numbers: np.ndarray, labels: np.ndarray) -> bool:
    """Whether rows that agree on both sides do so by chance: rounded numbers that are equal, and labels of few levels.

    Copies of a row agree in everything. Of rows that only have the same number, each pair has the same label with the chance
    that any two rows have it.

    >>> rng = np.random.default_rng(0)
    >>> number, label = rng.integers(0, 600, 300), rng.integers(0, 2, 300)
    >>> _coincide(number, label), _coincide(np.repeat(number[:150], 2), np.repeat(label[:150], 2))
    (True, False)
    """
    chance = _equal_pairs(labels) / max(1.0, len(labels) * (len(labels) - 1) / 2)
    alike, both = _equal_pairs(numbers), _equal_pairs(np.stack([numbers, labels.astype(numbers.dtype)], 1))
    if chance > MOST_CHANCE:  # nearly all labels are equal, and nothing can be told
        return False
    more = both - chance * alike
    return more < 0.5 * (1 - chance) * both or more < 2 * math.sqrt(chance * (1 - chance) * alike)


def _equal_pairs(ids: np.ndarray) -> float:
    counts = np.unique(ids, axis=0, return_counts=True)[1].astype(float)
    return float((counts * (counts - 1)).sum() / 2)


def _repeats(side: Variable) -> bool:
    return side.continuous.ndim == 2 and all(map(repeats_by_nature, side.flat.T))


def repeats_by_nature(values: np.ndarray) -> bool:
    """Whether numbers (n,) come from a grid with fewer points than there are rows, as counts, years and rounded numbers do.

    >>> repeats_by_nature(np.arange(100) % 30), repeats_by_nature(np.arange(100)), repeats_by_nature(np.arange(100) % 30 / 10)
    (True, False, True)
    >>> repeats_by_nature(np.repeat(np.random.default_rng(0).normal(size=50), 2))
    False
    """
    levels = np.unique(values)
    if len(values) < ROWS_A_VALUE * len(levels):
        return False
    if len(levels) < 3:
        return True
    return float(levels[-1] - levels[0]) <= GRID_POINTS * len(levels) * float(np.diff(levels).min())


def duplicate_groups(x_ids: np.ndarray, y_ids: np.ndarray) -> tuple[np.ndarray | None, int]:
    """Groups that keep exact copies of a row in one fold, and the number of surplus copies.

    Ties are natural where a variable has few values (two booleans have four distinct rows), or some values of its own, as
    the zeros of rainfall. Copies are suspicious, and leak the evaluation rows into training, only where, after dropping them,
    nearly every row of one side is distinct, and only those of rows whose x or y is found in no other row.

    Arguments:
        x_ids: One integer a row, equal for equal x: counted from 0, or a hash of type uint64.
        y_ids: Likewise for y.

    >>> duplicate_groups(np.array([0, 1, 2, 2]), np.array([5, 6, 7, 7]))
    (array([0, 1, 2, 2]), 1)
    """
    if np.uint64 in (x_ids.dtype, y_ids.dtype):
        both = mix(mix(x_ids.astype(np.uint64)) ^ y_ids.astype(np.uint64))
        ordered = np.sort(both)
        if (ordered[1:] != ordered[:-1]).all():  # as nearly always, and in a quarter of the memory
            return None, 0
    else:
        both = x_ids.astype(np.int64) * (int(y_ids.max()) + 1) + y_ids
    _, first, inverse = np.unique(both, return_index=True, return_inverse=True)
    copies = len(both) - len(first)
    if not copies:
        return None, 0
    inverse = inverse.ravel()
    times = [np.unique(ids[first], return_inverse=True, return_counts=True)[1:] for ids in (x_ids, y_ids)]
    if max(len(counts) for _, counts in times) < 0.9 * len(first):
        return None, 0
    sides = [counts[place.ravel()] for place, counts in times]  # in how many distinct rows each one's x, and its y, is found
    many = np.bincount(inverse)
    tied = np.minimum(*sides) > 1
    tied |= many > max(20, len(both) ** 0.5)  # so many copies of one row are a value, even if x and y share it
    copies = int((many[~tied] - 1).sum())
    if not copies:
        return None, 0
    if not tied.any():
        return inverse, copies
    alone = np.where(tied[inverse], len(first) + np.arange(len(both)), inverse)
    return np.unique(alone, return_inverse=True)[1].ravel(), copies

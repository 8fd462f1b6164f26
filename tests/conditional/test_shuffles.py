"""Permutations: every one allowed, none that is not."""

from __future__ import annotations

import numpy as np
import pytest

from mine.conditional.shuffles import Shuffles, neighbourhoods
from mine.errors import NotEnoughDataError


def drawn(shuffles: Shuffles, count: int = 400) -> np.ndarray:
    return np.concatenate(list(shuffles.draw(count, seed=1, most=50)))


def test_rows_are_permuted_uniformly() -> None:
    found, counts = np.unique(drawn(Shuffles.of(3), 6000), axis=0, return_counts=True)
    assert len(found) == 6  # 3!, the identity among them
    assert ((counts - 1000.0) ** 2 / 1000).sum() < 20.5  # chi-square with 5 degrees of freedom at 0.1 %


def test_a_group_moves_as_one_block_in_its_order() -> None:
    groups = np.array([2, 0, 1, 0, 2, 1, 3, 3])
    shuffles = Shuffles.of(8, groups)
    assert sorted(shuffles.rows) == list(range(8))
    for order in drawn(shuffles):
        source = shuffles.rows[order]  # place i gets the y of this row
        for unit in range(4):
            block = source[2 * unit : 2 * unit + 2]
            assert len(set(groups[block])) == 1 and block[0] < block[1]
    assert len(np.unique(drawn(shuffles), axis=0)) == 24


def test_groups_of_unequal_size_are_cut_to_those_of_a_similar_size() -> None:
    sizes = [8] * 12 + [5] * 3 + [2] * 12
    groups = np.repeat(np.arange(27), sizes)
    shuffles = Shuffles.of(len(groups), groups)
    kept = np.bincount(groups[shuffles.rows])
    # Twelve of 8 rows stay among themselves; the three of 5 are too few to be exchanged and join those of 2.
    assert kept[:12].tolist() == [8] * 12 and kept[12:].tolist() == [2] * 15


def test_groups_must_be_four() -> None:
    with pytest.raises(NotEnoughDataError, match="3 distinct"):
        Shuffles.of(30, np.arange(30) % 3)


def test_neighbours_in_z_only() -> None:
    z = np.random.default_rng(0).permutation(200).astype(float)[:, None]
    shuffles = Shuffles.of(200, z=z)
    moved = [np.abs(z[shuffles.rows[order]] - z[shuffles.rows]).max() for order in drawn(shuffles, 50)]
    assert max(moved) < 16 and np.mean(moved) > 4


def test_equal_values_of_z_are_one_neighbourhood() -> None:
    z = np.repeat([0.0, 1.0], [30, 50])[:, None]
    assert sorted(map(len, neighbourhoods(z, 8))) == [30, 50]


def test_wide_strata_are_cut() -> None:
    shuffles = Shuffles.of(1000, most=256)
    assert np.bincount(shuffles.strata).tolist() == [250] * 4


def test_rows_of_equal_z_only() -> None:
    z = np.random.default_rng(2).integers(0, 30, 100)
    shuffles = Shuffles.of(100, z=z[:, None].astype(float), equal=True)
    assert all((z[shuffles.rows[order]] == z[shuffles.rows]).all() for order in drawn(shuffles, 20))
    assert sorted(shuffles.rows) == list(range(100))

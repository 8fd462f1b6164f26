"""Shuffled pairs that never meet themselves or their group, and batches that see every row."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mine.errors import InputError
from mine.sampling import batches, cyclic_shifts, derangement, longest_run


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(n=st.integers(2, 400), k=st.integers(1, 40), gap=st.integers(1, 30), seed=st.integers(0, 999))
def test_cyclic_shifts_are_distinct_and_keep_their_distance(n: int, k: int, gap: int, seed: int):
    if n < 2 * gap:
        with pytest.raises(InputError, match=f"{n} rows cannot be shuffled at a distance of {gap}"):
            cyclic_shifts(n, k, generator(seed), gap=gap)
        return
    shifts = cyclic_shifts(n, k, generator(seed), gap=gap)
    assert len(shifts) == len(set(shifts)) == min(k, n - 2 * gap + 1)
    for shift in shifts:
        distance = min(shift % n, -shift % n)  # around the circle, from a row to its partner
        assert distance >= gap
    assert shifts == cyclic_shifts(n, k, generator(seed), gap=gap)


@pytest.mark.parametrize(("n", "k"), [(20, 3), (20, 1), (200, 2)])  # a permutation for the first, rejection for the last
def test_every_shift_is_equally_likely(n: int, k: int):
    rng = generator()
    draws = 4000
    counts = np.bincount([s for _ in range(draws) for s in cyclic_shifts(n, k, rng)], minlength=n)
    assert counts[0] == 0
    expected = draws * k / (n - 1)
    assert np.abs(counts[1:] - expected).max() < 5.5 * np.sqrt(expected)


@given(n=st.integers(2, 200), seed=st.integers(0, 999))
def test_derangement_is_a_permutation_without_fixed_points(n: int, seed: int):
    order = derangement(n, generator(seed))
    assert sorted(order.tolist()) == list(range(n))
    assert all(i != j for i, j in enumerate(order.tolist()))


def test_derangement_sends_a_row_anywhere_else_with_equal_chance():
    rng = generator()
    landed = np.bincount([int(derangement(6, rng)[2]) for _ in range(3000)], minlength=6)
    assert landed[2] == 0
    assert np.abs(np.delete(landed, 2) - 600).max() < 5.5 * np.sqrt(600)


def test_one_row_cannot_be_deranged():
    with pytest.raises(InputError, match="at least 2 rows"):
        derangement(1)


@given(st.lists(st.lists(st.integers(0, 2), min_size=7, max_size=7), min_size=1, max_size=4))
def test_longest_run_by_brute_force(labels: list[list[int]]):
    def longest(row: list[int]) -> int:
        best = length = 1
        for before, after in pairwise(row):
            length = length + 1 if before == after else 1
            best = max(best, length)
        return best

    assert longest_run(torch.tensor(labels)) == max(map(longest, labels))


def test_longest_run_of_nothing_is_zero():
    assert longest_run(torch.zeros(0, dtype=torch.long)) == 0


# === Batches ===


def test_an_epoch_draws_without_replacement():
    index = torch.arange(100, 130)
    for epoch in range(3):
        drawn = [rows for rows, _ in islice(batches(index, 7, generator(epoch)), 4)]
        assert all(rows.shape == (7,) for rows in drawn)
        flat = torch.cat(drawn).tolist()
        assert len(set(flat)) == 28 and set(flat) <= set(range(100, 130))


def test_every_row_is_seen_once_an_epoch_where_batches_fit():
    stream = batches(torch.arange(24), 8, generator())
    for _ in range(5):
        assert sorted(torch.cat([next(stream)[0] for _ in range(3)]).tolist()) == list(range(24))


def test_leftover_rows_take_turns():
    stream = batches(torch.arange(10), 8, generator())  # two rows of ten sit out each epoch
    counts = torch.zeros(10)
    for rows, _ in islice(stream, 2000):
        counts[rows] += 1
    assert (counts - 1600).abs().max() < 5.5 * np.sqrt(2000 * 0.8 * 0.2)


def test_a_batch_holds_all_rows_where_they_are_few():
    rows, gap = next(batches(torch.arange(5), 100, generator()))
    assert sorted(rows.tolist()) == list(range(5)) and gap == 1


def test_each_critic_of_a_stack_draws_from_its_own_rows_in_its_own_order():
    index = torch.stack([torch.arange(0, 20), torch.arange(50, 70)])
    stream = batches(index, 10, generator())
    first, second = next(stream)[0], next(stream)[0]
    both = torch.cat([first, second], -1)
    assert sorted(both[0].tolist()) == list(range(20)) and sorted(both[1].tolist()) == list(range(50, 70))
    assert (first[0] + 50).tolist() != first[1].tolist()


def test_the_generator_decides_the_batches():
    def drawn(seed: int) -> list[list[int]]:
        return [rows.tolist() for rows, _ in islice(batches(torch.arange(30), 10, generator(seed)), 6)]

    assert drawn(1) == drawn(1) != drawn(2)


@given(sizes=st.lists(st.integers(1, 6), min_size=4, max_size=15), seed=st.integers(0, 999))
def test_rows_never_meet_their_own_group(sizes: list[int], seed: int):
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    groups = groups[torch.randperm(len(groups), generator=generator(seed))]
    if 2 * max(sizes) > len(groups):  # then there may be no honest batch; the next test is about that
        return
    index = torch.stack([torch.randperm(len(groups), generator=generator(s)) for s in (seed, seed + 1)])
    for rows, gap in islice(batches(index, 16, generator(seed), groups), 5):
        labels = groups[rows]
        for shift in cyclic_shifts(rows.shape[-1], 50, generator(seed), gap=gap):
            assert (labels != labels.roll(-shift, -1)).all()


def test_a_group_larger_than_all_others_is_an_error_and_not_an_endless_loop():
    groups = torch.tensor([0] * 30 + [1, 2, 3])
    with pytest.raises(InputError, match="One group holds more than half of the rows"):
        next(batches(torch.arange(33), 16, generator(), groups))


def test_batches_swamped_by_chance_are_drawn_again():
    groups = torch.tensor([0] * 9 + list(range(1, 12)))  # 45 %: many batches of six hold four or more of it
    for rows, gap in islice(batches(torch.arange(20), 6, generator(), groups), 50):
        assert rows.shape == (6,)
        assert int((groups[rows] == 0).sum()) <= gap <= 3


def test_a_batch_with_groups_holds_the_rows_it_drew():
    groups = torch.arange(24) // 2
    stream = batches(torch.arange(24), 8, generator(), groups)
    assert sorted(torch.cat([next(stream)[0] for _ in range(3)]).tolist()) == list(range(24))

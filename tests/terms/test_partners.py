"""Shuffled pairs that respect groups or a given label: who meets whom, and the information that it makes of the value."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError
from mine.terms.partners import Keys, checked_keys, restricted_partners

pytestmark = pytest.mark.usefixtures("seeded_torch")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("k", [1, 4, 30])
def test_given_partners_have_the_same_label_and_are_others(k: int):
    labels = torch.tensor([2, 0, 2, 1, 0, 2, 0, 0, 7, 1])
    met = restricted_partners(Keys(labels, same=True), k, generator())
    assert met.shape == (k, 10) and bool((labels[met] == labels).all())
    alone = labels == 7
    itself = met == torch.arange(10)
    assert bool(itself[:, alone].all()) and not bool(itself[:, ~alone].any())
    assert all(sorted(row) == list(range(10)) for row in met.tolist())  # each row is met once in a shuffle


def test_given_partners_differ_from_shuffle_to_shuffle():
    met = restricted_partners(Keys(torch.zeros(40), same=True), 8, generator())
    assert len({tuple(row) for row in met.tolist()}) == 8


@pytest.mark.parametrize("k", [1, 5])
def test_partners_are_of_other_groups(k: int):
    groups = torch.randint(6, (60,))
    met = restricted_partners(Keys(groups, same=False), k, generator())
    assert met.shape == (k, 60) and not bool((groups[met] == groups).any())
    assert all(sorted(row) == list(range(60)) for row in met.tolist())


def test_a_group_that_fills_the_batch_is_named():
    with pytest.raises(InputError, match="One of the groups fills 6 of the batch's 10 rows"):
        restricted_partners(Keys(torch.tensor([1] * 6 + [2, 3, 4, 5]), same=False), 2, generator())


@pytest.mark.parametrize("values", [[0, 1], "labels", torch.ones(3, 2), [0.0, 1.0, math.nan], [0j, 1j, 2j], object()])
def test_what_is_no_key_of_rows_is_refused(values: object):
    x = torch.zeros(3, 1)
    with pytest.raises(InputError, match=r"^z "):
        checked_keys(None, values, x)


def test_keys_come_as_lists_arrays_and_columns():
    x = torch.zeros(3, 1)
    for values in ([4, 5, 4], np.array([4, 5, 4]), torch.tensor([[4], [5], [4]])):
        keys = checked_keys(values, None, x)
        assert keys is not None and keys.values.tolist() == [4, 5, 4] and not keys.same


def test_both_and_upper_bounds_are_refused():
    x = torch.randn(8, 1)
    term = mine.MaximizeMI(ConcatCritic(1, 1))
    with pytest.raises(InputError, match="groups or z, not both"):
        term(x, x, groups=range(8), z=range(8))
    density = torch.distributions.Normal(x, 1.0)
    with pytest.raises(InputError, match="need a critic that scores pairs"):
        mine.MinimizeMI(upper_bound="vib")(x, density, z=range(8))


class Known(nn.Module):
    """A critic with known scores: T(x, y) = x y."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.gain * (x * y).sum(-1)


@pytest.mark.parametrize("word", ["z", "groups"])
def test_every_call_computes_the_bound_of_the_allowed_pairs(word: str):
    """All pairs are compared: as many shuffles as there are makes the partition term a plain mean over them."""
    keys = torch.arange(12) % 3
    x, y = torch.randn(12, 1), torch.randn(12, 1)
    equal = (keys[:, None] == keys) & ~torch.eye(12, dtype=torch.bool)
    allowed = equal if word == "z" else keys[:, None] != keys
    scores = x * y.T
    k = int(allowed.sum(1)[0])
    expected = float(scores.diagonal().mean() - torch.logsumexp(scores[allowed], 0) + math.log(12 * k))
    term = mine.MaximizeMI(Known(), "dv", shuffles=k if word == "z" else 12)
    if word == "groups":  # shifts of the sorted batch by 4 to 8 reach most partners, not all
        keyed = restricted_partners(Keys(keys, same=False), 12, generator())
        picked = scores.gather(1, keyed.T)
        expected = float(scores.diagonal().mean() - torch.logsumexp(picked.flatten(), 0) + math.log(picked.numel()))
    option = {word: keys}
    assert term.evaluate(x, y, **option) == pytest.approx(expected, abs=1e-5)
    assert term(x, y, **option).item() == pytest.approx(-expected, abs=1e-5)
    assert term.critic_loss(x, y, **option).item() == pytest.approx(-expected, abs=1e-5)
    assert term.joint_loss(x, y, **option).item() == pytest.approx(-expected, abs=1e-5)
    before = mine.MinimizeMI(Known(), "dv", shuffles=k if word == "z" else 12)
    before.critic_step(x, y, **option)
    assert before.estimate == pytest.approx(expected, abs=1e-5)


def test_given_a_label_that_explains_everything_there_is_nothing():
    """x and y share the label alone: I(x; y) = 0.5 nats and more, I(x; y | label) = 0."""
    label = torch.randint(2, (4000,))
    x, y = 3.0 * label + torch.randn(2, 4000)
    seen = torch.stack([x, label.float()], 1)
    values = {}
    for z in (None, label):
        term = mine.MaximizeMI(ConcatCritic(2, 1, hidden=(32, 32)), learning_rate=3e-3)
        for start in range(0, 3000, 20):
            rows = slice(start, start + 256)
            term.critic_step(seen[rows], y[rows], z=None if z is None else z[rows])
        held_out = slice(3300, 4000)
        values[z is not None] = term.evaluate(seen[held_out], y[held_out], z=None if z is None else z[held_out])
    assert values[False] > 0.3 and abs(values[True]) < 0.05

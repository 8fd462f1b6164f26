"""Critics by name are built from the first batch, train, and come back from a checkpoint."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.critics import ConcatCritic
from mine.critics.two_towers import TowerCritic
from mine.errors import InputError, UnknownNameError

pytestmark = pytest.mark.usefixtures("seeded_torch")


def labels(n: int) -> tuple[Tensor, Tensor]:
    y = torch.randint(10, (n,))
    return torch.stack([y.float().sin(), y.float().cos()], 1), y


def images(n: int) -> tuple[Tensor, Tensor]:
    y = torch.randn(n, 1)
    return y[:, :, None, None] + 0.5 * torch.randn(n, 1, 8, 8), y


def sequences(n: int) -> tuple[Tensor, Tensor]:
    y = torch.randn(n, 1)
    return y[:, None] + 0.5 * torch.randn(n, 12, 2), y


def rows(n: int) -> tuple[Tensor, Tensor]:
    y = torch.randn(n)
    return y[:, None] + 0.5 * torch.randn(n, 3), y


def words(n: int) -> tuple[Tensor, Tensor]:
    """Two labels of six per row: y repeats x in four rows of five, else it is any."""
    x = torch.randint(6, (n,), dtype=torch.int32)
    return x, torch.where(torch.rand(n) < 0.8, x, torch.randint(6, (n,), dtype=torch.int32)).long()


BATCHES: dict[str, Callable[[int], tuple[Tensor, Tensor]]] = {
    "mlp": rows, "conv": images, "sequence": sequences, "embedding": labels,
}  # fmt: skip
NAMES = pytest.mark.parametrize("name", list(BATCHES))


@NAMES
def test_it_finds_information(name: str):
    term = mine.MaximizeMI(name, learning_rate=3e-3)
    assert term.optimizer is None and list(term.parameters()) == []
    for _ in range(80):
        term.critic_step(*BATCHES[name](64))
    assert term.evaluate(*BATCHES[name](500)) > 0.4


@NAMES
@pytest.mark.parametrize("make", [mine.MaximizeMI, partial(mine.MinimizeMI, max_stale=9)])
def test_a_checkpoint_builds_it(name: str, make: Any):
    straight, resumed = make(name), make(name, random_state=0)
    for _ in range(2):
        batch = BATCHES[name](16)
        straight.critic_step(*batch)
        straight(*batch)
    resumed.load_state_dict(straight.state_dict())
    twin = copy.deepcopy(straight)
    batch = BATCHES[name](16)
    for term in (straight, resumed, twin):
        term.critic_step(*batch)
    for other in (resumed, twin):
        assert other.state_dict().keys() == straight.state_dict().keys()
        assert all(map(torch.equal, straight.state_dict().values(), other.state_dict().values()))
    make(name).load_state_dict(make(name).state_dict())  # of one that has seen no batch


def test_a_validation_may_come_first():
    x, y = torch.randn(50, 2), torch.randn(50, 1)
    term = mine.MaximizeMI("mlp")
    with torch.inference_mode():
        term.evaluate(x, y)
    term.critic_step(x, y)
    assert term.optimizer is not None and term.optimizer.state


def test_the_builders_are_those_of_estimate():
    for name, kind in (("mlp", ConcatCritic), ("conv", TowerCritic), ("sequence", TowerCritic)):
        term = mine.MaximizeMI(name)
        term.critic_step(*BATCHES[name](8))
        assert isinstance(term.critic, kind)
    term = mine.MaximizeMI("mlp", optimizer=partial(torch.optim.SGD, lr=0.1))
    x, y = images(8)
    term(x.requires_grad_(), y).backward()  # the model may come first; images are flattened
    assert isinstance(term.critic, TowerCritic) and isinstance(term.optimizer, torch.optim.SGD) and x.grad is not None


def test_the_seed_decides_the_weights():
    x, y = rows(8)
    terms = [mine.MaximizeMI("mlp", random_state=seed) for seed in (0, 0, 1)]
    for term in terms:
        torch.rand(1)
        term.evaluate(x, y)
    first, same, other = (next(term.parameters()) for term in terms)
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_errors_name_the_remedy():
    with pytest.raises(UnknownNameError, match="did you mean 'conv'"):
        mine.MaximizeMI("convv")
    with pytest.raises(InputError, match="must be a function that makes one"):
        mine.MaximizeMI("mlp", optimizer=torch.optim.SGD(ConcatCritic(1, 1).parameters(), 0.1))
    with pytest.raises(InputError, match="takes no critic by name"):
        mine.MinimizeMI("mlp", upper_bound="club")
    x, y = rows(8)
    with pytest.raises(InputError, match=r"embedding.* takes labels as whole numbers"):
        mine.MaximizeMI("embedding").critic_step(x, y)
    with pytest.raises(InputError, match=r"y has the label -1, of shape \(8,\)"):
        mine.MaximizeMI("embedding").critic_step(x, torch.full((8,), -1))
    with pytest.raises(InputError, match=r"both are flat: pass critic=.mlp"):
        mine.MaximizeMI("conv").critic_step(x, y)
    with pytest.raises(InputError, match="at most 4 axes"):
        mine.MaximizeMI("conv").critic_step(torch.randn(8, 1, 1, 1, 1, 1), y)
    term = mine.MaximizeMI("embedding")
    term.critic_step(*labels(8))
    with pytest.raises(
        InputError, match=r"cannot score.*rows of 2 numbers for x and labels from 0 to 1023 for y.*larger nn.Embedding"
    ):
        term.critic_step(labels(8)[0], torch.full((8,), 5000))


@pytest.mark.parametrize("kind", ["both", "columns", "bool", "x alone"])
def test_an_embedding_takes_labels_on_either_side(kind: str):
    def batch(n: int) -> tuple[Tensor, Tensor]:
        x, y = words(n)
        if kind == "columns":
            return x.unsqueeze(1), y.unsqueeze(1)
        if kind == "bool":
            return x > 2, y.unsqueeze(1) > 2
        return (x, nn.functional.one_hot(y, 6).float()) if kind == "x alone" else (x, y)

    hit = 0.8 + 0.2 / 6
    expected = math.log(6) + hit * math.log(hit) + (1 - hit) * math.log((1 - hit) / 5)
    if kind == "bool":
        expected = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    term = mine.MaximizeMI("embedding", learning_rate=1e-2)
    for _ in range(150):
        term.critic_step(*batch(256))
    assert term.evaluate(*batch(4000)) == pytest.approx(expected, abs=0.06)
    resumed = mine.MaximizeMI("embedding")
    resumed.load_state_dict(term.state_dict())
    held_out = batch(100)
    assert resumed.evaluate(*held_out) == term.evaluate(*held_out)

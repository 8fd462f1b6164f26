"""A term's state is tensors only: it can be stored, cloned, averaged, and a run resumes exactly."""

from __future__ import annotations

import copy
import io
import math
import pickle
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

import mine
from mine import bounds
from mine.critics import ConcatCritic
from mine.errors import InputError
from mine.terms import Term

pytestmark = pytest.mark.usefixtures("seeded_torch")


OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.01),
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
    "amsgrad": lambda p: torch.optim.AdamW(p, amsgrad=True),
    "groups": lambda p: torch.optim.Adam([{"params": p[:2], "lr": 0.1}, {"params": p[2:]}]),
}


def batch(seed: int) -> tuple[Tensor, Tensor]:
    x, e = torch.randn(2, 32, 1, generator=torch.Generator().manual_seed(seed))
    return x, x + e


def made(bound: str = "mine", **options: Any) -> mine.MinimizeMI:
    return mine.MinimizeMI(ConcatCritic(1, 1, (8,)), bound, shuffles=3, max_stale=2, **options)


def train(term: Term, seeds: range) -> None:
    for seed in seeds:
        term.critic_step(*batch(seed))
        term(*batch(seed))


def through_safetensors(state: dict[str, Any]) -> dict[str, Any]:
    return load(save(state))


def through_torch(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
@pytest.mark.parametrize("route", [through_safetensors, through_torch, copy.deepcopy])
def test_a_run_resumes_exactly(bound: str, route: Any):
    straight, resumed = made(bound), made(bound)
    train(straight, range(3))
    resumed.load_state_dict(route(straight.state_dict()))
    copies = [copy.deepcopy(straight), pickle.loads(pickle.dumps(straight))]
    for term in (straight, resumed, *copies):
        train(term, range(3, 6))
    for term in (resumed, *copies):
        assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), term.parameters(), strict=True))
        assert term.estimate == straight.estimate
        assert torch.equal(term.state_dict()["_extra_state"], straight.state_dict()["_extra_state"])


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_resumes_with_its_rate(make: Any):
    straight, resumed = made(optimizer=make), made(optimizer=make)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(straight.optimizer, 0.5)
    shapes = {name: tensor.shape for name, tensor in straight.state_dict().items()}
    train(straight, range(3))
    scheduler.step()
    state = straight.state_dict()
    assert {name: tensor.shape for name, tensor in state.items()} == shapes  # as before the first step
    resumed.load_state_dict(state)
    assert [g["lr"] for g in resumed.optimizer.param_groups] == [g["lr"] for g in straight.optimizer.param_groups]
    for term in (straight, resumed):
        train(term, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))


def test_an_average_over_the_run_is_a_usable_state():
    term = made()
    average = {name: tensor.clone() for name, tensor in term.state_dict().items()}
    for seed in range(30):
        train(term, range(seed, seed + 1))
        for name, tensor in term.state_dict().items():
            average[name].lerp_(tensor, 0.1)
    other = made()
    other.load_state_dict(average)
    for name, tensor in other.critic.state_dict().items():
        torch.testing.assert_close(tensor, average[f"critic.{name}"])
    assert math.isfinite(other.estimate) and 20 < other._kept.draws < 60
    train(other, range(3))


def test_a_state_of_another_kind_is_refused_before_anything_is_loaded():
    adam, sgd = made(), made(optimizer=OPTIMIZERS["sgd"])
    train(adam, range(2))
    before = copy.deepcopy(sgd.critic.state_dict())
    with pytest.raises(InputError, match="numbers of the critic's optimizer, this term has"):
        sgd.load_state_dict(adam.state_dict())
    assert all(torch.equal(before[k], v) for k, v in sgd.critic.state_dict().items())
    state = adam.state_dict()
    with pytest.raises(InputError, match="not finite"):
        adam.load_state_dict({**state, "_extra_state": state["_extra_state"] * math.inf})
    with pytest.raises(InputError, match="too short"):
        adam.load_state_dict({**state, "_extra_state": state["_extra_state"][:9]})


def test_a_fresh_state_makes_a_term_fresh_again():
    term = made()
    fresh = copy.deepcopy(term.state_dict())
    train(term, range(3))
    term.load_state_dict(fresh)
    assert math.isnan(term.estimate) and not term.optimizer.state and term._kept.bound_state is None


def test_bookkeeping_that_is_no_tensor_is_refused():
    term = mine.MaximizeMI(ConcatCritic(1, 1, (8,)))
    with pytest.raises(InputError, match="must be a tensor"):
        term.load_state_dict({**term.state_dict(), "_extra_state": None})

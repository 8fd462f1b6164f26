"""The critic's optimizer trains the critic, all of it, and nothing else; also after its parameters were replaced."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError

pytestmark = pytest.mark.usefixtures("seeded_torch")


def pair(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    x = torch.randn(64, 1, generator=torch.Generator().manual_seed(0))
    return x.to(dtype), (x + 0.5).to(dtype)


def critic() -> ConcatCritic:
    return ConcatCritic(1, 1, (8,))


OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.01),
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
    "amsgrad": lambda p: torch.optim.AdamW(p, amsgrad=True),
    "groups": lambda p: torch.optim.Adam([{"params": p[:2], "lr": 0.1}, {"params": p[2:]}]),
}


def test_other_parameters_are_refused():
    own, other, encoder = critic(), critic(), nn.Linear(4, 1)
    wrong: dict[str, Any] = {
        "another critic's": torch.optim.Adam(other.parameters()),
        "the encoder's as well": torch.optim.SGD([*encoder.parameters(), *own.parameters()], 0.1),
        "in a second group": torch.optim.SGD([{"params": own.parameters()}, {"params": encoder.parameters()}], 0.1),
        "made of others": lambda p: torch.optim.SGD(other.parameters(), 0.1),
    }
    for make in (mine.MaximizeMI, mine.MinimizeMI):
        for optimizer in wrong.values():
            with pytest.raises(InputError, match=r"not the critic's\. It trains the critic alone"):
                make(own, optimizer=optimizer)
        with pytest.raises(InputError, match=r"lacks 3 of the critic's parameters, the first: first_y.weight"):
            make(own, optimizer=torch.optim.SGD(list(own.parameters())[:2], 0.1))
    with pytest.raises(InputError, match=r"must be a torch.optim.Optimizer .* got int"):
        mine.MaximizeMI(own, optimizer=lambda p: 3)
    with pytest.raises(InputError, match="leave optimizer out"):
        mine.MinimizeMI(upper_bound="vib", optimizer=torch.optim.Adam(own.parameters()))


def test_what_is_added_later_is_refused_too():
    term = mine.MaximizeMI(critic())
    assert term.optimizer is not None
    term.optimizer.add_param_group({"params": nn.Linear(2, 2).parameters()})
    before = copy.deepcopy(term.critic.state_dict())
    with pytest.raises(InputError, match=r"2 parameter\(s\) that are not the critic's"):
        term.critic_step(*pair())
    assert all(torch.equal(before[k], v) for k, v in term.critic.state_dict().items())


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("whole", [True, False])
def test_loading_by_assignment_trains_on_as_if_nothing_had_happened(make: Any, whole: bool):
    straight, other = (mine.MaximizeMI(critic(), optimizer=make) for _ in range(2))
    x, y = pair()
    for term in (straight, other):
        for _ in range(3):
            term.critic_step(x, y)
    other.load_state_dict(copy.deepcopy(straight.state_dict()), assign=True)
    if not whole:  # the critic's once more, without the term knowing
        other.critic.load_state_dict(copy.deepcopy(straight.critic.state_dict()), assign=True)
    else:
        held = {id(p) for group in other.optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in other.critic.parameters()}
    for term in (straight, other):
        for _ in range(3):
            term.critic_step(x, y)
    for a, b in zip(straight.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_term_made_without_memory_can_be_loaded():
    with torch.device("meta"):
        term = mine.MaximizeMI(critic())
    term.load_state_dict(mine.MaximizeMI(critic()).state_dict(), assign=True)
    before = copy.deepcopy(term.critic.state_dict())
    term.critic_step(*pair())
    assert any(not torch.equal(before[k], v) for k, v in term.critic.state_dict().items())


def test_the_precision_may_change_between_steps():
    term = mine.MaximizeMI(critic())
    term.critic_step(*pair())
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        term.to(dtype)
        term.critic_step(*pair(dtype))
        term(*pair(dtype))
    term.critic.double()  # without the term knowing
    term.critic_step(*pair())
    assert all(s["exp_avg"].dtype == torch.float64 for s in term.optimizer.state.values())
    assert torch.isfinite(torch.tensor(term.estimate))


def test_freezing_and_thawing():
    term = mine.MinimizeMI(critic())
    term.requires_grad_(False)
    for _ in range(3):  # a critic that does not learn cannot fall behind
        term(*pair())
    with pytest.raises(InputError, match="no critic with parameters to train"):
        term.critic_step(*pair())
    term.requires_grad_(True)
    term.critic_step(*pair())


def test_a_scheduler_drives_the_critics_rate():
    term = mine.MaximizeMI(critic(), learning_rate=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(term.optimizer, 1, gamma=0.1)
    term.critic_step(*pair())
    scheduler.step()
    assert term.optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
    assert mine.MinimizeMI(upper_bound="vib").optimizer is None


def test_lbfgs_steps_by_a_closure(seeded_torch: None):
    x = torch.randn(512, 1)
    y = x + 0.5 * torch.randn(512, 1)
    term = mine.MaximizeMI(
        critic(), "dv", shuffles=511, optimizer=lambda p: torch.optim.LBFGS(p, line_search_fn="strong_wolfe")
    )
    term = copy.deepcopy(term)
    for _ in range(3):
        term.critic_step(x, y)
    assert term.evaluate(x, y) > 0.7  # of 0.80: sixty iterations, which three steps of a first-order method do not reach
    assert term._kept.draws == 3


@pytest.mark.parametrize("make", [partial(torch.optim.LBFGS, max_iter=3), torch.optim.Adafactor], ids=["LBFGS", "Adafactor"])
def test_state_of_every_shape_follows_the_precision(make: Any):
    term = mine.MaximizeMI(critic(), optimizer=make)
    for _ in range(2):
        term.critic_step(*pair())
    term.double()
    for _ in range(2):
        term.critic_step(*pair(torch.float64))
    assert all(torch.isfinite(p).all() for p in term.parameters())


def test_lazy_layers_resume():
    def lazy() -> mine.MaximizeMI:
        return mine.MaximizeMI(nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1)))

    straight, resumed = lazy(), lazy()
    for _ in range(3):
        straight.critic_step(*pair())
    resumed.load_state_dict(straight.state_dict())
    assert resumed.estimate == straight.estimate
    for term in (straight, resumed):
        term.critic_step(*pair())
    assert all(map(torch.equal, straight.parameters(), resumed.parameters()))


def test_a_layer_that_replaces_another_starts_anew():
    term = mine.MaximizeMI(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
    term.critic_step(*pair())
    layers: Any = term.critic.module
    layers[0], layers[2] = nn.Linear(2, 5), nn.Linear(5, 1)
    before = layers[0].weight.clone()
    term.critic_step(*pair())
    assert not torch.equal(before, layers[0].weight)


def test_a_critic_that_is_set_anew_is_the_one_used_and_trained():
    """Wrappers such as FSDP and torch.compile replace a module by assignment; the term went on with the old one."""

    class Wrapper(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module, self.calls = module, 0

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            self.calls += 1
            return self.module(x, y)

    x, y = pair()
    for fresh in (critic(), Wrapper(critic()), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))):
        own = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)) if isinstance(fresh, nn.Sequential) else critic()
        term = mine.MaximizeMI(own)
        term.critic_step(x, y)
        if isinstance(fresh, Wrapper):
            fresh.module = own
        before = [p.clone() for p in fresh.parameters()]
        term.critic = fresh
        term.critic_step(x, y)
        term(x.requires_grad_(), y).backward()
        assert not any(map(torch.equal, before, fresh.parameters())), type(fresh)
        assert not isinstance(fresh, Wrapper) or fresh.calls == 2
        assert term.optimizer is not None and {id(p) for p in term.critic.parameters()} == set(map(id, term.optimizer.state))
    term.critic = nn.Bilinear(1, 1, 1)
    with pytest.raises(InputError, match="not the critic's"):
        term.critic_step(x, y)
    club = mine.MinimizeMI(mine.terms.GaussianConditional(1, 1, (8,)), upper_bound="club")
    other = mine.terms.GaussianConditional(1, 1, (8,))
    club.critic = other
    before = [p.clone() for p in other.parameters()]
    club.critic_step(x, y)
    assert not any(map(torch.equal, before, other.parameters()))
    with pytest.raises(InputError, match="has no critic"):
        mine.MinimizeMI(upper_bound="vib", max_stale=2, critic=None).critic_step(x, torch.distributions.Normal(x, 1.0))

"""A refused call takes back what it has changed: random numbers, steps of several evaluations, critics just built."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.errors import InputError, MineError

pytestmark = pytest.mark.usefixtures("seeded_torch")


def pair(n: int = 64) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 1)
    return x, x + 0.5 * torch.randn(n, 1)


@pytest.mark.parametrize("method", ["critic_step", "critic_loss", "joint_loss", "forward"])
def test_dropout_of_a_refused_batch_draws_nothing(method: str):
    critic = nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.5), nn.Linear(16, 1))
    x, y = pair()
    term, before = mine.MaximizeMI(critic), torch.get_rng_state()
    with pytest.raises(MineError):
        getattr(term, method)(x.index_fill(0, torch.tensor([3]), math.nan), y)
    assert torch.equal(torch.get_rng_state(), before)


class BreaksLater(nn.Module):
    """Gives NaN from its third call on, once it is armed."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.armed = 0, False

    def forward(self, scores: Tensor) -> Tensor:
        self.calls += self.armed
        return scores * math.nan if self.calls > 2 else scores


def test_a_step_of_several_evaluations_is_taken_back_whole():
    last = BreaksLater()
    critic = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1), last)
    term = mine.MaximizeMI(critic, optimizer=lambda p: torch.optim.LBFGS(p, lr=0.1))
    x, y = pair()
    term.critic_step(x, y)
    last.armed = True
    before, state = copy.deepcopy(term.state_dict()), str(term.optimizer.state_dict())
    with pytest.raises(MineError):
        term.critic_step(x, y)
    assert last.calls > 2
    assert all(torch.equal(value, before[name]) for name, value in term.state_dict().items())
    assert str(term.optimizer.state_dict()) == state


@pytest.mark.parametrize("method", ["critic_step", "critic_loss", "joint_loss", "forward", "evaluate"])
def test_a_critic_by_name_is_not_built_from_a_refused_batch(method: str):
    term = mine.MaximizeMI("mlp")
    with pytest.raises(MineError):
        getattr(term, method)(torch.full((16, 5), math.nan), torch.randn(16, 1))
    term.critic_step(*pair())
    columns = mine.MinimizeTC("mlp")
    with pytest.raises(MineError):
        columns.critic_step(torch.full((16, 5), math.inf))
    columns.critic_step(torch.randn(16, 2))


@pytest.mark.parametrize("name", ["mlp", "embedding"])
def test_an_empty_first_batch_is_an_error(name: str):
    with pytest.raises(InputError, match="empty"):
        mine.MaximizeMI(name).critic_step(torch.randn(0, 2), torch.randint(3, (0,)))


def test_groups_that_are_too_large_are_not_put_down_to_the_critic():
    term = mine.MaximizeMI(nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 1)))
    with pytest.raises(InputError, match=r"^One of the groups fills 64"):
        term(*pair(), groups=torch.zeros(64))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int16, torch.uint16, torch.float16])
def test_labels_of_every_kind_restrict_shuffles(dtype: torch.dtype):
    label = torch.arange(64) % 2
    term, other = (mine.MaximizeMI(mine.critics.ConcatCritic(1, 1, (8,), generator=torch.Generator())) for _ in range(2))
    x, y = pair()
    assert torch.equal(term(x, y, z=label.to(dtype)), other(x, y, z=label))

"""One wild batch must not cost a critic more than fifty steps, with every bound."""

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
from mine import bounds
from mine.critics import ConcatCritic, SeparableCritic
from mine.terms.critic_optimizer import length_of, shorten, shortening
from mine.terms.untouched import BorrowedBuffers

WILD = {
    "x5": lambda x, y: (5 * x, 5 * y),
    "x20": lambda x, y: (20 * x, 20 * y),
    "flipped": lambda x, y: (x, -y),
    "x20, flipped": lambda x, y: (20 * x, -20 * y),
    "one side x50": lambda x, y: (x, 50 * y),
    "constant": lambda x, y: (0 * x, 0 * y),
    "x1e7": lambda x, y: (1e7 * x, 1e7 * y),
    "one row": lambda x, y: (torch.cat([1e5 * x[:1], x[1:]]), y),
}


def loss_after(bound: str, wild: str, critic: Callable[..., nn.Module], seed: int) -> float:
    """Held-out nats that are missing fifty steps after the wild batch."""
    torch.manual_seed(seed)
    x = torch.randn(3000, 1)
    y = x + 0.5 * torch.randn(3000, 1)
    term = mine.MaximizeMI(critic(1, 1, (32, 32)), bound, learning_rate=3e-3)

    def train(steps: int) -> float:
        for _ in range(steps):
            rows = torch.randint(2000, (256,))
            term.critic_step(x[rows], y[rows])
        return term.evaluate(x[2000:], y[2000:])

    before = train(150)
    assert before > 0.6  # of 0.80
    term.critic_step(*WILD[wild](x[:256], y[:256]))
    return before - train(50)


@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_a_batch_twenty_times_too_large_is_got_over(bound: str, seeded_torch: None):
    assert loss_after(bound, "x20", ConcatCritic, 0) < 0.12


def test_one_side_fifty_times_too_large_is_got_over(seeded_torch: None):
    assert loss_after("mine", "one side x50", ConcatCritic, 0) < 0.12


def normalised(dx: int, dy: int, hidden: tuple[int, int]) -> nn.Module:
    a, b = hidden
    layers = [nn.Linear(dx + dy, a), nn.BatchNorm1d(a), nn.ReLU(), nn.Linear(a, b), nn.BatchNorm1d(b, momentum=None)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(b, 1))


@pytest.mark.parametrize("wild", ["x1e7", "one row"])
def test_batch_normalisation_forgets_a_batch_of_huge_numbers(wild: str, seeded_torch: None):
    """Its running variance would divide by ten million in evaluation, for two hundred batches."""
    assert loss_after("jensen-shannon", wild, normalised, 3) < 0.1


@pytest.mark.parametrize("momentum", [0.2, None])
def test_running_averages_move_by_ten_standard_deviations_of_one_batch_at_most(momentum: float | None, seeded_torch: None):
    layer = nn.BatchNorm1d(1, momentum=momentum, eps=1e-9)
    x = torch.randn(500, 1)
    with BorrowedBuffers([layer]) as buffers:
        layer(1e3 * x)  # the first batches count in full
        buffers.keep()
    assert layer.running_var is not None and layer.running_var > 1e5
    layer.running_mean, layer.running_var = torch.tensor([1.0]), torch.tensor([4.0])
    layer.num_batches_tracked = torch.tensor(19)
    share = momentum or 1 / 20
    for batch, mean, var in ((1e6 * (x + 5), 1 + share * 10 * 2, 4 + share * 100 * 4), (x + 2, None, None)):
        own = copy.deepcopy(layer)
        own(batch)
        with BorrowedBuffers([layer]) as buffers:
            layer(batch)
            buffers.keep()
        assert layer.running_mean is not None and own.running_mean is not None and own.running_var is not None
        torch.testing.assert_close(layer.running_mean, own.running_mean if mean is None else torch.tensor([mean]))
        torch.testing.assert_close(layer.running_var, own.running_var if var is None else torch.tensor([var]))


@pytest.mark.slow
@pytest.mark.parametrize("critic", [ConcatCritic, SeparableCritic, normalised])
@pytest.mark.parametrize("wild", list(WILD))
@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_wild_batches_are_got_over(bound: str, wild: str, critic: Callable[..., nn.Module], seeded_torch: None):
    assert max(loss_after(bound, wild, critic, seed) for seed in (1, 2)) < 0.12


def readings_beside_a_moving_model(bound: str, seed: int) -> list[float]:
    """What a term reads while a model with much information grows, and draws on few rows."""
    torch.manual_seed(seed)
    x = torch.randn(1000, 16)
    critic = ConcatCritic(16, 8, (64, 64), generator=torch.Generator().manual_seed(seed))
    term = mine.MaximizeMI(critic, bound, random_state=seed)
    readings = []
    for step in range(500):
        rows = torch.randint(1000, (128,))
        z = (1 + step / 40) * torch.tanh(x[rows, :8]) + 0.03 * torch.randn(128, 8)
        term.critic_step(x[rows], z, steps=2)
        readings.append(term.estimate)
    return readings


def test_scores_do_not_drift_beside_a_model_with_much_information(seeded_torch: None):
    """With shuffled pairs alone weighted by the moving average, all scores sank together, and the bound to -1,000 nats."""
    readings = readings_beside_a_moving_model("mine", 2)
    assert min(readings) > -0.5 and readings[-1] > 1.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_no_bound_drifts(bound: str, seed: int, seeded_torch: None):
    assert min(readings_beside_a_moving_model(bound, seed)) > -1


def test_the_average_of_mine_stays_near_a_batch(seeded_torch: None):
    def averages(batches: list[float], **options: float) -> list[float]:
        state: Tensor | None = None
        out = []
        for batch in batches:
            state = bounds.mine(torch.zeros(3), torch.full((3, 2), batch), state, **options).state
            assert state is not None
            out.append(float(state))
        return out

    # After e^40 the plain average stays near 40 + ln .01; the limited one is back at once.
    assert averages([0.0, 40.0, 0.0])[2] == pytest.approx(40 + math.log(0.01) + math.log(0.99), abs=1e-4)
    assert averages([0.0, 40.0, 0.0], max_lag=2.0)[2] == 0.0
    assert averages([0.0, 40.0], max_lag=2.0)[1] == 40.0  # the plain one lags by -ln .01 = 4.6 nats
    assert averages([0.0, 1.5, 0.0], max_lag=2.0) == averages([0.0, 1.5, 0.0])
    assert mine.MaximizeMI(ConcatCritic(1, 1), "mine")._objective.bound.keywords["max_lag"] == 2.0


@pytest.mark.parametrize("kind", [float, torch.tensor])
def test_a_gradient_is_shortened_to_ten_times_the_recent_ones(kind: Callable[[float], Any]):
    first = shortening(kind(5.0), None)
    assert (float(first.average), float(first.scale)) == (5.0, 1.0)
    wild = shortening(kind(5e30), first.average)
    assert float(wild.scale) == pytest.approx(1e-29)
    assert float(wild.average) == pytest.approx(0.9 * 5 + 0.1 * 50)
    assert shortening(kind(49.0), first.average).scale == 1.0
    after_zeros = shortening(kind(3.0), shortening(kind(0.0), None).average)
    assert (float(after_zeros.average), float(after_zeros.scale)) == (3.0, 1.0)
    gradient = torch.tensor([3e30, 4e30])
    shorten([gradient, None], wild)
    torch.testing.assert_close(gradient, torch.tensor([30.0, 40.0]))


def test_the_length_of_a_gradient():
    small, huge = [torch.tensor([3.0, 0.0]), None, torch.tensor([[4.0]])], [torch.tensor([3e30, 0.0]), torch.tensor([4e30])]
    assert length_of(small) == length_of(small, exact=False) == 5.0
    assert torch.isinf(length_of(huge, exact=False))  # the squares overflow
    torch.testing.assert_close(length_of(huge), torch.tensor(5e30))
    for bad in (math.inf, math.nan):
        for exact in (True, False):
            assert not torch.isfinite(length_of([torch.tensor([bad, 1.0])], exact=exact))
    half = [torch.full((64, 64), 2.0, dtype=torch.bfloat16)]
    assert length_of(half) == 128.0 and length_of(half).dtype == torch.float32


@pytest.mark.parametrize("check", [True, False])
def test_a_first_batch_of_zeros_does_not_stop_the_training(check: bool, seeded_torch: None):
    """With an average length of 0 every later gradient was shortened to 0, and nothing was ever learned."""

    class Bilinear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(0.1 * torch.eye(2))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return ((x @ self.weight) * y).sum(1)

    x = torch.randn(256, 2)
    y = x + 0.5 * torch.randn(256, 2)
    term = mine.MaximizeMI(Bilinear(), "infonce", learning_rate=0.05, check_finite=check)
    for _ in range(2):
        term.critic_step(torch.zeros(64, 2), y[:64])
    for _ in range(60):
        term.critic_step(x, y)
    assert term.evaluate(x, y) > 0.5


def test_a_step_is_no_longer_than_ten_recent_gradients(seeded_torch: None):
    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.a * x * y

    x = torch.randn(64, 1)
    for check in (True, False):
        term = mine.MaximizeMI(Linear(), "dv", optimizer=partial(torch.optim.SGD, lr=1.0), check_finite=check)
        a: Tensor = term.critic.module.a
        term.critic_step(0.1 * x, x)  # a gradient of 0.1 Var(x)
        moved = a.item()
        term.critic_step(1000 * x, x)  # one of some thousands
        assert abs(a.item() - moved) == pytest.approx(10 * abs(moved), rel=1e-4)

"""MaximizeMI and MinimizeMI: losses by hand, who gets which gradient, what is logged, when a critic is stale."""

from __future__ import annotations

import copy
import io
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mine
from mine import bounds
from mine.critics import ConcatCritic, GaussianCritic, SeparableCritic
from mine.errors import InputError, MineError, StaleCriticError, UnknownNameError
from mine.terms import Term

TERMS = [mine.MaximizeMI, partial(mine.MinimizeMI, max_stale=100)]


class Product(nn.Module):
    """T(x, y) = a x y."""

    def __init__(self, a: float = 0.5) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.a * x * y


class NormalRatio(nn.Module):
    """The best critic of a standard normal pair with correlation r."""

    def __init__(self, r: float) -> None:
        super().__init__()
        self.r = nn.Parameter(torch.tensor(r, dtype=torch.float64))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        q = 1 - self.r**2
        return -0.5 * q.log() - ((y - self.r * x) ** 2 / q - y**2) / 2


def normal(n: int, r: float = 0.8, seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    x, e = torch.randn(2, n, 1, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return x, r * x + math.sqrt(1 - r**2) * e


# === the loss ===

X, Y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.3, 1.5])
JOINT = 0.5 * X * Y
OTHERS = np.array([[0.5 * X[i] * Y[j] for j in range(3) if j != i] for i in range(3)])
BY_HAND = {
    "dv": JOINT.mean() - math.log(np.exp(OTHERS).mean()),
    "mine": JOINT.mean() - math.log(np.exp(OTHERS).mean()),
    "nwj": JOINT.mean() - np.exp(OTHERS - 1).mean(),
    "infonce": np.mean(JOINT - np.log((np.exp(JOINT) + np.exp(OTHERS).sum(1)) / 3)),
    "jensen-shannon": math.log(4) - np.log1p(np.exp(-JOINT)).mean() - np.log1p(np.exp(OTHERS)).mean(),
    "smile": JOINT.mean() - math.log(np.exp(OTHERS).mean()),  # no score reaches its clip of 5
}


@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_the_direction_is_in_the_name(bound: str):
    x, y = torch.tensor(X), torch.tensor(Y)
    # Three rows have two shifts: every shuffled pair occurs.
    up, down = mine.MaximizeMI(Product(), bound)(x, y), mine.MinimizeMI(Product(), bound)(x, y)
    assert up.item() == pytest.approx(-BY_HAND[bound]) and down.item() == pytest.approx(BY_HAND[bound])
    assert up.shape == ()


@pytest.mark.parametrize(("make", "sign"), [(mine.MaximizeMI, -1), (mine.MinimizeMI, 1)])
@pytest.mark.parametrize("bound", ["dv", "mine", "infonce"])
def test_the_model_follows_the_gradient_of_the_information(make: Any, sign: int, bound: str):
    # x = sin(t) a + cos(t) e has correlation sin t with y = a: I = -ln cos t, dI/dt = tan t. At the best critic the
    # bound's gradient is that of the information itself.
    a, e = torch.randn(2, 4000, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    t = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
    term = make(NormalRatio(math.sin(0.5)), bound, shuffles=32)
    term(t.sin() * a + t.cos() * e, a).backward()
    assert float(t.grad) == pytest.approx(sign * math.tan(0.5), rel=0.1)


def test_the_moving_average_corrects_the_models_gradient_and_only_the_critic_moves_it():
    # MINE's gradient divides by the average m of E[e^T]: with alpha = 1/2 and the first batch's partition z1 it is
    # (z1 + z2) / 2. In a term, whose model moves, the whole gradient is the one of Donsker-Varadhan times z2 / m.
    term = mine.MaximizeMI(Product(), partial(bounds.mine, alpha=0.5), optimizer=partial(torch.optim.SGD, lr=0.0))
    term.critic_step(torch.tensor(X), torch.tensor(Y))
    x2, y2 = 2 * X, Y
    z1, z2 = np.exp(OTHERS).mean(), np.exp(2 * OTHERS).mean()
    # d/dk of T(k x, y) at k = 1
    joint = (2 * JOINT).mean()
    partition = (np.exp(2 * OTHERS) * 2 * OTHERS).mean() / z2
    weight = z2 / ((z1 + z2) / 2)
    for _ in range(2):  # the second call finds the same average
        k = torch.ones((), dtype=torch.float64, requires_grad=True)
        loss = term(k * torch.tensor(x2), torch.tensor(y2))
        loss.backward()
        assert float(k.grad) == pytest.approx(-weight * (joint - partition))
        assert loss.item() == pytest.approx(-(joint - math.log(z2)))  # the number is plain Donsker-Varadhan


# === who gets which gradient ===


@pytest.mark.parametrize("make", TERMS)
def test_the_models_loss_reaches_the_model_alone(make: Any, seeded_torch: None):
    encoder, term = nn.Linear(4, 2), make(SeparableCritic(2, 1, hidden=(8,)))
    assert all(p.requires_grad for p in term.parameters())
    term(encoder(torch.randn(16, 4)), torch.randn(16, 1)).backward()
    assert encoder.weight.grad.abs().max() > 0
    assert all(p.grad is None and p.requires_grad for p in term.parameters())


@pytest.mark.parametrize("make", TERMS)
def test_the_critics_step_reaches_the_critic_alone(make: Any, seeded_torch: None):
    encoder, term = nn.Linear(4, 2), make(ConcatCritic(2, 1, hidden=(8,)))
    before, own = copy.deepcopy(term.critic.state_dict()), encoder.weight.detach().clone()
    # The optimizer of an unwary user, over everything: no gradient of the critic may be left for it.
    everything = torch.optim.SGD([*encoder.parameters(), *term.parameters()], lr=1.0)
    a, b = torch.randn(16, 4), torch.randn(16, 1)
    term.critic_step(encoder(a), b)
    assert encoder.weight.grad is None
    moved = copy.deepcopy(term.critic.state_dict())
    assert any(not torch.equal(before[k], moved[k]) for k in before)
    everything.step()
    assert torch.equal(encoder.weight, own)
    assert all(torch.equal(moved[k], t) for k, t in term.critic.state_dict().items())
    term.critic_loss(encoder(a), b).backward()
    assert encoder.weight.grad is None and all(p.grad is not None for p in term.parameters())


def test_frozen_parameters_of_a_critic_stay_frozen(seeded_torch: None):
    critic = ConcatCritic(1, 1, hidden=(8,))
    critic.first_x.requires_grad_(False)
    before = critic.first_x.weight.clone()
    term = mine.MaximizeMI(critic)
    term.critic_step(*normal(16))
    term(*normal(16))
    assert torch.equal(critic.first_x.weight, before) and not critic.first_x.weight.requires_grad
    assert critic.first_y.weight.requires_grad


def test_several_steps_climb_further_and_use_the_optimizer_given():
    one, five = (mine.MaximizeMI(Product(0.0), "dv", optimizer=partial(torch.optim.SGD, lr=0.1)) for _ in range(2))
    x, y = normal(256, dtype=torch.float64)
    one.critic_step(x, y)
    five.critic_step(x, y, steps=5)
    # At a = 0 the gradient is E[xy] - E[x y'], about r = 0.8
    assert one.critic.module.a.item() == pytest.approx(0.08, abs=0.02)
    assert five.critic.module.a.item() > 3 * one.critic.module.a.item()
    critic = Product(0.0)
    mine.MaximizeMI(critic, "dv", optimizer=torch.optim.SGD(critic.parameters(), lr=0.1)).critic_step(x, y)
    assert critic.a.item() == one.critic.module.a.item()


# === what is logged ===


@pytest.mark.parametrize("make", TERMS)
def test_the_estimate_is_read_before_the_critic_trains(make: Any):
    term = make(Product(), "dv")
    assert math.isnan(term.estimate)
    batch = torch.tensor(X), torch.tensor(Y)
    term.critic_step(*batch, steps=50)
    assert float(term.critic.module.a.detach()) != 0.5
    assert term.estimate == pytest.approx(BY_HAND["dv"])
    term.critic_step(*batch)  # the batch it has just trained on: not news
    term(*batch)
    assert term.estimate == pytest.approx(BY_HAND["dv"])


def test_batches_are_pooled_before_the_logarithm():
    term = mine.MaximizeMI(Product(), "dv", optimizer=partial(torch.optim.SGD, lr=0.0))
    term.critic_step(torch.tensor(X), torch.tensor(Y))
    term.critic_step(torch.tensor(2 * X), torch.tensor(Y))
    pooled = 1.5 * JOINT.mean() - math.log((np.exp(OTHERS).mean() + np.exp(2 * OTHERS).mean()) / 2)
    assert term.estimate == pytest.approx(pooled)


def test_a_critic_that_memorises_does_not_raise_the_estimate(seeded_torch: None):
    term = mine.MaximizeMI(ConcatCritic(20, 20, hidden=(64,)), "dv", learning_rate=1e-2)
    for seed in range(3):
        x, y = torch.randn(2, 16, 20, generator=torch.Generator().manual_seed(seed))  # independent
        term.critic_step(x, y, steps=30)
    assert -term(x, y).item() > 1.0  # what the loss says of these rows
    assert term.estimate < 0.1


@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_every_bound_comes_to_the_truth(bound: str, seeded_torch: None):
    truth = -0.5 * math.log(1 - 0.8**2)
    term = mine.MaximizeMI(ConcatCritic(1, 1, hidden=(32,)), bound, learning_rate=1e-2)
    for seed in range(150):
        term.critic_step(*normal(256, seed=seed))
    assert term.estimate == pytest.approx(truth, abs=0.1)  # also where the loss is not in nats
    assert term.evaluate(*normal(1000, seed=1000)) == pytest.approx(truth, abs=0.12)


def test_evaluation_changes_nothing(seeded_torch: None):
    term = mine.MinimizeMI(nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, 1)))
    term.critic_step(*normal(32))
    term(*normal(32))  # max_stale is reached
    term.critic.module[1].eval()
    state, generator = copy.deepcopy(term.state_dict()), torch.get_rng_state()
    first = term.evaluate(*normal(64, seed=1))
    assert first == term.evaluate(*normal(64, seed=1))
    with torch.no_grad():
        term(*normal(32))
    assert term.training and term.critic.training and not term.critic.module[1].training
    term.eval()
    assert torch.equal(term(*normal(64, seed=1)), term(*normal(64, seed=1)))
    assert str(state) == str(term.state_dict())
    assert torch.equal(generator, torch.get_rng_state())


# === stale critics ===


def test_a_stale_critic_is_an_error():
    term = mine.MinimizeMI(Product())
    batch = normal(16, dtype=torch.float64)
    term(*batch)
    with pytest.raises(
        StaleCriticError, match=r"2 training calls of MinimizeMI .* max_stale is 1.*critic_step before each step"
    ):
        term(*batch)
    term.critic_step(*batch)
    term(*batch)
    term.critic_loss(*batch)
    term(*batch)
    with pytest.raises(RuntimeError):
        term(*batch)


def test_evaluation_never_counts():
    term = mine.MinimizeMI(Product())
    batch = normal(16, dtype=torch.float64)
    for _ in range(3):
        with torch.no_grad():
            term(*batch)
        term.eval()(*batch)
        term.train()
        term.evaluate(*batch)
    term(*batch)


def test_max_stale_can_be_raised_and_maximizing_needs_none():
    batch = normal(16, dtype=torch.float64)
    term = mine.MinimizeMI(Product(), max_stale=3)
    for _ in range(3):
        term(*batch)
    with pytest.raises(StaleCriticError):
        term(*batch)
    up = mine.MaximizeMI(Product())
    for _ in range(5):
        up(*batch)
    with pytest.raises(InputError, match="max_stale must be an integer of at least 1, got 0"):
        mine.MinimizeMI(Product(), max_stale=0)


# === precision ===


@pytest.mark.parametrize("make", [mine.MaximizeMI, mine.MinimizeMI])
def test_under_autocast_the_bound_is_computed_in_float32(make: Any, seeded_torch: None):
    seen: list[tuple[Tensor, Tensor]] = []

    def spy(joint: Tensor, marginal: Tensor, state: Any = None) -> bounds.BoundResult:
        assert not torch.is_autocast_enabled("cpu")
        seen.append((joint.detach(), marginal.detach()))
        return bounds.donsker_varadhan(joint, marginal, state)

    encoder, term = nn.Linear(4, 2), make(ConcatCritic(2, 1, hidden=(16,)), spy)
    a, b = torch.randn(64, 4), torch.randn(64, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = encoder(a)
        assert z.dtype == torch.bfloat16
        term.critic_step(z, b)
        loss = term(z, b)
    loss.backward()
    joint, marginal = seen[-1]
    assert joint.dtype == marginal.dtype == loss.dtype == torch.float32
    expected = joint.double().mean() - marginal.double().exp().mean().log()
    assert abs(abs(loss.item()) - abs(float(expected))) < 1e-6  # bf16 would err by 1e-3
    assert encoder.weight.grad.abs().max() > 0
    term.eval()(encoder(a).bfloat16(), b)  # outside autocast, a half-precision z meets a float32 critic


def test_upper_bounds_under_autocast_are_in_float32(seeded_torch: None):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = torch.randn(32, 2).bfloat16()
        density = torch.distributions.Normal(z.float() + 0.1, 1.0)
        assert mine.MinimizeMI(upper_bound="leave-one-out")(z, density).dtype == torch.float32
        term = mine.MinimizeMI(mine.terms.GaussianConditional(2, 2), upper_bound="club")
        term.critic_step(z, z)
        assert term(z, z).dtype == torch.float32
    assert math.isfinite(term.estimate)


def test_huge_scores_stay_finite():
    x, y = normal(64, dtype=torch.float64)
    for make in TERMS:
        term = make(Product(1e4))
        term.critic_step(x, y)
        z = x.clone().requires_grad_()
        term(z, y).backward()
        assert torch.isfinite(z.grad).all() and math.isfinite(term.estimate)


def test_a_batch_that_is_not_finite_is_an_error_and_changes_nothing():
    term = mine.MaximizeMI(Product(), "mine")
    x, y = normal(16, dtype=torch.float64)
    term.critic_step(x, y)
    before = copy.deepcopy(term.state_dict())
    with pytest.raises(MineError, match=r"critic's loss is -?(inf|nan).*not finite"):
        term.critic_step(x.index_fill(0, torch.tensor([3]), math.inf), y)
    assert torch.equal(before["critic.module.a"], term.critic.module.a)
    assert math.isfinite(term.estimate)
    assert math.isfinite(term(x, y).item())  # nor did the moving average take it in


# === checkpoints ===


def train(term: Term, seeds: range) -> None:
    for seed in seeds:
        term.critic_step(*normal(32, seed=seed))
        term(*normal(32, seed=seed))


def test_a_run_goes_on_from_its_checkpoint(seeded_torch: None):
    straight = mine.MinimizeMI(ConcatCritic(1, 1, hidden=(8,)), "mine", shuffles=3)
    again = mine.MinimizeMI(ConcatCritic(1, 1, hidden=(8,)), "mine", shuffles=3)
    train(straight, range(3))
    file = io.BytesIO()
    torch.save(straight.state_dict(), file)
    file.seek(0)
    again.load_state_dict(torch.load(file, weights_only=True))
    twin = copy.deepcopy(straight)
    for term in (straight, again, twin):
        train(term, range(3, 6))
    for name, tensor in straight.critic.state_dict().items():
        assert torch.equal(tensor, again.critic.state_dict()[name])
        assert torch.equal(tensor, twin.critic.state_dict()[name])
    assert straight.estimate == again.estimate == twin.estimate
    for term in (straight, again, twin):
        with pytest.raises(StaleCriticError):
            term(*normal(32))


# === what is refused ===


def test_errors_name_the_remedy(seeded_torch: None):
    x, y = normal(8)
    function: Any = torch.minimum
    with pytest.raises(UnknownNameError, match="did you mean 'infonce'"):
        mine.MaximizeMI(Product(), "infonse")
    with pytest.raises(InputError, match=r"select\(k\)"):
        mine.MaximizeMI(ConcatCritic(1, 1, stack=(2,)))
    with pytest.raises(InputError, match=r"must be an nn.Module"):
        mine.MaximizeMI(function)
    term = mine.MaximizeMI(ConcatCritic(1, 1, hidden=(4,)))
    with pytest.raises(InputError, match="at least two rows"):
        term(x[:1], y[:1])
    with pytest.raises(InputError, match=r"equally many rows, got shapes \(8, 1\) and \(7, 1\)"):
        term.critic_step(x, y[:7])
    with pytest.raises(InputError, match=r"x must be a tensor .* got ndarray"):
        term(x.numpy(), y)
    with pytest.raises(InputError, match="steps must be an integer of at least 1, got 0"):
        term.critic_step(x, y, steps=0)


def test_a_fixed_critic_serves_but_cannot_be_trained():
    x, y = normal(2000, dtype=torch.float64)
    critic = GaussianCritic.fit(x.numpy(), y.numpy())
    term = mine.MinimizeMI(critic, "dv")
    for _ in range(3):  # never stale: it does not learn
        assert term(x, y).item() == pytest.approx(-0.5 * math.log(1 - 0.8**2), abs=0.1)
    with pytest.raises(InputError, match="no critic with parameters to train"):
        term.critic_step(x, y)


def test_columns_and_labels_are_taken(seeded_torch: None):
    class Embedded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(3, 4)

        def forward(self, x: Tensor, label: Tensor) -> Tensor:
            return (self.embedding(label.squeeze(-1)) * x).sum(-1)

    labels = torch.tensor([0, 1, 2, 1])
    assert mine.MaximizeMI(Embedded())(torch.randn(4), labels).shape == ()
    assert mine.MaximizeMI(ConcatCritic(1, 1))(torch.randn(4), labels).shape == ()

"""The training loop against loops and steps written out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics import ConcatCritic, Critic, ModuleCritic
from mine.training.evaluation import evaluate_scores
from mine.training.loop import train_critic
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normals(n: int, dx: int = 1, dy: int = 1, seed: int = 0) -> Pairs:
    """Rows in float64 whose first coordinates correlate by 0.8."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dx)), rng.normal(size=(n, dy))
    y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]
    return Pairs(torch.as_tensor(x), torch.as_tensor(y))


def mlp(dx: int = 1, dy: int = 1, stack: tuple[int, ...] = (), seed: int = 0) -> ConcatCritic:
    return ConcatCritic(dx, dy, hidden=(8, 8), stack=stack, generator=seeded(seed)).double()


def dv_rows(joint: Tensor, marginal: Tensor) -> Tensor:
    return joint - bounds.log_mean_exp(marginal, (-2, -1)).unsqueeze(-1)


def train(critic: Critic, pairs: Pairs, **changes: Any) -> Any:
    n = len(pairs.x)
    rows = torch.arange(n).expand(*critic.stack, n)
    arguments: dict[str, Any] = {
        "bound": bounds.donsker_varadhan,
        "train": rows[..., : n // 2],
        "validation": rows[..., n // 2 :],
        "options": TrainingOptions(steps=20, batch_size=32, shuffles=2, eval_every=5, patience=100),
        "contributions": dv_rows,
        "seed": 0,
    }
    return train_critic(critic, pairs=pairs, **{**arguments, **changes})


def weights(critic: nn.Module) -> list[Tensor]:
    return [t.detach().clone() for t in (*critic.parameters(), *critic.buffers())]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(s, t) for s, t in zip(a, b, strict=True))


# === evaluate_scores ===


@pytest.mark.parametrize("chunk", [1, 7, 40, 1 << 13])
@pytest.mark.parametrize("shuffles", [3, 100])
def test_scores_are_those_of_single_pairs(chunk: int, shuffles: int):
    pairs, critic = normals(30, 2, 3), mlp(2, 3)
    index = torch.randperm(30, generator=seeded(1))[:12]
    joint, marginal, shifts = evaluate_scores(critic, pairs, index, shuffles, seeded(2), chunk=chunk)
    assert len(shifts) == min(shuffles, 11) == marginal.shape[1]
    assert len(set(shifts)) == len(shifts)

    def score(i: int, j: int) -> float:
        return critic(pairs.x[i : i + 1], pairs.y[j : j + 1]).item()

    rows = index.tolist()
    for i, row in enumerate(rows):
        assert joint[i].item() == pytest.approx(score(row, row), abs=1e-12)
        for k, s in enumerate(shifts):
            other = rows[(i + s) % 12]
            assert other != row
            assert marginal[i, k].item() == pytest.approx(score(row, other), abs=1e-12)
    assert not joint.requires_grad and not marginal.requires_grad


@pytest.mark.parametrize("chunk", [1, 50, 1 << 13])
def test_scores_of_a_stack_are_those_of_its_members(chunk: int):
    pairs, critic = normals(30), mlp(stack=(3,))
    index = torch.stack([torch.randperm(30, generator=seeded(k))[:10] for k in range(3)])
    joint, marginal, shifts = evaluate_scores(critic, pairs, index, 4, seeded(0), chunk=chunk)
    assert joint.shape == (3, 10) and marginal.shape == (3, 10, 4)
    for m in range(3):
        one, rows = critic.select(m), index[m]
        torch.testing.assert_close(joint[m], one(pairs.x[rows], pairs.y[rows]))
        for k, s in enumerate(shifts):
            torch.testing.assert_close(marginal[m, :, k], one(pairs.x[rows], pairs.y[rows.roll(-s)]))


class Numbered(Critic):
    """T(x, y) = 1000 x + y: a score says which rows met."""

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (1000 * hx + hy).squeeze(-1)


@pytest.mark.parametrize("chunk", [1, 11, 1 << 13])
def test_groups_never_meet_themselves_and_rows_keep_their_place(chunk: int):
    n = 24
    number = torch.arange(float(n)).unsqueeze(-1)
    labels = torch.as_tensor(np.random.default_rng(0).integers(0, 6, size=n))
    index = torch.randperm(n, generator=seeded(0))[:20]
    joint, marginal, shifts = evaluate_scores(Numbered(), Pairs(number, number, labels), index, 50, seeded(1), chunk=chunk)
    assert joint.tolist() == [1001.0 * i for i in index.tolist()]
    who_x, who_y = (marginal // 1000).long(), (marginal % 1000).long()
    assert torch.equal(who_x, index.unsqueeze(-1).expand_as(who_x))
    assert not (labels[who_x] == labels[who_y]).any()
    # every y takes part once a shift, and the distance is at least the largest group in this part
    largest = int(torch.bincount(labels[index]).max())
    assert len(shifts) == 20 - 2 * largest + 1
    assert all(sorted(column.tolist()) == sorted(index.tolist()) for column in who_y.T)


# === One step by hand ===


def one_weight() -> ModuleCritic:
    class Product(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter(torch.tensor(0.25, dtype=torch.float64))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.a * x * y

    return ModuleCritic(Product())


def by_hand(pairs: Pairs, rows: int, rate: float, steps: int) -> list[float]:
    """Gradient ascent on Donsker-Varadhan over all pairs of different rows: d/da = E[xy] - E[xy' e^T] / E[e^T]."""
    x, y = pairs.x[:rows, 0].numpy(), pairs.y[:rows, 0].numpy()
    off = ~np.eye(rows, dtype=bool)
    product, a, path = np.outer(x, y)[off], 0.25, [0.25]
    for _ in range(steps):
        tilt = np.exp(a * product)
        a += rate * ((x * y).mean() - (product * tilt).sum() / tilt.sum())
        path.append(a)
    return path


@pytest.mark.parametrize("kind", ["factory", "object"])
def test_a_users_optimizer_takes_the_steps_of_its_own_constant_rate(kind: str):
    pairs, critic = normals(40), one_weight()
    made: list[torch.optim.Optimizer] = []

    def factory(parameters: Any) -> torch.optim.Optimizer:
        made.append(torch.optim.SGD(parameters, lr=0.1))
        return made[-1]

    # a batch of all training rows with all their shifts is every pair of different rows: nothing random is left
    options = TrainingOptions(steps=6, batch_size=100, shuffles=100, eval_every=1, patience=100)
    seen: list[float] = []

    def contributions(joint: Tensor, marginal: Tensor) -> Tensor:
        seen.append(critic.module.a.item())
        return dv_rows(joint, marginal)

    optimizer = factory if kind == "factory" else factory(critic.parameters())
    train(critic, pairs, options=options, optimizer=optimizer, contributions=contributions)
    assert len(made) == 1
    np.testing.assert_allclose(seen, by_hand(pairs, 20, 0.1, 6), rtol=1e-10)


def test_the_default_optimizer_warms_up_and_decays_by_a_cosine():
    """Adam's first step has the length of its rate, whatever the gradient."""
    first = {}
    for steps in (20, 40):
        critic = one_weight()
        seen: list[float] = []

        def contributions(joint: Tensor, marginal: Tensor, critic: ModuleCritic = critic, seen: list[float] = seen) -> Tensor:
            seen.append(critic.module.a.item())
            return dv_rows(joint, marginal)

        options = TrainingOptions(
            steps=steps, batch_size=100, shuffles=100, eval_every=1, patience=100, learning_rate=0.01, warmup=0.25
        )
        train(critic, normals(40), options=options, contributions=contributions)
        first[steps] = abs(seen[1] - seen[0])
        assert abs(seen[-1] - seen[-2]) < 0.01 * 0.02  # the cosine has all but ended
    assert first[20] == pytest.approx(0.01 / 5, rel=1e-4)
    assert first[40] == pytest.approx(0.01 / 10, rel=1e-4)


def test_weight_decay_takes_matrices_and_spares_biases_and_scales():
    critic = mlp(2, 2, stack=(2,))
    before = {k: v.clone() for k, v in critic.named_parameters()}

    def without_gradient(joint: Tensor, marginal: Tensor, state: Any) -> bounds.BoundResult:
        return bounds.BoundResult(0 * joint.sum(-1), joint.mean(-1), None)  # what moves, moves by decay

    options = TrainingOptions(steps=1, batch_size=8, learning_rate=0.1, weight_decay=0.5, eval_every=1, warmup=0.0)
    validations = iter([0.0, 1.0])
    train(
        critic,
        normals(20, 2, 2),
        bound=without_gradient,
        options=options,
        contributions=lambda j, m: torch.full_like(j, next(validations)),
    )
    for name, after in critic.named_parameters():
        factor = 1 - 0.1 * 0.5 if after.shape[-2] > 1 else 1.0
        torch.testing.assert_close(after.detach(), factor * before[name], msg=name)


# === Stacks ===


def test_a_stack_trains_like_its_members_alone():
    pairs, stack = normals(60, 2, 1), mlp(2, 1, stack=(3,))
    rows = torch.stack([torch.randperm(60, generator=seeded(k)) for k in range(3)])
    options = TrainingOptions(steps=25, batch_size=100, shuffles=100, eval_every=5, patience=100)
    alone = [stack.select(m) for m in range(3)]
    start = weights(alone[0])
    train(stack, pairs, train=rows[:, :40], validation=rows[:, 40:], options=options)
    for m, critic in enumerate(alone):
        train(critic, pairs, train=rows[m, :40], validation=rows[m, 40:], options=options)
        for (name, a), b in zip(critic.named_parameters(), stack.select(m).parameters(), strict=True):
            # float64, where Adam divides by the root of a squared gradient: 1e-7 is rounding over 25 steps
            torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-7, msg=name)
    assert not same(start, weights(alone[0]))


def test_a_critic_of_a_stack_knows_nothing_of_its_neighbours_rows():
    def trained(other: Pairs) -> ConcatCritic:
        mine = normals(40)
        pairs = Pairs(torch.cat([mine.x, other.x]), torch.cat([mine.y, other.y]))
        rows = torch.arange(80).reshape(2, 40)
        critic = mlp(stack=(2,))
        train(critic, pairs, train=rows[:, :30], validation=rows[:, 30:])
        return critic

    a, b = trained(normals(40, seed=1)), trained(normals(40, seed=2))
    assert same(weights(a.select(0)), weights(b.select(0)))
    assert not same(weights(a.select(1)), weights(b.select(1)))


def test_each_critic_of_a_stack_keeps_the_weights_of_its_own_best_validation():
    critic, best = mlp(stack=(3,)), [0, 2, 4]
    seen: list[list[Tensor]] = []

    def contributions(joint: Tensor, marginal: Tensor) -> Tensor:
        validation = len(seen)
        seen.append(weights(critic))
        height = torch.tensor([-10.0 * abs(validation - b) for b in best], dtype=joint.dtype)
        return height.unsqueeze(-1).expand_as(joint)

    history = train(critic, normals(40), contributions=contributions)
    assert len(seen) == 5
    for m, validation in enumerate(best):
        assert same([t[m] for t in weights(critic)], [t[m] for t in seen[validation]])
        assert not any(torch.equal(t[m], s[m]) for t, s in zip(seen[validation], seen[(validation + 1) % 5], strict=True))
    np.testing.assert_allclose(history.validation, [-20.0, -50 / 3, -40 / 3, -50 / 3, -20.0])


# === Which step ===


def test_a_bound_that_only_falls_leaves_the_untrained_weights():
    """Ascending on the loss makes the bound fall; nothing of that may stay."""

    def backwards(joint: Tensor, marginal: Tensor, state: Any) -> bounds.BoundResult:
        result = bounds.donsker_varadhan(joint, marginal, state)
        return result._replace(loss=-result.loss)

    critic = mlp()
    before = weights(critic)
    history = train(critic, normals(60), bound=backwards)
    assert same(before, weights(critic))
    assert history.validation[-1] < history.validation[0]
    assert history.converged
    assert not critic.training


def test_batchnorm_buffers_are_put_back_with_the_weights(seeded_torch: None):
    net = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)).double()
    critic = ModuleCritic(net, concat=True)
    before = weights(critic)
    validations = iter([0.0, -1.0, -2.0, -3.0, -4.0])
    train(critic, normals(40), contributions=lambda j, m: torch.full_like(j, next(validations)))
    assert same(before, weights(critic))


@pytest.mark.parametrize(("patience", "last"), [(1, 5), (3, 15), (100, 20)])
def test_training_ends_after_patience_validations_without_a_better_bound(patience: int, last: int):
    options = TrainingOptions(steps=20, batch_size=8, eval_every=5, patience=patience)
    history = train(mlp(), normals(40), options=options, contributions=lambda j, m: torch.zeros_like(j))
    assert history.step == list(range(0, last + 1, 5))


def test_validations_that_are_not_a_number_are_never_the_best():
    critic, validations = mlp(), iter([0.0, 1.0, math.nan, math.nan, 0.5])
    seen: list[list[Tensor]] = []

    def contributions(joint: Tensor, marginal: Tensor) -> Tensor:
        seen.append(weights(critic))
        return torch.full_like(joint, next(validations))

    train(critic, normals(40), contributions=contributions)
    assert same(weights(critic), seen[1])


def test_a_gain_within_the_noise_of_the_validation_rows_is_not_taken():
    """20 validation rows whose paired difference is 0.1 with standard deviation 4: half a standard error is 0.44."""
    critic, validations = mlp(), iter(range(5))
    wave = torch.tensor([4.0, -4.0] * 10, dtype=torch.float64)
    before = weights(critic)

    def noisy(joint: Tensor, marginal: Tensor) -> Tensor:
        return (wave + 0.1) if next(validations) else torch.zeros_like(joint)

    train(critic, normals(40), contributions=noisy)
    assert same(before, weights(critic))

    validations = iter(range(5))
    train(critic, normals(40), contributions=lambda j, m: torch.full_like(j, 0.1 if next(validations) else 0.0))
    assert not same(before, weights(critic))  # the same gain without the noise


@pytest.mark.parametrize(
    ("heights", "converged"), [([0, 1, 2, 3, 4], False), ([0, 1, 2, 2, 2], True), ([0, 1, 2, 2.99, 3], True)]
)
def test_converged_says_whether_the_bound_still_rose_at_the_end(heights: list[float], converged: bool):
    validations = iter(heights)
    history = train(mlp(), normals(40), contributions=lambda j, m: torch.full_like(j, next(validations)))
    assert history.converged is converged
    assert history.validation == heights


def test_history_holds_the_mean_training_bound_since_the_last_validation():
    values = iter(range(1, 9))

    def counting(joint: Tensor, marginal: Tensor, state: Any) -> bounds.BoundResult:
        return bounds.BoundResult(-joint.mean(-1), torch.tensor(float(next(values))), None)

    calls: list[tuple[int, int, float]] = []
    options = TrainingOptions(steps=8, batch_size=8, eval_every=3, patience=100)
    validations = iter([0.0, 5.0, 10.0, 15.0])
    history = train(
        mlp(),
        normals(40),
        bound=counting,
        options=options,
        contributions=lambda j, m: torch.full_like(j, next(validations)),
        on_progress=lambda *call: calls.append(call),
    )
    assert history.step == [0, 3, 6, 8]
    assert math.isnan(history.train[0])
    assert history.train[1:] == [2.0, 5.0, 7.5]  # means of 1 2 3, 4 5 6, 7 8
    assert calls == [(0, 8, 0.0), (3, 8, 5.0), (6, 8, 10.0), (8, 8, 15.0)]


def test_state_is_handed_from_step_to_step():
    states: list[Any] = []

    def spy(joint: Tensor, marginal: Tensor, state: Any) -> bounds.BoundResult:
        states.append(state)
        return bounds.BoundResult(-joint.mean(-1), joint.mean(-1).detach(), torch.tensor(float(len(states))))

    train(mlp(), normals(40), bound=spy, options=TrainingOptions(steps=3, batch_size=8))
    assert [None if s is None else s.item() for s in states] == [None, 1.0, 2.0]


def test_batches_hold_training_rows_only():
    pairs = normals(40)
    numbered = Pairs(torch.arange(40.0).unsqueeze(-1), torch.arange(40.0).unsqueeze(-1))
    seen: set[float] = set()

    class Spy(Critic):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter(torch.zeros(()))

        def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
            if self.training:
                seen.update(hx.flatten().tolist(), hy.flatten().tolist())
            return self.a * (hx * hy).squeeze(-1)

    rows = torch.randperm(len(pairs.x), generator=seeded(0))
    train(Spy(), numbered, train=rows[:25], validation=rows[25:])
    assert seen == set(rows[:25].tolist())


def test_a_critic_without_parameters_is_only_looked_at():
    history = train(Numbered(), Pairs(torch.zeros(20, 1), torch.zeros(20, 1)))
    assert history.step == [0] and history.converged


def test_the_seed_decides_the_weights():
    def trained(seed: int) -> list[Tensor]:
        critic = mlp()
        train(critic, normals(60), seed=seed)
        return weights(critic)

    assert same(trained(0), trained(0))
    assert not same(trained(0), trained(1))


def test_groups_in_a_batch_never_meet_themselves():
    labels = torch.as_tensor(np.random.default_rng(0).integers(0, 8, size=40))
    number = torch.arange(40.0).unsqueeze(-1)
    met: list[tuple[Tensor, Tensor]] = []

    class Spy(Critic):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter(torch.zeros(()))

        def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
            apart = (hx != hy).squeeze(-1)
            met.append((labels[hx.long()[apart]], labels[hy.long()[apart]]))
            return self.a * (hx * hy).squeeze(-1)

    train(Spy(), Pairs(number, number, labels), options=TrainingOptions(steps=20, batch_size=16, shuffles=4))
    assert sum(len(a) for a, _ in met) > 1000
    assert not any((a == b).any() for a, b in met)

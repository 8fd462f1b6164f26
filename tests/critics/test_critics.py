"""Critics against explicit networks, closed forms and brute-force pairing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from mine.bounds import nwj
from mine.critics import (
    ConcatCritic,
    Critic,
    GaussianCritic,
    ModuleCritic,
    ResidualCritic,
    SeparableCritic,
    as_critic,
    pair_scores,
)
from mine.critics.label import LabelCritic
from mine.critics.metric import MetricCritic
from mine.critics.pairs import score_matrix_of
from mine.errors import InputError

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "tanh": nn.Tanh(),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def gaussian_data(n: int, dx: int, dy: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Correlated rows with a mean and different scales, so that nothing is standardised by luck."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, dx + dy)) @ rng.normal(size=(dx + dy, dx + dy)) + rng.normal(size=dx + dy) * 5
    return mixed[:, :dx], mixed[:, dx:]


def stacked_gaussian(m: int) -> GaussianCritic:
    return GaussianCritic.stacked([GaussianCritic.fit(*gaussian_data(60, 2, 3, seed)) for seed in range(m)]).float()


def explicit_mlp(layers: list[tuple[Any, Any]], activation: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Linear layers with the given (weight (n_in, n_out), bias) and the activation between them, by torch's own functions."""

    def network(h: Tensor) -> Tensor:
        for k, (weight, bias) in enumerate(layers):
            h = nn.functional.linear(activation(h) if k else h, weight.T, bias.reshape(-1))
        return h

    return network


# === ConcatCritic ===


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_factored_first_layer_is_an_mlp_on_the_concatenation(activation: str):
    critic = ConcatCritic(2, 3, (7, 5), activation=activation, generator=generator()).double()
    first = (torch.cat([critic.first_x.weight, critic.first_y.weight]), critic.first_x.bias)
    mlp = explicit_mlp([first, *((layer.weight, layer.bias) for layer in critic.rest.layers)], ACTIVATIONS[activation])
    x, y = rows(1, 20, 2).double(), rows(2, 20, 3).double()
    torch.testing.assert_close(critic(x, y), mlp(torch.cat([x, y], 1)).squeeze(1))


def test_first_layer_is_initialised_for_the_width_of_the_pair():
    critic = ConcatCritic(3, 13, (4000,), generator=generator())
    for weight in (critic.first_x.weight, critic.first_y.weight):
        assert 0.24 < weight.abs().max().item() <= 0.25  # uniform within 1 / sqrt(3 + 13)
        assert weight.std().item() == pytest.approx(0.25 / math.sqrt(3), rel=0.05)


def test_zero_init_scores_zero_everywhere_and_still_learns():
    critic = ConcatCritic(2, 2, (8, 8), zero_init=True, generator=generator())
    x, y = rows(1, 10, 2), rows(2, 10, 2)
    assert torch.equal(critic(x, y), torch.zeros(10))
    nwj(*pair_scores(critic, x, y, [1])).loss.backward()
    last = critic.rest.layers[-1].weight
    assert isinstance(last, nn.Parameter) and last.grad is not None and last.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConcatCritic(1, 1, ()), "at least one layer"),
        (lambda: ConcatCritic(1, 1, activation="swish"), "Unknown activation 'swish'. Valid: relu, "),
        (lambda: SeparableCritic(1, 1, activation="swish"), "Unknown activation 'swish'"),
        (lambda: ConcatCritic(1, 1).select(0), "needs a stacked critic"),
        (
            lambda: ResidualCritic(ConcatCritic(1, 1), ConcatCritic(1, 1, stack=(2,))),
            r"stacked as \(\), the network as",
        ),
    ],
)
def test_errors(make: Any, message: str, seeded_torch: None):
    with pytest.raises(InputError, match=message):
        make()


# === SeparableCritic ===


def test_separable_critic_is_the_dot_product_of_two_towers():
    critic = SeparableCritic(2, 3, (6,), embed=4, generator=generator()).double()
    tower_x, tower_y = (
        explicit_mlp([(layer.weight, layer.bias) for layer in tower.layers], nn.ReLU())
        for tower in (critic.tower_x, critic.tower_y)
    )
    x, y = rows(1, 9, 2).double(), rows(2, 9, 3).double()
    torch.testing.assert_close(critic(x, y), torch.einsum("be,be->b", tower_x(x), tower_y(y)))


# === GaussianCritic ===


def gaussian_log_ratio(x: np.ndarray, y: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """log p(x, y) - log p(x) - log p(y) by scipy's densities."""
    dx = x.shape[1]
    normal: Any = multivariate_normal  # scipy's annotations know only scalar covariances
    both = normal(mean, cov).logpdf(np.concatenate([x, y], 1))
    alone = normal(mean[:dx], cov[:dx, :dx]).logpdf(x) + normal(mean[dx:], cov[dx:, dx:]).logpdf(y)
    return both - alone


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (3, 2), (2, 5)])
@pytest.mark.parametrize(("shrinkage", "diagonal"), [(0.0, 0.0), (0.0, 0.3), (0.2, 0.0), (0.2, 0.3)])
def test_gaussian_critic_is_the_log_density_ratio(dx: int, dy: int, shrinkage: float, diagonal: float):
    x, y = gaussian_data(200, dx, dy)
    both = np.concatenate([x, y], 1)
    cov = np.cov(both.T, ddof=0)
    cov = (1 - diagonal) * cov + diagonal * np.diag(np.diag(cov))
    cov[:dx, dx:] *= 1 - shrinkage
    cov[dx:, :dx] *= 1 - shrinkage
    critic = GaussianCritic.fit(x, y, shrinkage=shrinkage, diagonal=diagonal)
    new_x, new_y = gaussian_data(50, dx, dy, seed=7)
    scores = critic(torch.as_tensor(new_x), torch.as_tensor(new_y)).numpy()
    np.testing.assert_allclose(scores, gaussian_log_ratio(new_x, new_y, both.mean(0), cov), rtol=1e-7, atol=1e-7)

    log_det = [np.linalg.slogdet(part)[1] for part in (cov[:dx, :dx], cov[dx:, dx:], cov)]
    assert critic.mutual_information.item() == pytest.approx(0.5 * (log_det[0] + log_det[1] - log_det[2]), rel=1e-9)


def test_gaussian_critic_integrates_to_one_over_the_product_of_the_marginals():
    x, y = gaussian_data(300, 1, 1)
    critic = GaussianCritic.fit(x, y)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    grid_x = torch.as_tensor(x.mean() + x.std() * np.repeat(nodes, 80)).unsqueeze(1)
    grid_y = torch.as_tensor(y.mean() + y.std() * np.tile(nodes, 80)).unsqueeze(1)
    partition = np.exp(critic(grid_x, grid_y).numpy()) @ np.outer(weights, weights).ravel()
    assert partition == pytest.approx(1, abs=1e-6)


def test_gaussian_critic_ignores_a_direction_without_variance():
    x, y = gaussian_data(100, 2, 2)
    mixtures = x @ np.random.default_rng(1).normal(size=(2, 8))  # rank 2: the other eigenvalues are rounding of either sign
    copied = np.concatenate([x, mixtures, np.full((100, 1), 3.0)], 1)
    plain, wide = GaussianCritic.fit(x, y), GaussianCritic.fit(copied, y)
    assert wide.mutual_information.item() == pytest.approx(plain.mutual_information.item(), rel=1e-6)
    scores = wide(torch.as_tensor(copied), torch.as_tensor(y))
    torch.testing.assert_close(scores, plain(torch.as_tensor(x), torch.as_tensor(y)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-4, 1e-3])
def test_gaussian_critic_stays_finite_in_float32_as_rho_tends_to_one(noise: float):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    y = x[:, ::-1] + noise * rng.normal(size=(500, 2))
    critic = GaussianCritic.fit(x, y).float()
    joint, marginal = pair_scores(critic, torch.tensor(x).float(), torch.tensor(y.copy()).float(), [1, 250])
    assert joint.isfinite().all() and marginal.isfinite().all()
    assert 0 < critic.mutual_information.item() < 2 * 8.5  # two coordinates at the floor of 1 - r^2 = 1e-7
    assert joint.mean() > marginal.mean()


# === ResidualCritic ===


def test_residual_critic_equals_its_base_at_the_start_and_adds_afterwards():
    base = GaussianCritic.fit(*gaussian_data(80, 2, 2)).float()
    network = ConcatCritic(2, 2, (8,), zero_init=True, generator=generator())
    critic = ResidualCritic(base, network)
    x, y = rows(1, 12, 2), rows(2, 12, 2)
    assert torch.equal(critic(x, y), base(x, y))
    with torch.no_grad():
        critic.scale.fill_(0.5)
        list(network.parameters())[-1].fill_(2.0)  # the bias of the last layer
    torch.testing.assert_close(critic(x, y), 0.5 * base(x, y) + 2.0)


def test_residual_base_reads_its_own_coordinates_and_never_moves():
    base = ConcatCritic(1, 2, (4,), generator=generator(3))
    network = ConcatCritic(3, 4, (4,), generator=generator(4))
    critic = ResidualCritic(base, network, base_dx=1, base_dy=2)
    x, y = rows(1, 6, 3), rows(2, 6, 4)
    torch.testing.assert_close(critic(x, y), base(x[:, :1], y[:, :2]) + network(x, y))
    before = [p.clone() for p in base.parameters()]
    optimizer = torch.optim.SGD([p for p in critic.parameters() if p.requires_grad], lr=0.1)
    nwj(*pair_scores(critic, x, y, [1])).loss.backward()
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, base.parameters(), strict=True))


# === Stacks ===

STACKED = {
    "concat": lambda: ConcatCritic(2, 3, (6, 5), stack=(4,), generator=generator()),
    "separable": lambda: SeparableCritic(2, 3, (6,), embed=4, stack=(4,), generator=generator()),
    "gaussian": lambda: stacked_gaussian(4),
    "residual": lambda: ResidualCritic(stacked_gaussian(4), ConcatCritic(2, 3, (6,), stack=(4,), generator=generator())),
}


@pytest.mark.parametrize("name", STACKED)
def test_a_stack_is_its_critics_side_by_side(name: str):
    critic = STACKED[name]()
    x, y = rows(1, 4, 10, 2), rows(2, 4, 10, 3)
    scores = critic(x, y)
    assert scores.shape == (4, 10)
    joint, marginal = pair_scores(critic, x, y, [1, 4, 9])
    assert joint.shape == (4, 10) and marginal.shape == (4, 10, 3)
    for k in range(4):
        one = critic.select(k)
        assert one.stack == ()
        torch.testing.assert_close(scores[k], one(x[k], y[k]))
        one_joint, one_marginal = pair_scores(one, x[k], y[k], [1, 4, 9])
        torch.testing.assert_close(joint[k], one_joint)
        torch.testing.assert_close(marginal[k], one_marginal)


def test_stacked_critics_start_different():
    critic = ConcatCritic(1, 1, (16,), stack=(3,), generator=generator())
    x = rows(1, 1, 5, 1).expand(3, 5, 1)
    scores = critic(x, x)
    assert not torch.allclose(scores[0], scores[1]) and not torch.allclose(scores[1], scores[2])


@pytest.mark.parametrize("name", STACKED)
def test_select_copies(name: str):
    critic = STACKED[name]()
    one = critic.select(2)
    before = one(rows(1, 5, 2), rows(2, 5, 3))
    with torch.no_grad():
        for tensor in (*critic.parameters(), *critic.buffers()):
            tensor.zero_()
    torch.testing.assert_close(one(rows(1, 5, 2), rows(2, 5, 3)), before)
    assert critic.stack == (4,)


def test_select_keeps_frozen_parameters_frozen():
    base, network = (ConcatCritic(1, 1, (4,), stack=(2,), generator=generator(s)) for s in range(2))
    one = ResidualCritic(base, network).select(1)
    assert isinstance(one.base, nn.Module) and isinstance(one.network, nn.Module)
    assert not any(p.requires_grad for p in one.base.parameters())
    assert all(p.requires_grad for p in one.network.parameters())


def test_gradients_of_a_stack_do_not_mix():
    critic = ConcatCritic(2, 3, (6,), stack=(3,), generator=generator())
    x, y = rows(1, 3, 8, 2), rows(2, 3, 8, 3)
    nwj(*pair_scores(critic, x, y, [1, 2])).loss[1].backward()
    for parameter in critic.parameters():
        assert parameter.grad is not None
        assert parameter.grad[1].abs().sum() > 0
        assert parameter.grad[[0, 2]].abs().sum() == 0


# === A user's module ===


class Images(nn.Module):
    """Scores pairs of 8 x 8 images and a number."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3, stride=2), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(27 + 1, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        assert x.shape[1:] == (1, 8, 8)
        return self.head(torch.cat([self.features(x), y], 1))


class Scores(nn.Module):
    """A module whose output is ``output(x, y)``."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.output(x, y)


def test_module_critic_takes_a_concatenation_of_anything_flattened(seeded_torch: None):
    linear = nn.Linear(4 + 1, 1)
    x, y = rows(1, 6, 2, 2), rows(2, 6)
    expected = torch.stack([linear(torch.cat([x[i].reshape(-1), y[i : i + 1]])).squeeze() for i in range(6)])
    torch.testing.assert_close(ModuleCritic(linear, concat=True)(x, y), expected)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_module_critic_accepts_one_score_a_row(shape: tuple[int, ...]):
    scores = ModuleCritic(Scores(lambda x, y: (x * y).reshape(shape)))(torch.arange(5.0), torch.ones(5))
    assert torch.equal(scores, torch.arange(5.0))


@pytest.mark.parametrize(
    ("output", "got"),
    [
        (lambda x, y: torch.stack([x, y], 1), r"got \(5, 2\)"),
        (lambda x, y: x[:, None] * y, r"got \(5, 5\)"),
        (lambda x, y: x.reshape(5, 1, 1), r"got \(5, 1, 1\)"),
        (lambda x, y: (x * y).mean(), r"got \(\)"),
        (lambda x, y: (x, y), "got tuple"),
    ],
)
def test_module_critic_explains_a_wrong_output(output: Any, got: str):
    with pytest.raises(InputError, match=rf"one score a pair: shape \(5,\) or \(5, 1\) for 5 pairs, {got}"):
        ModuleCritic(Scores(output))(torch.arange(5.0), torch.ones(5))


class OfPair(nn.Module):
    def forward(self, x: Tensor, y: Tensor, scale: float = 1.0) -> Tensor:
        return scale * x * y


class OfConcatenation(nn.Module):
    def forward(self, xy: Tensor, scale: float = 1.0, *, other: int = 0) -> Tensor:
        return scale * xy.sum(1) + other


class OfAnything(nn.Module):
    def forward(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * inputs[1]


@pytest.mark.parametrize(("module", "concat"), [(OfPair(), False), (OfConcatenation(), True), (OfAnything(), False)])
def test_as_critic_reads_the_signature(module: nn.Module, concat: bool):
    critic = as_critic(module)
    assert isinstance(critic, ModuleCritic) and critic.concat is concat and critic.module is module


def test_as_critic_takes_sequential_for_a_network_of_the_concatenation():
    critic = as_critic(nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (-1, 1))))
    assert isinstance(critic, ModuleCritic) and critic.concat
    overruled = as_critic(OfConcatenation(), concat=False)
    assert isinstance(overruled, ModuleCritic) and not overruled.concat


def test_as_critic_leaves_critics_alone_and_refuses_functions():
    critic = ConcatCritic(1, 1, generator=generator())
    assert as_critic(critic) is critic
    function: Any = torch.mul
    with pytest.raises(InputError, match=r"nn\.Module taking \(x, y\), got builtin_function_or_method"):
        as_critic(function)


# === pair_scores ===


def brute_force(critic: Critic, x: Tensor, y: Tensor, shifts: list[int]) -> tuple[Tensor, Tensor]:
    """One row at a time; row i meets row (i + s) mod B."""
    n = len(x)
    joint = torch.cat([critic(x[i : i + 1], y[i : i + 1]) for i in range(n)])
    marginal = [torch.cat([critic(x[i : i + 1], y[[(i + s) % n]]) for s in shifts]) for i in range(n)]
    return joint, torch.stack(marginal)


@pytest.mark.parametrize("shifts", [[1], [3], [2, 6, 1]])
def test_pair_scores_by_brute_force(shifts: list[int], seeded_torch: None):
    cases: list[tuple[Critic, Tensor, Tensor]] = [
        (ConcatCritic(2, 3, (6,)), rows(1, 7, 2), rows(2, 7, 3)),
        (SeparableCritic(2, 3, (6,)), rows(1, 7, 2), rows(2, 7, 3)),
        (stacked_gaussian(1).select(0), rows(1, 7, 2), rows(2, 7, 3)),
        (ResidualCritic(stacked_gaussian(1).select(0), ConcatCritic(2, 3, (6,))), rows(1, 7, 2), rows(2, 7, 3)),
        (as_critic(Images()), rows(1, 7, 1, 8, 8), rows(2, 7, 1)),
        (as_critic(nn.Linear(5, 1)), rows(1, 7, 2), rows(2, 7, 3)),
    ]
    for critic, x, y in cases:
        joint, marginal = pair_scores(critic, x, y, shifts)
        expected_joint, expected_marginal = brute_force(critic, x, y, shifts)
        assert marginal.shape == (7, len(shifts))
        torch.testing.assert_close(joint, expected_joint, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(marginal, expected_marginal, rtol=1e-5, atol=1e-5)


def test_pair_scores_of_a_stack_by_brute_force():
    critic = STACKED["residual"]()
    x, y = rows(1, 4, 7, 2), rows(2, 4, 7, 3)
    joint, marginal = pair_scores(critic, x, y, [2, 5])
    for k in range(4):
        expected_joint, expected_marginal = brute_force(critic.select(k), x[k], y[k], [2, 5])
        torch.testing.assert_close(joint[k], expected_joint, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(marginal[k], expected_marginal, rtol=1e-5, atol=1e-5)


class _Warm(SeparableCritic):
    """What a user may write."""

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return super().combine(hx, hy) / 0.5


@pytest.mark.parametrize("kind", [SeparableCritic, _Warm])
@pytest.mark.parametrize("stack", [(), (3,)])
@pytest.mark.parametrize("shifts", [[5], [4, 9], list(range(1, 40))])
def test_pair_scores_of_a_separable_critic_in_one_product_or_pair_by_pair(
    kind: type[SeparableCritic], stack: tuple[int, ...], shifts: list[int]
):
    critic = kind(2, 3, (6,), embed=4, stack=stack, generator=generator())
    x, y = rows(1, *stack, 40, 2), rows(2, *stack, 40, 3)
    joint, marginal = pair_scores(critic, x, y, shifts)
    torch.testing.assert_close(joint, critic(x, y))
    assert marginal.shape == (*stack, 40, len(shifts))
    for k, shift in enumerate(shifts):
        torch.testing.assert_close(marginal[..., k], critic(x, y.roll(-shift, -2)), rtol=1e-5, atol=1e-5)


# === Training and storage ===

TRAINABLE = {
    "concat": lambda: ConcatCritic(2, 3, (6, 5), generator=generator()),
    "separable": lambda: SeparableCritic(2, 3, (6,), embed=4, generator=generator()),
    "residual": lambda: ResidualCritic(stacked_gaussian(1).select(0), ConcatCritic(2, 3, (6,), generator=generator())),
    "stack": lambda: ConcatCritic(2, 3, (6, 5), stack=(1,), generator=generator()),
}


@pytest.mark.parametrize("name", TRAINABLE)
def test_every_trainable_parameter_gets_a_gradient(name: str):
    critic = TRAINABLE[name]()
    x, y = rows(1, *critic.stack, 40, 2), rows(2, *critic.stack, 40, 3)
    nwj(*pair_scores(critic, x, y, [1, 7])).loss.sum().backward()
    for parameter_name, parameter in critic.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", [*TRAINABLE, "gaussian"])
def test_state_dict_carries_the_whole_critic(name: str, tmp_path: Any):
    make = TRAINABLE.get(name, lambda: stacked_gaussian(1).select(0))
    critic, other = make(), make()
    with torch.no_grad():
        for tensor in (*other.parameters(), *other.buffers()):
            tensor.mul_(0.3)
    x, y = rows(1, *critic.stack, 6, 2), rows(2, *critic.stack, 6, 3)
    assert not torch.allclose(critic(x, y), other(x, y))
    torch.save(critic.state_dict(), tmp_path / "critic.pt")
    other.load_state_dict(torch.load(tmp_path / "critic.pt", weights_only=True))
    assert torch.equal(critic(x, y), other(x, y))


@pytest.mark.parametrize(
    "make",
    [
        lambda g: ConcatCritic(2, 3, (6, 5), generator=g),
        lambda g: ConcatCritic(2, 3, (6, 5), stack=(3,), generator=g),
        lambda g: SeparableCritic(2, 3, (6,), generator=g),
    ],
)
def test_the_generator_decides_the_weights(make: Any):
    first, again, other = make(generator(5)), make(generator(5)), make(generator(6))
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b) and not torch.equal(a, c)


# === Every pair in one product ===


class _OwnCombine(SeparableCritic):
    """Scores otherwise than its base, whose product of all pairs would be wrong for it."""

    def combine(self, hx: torch.Tensor, hy: torch.Tensor) -> torch.Tensor:
        return -(hx - hy).square().sum(-1)


def _plain(critic: Critic, x: torch.Tensor, y: torch.Tensor, shifts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    return critic(x, y), torch.stack([critic(x, y.roll(-s, -2)) for s in shifts], -1)


@pytest.mark.parametrize(
    ("critic", "in_one_product"),
    [
        (SeparableCritic(2, 3), True),
        (MetricCritic(2, 3), True),
        (LabelCritic(3, 2, labels="y"), True),
        (GaussianCritic.fit(np.eye(6)[:, :2], np.eye(6)[:, 3:]).float(), True),
        (_OwnCombine(2, 3), False),
        (ConcatCritic(2, 3), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_product_of_all_pairs_gives_what_pairs_alone_give(critic: Critic, in_one_product: bool):
    assert (score_matrix_of(critic) is not None) == in_one_product
    x, y = rows(0, 9, 2), rows(1, 9, 3)
    shifts = [1, 4, 7]
    for found, expected in zip(pair_scores(critic, x, y, shifts), _plain(critic, x, y, shifts), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)

"""A critic is used without being changed: refused batches, checkpointing, transforms, compiled callers."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import mine
from mine.critics import ConcatCritic, SeparableCritic
from mine.errors import MineError
from mine.terms import GaussianConditional

pytestmark = pytest.mark.usefixtures("seeded_torch")
MAKE = {"maximize": mine.MaximizeMI, "minimize": partial(mine.MinimizeMI, max_stale=9)}
BOTH = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


def pair(n: int = 64) -> tuple[Tensor, Tensor]:
    x = torch.randn(n, 1)
    return x, x + 0.5 * torch.randn(n, 1)


def normalised() -> nn.Module:
    """A critic with buffers: batch statistics, and the vectors of a spectral norm."""
    last = nn.utils.parametrizations.spectral_norm(nn.Linear(16, 1))
    return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), last)


def same(before: dict[str, Tensor], term: nn.Module) -> list[str]:
    """Names of the state that has changed."""
    return [name for name, tensor in term.state_dict().items() if not torch.equal(tensor, before[name])]


class Counting(nn.Module):
    """A critic that counts its calls in a buffer, in evaluation mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        self.calls += 1
        return self.head(torch.cat([x, y], 1))


def test_evaluating_changes_nothing() -> None:
    x, y = pair()
    term = mine.MaximizeMI(Counting())
    term.critic_step(x, y)
    before = copy.deepcopy(term.state_dict())
    term.evaluate(x, y)
    with pytest.raises(MineError):
        term.evaluate(x.index_fill(0, torch.tensor([3]), math.inf), y)
    assert same(before, term) == [] and int(before["critic.module.calls"]) == 1


# === refused batches ===


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e38])
@pytest.mark.parametrize("kind", ["mine", "nwj", "infonce", "club"])
def test_a_refused_batch_changes_nothing(kind: str, bad: float):
    if kind == "club":
        term: Any = mine.MinimizeMI(GaussianConditional(1, 1, (8,)), upper_bound="club")
    else:
        term = mine.MaximizeMI(normalised(), kind)
    x, y = pair()
    term.critic_step(x, y)
    before = copy.deepcopy(term.state_dict())
    with pytest.raises(MineError):
        term.critic_step(x.index_fill(0, torch.tensor([3]), bad), y)
    with pytest.raises(MineError):
        term.critic_step(torch.randn(64, 7), y)
    with pytest.raises(MineError):
        term.critic_step(x, y[:5])
    assert same(before, term) == []
    assert all(p.grad is None for p in term.parameters())
    term.critic_step(x, y)
    assert "_extra_state" in same(before, term)


def test_the_models_call_leaves_the_critics_buffers_alone():
    term = mine.MaximizeMI(normalised())
    x, y = pair()
    term.critic_step(x, y)
    assert int(term.critic.module[1].num_batches_tracked) == 1
    before = copy.deepcopy(term.critic.state_dict())
    term(100 * x.requires_grad_(), y).backward()
    assert same(before, term.critic) == []


def test_gradients_of_ones_own_are_put_back():
    term = mine.MaximizeMI(ConcatCritic(1, 1, (8,)))
    x, y = pair()
    term.critic_loss(x, y).backward()
    before = [None if p.grad is None else p.grad.clone() for p in term.parameters()]
    term.critic_step(x, y)
    for parameter, gradient in zip(term.parameters(), before, strict=True):
        assert gradient is not None and parameter.grad is not None and torch.equal(parameter.grad, gradient)


# === gradient checkpointing ===


class Saved(nn.Module):
    """A critic that recomputes its first layer; ``reentrant=None`` does not."""

    def __init__(self, reentrant: bool | None) -> None:
        super().__init__()
        self.body, self.head, self.reentrant = nn.Linear(3, 16), nn.Linear(16, 1), reentrant

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        pairs = torch.cat([z, y], 1)
        h = self.body(pairs) if self.reentrant is None else checkpoint(self.body, pairs, use_reentrant=self.reentrant)
        return self.head(h.relu())


def twins(critics: tuple[nn.Module, nn.Module], make: Any) -> tuple[list[Any], list[nn.Module]]:
    """Two terms and two encoders with the same weights."""
    critics[1].load_state_dict(critics[0].state_dict())
    encoder = nn.Linear(3, 2)
    return [make(critic) for critic in critics], [encoder, copy.deepcopy(encoder)]


@BOTH
@pytest.mark.parametrize("reentrant", [True, False])
def test_a_critic_may_recompute(reentrant: bool, make: Any):
    terms, encoders = twins((Saved(reentrant), Saved(None)), make)
    x, y = torch.randn(64, 3), torch.randn(64, 1)
    for term, encoder in zip(terms, encoders, strict=True):
        for _ in range(3):
            term.critic_step(encoder(x), y)
        term(encoder(x), y).backward()
        assert all(p.grad is None for p in term.parameters())
    for a, b in zip(terms[0].parameters(), terms[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)
    torch.testing.assert_close(encoders[0].weight.grad, encoders[1].weight.grad)
    assert encoders[0].weight.grad.abs().sum() > 0


@BOTH
@pytest.mark.parametrize("reentrant", [True, False])
def test_a_term_may_be_recomputed(reentrant: bool, make: Any):
    terms, encoders = twins((ConcatCritic(2, 1, (8,)), ConcatCritic(2, 1, (8,))), make)
    x, y = torch.randn(64, 3), torch.randn(64, 1)
    for term, encoder in zip(terms, encoders, strict=True):
        term.critic_step(encoder(x), y)
    # All shuffles of this batch, so that the number does not depend on the draw.
    for term in terms:
        term._objective.shuffles = 63
    checkpoint(lambda z: terms[0](z, y), encoders[0](x), use_reentrant=reentrant).backward()
    terms[1](encoders[1](x), y).backward()
    torch.testing.assert_close(encoders[0].weight.grad, encoders[1].weight.grad, rtol=1e-4, atol=1e-6)
    assert encoders[0].weight.grad.abs().sum() > 0


def test_a_recomputed_call_counts_once():
    term = mine.MinimizeMI(ConcatCritic(2, 1, (8,)))
    x, y = torch.randn(16, 2, requires_grad=True), torch.randn(16, 1)
    checkpoint(term, x, y, use_reentrant=False).backward()
    assert term._kept.calls_since_critic == term._kept.draws == 1


# === transforms ===


@BOTH
@pytest.mark.parametrize(
    "critic", [ConcatCritic(2, 1, (8,)), nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))]
)
def test_functional_gradients_are_those_of_backward(make: Any, critic: nn.Module):
    encoder, x, y = nn.Linear(3, 2), torch.randn(32, 3), torch.randn(32, 1)
    term = make(critic)
    other = copy.deepcopy(term)
    found = torch.func.grad(lambda p: term(torch.func.functional_call(encoder, p, (x,)), y))(dict(encoder.named_parameters()))
    other(encoder(x), y).backward()
    torch.testing.assert_close(found["weight"], encoder.weight.grad)
    assert found["weight"].abs().sum() > 0


def test_an_ensemble_of_encoders_by_vmap():
    encoders = [nn.Linear(3, 2) for _ in range(3)]
    x, y = torch.randn(32, 3), torch.randn(32, 1)
    critic = ConcatCritic(2, 1, (8,))
    term, (stacked, _) = mine.MaximizeMI(critic), torch.func.stack_module_state(encoders)
    each = torch.func.grad(lambda p: term(torch.func.functional_call(encoders[0], p, (x,)), y))
    found = torch.func.vmap(each)(stacked)["weight"]
    for encoder, gradient in zip(encoders, found, strict=True):
        mine.MaximizeMI(critic)(encoder(x), y).backward()
        torch.testing.assert_close(gradient, encoder.weight.grad)


def test_the_gradient_can_be_differentiated_and_asked_for_twice():
    x, y = pair(16)
    z = x.clone().requires_grad_()
    term = mine.MaximizeMI(ConcatCritic(1, 1, (8,), activation="tanh"), "dv", shuffles=15)
    (slope,) = torch.autograd.grad(term(z, y), z, create_graph=True)
    (second,) = torch.autograd.grad(slope.pow(2).sum(), z)
    step = 1e-3 * torch.ones_like(z)
    slopes = [torch.autograd.grad(term(moved, y), moved)[0] for moved in (z + step, z - step)]
    numeric = (slopes[0].pow(2).sum() - slopes[1].pow(2).sum()) / 2e-3
    torch.testing.assert_close(second.sum(), numeric, rtol=0.05, atol=1e-5)
    assert all(p.grad is None for p in term.parameters())
    loss = term(z, y)
    loss.backward(retain_graph=True)
    once = z.grad.clone()
    loss.backward()
    torch.testing.assert_close(z.grad, 2 * once)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by the compiler itself, of what it is handed
@BOTH
def test_a_compiled_caller_needs_few_graphs(make: Any):
    import torch._dynamo as dynamo

    dynamo.reset()
    dynamo.utils.counters.clear()
    encoder, term = nn.Linear(1, 1), make(SeparableCritic(1, 1, (8,)))
    step = torch.compile(lambda a, b: 2 * term(encoder(a), b), backend="eager")
    x, y = pair()
    for _ in range(12):
        term.critic_step(encoder(x), y)
        step(x, y).backward()
    assert 1 <= dynamo.utils.counters["stats"]["unique_graphs"] <= 4
    assert sum(dynamo.utils.counters["graph_break"].values()) <= 2
    assert encoder.weight.grad is not None
    dynamo.reset()


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # by the compiler itself, of what it is handed
@BOTH
def test_the_critics_step_may_be_in_the_compiled_function(make: Any):
    import torch._dynamo as dynamo

    dynamo.reset()
    dynamo.utils.counters.clear()
    term, encoder = make(torch.compile(normalised(), backend="eager")), nn.Linear(1, 1)  # a module of one argument, compiled
    x, y = pair()

    def both(a: Tensor, b: Tensor) -> Tensor:
        z = encoder(a)
        term.critic_step(z, b)
        return term(z, b)

    step = torch.compile(both, backend="eager")
    for _ in range(12):
        step(x, y).backward()
    assert dynamo.utils.counters["stats"]["unique_graphs"] <= 12  # of the critic: joint and shuffled rows, in three modes
    assert math.isfinite(term.estimate)


def test_another_default_device_does_not_matter():
    term, x, y = mine.MaximizeMI(ConcatCritic(1, 1, (8,))), *pair()
    torch.set_default_device("meta")
    try:
        term.critic_step(x, y)
        term(x, y)
        term.load_state_dict(term.state_dict())
        assert math.isfinite(term.evaluate(x, y))
    finally:
        torch.set_default_device(None)


def test_lazy_layers_take_their_shape_from_the_first_batch():
    for first in ("critic_step", "forward", "evaluate"):
        term = mine.MaximizeMI(nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1)), learning_rate=1e-2)
        x, y = pair()
        getattr(term, first)(x.requires_grad_(), y)
        term(x, y).backward()
        assert all(p.grad is None for p in term.parameters())
        before = copy.deepcopy(term.critic.state_dict())
        term.critic_step(x, y)
        assert len(same(before, term.critic)) == 4


@pytest.mark.parametrize("kind", ["groups", "z", "columns"])
def test_vmap_where_shuffles_are_restricted(kind: str, seeded_torch: None):
    """torch.func.vmap refuses to draw random numbers, also from a generator of the term's own."""
    x, y = torch.randn(30, 3), torch.randn(30, 2)
    keys = {} if kind == "columns" else {kind: torch.arange(30) % 5}
    term = mine.MinimizeTC("mlp", max_stale=9) if kind == "columns" else mine.MaximizeMI(ConcatCritic(2, 2, (8,)))

    def loss(weight: Tensor) -> Tensor:
        z = x @ weight.T
        return term(z) if isinstance(term, mine.MinimizeTC) else term(z, y, **keys)

    weights = torch.randn(3, 2, 3)
    if isinstance(term, mine.MinimizeTC):
        term.critic_step(x @ weights[0].T)
    else:
        term.critic_step(x @ weights[0].T, y, **keys)
    others = [copy.deepcopy(term._kept) for _ in weights]
    found = torch.func.vmap(torch.func.grad(loss))(weights)
    for weight, kept, gradient in zip(weights, others, found, strict=True):
        term._kept = kept  # the same shuffles
        torch.testing.assert_close(torch.func.grad(loss)(weight), gradient)
    assert found.abs().sum() > 0


class Switched(nn.Module):
    """A critic whose checkpoints can be switched on at any time."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Dropout(dropout)), nn.Linear(16, 1)
        self.reentrant: bool | None = None

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        joined = torch.cat([x, y], 1)
        if self.reentrant is None:
            return self.head(self.body(joined))
        return self.head(checkpoint(self.body, joined, use_reentrant=self.reentrant))


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_that_are_switched_on_later(reentrant: bool):
    x, y = torch.randn(32, 2, requires_grad=True), torch.randn(32, 1)
    term = mine.MaximizeMI(Switched(), "mine")
    for kind in (None, reentrant, None, reentrant):
        term.critic.module.reentrant = kind
        plain = copy.deepcopy(term)
        plain.critic.module.reentrant = None
        gradients = []
        for each in (term, plain):
            each.critic_step(x, y)
            (found,) = torch.autograd.grad(each(x, y), x) if each is plain else (None,)
            if found is None:
                each(x, y).backward()
                found, x.grad = x.grad, None
            gradients.append(found)
        torch.testing.assert_close(gradients[0], gradients[1])
        assert all(p.grad is None and p.requires_grad for p in term.critic.parameters())


def test_a_checkpoint_that_is_found_out_costs_no_random_number():
    x, y = torch.randn(32, 2, requires_grad=True), torch.randn(32, 1)
    losses = []
    for reentrant in (None, False):
        critic = Switched(dropout=0.5)
        critic.load_state_dict({k: torch.ones_like(v) for k, v in critic.state_dict().items()})
        critic.reentrant = reentrant
        term = mine.MaximizeMI(critic, optimizer=partial(torch.optim.SGD, lr=0.1))
        torch.manual_seed(3)
        term.critic_step(x, y)
        losses += [term(x, y), term(x, y)]
    torch.testing.assert_close(losses[:2], losses[2:])


@pytest.mark.parametrize("kind", ["dense", "recurrent"])
def test_a_differentiated_gradient_leaves_the_critic_alone(kind: str):
    """The graph holds the critic's parameters themselves, which ask for a gradient again by the time of the second pass."""

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.head(self.body(torch.cat([x, y], 1).unsqueeze(1))[0][:, -1])

    x, y = torch.randn(32, 2, requires_grad=True), torch.randn(32, 1)
    term = mine.MaximizeMI(Recurrent() if kind == "recurrent" else ConcatCritic(2, 1, (8,), activation="tanh"))
    term.critic_step(x, y)
    twin = copy.deepcopy(term)
    (slope,) = torch.autograd.grad(term(x, y), x, create_graph=True)
    (plain,) = torch.autograd.grad(twin(x, y), x)
    torch.testing.assert_close(slope, plain)
    slope.square().sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(p.grad is None for p in term.critic.parameters())

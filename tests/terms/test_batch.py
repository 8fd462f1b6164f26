"""Batches that no term can use are refused by every call, and leave no trace; settings likewise."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, Normal, Uniform

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError, MineError
from mine.terms import GaussianConditional, LearnedPrior, Term
from mine.terms.batch import LastBatch

pytestmark = pytest.mark.usefixtures("seeded_torch")


def normalised() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))


TERMS: dict[str, Callable[[], Term]] = {
    "maximize": lambda: mine.MaximizeMI(ConcatCritic(1, 1, (8,))),
    "module": lambda: mine.MinimizeMI(normalised(), "nwj", max_stale=9),
    "lbfgs": lambda: mine.MaximizeMI(normalised(), optimizer=partial(torch.optim.LBFGS, max_iter=2)),
    "club": lambda: mine.MinimizeMI(GaussianConditional(1, 1, (8,)), upper_bound="club", max_stale=9),
    "vib": lambda: mine.MinimizeMI(LearnedPrior(1), upper_bound="vib"),
    "leave-one-out": lambda: mine.MinimizeMI(upper_bound="leave-one-out"),
}
DENSITIES = ("vib", "leave-one-out")
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "critic_step": lambda term, x, y: term.critic_step(x, y),
    "critic_loss": lambda term, x, y: term.critic_loss(x, y),
    "model": lambda term, x, y: term(x, y),
    "evaluate": lambda term, x, y: term.evaluate(x, y),
}
X = torch.randn(64, 1, generator=torch.Generator().manual_seed(0))
NAN = X.index_fill(0, torch.tensor([3]), math.nan)


def nested() -> Tensor:
    return torch.nested.nested_tensor([torch.randn(2), torch.randn(3)])


#: What stands in the place of x, and words of the message.
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "NaN": (lambda: NAN, "finite|loss is"),
    "infinite": (lambda: X / 0, "finite|loss is"),
    "complex": (lambda: X + 1j * X, "complex"),
    "sparse": (lambda: X.to_sparse(), "sparse.*to_dense"),
    "compressed": (lambda: X.to_sparse_csr(), "sparse.*to_dense"),
    "without values": (lambda: X.to("meta"), "holds no values"),
    "quantised": (lambda: torch.quantize_per_tensor(X, 0.1, 0, torch.quint8), "quantised"),
    "ragged": (nested, "nested"),
    "masked": (lambda: torch.masked.masked_tensor(X, X > 0), "masked"),
    "an array": (lambda: X.numpy(), "got ndarray"),
    "a generator": (lambda: (row for row in X), "got generator"),
    "one number": (lambda: torch.tensor(1.0), r"got shape \(\)"),
    "too short": (lambda: X[:5], "rows|agree|batch shape"),
}


@pytest.mark.parametrize("wrong", list(REFUSED))
@pytest.mark.parametrize("kind", list(TERMS))
def test_every_call_refuses_and_changes_nothing(kind: str, wrong: str):
    term, y = TERMS[kind](), X + 0.1
    partner: Any = Normal(X, 1.0) if kind in DENSITIES else y
    if term.optimizer is not None:
        term.critic_step(X, partner)
    before = copy.deepcopy(term.state_dict())
    make, words = REFUSED[wrong]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about its prototypes
        bad = make()
        for name, call in CALLS.items():
            if name.startswith("critic") and term.optimizer is None:
                continue
            with pytest.raises(MineError, match=f"(?s){words}"):
                call(term, bad, partner)
            if kind not in DENSITIES:
                with pytest.raises(MineError, match=f"(?s){words}"):
                    call(term, X, bad)
    assert [name for name, value in term.state_dict().items() if not torch.equal(value, before[name])] == []
    assert all(p.grad is None and p.requires_grad for p in term.parameters()) and all(m.training for m in term.modules())
    if term.optimizer is not None:
        term.critic_step(X, partner)
    assert math.isfinite(term(X, partner).item())


@pytest.mark.parametrize("kind", ["maximize", "module", "club"])
def test_a_density_is_no_row(kind: str):
    for call in CALLS.values():
        with pytest.raises(InputError, match=r"y must be a tensor .* got a Normal"):
            call(TERMS[kind](), X, Normal(X, 1.0))
    for density_kind in DENSITIES:
        with pytest.raises(InputError, match=r"needs a torch.distributions.Distribution, got Tensor"):
            TERMS[density_kind]()(X, X)


def test_batch_statistics_that_overflow_refuse_the_batch():
    term = mine.MaximizeMI(normalised())
    term.critic_step(X, X)
    before = copy.deepcopy(term.state_dict())
    with pytest.raises(MineError):
        term.critic_step(1e30 * X, 1e30 * X)  # normalised scores are fine, but the variance is infinite from then on
    assert all(torch.equal(value, before[name]) for name, value in term.state_dict().items())


def test_labels_and_rows_outside_of_a_density_are_explained():
    class Labels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(1, 3)

        def forward(self, x: Tensor) -> Categorical:
            return Categorical(logits=self.net(x))

    for label in (7, -1, 1.5):
        with pytest.raises(InputError, match="Labels must be whole numbers from 0"):
            mine.MinimizeMI(Labels(), upper_bound="club").critic_step(X, torch.full((64,), label))
    with pytest.raises(InputError, match="every row must be possible"):
        mine.MinimizeMI(upper_bound="leave-one-out")(X, Uniform(X - 0.1, X + 0.1))
    with pytest.raises(InputError, match="Bernoulli"):
        mine.MinimizeMI(upper_bound="club")(X, Bernoulli(X.sigmoid()))


def test_the_check_can_be_switched_off():
    asked: list[str] = []

    class Counted(torch.utils._python_dispatch.TorchDispatchMode):
        """Counts the questions that would wait for a GPU."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default):
                asked.append(str(func))
            return func(*args, **(kwargs or {}))

    for check, most in ((True, 3), (False, 0)):  # one question of three facts
        term = mine.MaximizeMI(ConcatCritic(1, 1, (8,)), optimizer=partial(torch.optim.SGD, lr=0.1), check_finite=check)
        x, y = X.clone().requires_grad_(), X + 0.1
        term.critic_step(x, y)
        asked.clear()
        with Counted():
            term.critic_step(x, y)
            term(x, y).backward()
        assert len(asked) <= most
        assert math.isfinite(term.estimate)
    assert math.isnan(term(NAN, y).item())  # as asked for


def test_the_switch_changes_no_digit():
    terms = []
    for check in (True, False):
        torch.manual_seed(0)
        term = mine.MaximizeMI(ConcatCritic(1, 1, (8,)), check_finite=check)
        for seed in range(5):
            x = torch.randn(32, 1, generator=torch.Generator().manual_seed(seed))
            term.critic_step(x, x + 0.1)
            term(x, x + 0.1)
        terms.append(term)
    assert all(torch.equal(a, b) for a, b in zip(*(term.state_dict().values() for term in terms), strict=True))


def test_a_batch_is_recognised_by_its_memory():
    x, y = X.clone(), X + 1
    last = LastBatch(x, y)
    assert last.is_surely(x, y) and last.is_surely(x.detach(), y)
    assert not last.is_surely(x.clone(), y) and not last.is_surely(x[:5], y) and not last.is_surely(x.flip(0), y)
    assert last.equals(x.clone(), y.clone()) and not last.equals(x.double(), y) and not last.equals(x[:5], y)
    x[0] = 0
    assert not last.is_surely(x, y)
    density = Normal(X, 1.0)
    assert LastBatch(x, density).is_surely(x, density) and not LastBatch(x, density).is_surely(x, Normal(X, 1.0))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_critic_trains_in_every_mode(mode: Any):
    term, twin = TERMS["maximize"](), TERMS["maximize"]()
    twin.load_state_dict(term.state_dict())
    term.critic_step(X, X + 0.1, steps=2)
    with mode():
        twin.critic_step(X.clone(), X + 0.1, steps=2)
        assert twin.evaluate(X, X) == term.evaluate(X, X)
    assert twin.estimate == term.estimate
    assert all(map(torch.equal, term.parameters(), twin.parameters()))


SETTINGS: dict[str, dict[str, Any]] = {
    "shuffles": {"shuffles": 0}, "few shuffles": {"shuffles": -3}, "half a shuffle": {"shuffles": 2.5},
    "rate": {"learning_rate": -1}, "no rate": {"learning_rate": math.nan}, "text rate": {"learning_rate": "fast"},
    "seed": {"random_state": "a"}, "half a seed": {"random_state": 1.5}, "optimizer": {"optimizer": "adam"},
    "number for an optimizer": {"optimizer": 3},
}  # fmt: skip


@pytest.mark.parametrize("setting", list(SETTINGS))
def test_settings_are_checked_when_a_term_is_made(setting: str):
    for make in (mine.MaximizeMI, mine.MinimizeMI):
        with pytest.raises(InputError):
            make(ConcatCritic(1, 1, (8,)), **SETTINGS[setting])
    with pytest.raises(InputError, match="max_stale"):
        mine.MinimizeMI(ConcatCritic(1, 1, (8,)), max_stale=1.5)
    with torch.inference_mode():
        frozen = ConcatCritic(1, 1, (8,))
    with pytest.raises(InputError, match=r"outside torch\.inference_mode"):
        mine.MaximizeMI(frozen)


@pytest.mark.parametrize("side", ["both", "x alone"])
def test_batches_in_a_buffer_that_is_written_anew_count_each(side: str):
    """Loops with static buffers, as for CUDA graphs: the buffer was compared with itself, so all batches but one were left out."""
    x, y = torch.empty(64, 1), torch.randn(64, 1)
    made = [mine.MaximizeMI(ConcatCritic(1, 1, (8,), generator=torch.Generator().manual_seed(0))) for _ in range(2)]
    for _ in range(5):
        drawn = torch.randn(64, 1)
        x.copy_(drawn)
        if side == "both":
            y.copy_(drawn + 0.5 * torch.randn(64, 1))
        made[0].critic_step(x, y)
        made[0].critic_step(x, y)  # the same batch again counts once
        made[1].critic_step(drawn, y.clone())
        made[1].critic_step(drawn, y.clone())
    assert len(made[0]._kept.readings) == len(made[1]._kept.readings) == 5
    assert made[0].estimate == made[1].estimate

"""Log densities of rows, for every shape in which a distribution can keep them, against one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
)

import mine
from mine.errors import InputError, MineError
from mine.terms.densities import log_density_matrix

N = 6


def mean(*shape: int) -> Tensor:
    return torch.randn(N, *shape, generator=torch.Generator().manual_seed(0))


NUMBER = {
    "(B,)": lambda: Normal(mean(), 0.5),
    "(B, 1)": lambda: Normal(mean(1), 0.5),
    "event": lambda: Independent(Normal(mean(1), 0.5), 1),
    "multivariate": lambda: MultivariateNormal(mean(1), 0.25 * torch.eye(1)),
    "mixture": lambda: MixtureSameFamily(Categorical(torch.ones(N, 2)), Normal(mean(1).expand(N, 2), 0.5)),
}


@pytest.mark.parametrize("make", NUMBER.values(), ids=NUMBER)
@pytest.mark.parametrize("shape", [(N,), (N, 1)])
def test_a_number_per_row_has_one_log_density_whatever_the_shapes(make: Callable[[], Distribution], shape: tuple[int, ...]):
    y = torch.linspace(-1, 1, N)
    expected = Normal(mean(), 0.5).log_prob(y.unsqueeze(1))  # row i, component j
    torch.testing.assert_close(log_density_matrix(y.reshape(shape), make()), expected)


def test_coordinates_of_batch_and_event_add_up(seeded_torch: None):
    y = torch.randn(N, 3)
    expected = Normal(mean(3), 0.5).log_prob(y.unsqueeze(1)).sum(-1)
    for density in (
        Normal(mean(3), 0.5),
        Independent(Normal(mean(3), 0.5), 1),
        MultivariateNormal(mean(3), 0.25 * torch.eye(3)),
    ):
        torch.testing.assert_close(log_density_matrix(y, density), expected)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.float32])
@pytest.mark.parametrize("shape", [(N,), (N, 1)])
def test_labels_may_be_integers(dtype: torch.dtype, shape: tuple[int, ...]):
    labels, logits = torch.tensor([0, 1, 1, 0, 1, 0]), mean(2)
    expected = logits.log_softmax(1)[:, labels].T
    torch.testing.assert_close(log_density_matrix(labels.to(dtype).reshape(shape), Categorical(logits=logits)), expected)
    one_hot = nn.functional.one_hot(labels, 2).to(dtype)
    torch.testing.assert_close(log_density_matrix(one_hot, OneHotCategorical(logits=logits)), expected)
    odds = logits[:, 1] - logits[:, 0]
    for density in (Bernoulli(logits=odds), Bernoulli(logits=odds.unsqueeze(1))):
        torch.testing.assert_close(log_density_matrix(labels.to(dtype).reshape(shape), density), expected)


def test_rows_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"Rows of shape \(2,\), but a Categorical whose rows have shape \(\)"):
        log_density_matrix(torch.zeros(N, 2), Categorical(logits=mean(2)))
    with pytest.raises(InputError, match=r"6 rows, but a Normal of batch shape \(3,\)"):
        mine.MinimizeMI(upper_bound="club")(torch.zeros(N, 3), Normal(torch.zeros(3), 1.0))


class Map(nn.Module):
    """A linear map, and a function from its output to a distribution."""

    def __init__(self, outputs: int, made: Callable[[Tensor], Distribution]) -> None:
        super().__init__()
        self.net, self.made = nn.Linear(2, outputs), made

    def forward(self, x: Tensor) -> Distribution:
        return self.made(self.net(x))


LEARNED = {
    "categorical": (2, lambda h: Categorical(logits=h)),
    "one-hot": (2, lambda h: OneHotCategorical(logits=h)),
    "bernoulli": (1, lambda h: Bernoulli(logits=h.squeeze(1))),
    "bernoulli column": (1, lambda h: Bernoulli(logits=h)),
    "normal": (1, lambda h: Normal(h.squeeze(1), 0.3)),
    "normal column": (1, lambda h: Normal(h, 0.3)),
    "mixture": (4, lambda h: MixtureSameFamily(Categorical(logits=h[:, :2]), Normal(h[:, 2:], 0.3))),
}


@pytest.mark.parametrize("kind", list(LEARNED))
def test_learned_club_sees_a_label_and_sends_a_gradient(kind: str, seeded_torch: None):
    x = torch.randn(256, 2)
    label = (x[:, 0] > 0).long()
    y = nn.functional.one_hot(label, 2) if kind == "one-hot" else label
    term = mine.MinimizeMI(Map(*LEARNED[kind]), upper_bound="club", learning_rate=0.05)
    for _ in range(80):
        term.critic_step(x, y)
    assert term.evaluate(x, y) > 0.5 * math.log(2)
    assert abs(term.evaluate(x, y.roll(100, 0))) < 0.5  # an unrelated label
    z = x.clone().requires_grad_()
    term(z, y).backward()
    assert z.grad is not None and z.grad[:, 0].abs().sum() > 5 * z.grad[:, 1].abs().sum()  # the label is in the first column


def test_a_density_at_the_border_of_its_range_is_named(seeded_torch: None):
    mean = torch.randn(16, 2)
    with pytest.raises(MineError, match="density gives some rows a log density"):
        mine.MinimizeMI(upper_bound="vib")(mean, Normal(mean, 1e-45))

"""Rows that do not fit a critic: the error names the shapes and the remedy. Labels reach an embedding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.critics import ConcatCritic, SeparableCritic
from mine.errors import InputError, MineError
from mine.terms import GaussianConditional

pytestmark = pytest.mark.usefixtures("seeded_torch")

CRITICS: dict[str, Any] = {
    "concat": lambda: ConcatCritic(3, 2, (8,)),
    "separable": lambda: SeparableCritic(3, 2, (8,)),
    "joined": lambda: nn.Linear(5, 1),
    "pair": lambda: nn.Bilinear(3, 2, 1),
}
SHAPES = [((16, 5, 3), (16, 5, 2)), ((5, 5, 3), (5, 5, 2)), ((16, 1, 8, 8), (16, 2)), ((16, 7), (16, 2)), ((16, 3), (16,))]


@pytest.mark.parametrize("make", CRITICS.values(), ids=CRITICS)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_shapes_are_explained(make: Any, shapes: tuple[tuple[int, ...], tuple[int, ...]]):
    x, y = map(torch.randn, shapes)
    term = mine.MaximizeMI(make())
    for call in (term, term.critic_step, term.critic_loss, term.evaluate):
        with pytest.raises(InputError) as error:
            call(x, y)
        assert all(str(shape) in str(error.value) for shape in shapes) and "flatten(1)" in str(error.value)


def test_built_in_critics_say_what_they_take():
    with pytest.raises(InputError, match="it takes rows of 3 and of 2 numbers"):
        mine.MaximizeMI(ConcatCritic(3, 2))(torch.randn(8, 4), torch.randn(8, 2))
    with pytest.raises(InputError, match=r"GaussianConditional, cannot score x of shape \(8, 4\)"):
        mine.MinimizeMI(GaussianConditional(3, 2), upper_bound="club").critic_step(torch.randn(8, 4), torch.randn(8, 2))


class Embedded(nn.Module):
    """A critic that looks its second argument up."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(10, 8), nn.Linear(10, 1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        assert label.ndim == 1
        return self.head(torch.cat([z, self.table(label)], 1))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.uint8])
@pytest.mark.parametrize("make", [mine.MaximizeMI, mine.MinimizeMI])
def test_integer_labels_reach_an_embedding_as_they_are(make: Any, dtype: torch.dtype):
    label = torch.randint(10, (32,)).to(dtype)
    term = make(Embedded())
    z = torch.randn(32, 2, requires_grad=True)
    term.critic_step(z, label)
    term(z, label).backward()
    assert z.grad is not None


def test_one_hot_integers_become_floats_or_are_explained():
    z, code = torch.randn(32, 2), nn.functional.one_hot(torch.randint(10, (32,)), 10)
    for critic in (ConcatCritic(2, 10, (8,)), SeparableCritic(2, 10, (8,)), nn.Linear(12, 1)):
        mine.MaximizeMI(critic).critic_step(z, code)
    with pytest.raises(InputError, match=r"y of shape \(32, 10\) \(int64\).*one-hot codes as floats"):
        mine.MaximizeMI(nn.Bilinear(2, 10, 1)).critic_step(z, code)


def test_something_else_than_rows_is_refused():
    with pytest.raises(InputError, match=r"y must be a tensor with one row per example, got list"):
        mine.MaximizeMI(ConcatCritic(1, 1))(torch.randn(4), [1, 2, 3, 4])


def test_a_critic_that_its_optimizer_spoilt_is_named(seeded_torch: None):
    """The batch is not to blame: eps of Adam is 0 in float16, and the first step divides 0 by 0."""
    x = torch.randn(32, 2)
    term = mine.MaximizeMI(ConcatCritic(2, 2, (8,)).half())
    term.critic_step(x, x)
    with pytest.raises(MineError, match=r"of the critic's parameters are not finite.*eps of Adam is 0"):
        term.critic_step(x, x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ((torch.zeros(8, 2), torch.zeros(8, 3, 4)), r"tuple of 2 tensors of shape \(8, 2\), \(8, 3, 4\). Join them: torch.cat"),
        (torch.zeros(8, 2).numpy(), r"got ndarray. Pass torch.as_tensor\(x\)"),
        (torch.zeros(8, 0), r"x has rows without numbers, shape \(8, 0\)"),
        (torch.zeros(0, 2), r"The batch is empty"),
    ],
)
def test_what_is_no_batch_is_explained(x: object, message: str):
    y = torch.zeros(0 if isinstance(x, Tensor) and not len(x) else 8, 2)
    with pytest.raises(InputError, match=message):
        mine.MaximizeMI(ConcatCritic(2, 2, (8,))).critic_step(x, y)  # pyright: ignore[reportArgumentType]

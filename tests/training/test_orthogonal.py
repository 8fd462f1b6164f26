"""Orthogonal updates: against a singular value decomposition, and what they leave to AdamW."""

import pytest
import torch
from torch import nn

from mine.training.optimizer import optimizer_step
from mine.training.options import TrainingOptions
from mine.training.orthogonal import MOMENTUM, OrthogonalUpdates, orthogonalised, updates_orthogonally


@pytest.mark.parametrize("shape", [(6, 6), (40, 7), (7, 40), (300, 32)])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e10])
def test_singular_vectors_stay_and_singular_values_come_near_one(shape, scale):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(*shape, generator=generator)
    matrix[:, :2] *= 20  # a few directions are much stronger than the others
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(scale * matrix)
    inside = u.T @ found @ v.T  # diagonal if the singular vectors are the same
    values = inside.diagonal()
    assert values.min() > 0.6 and values.max() < 1.25
    assert (inside - torch.diag(values)).abs().max() < 0.02
    assert torch.allclose(u @ inside @ v, found, atol=0.02)


def test_nothing_comes_of_nothing():
    assert orthogonalised(torch.zeros(5, 4)).abs().max() == 0


def test_a_step_by_hand():
    weight = nn.Parameter(torch.zeros(8, 32))
    kernel = nn.Parameter(torch.ones(16, 4, 3, 3))
    generator = torch.Generator().manual_seed(1)
    gradients = [torch.randn(p.shape, generator=generator) for p in (weight, kernel)]
    for p, gradient in zip((weight, kernel), gradients, strict=True):
        p.grad = gradient
    OrthogonalUpdates([weight, kernel], rate=0.1, weight_decay=0.5).step(0.2)
    wider = (32 / 8) ** 0.5
    assert torch.allclose(weight, -0.02 * wider * orthogonalised(gradients[0]), atol=1e-5)
    expected = 0.99 - 0.02 * orthogonalised(gradients[1].flatten(1)).reshape(kernel.shape)
    assert torch.allclose(kernel, expected, atol=1e-5)


def test_momentum_outlives_a_step():
    weight = nn.Parameter(torch.zeros(6, 6))
    first, second = torch.eye(6), torch.eye(6).flip(0)
    updates = OrthogonalUpdates([weight], rate=1.0, weight_decay=0.0)
    for gradient in (first, second):
        weight.grad = gradient
        before = weight.detach().clone()
        updates.step(1.0)
    summed = second + MOMENTUM * (MOMENTUM * first + second)
    assert torch.allclose(weight - before, -orthogonalised(summed), atol=1e-4)


def test_biases_and_narrow_layers_are_left_to_adamw():
    weight, bias, narrow, frozen = (nn.Parameter(torch.ones(shape)) for shape in ((8, 8), (8,), (8, 2), (8, 8)))
    assert [updates_orthogonally(p) for p in (weight, bias, narrow)] == [True, False, False]
    options = TrainingOptions(steps=10, learning_rate=0.25, orthogonal_rate=0.5, weight_decay=0.0, warmup=0.0)
    update = optimizer_step([weight, bias, narrow, frozen], options, 0, None)
    before = [p.detach().clone() for p in (weight, bias, narrow)]
    for p in (weight, bias, narrow):
        p.grad = torch.full_like(p, 3.0)
    update(1)
    moved = [(p - b).abs() for p, b in zip((weight, bias, narrow), before, strict=True)]
    assert torch.allclose(torch.linalg.matrix_norm(moved[0], 2), torch.tensor(0.5), rtol=0.4)
    assert all(torch.allclose(m, torch.full_like(m, 0.25), rtol=1e-3) for m in moved[1:])  # Adam's first step is its rate
    assert torch.equal(frozen, torch.ones(8, 8))


def test_a_stack_is_trained_by_adamw():
    """A leading dimension of critics is no matrix: the first update of every number is Adam's."""
    weights = nn.Parameter(torch.ones(3, 8, 8))
    options = TrainingOptions(steps=10, learning_rate=0.25, orthogonal_rate=0.5, weight_decay=0.0, warmup=0.0)
    update = optimizer_step([weights], options, 1, None)
    weights.grad = torch.full_like(weights, 3.0)
    update(1)
    assert torch.allclose(weights, torch.full_like(weights, 0.75), atol=1e-4)

"""Functions over time whose gradients are written by hand, next to autograd."""

import pytest
import torch
from torch.nn import functional as F

from mine.critics.in_time import largest_in_time, shifted_sum


def by_autograd(parts, places):
    """The same sum from slices of padded contributions."""
    beside, n_out = places // 2, parts.shape[2] // places
    padded = F.pad(parts, (0, 0, beside, beside))
    slices = [padded[:, p : p + parts.shape[1], p * n_out : (p + 1) * n_out] for p in range(places)]
    return torch.stack(slices).sum(0)


@pytest.mark.parametrize(("steps", "places", "channels"), [(7, 3, 4), (2, 5, 3), (1, 3, 2), (5, 1, 6), (1, 5, 1)])
def test_contributions_meet_at_their_times(steps, places, channels):
    generator = torch.Generator().manual_seed(0)
    parts = torch.randn(3, steps, places * channels, dtype=torch.double, generator=generator).requires_grad_()
    torch.testing.assert_close(shifted_sum(parts, places), by_autograd(parts, places))
    assert torch.autograd.gradcheck(lambda t: shifted_sum(t, places), parts)


def test_largest_value_and_its_gradient():
    generator = torch.Generator().manual_seed(1)
    local = torch.randn(3, 6, 4, dtype=torch.double, generator=generator).requires_grad_()
    assert torch.equal(largest_in_time(local), local.max(1).values)
    assert torch.autograd.gradcheck(largest_in_time, local)


def test_times_that_are_equally_large_share_nothing():
    local = torch.tensor([[[2.0], [1.0], [2.0]]], requires_grad=True)
    largest_in_time(local).backward(torch.tensor([[3.0]]))
    assert local.grad is not None and local.grad.tolist() == [[[3.0], [0.0], [3.0]]]

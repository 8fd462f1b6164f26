"""The MINE paper's adaptive clipping against hand-computed cases; the older port's defects are cases here."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.errors import InputError
from mine.terms import adaptive_clip


def test_a_longer_information_gradient_is_shortened_to_the_main_one():
    # |g_u| = |(3, 0, 4)| = 5, |g_m| = |(0, 6, 8)| = 10: half of g_m. The norm is over both parameters, not the last one's.
    main = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0]])]
    information = [torch.tensor([0.0, 6.0]), torch.tensor([[8.0]])]
    clipped, done = adaptive_clip(main, information)
    torch.testing.assert_close(clipped, [torch.tensor([0.0, 3.0]), torch.tensor([[4.0]])])
    assert (done.main_norm, done.mi_norm, done.scale) == (5.0, 10.0, 0.5)


def test_a_shorter_one_is_left_alone():
    clipped, done = adaptive_clip([torch.tensor([10.0])], [torch.tensor([-2.0])])
    assert clipped[0] == -2.0 and done.scale == 1.0


@pytest.mark.parametrize(("main", "information", "expected"), [(3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 0.0)])
def test_zero_gradients_stay_finite(main: float, information: float, expected: float):
    clipped, _ = adaptive_clip([torch.tensor([main])], [torch.tensor([information])])
    assert clipped[0] == expected


def test_parameters_that_one_loss_does_not_reach():
    clipped, done = adaptive_clip([torch.tensor([3.0]), None], [None, torch.tensor([6.0])])
    assert clipped[0] is None and clipped[1] == 3.0 and done.scale == 0.5


def test_half_precision_norms_do_not_overflow():
    _, done = adaptive_clip([torch.full((4,), 3e4, dtype=torch.float16)], [torch.full((4,), 6e4, dtype=torch.float16)])
    torch.testing.assert_close(done.scale, torch.tensor(0.5), atol=1e-3, rtol=0)  # 6e4 rounds to a multiple of 32


def test_gradients_of_different_lists_are_refused():
    with pytest.raises(InputError, match="Gradients of 1 and of 2 parameters"):
        adaptive_clip([None], [None, None])


def generator() -> tuple[nn.Module, Tensor, Tensor]:
    """Two parameters with known gradients: main (1, 2) and (2,), length 3; information (0, 6) and (8,), length 10."""
    net = nn.ParameterList([torch.tensor([1.0, 1.0]), torch.tensor([1.0])])
    main = net[0][0] + 2 * net[0][1] + 2 * net[1][0]
    return net, main, 6 * net[0][1] + 8 * net[1][0]


def test_backward_adds_the_main_gradient_and_the_clipped_one():
    net, main, information = generator()
    done = mine.clipped_backward(main, information, net.parameters())
    torch.testing.assert_close(done.scale, torch.tensor(0.3))
    torch.testing.assert_close(net[0].grad, torch.tensor([1.0, 2.0 + 1.8]))
    torch.testing.assert_close(net[1].grad, torch.tensor([2.0 + 2.4]))


def test_backward_accumulates_like_torchs():
    net, main, information = generator()
    net[1].grad = torch.tensor([100.0])
    mine.clipped_backward(main, information, net.parameters())
    torch.testing.assert_close(net[1].grad, torch.tensor([104.4]))


def test_only_the_generator_gets_a_gradient(seeded_torch: None):
    net, other = nn.Linear(2, 2), nn.Linear(2, 1)  # the discriminator, and the network that the older port clipped
    x = torch.ones(3, 2)
    mine.clipped_backward(other(net(x)).sum(), 5 * net(x).sum(), net.parameters())
    assert all(p.grad is not None for p in net.parameters())
    assert all(p.grad is None for p in other.parameters())


def test_a_scaler_changes_nothing_but_the_scale():
    plain, scaled = generator(), generator()
    a = mine.clipped_backward(plain[1], plain[2], plain[0].parameters())
    b = mine.clipped_backward(1024 * scaled[1], 1024 * scaled[2], scaled[0].parameters())
    torch.testing.assert_close(a.scale, b.scale)
    for p, q in zip(plain[0].parameters(), scaled[0].parameters(), strict=True):
        torch.testing.assert_close(1024 * p.grad, q.grad)


def test_no_parameters_is_an_error():
    _, main, information = generator()
    with pytest.raises(InputError, match=r"generator.parameters\(\)"):
        mine.clipped_backward(main, information, [])

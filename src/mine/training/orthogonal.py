"""Updates of weight matrices that move every direction by the same amount."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["OrthogonalUpdates", "orthogonalised", "updates_orthogonally"]

#: Share of the running sum of gradients that is kept from step to step.
MOMENTUM = 0.95
#: Smaller side of a matrix from which its update is orthogonal.
FEWEST = 4
#: Coefficients of the polynomial a s + b s^3 + c s^5 that takes every singular value s in (0, 1] to about 1, and how often.
COEFFICIENTS, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


class OrthogonalUpdates:
    """Momentum whose update of each matrix has all singular values near 1 (Muon).

    The gradient of a layer is mostly one or two directions; made orthogonal, the rare directions are learnt as fast as the
    strong ones. Critics of two towers need half of the steps that AdamW needs.

    Arguments:
        matrices: Weights of shape (n_in, n_out), or kernels (n_out, n_in, height, width).
        rate: Spectral norm of an update at factor 1; more for matrices that make many numbers of few.
        weight_decay: Share of the rate by which weights shrink.

    References:
        Jordan et al., 2024, Muon: an optimizer for hidden layers in neural networks (kellerjordan.github.io/posts/muon), with
        the coefficients of the polynomial; Bernstein & Newhouse, 2024 (arXiv 2409.20325).
    """

    def __init__(self, matrices: list[nn.Parameter], rate: float, weight_decay: float) -> None:
        self.matrices, self.rate, self.weight_decay = matrices, rate, weight_decay
        self.sums = [torch.zeros_like(p) for p in matrices]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Update by the present gradients, at ``factor`` times the rate; what has no gradient stays."""
        rate = factor * self.rate
        for p, running in zip(self.matrices, self.sums, strict=True):
            if p.grad is None:
                continue
            running.mul_(MOMENTUM).add_(p.grad)
            ahead = p.grad.add(running, alpha=MOMENTUM)  # Nesterov
            update = orthogonalised(ahead.flatten(1)).view_as(p)
            n_in, n_out = p.shape if p.ndim == 2 else (p[0].numel(), len(p))
            p.mul_(1 - rate * self.weight_decay).add_(update, alpha=-rate * max(1.0, n_out / n_in) ** 0.5)


def updates_orthogonally(p: nn.Parameter) -> bool:
    """Whether a parameter is a matrix or a kernel with at least a few rows and columns; a bias is not."""
    return p.ndim in (2, 4) and min(len(p), p[0].numel()) >= FEWEST


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix with the singular vectors of ``matrix`` and singular values between .6 and 1.2; tiny ones stay below.

    The iteration runs on the Gram matrix of the smaller side, with which its polynomials commute: two products with the large
    matrix instead of ten.

    >>> values = torch.linalg.svdvals(orthogonalised(torch.diag(torch.tensor([100.0, 10.0, 1.0]))))
    >>> bool(values.min() > 0.6 and values.max() < 1.3)
    True
    """
    scaled = matrix / torch.linalg.vector_norm(matrix).clamp(min=1e-30)  # squares of small gradients would be 0
    tall = scaled if len(matrix) >= matrix.shape[1] else scaled.T
    gram = tall.T @ tall
    largest = torch.linalg.vector_norm(gram).clamp(min=1e-30)  # at least the square of the largest singular value
    gram = gram / largest
    a, b, c = COEFFICIENTS
    factors: Tensor | None = None
    for left in reversed(range(ITERATIONS)):
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        polynomial.diagonal().add_(a)
        factors = polynomial if factors is None else factors @ polynomial
        if left:
            gram = polynomial @ gram @ polynomial
    assert factors is not None
    out = tall @ factors.div_(largest.sqrt())
    return out if tall is scaled else out.T

r"""The MINE paper's adaptive clipping: the information term may pull as hard as the main loss, never harder.

    g = min(\|g_u\|, \|g_m\|) g_m / \|g_m\|

with g_u the gradient of the main loss and g_m that of the information term, both of the same parameters (the generator's),
their norms taken over all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mine.errors import InputError
from mine.training.gather import average_over_ranks

__all__ = ["ClippedGradient", "adaptive_clip", "clipped_backward"]


class ClippedGradient(NamedTuple):
    """The effect of clipping: both norms, and the factor (at most 1) on the information term; scalar tensors, for logging."""

    main_norm: Tensor
    mi_norm: Tensor
    scale: Tensor


def _norm(gradients: Sequence[Tensor | None]) -> Tensor:
    norms = [torch.linalg.vector_norm(g.float() if g.dtype.itemsize < 4 else g) for g in gradients if g is not None]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.tensor(0.0)


def adaptive_clip(
    main: Sequence[Tensor | None], information: Sequence[Tensor | None]
) -> tuple[list[Tensor | None], ClippedGradient]:
    r"""Gradients of the information term, shortened to the length of the main loss's where they are longer.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062v5), adaptive gradient clipping, eq. 21.

    Arguments:
        main: Gradient g_u of the main loss, one tensor a parameter, None where it has none.
        information: Gradient g_m of the information term, for the same parameters.

    Returns:
        The clipped g_m, to be added to g_u, and what was done.

    Raises:
        InputError: If the two are not of the same parameters.

    Example:
        >>> g_u, g_m = [torch.tensor([3.0]), torch.tensor([4.0])], [torch.tensor([6.0]), torch.tensor([8.0])]
        >>> clipped, done = adaptive_clip(g_u, g_m)
        >>> clipped, done.scale
        ([tensor([3.]), tensor([4.])], tensor(0.5000))
    """
    if len(main) != len(information):
        raise InputError(
            f"Gradients of {len(main)} and of {len(information)} parameters: pass both for the same list of parameters."
        )
    main_norm, mi_norm = _norm(main), _norm(information)
    # Where g_m is zero the quotient is infinite or NaN; there is nothing to shorten.
    ratio = torch.where(mi_norm > 0, main_norm.to(mi_norm.device) / mi_norm, torch.ones_like(mi_norm))
    scale = ratio.clamp(max=1.0)
    return [None if g is None else g * scale.to(g.dtype) for g in information], ClippedGradient(main_norm, mi_norm, scale)


def clipped_backward(main_loss: Tensor, mi_loss: Tensor, parameters: Iterable[nn.Parameter]) -> ClippedGradient:
    """Backward of ``main_loss + mi_loss`` with the information term clipped adaptively; adds to ``.grad`` as ``backward`` does.

    Only ``parameters`` get a gradient: hand it the generator's, all of them at once, for the norm is global. Both losses may
    be scaled by a ``GradScaler``: the factor is a ratio of their gradients.

    Under ``torch.distributed`` both gradients are averaged over the ranks before they are measured; call the module itself,
    not its ``DistributedDataParallel`` wrapper, whose hooks see only ``backward``.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062v5), adaptive gradient clipping, eq. 21.

    Arguments:
        main_loss: The model's own loss, a scalar.
        mi_loss: The information term with its weight, for example ``beta * term(x, y)``.
        parameters: The model's parameters.

    Returns:
        Both norms and the factor on the information term.

    Example:
        >>> w = nn.Parameter(torch.tensor([1.0, 1.0]))
        >>> clipped_backward(w[0] * 2, w[1] * 8, [w]).scale, w.grad
        (tensor(0.2500), tensor([2., 2.]))
    """
    chosen = [p for p in parameters if p.requires_grad]
    if not chosen:
        raise InputError("No parameter that requires a gradient was passed: hand over the generator's, generator.parameters().")
    main = torch.autograd.grad(main_loss, chosen, retain_graph=True, allow_unused=True)
    information = torch.autograd.grad(mi_loss, chosen, allow_unused=True)
    average_over_ranks(main)
    average_over_ranks(information)
    clipped, done = adaptive_clip(main, information)
    for parameter, *gradients in zip(chosen, main, clipped, strict=True):
        for gradient in gradients:
            if gradient is not None:
                parameter.grad = gradient.clone() if parameter.grad is None else parameter.grad + gradient
    return done

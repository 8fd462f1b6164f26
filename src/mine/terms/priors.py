"""Distributions that stand for the marginal of a representation, in ``MinimizeMI(upper_bound="vib")``."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal

from mine.errors import InputError
from mine.terms.densities import is_discrete

__all__ = ["LearnedPrior", "standard_normal"]

#: Log standard deviations stay within this distance of 0: a component must not collapse onto a row.
_LOG_STD_WITHIN = 6.0


class LearnedPrior(nn.Module):
    """r(z): a mixture of normal distributions with diagonal covariance, fitted to the representations by maximum likelihood.

    Train it with ``mine.MinimizeMI(LearnedPrior(dz), upper_bound="vib")``. Any module whose ``forward()`` takes no argument
    and returns a ``torch.distributions.Distribution`` over one row of z can stand in its place.

    References:
        Tomczak & Welling, 2018 (arXiv 1705.07120), section 2: the prior that makes the bound tight is the marginal of z.

    Arguments:
        dz: Number of coordinates of z.
        components: Number of normal distributions; 1 learns the mean and the scale of each coordinate.
        generator: Source of the initial means; None takes torch's global one.

    Example:
        >>> LearnedPrior(2, components=5)().log_prob(torch.randn(8, 2)).shape
        torch.Size([8])
    """

    def __init__(self, dz: int, components: int = 1, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if dz < 1 or components < 1:
            raise InputError(f"dz and components must be at least 1, got {dz} and {components}.")
        start = torch.randn(components, dz, generator=generator) if components > 1 else torch.zeros(1, dz)
        self.mean = nn.Parameter(start)
        self.log_std = nn.Parameter(torch.zeros(components, dz))
        self.logits = nn.Parameter(torch.zeros(components))

    def forward(self) -> MixtureSameFamily:
        log_std = _LOG_STD_WITHIN * torch.tanh(self.log_std / _LOG_STD_WITHIN)
        # Without validation: it would ask the device whether the parameters are fine in every step.
        normals = Independent(Normal(self.mean, log_std.exp(), validate_args=False), 1, validate_args=False)
        weights = Categorical(logits=self.logits, validate_args=False)
        return MixtureSameFamily(weights, normals, validate_args=False)


def standard_normal(density: Distribution, like: Tensor) -> Distribution:
    """Standard normal distributions in the shape of ``density``, so that the divergence between the two has a closed form.

    Raises:
        InputError: ``density`` is over labels or counts.
    """
    if is_discrete(density):
        raise InputError(
            f'upper_bound="vib" compares with a standard normal prior, but the density is a {type(density).__name__} over '
            "discrete values: pass a prior of your own as critic, a module whose forward() returns a distribution over one row."
        )
    shape = density.batch_shape + density.event_shape
    normal = Normal(like.new_zeros(shape), like.new_ones(shape), validate_args=False)
    return Independent(normal, len(density.event_shape), validate_args=False) if density.event_shape else normal

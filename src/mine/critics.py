r"""Critics (statistics networks): modules that map a pair (x, y) to a score ``T(x, y)``.

Built-in critics are written in two halves. ``encode_x`` and ``encode_y`` do the work that depends on one side only,
``combine`` turns two encodings into scores. Shuffled pairs then reuse the encodings: with K shuffles a batch costs one
encoding and K + 1 combinations.

``stack=(M,)`` gives every parameter a leading dimension: M independent critics that train in one batched matmul. Inputs
then have shape ``(M, B, d)`` and scores ``(M, B)``; ``critic.select(k)`` copies critic k out.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mine.errors import InputError

__all__ = [
    "ConcatCritic",
    "Critic",
    "GaussianCritic",
    "MeanCritic",
    "ModuleCritic",
    "ResidualCritic",
    "SeparableCritic",
    "as_critic",
    "pair_scores",
]

#: What an encoder gives: a tensor of shape ``(*stack, B, ...)``, or a nested tuple of such tensors.
Encoding: TypeAlias = "Tensor | tuple[Encoding, ...]"

#: A pair in a matrix product costs this share of one that is combined on its own.
_WORTH_A_TABLE = 8

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
}


class Critic(nn.Module):
    """Base class of the built-in critics: two encoders and a combination.

    Subclass it to write a critic of your own that shuffles cheaply, or pass any ``nn.Module`` taking ``(x, y)`` to
    ``mine.estimate(critic=...)``.
    """

    stack: tuple[int, ...] = ()

    def encode_x(self, x: Tensor) -> Encoding:
        """The part of the work that depends on x alone: tensors of shape ``(*stack, B, ...)``."""
        return x

    def encode_y(self, y: Tensor) -> Encoding:
        """The part of the work that depends on y alone: tensors of shape ``(*stack, B, ...)``."""
        return y

    def combine(self, hx: Any, hy: Any) -> Tensor:
        """Scores of paired encodings, shape ``(*stack, B)``."""
        raise NotImplementedError

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores of the pairs ``(x_i, y_i)``, shape ``(*stack, B)``."""
        return self.combine(self.encode_x(x), self.encode_y(y))

    def select(self, k: int) -> Self:
        """Critic ``k`` of a stack, as an independent copy without the stack dimension."""
        if not self.stack:
            raise InputError("select() needs a stacked critic, one made with stack=(M,).")
        out = copy.deepcopy(self)
        for module in out.modules():
            if isinstance(module, Critic):
                module.stack = ()
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    picked = parameter.detach()[k].clone()
                    module._parameters[name] = nn.Parameter(picked, parameter.requires_grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = buffer.detach()[k].clone()
        return out


class _Linear(nn.Module):
    """Affine map ``(*stack, B, n_in) -> (*stack, B, n_out)`` with a weight of its own for each critic in the stack."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        stack: tuple[int, ...],
        *,
        bias: bool = True,
        fan_in: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        limit = 1 / math.sqrt(max(1, fan_in or n_in))  # torch's own default for nn.Linear
        self.weight = nn.Parameter(torch.empty(*stack, n_in, n_out).uniform_(-limit, limit, generator=generator))
        self.bias = nn.Parameter(torch.empty(*stack, 1, n_out).uniform_(-limit, limit, generator=generator)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        if self.bias is None:
            return x @ self.weight
        if self.weight.ndim == 3 and x.ndim == 3:
            return torch.baddbmm(self.bias, x, self.weight)
        return x @ self.weight + self.bias

    def extra_repr(self) -> str:
        n_in, n_out = self.weight.shape[-2:]
        return f"{n_in}, {n_out}"


class MLP(nn.Module):
    """Hidden layers and a linear last one, which starts at zero when ``zero_last``; inputs may be pre-activations."""

    def __init__(
        self,
        sizes: Sequence[int],
        stack: tuple[int, ...],
        activation: str,
        *,
        activate_first: bool,
        zero_last: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS:
            raise InputError(f"Unknown activation {activation!r}. Valid: {', '.join(_ACTIVATIONS)}.")
        self.activation = activation
        self.activate_first = activate_first
        self.layers = nn.ModuleList(_Linear(a, b, stack, generator=generator) for a, b in itertools.pairwise(sizes))
        if zero_last:
            last: Any = self.layers[-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, h: Tensor) -> Tensor:
        """Scores of ``h``, which is overwritten when ``activate_first``: hand over a tensor that nobody else needs."""
        activation = _ACTIVATIONS[self.activation]
        for i, layer in enumerate(self.layers):
            if i or self.activate_first:
                h = F.relu(h, inplace=True) if activation is F.relu else activation(h)  # a fresh tensor costs three times that
            h = layer(h)
        return h


class ConcatCritic(Critic):
    r"""MLP on the concatenated pair, its first layer factored: ``W[x; y] = Wx x + Wy y``.

    References:
        The statistics network of Belghazi et al., 2018 (arXiv 1801.04062).

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of the hidden layers, at least one.
        activation: relu, leaky_relu, elu, silu, gelu or tanh.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        zero_init: Start the last layer at zero, so that the untrained critic scores 0 everywhere.
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> critic = ConcatCritic(2, 3, hidden=(16, 16))
        >>> critic(torch.randn(8, 2), torch.randn(8, 3)).shape
        torch.Size([8])
        >>> ConcatCritic(2, 3, stack=(5,))(torch.randn(5, 8, 2), torch.randn(5, 8, 3)).shape
        torch.Size([5, 8])
    """

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: Sequence[int] = (64, 64, 64),
        *,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        zero_init: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not hidden:
            raise InputError("hidden needs at least one layer, for example (64, 64).")
        self.stack = stack
        fan_in = dx + dy
        self.first_x = _Linear(dx, hidden[0], stack, fan_in=fan_in, generator=generator)
        self.first_y = _Linear(dy, hidden[0], stack, bias=False, fan_in=fan_in, generator=generator)
        self.rest = MLP((*hidden, 1), stack, activation, activate_first=True, zero_last=zero_init, generator=generator)

    def encode_x(self, x: Tensor) -> Tensor:
        return self.first_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.first_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return self.rest(hx + hy).squeeze(-1)


class SeparableCritic(Critic):
    r"""Two towers and a dot product, ``T(x, y) = f(x) . g(y)``: every pair of a batch for the price of two encodings.

    References:
        van den Oord et al., 2018 (arXiv 1807.03748); Poole et al., 2019 (arXiv 1905.06922), section 3.

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of each tower's hidden layers.
        embed: Length of the embeddings f(x) and g(y).
        activation: relu, leaky_relu, elu, silu, gelu or tanh.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> SeparableCritic(2, 3)(torch.randn(8, 2), torch.randn(8, 3)).shape
        torch.Size([8])
    """

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: Sequence[int] = (64, 64),
        *,
        embed: int = 32,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stack = stack
        self.tower_x = MLP((dx, *hidden, embed), stack, activation, activate_first=False, generator=generator)
        self.tower_y = MLP((dy, *hidden, embed), stack, activation, activate_first=False, generator=generator)

    def encode_x(self, x: Tensor) -> Tensor:
        return self.tower_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.tower_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (hx * hy).sum(-1)


class GaussianCritic(Critic):
    r"""Log-ratio ``log p(x, y) / (p(x) p(y))`` of a Gaussian fitted in closed form; nothing to train.

    In canonical coordinates u, v with correlations r the log-ratio is
    ``sum -log(1 - r^2) / 2 - r (u - v)^2 / (2 (1 - r^2)) + r (u^2 + v^2) / (2 (1 + r))``, a form without
    cancellation when r is near 1.

    References:
        Kay, 1992; the canonical correlations of Hotelling, 1936.

    Arguments:
        mean_x: Mean of x, shape ``(*stack, 1, dx)``; ``mean_y`` likewise.
        mean_y: Mean of y.
        map_x: Projection to the canonical coordinates, shape ``(*stack, dx, r)``; ``map_y`` likewise.
        map_y: Projection of y.
        correlations: Canonical correlations in [0, 1), shape ``(*stack, 1, r)``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(5000, 1)); y = 0.8 * x + 0.6 * rng.normal(size=(5000, 1))
        >>> critic = GaussianCritic.fit(x, y)
        >>> round(critic.mutual_information.item(), 2), round(critic(torch.tensor(x), torch.tensor(y)).mean().item(), 2)
        (0.51, 0.51)
    """

    def __init__(self, mean_x: Tensor, mean_y: Tensor, map_x: Tensor, map_y: Tensor, correlations: Tensor) -> None:
        super().__init__()
        self.stack = tuple(correlations.shape[:-2])
        for name, tensor in zip(
            ("mean_x", "mean_y", "map_x", "map_y", "correlations"),
            (mean_x, mean_y, map_x, map_y, correlations),
            strict=True,
        ):
            self.register_buffer(name, tensor)
        self.mean_x: Tensor
        self.mean_y: Tensor
        self.map_x: Tensor
        self.map_y: Tensor
        self.correlations: Tensor

    @classmethod
    def fit(
        cls,
        x: np.ndarray,
        y: np.ndarray,
        *,
        shrinkage: float = 0.0,
        diagonal: float = 0.0,
        floor: float = 1e-7,
        complete: bool = False,
        mean: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> GaussianCritic:
        """Fit to rows ``x`` (n, dx) and ``y`` (n, dy), in float64.

        Arguments:
            x: Rows of x, shape (n, dx).
            y: Rows of y, shape (n, dy).
            shrinkage: Share in [0, 1] taken off the covariance between x and y; 1 means independence.
            diagonal: Weight in [0, 1] of a diagonal target in the whole covariance matrix; needed where n is not well above
                dx + dy. Where a side's own coordinates correlate, much of it makes the mean log-ratio too large.
            floor: Smallest 1 - r^2, so that a deterministic relation stays finite.
            complete: Keep the directions of the wider side that have no partner, after the others, in its map.
            mean: Known means of x and y, shapes (1, dx) and (1, dy).
        """
        mean_x, mean_y = mean or (x.mean(0, keepdims=True), y.mean(0, keepdims=True))
        white_x, white_y = _whitener(x - mean_x, diagonal), _whitener(y - mean_y, diagonal)
        cross = (1 - shrinkage) * (1 - diagonal) * ((x - mean_x) @ white_x).T @ ((y - mean_y) @ white_y) / len(x)
        left, r, right = np.linalg.svd(cross, full_matrices=complete)
        r = np.clip(r, 0.0, math.sqrt(1 - floor))
        arrays = (mean_x, mean_y, white_x @ left, white_y @ right.T, r[None])
        return cls(*(torch.as_tensor(a) for a in arrays))

    @classmethod
    def stacked(cls, critics: Sequence[GaussianCritic]) -> GaussianCritic:
        """One stacked critic out of several of equal shape."""
        names = ("mean_x", "mean_y", "map_x", "map_y", "correlations")
        return cls(*(torch.stack([getattr(c, name) for c in critics]) for name in names))

    @property
    def mutual_information(self) -> Tensor:
        """Mutual information (nats) of the fitted Gaussian, shape ``(*stack,)``."""
        return -0.5 * torch.log1p(-(self.correlations**2)).sum((-2, -1))

    def encode_x(self, x: Tensor) -> Tensor:
        return (x - self.mean_x) @ self.map_x

    def encode_y(self, y: Tensor) -> Tensor:
        return (y - self.mean_y) @ self.map_y

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        r = self.correlations
        pull = r / (2 * (1 - r**2))
        level = r / (2 * (1 + r))
        terms = level * (hx**2 + hy**2) - pull * (hx - hy) ** 2
        return terms.sum(-1) + self.mutual_information.unsqueeze(-1)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        return canonical_table(self.correlations, hx, hy) + self.mutual_information[..., None, None]


def canonical_table(r: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """``sum r (u^2 + v^2) / (2 (1 + r)) - r (u - v)^2 / (2 (1 - r^2))`` of every u with every v: (..., B, B), by a product."""
    pull = r / (1 - r**2)
    own = r / (2 * (1 + r)) - 0.5 * pull
    return (u * pull) @ v.mT + (own * u**2).sum(-1, keepdim=True) + (own * v**2).sum(-1).unsqueeze(-2)


def _whitener(centred: np.ndarray, shrinkage: float) -> np.ndarray:
    """W with W' S W = I for the (shrunk) covariance S; directions without variance are dropped to zero."""
    covariance = centred.T @ centred / len(centred)
    if shrinkage:
        covariance = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance)
    keep = values > max(values[-1], 0.0) * 1e-10
    scale = np.zeros_like(values)
    scale[keep] = values[keep] ** -0.5
    return vectors * scale


class ResidualCritic(Critic):
    """A base critic times a learned scale, plus a network: ``T = s * base(x, y) + network(x, y)``, s from 1.

    With the network's last layer at zero, training starts from the base. The base's parameters stay fixed, and it reads
    the first ``base_dx`` and ``base_dy`` coordinates (all of them by default).

    Example:
        >>> base = GaussianCritic.fit(np.eye(4)[:, :2], np.eye(4)[:, 2:])
        >>> critic = ResidualCritic(base.float(), ConcatCritic(2, 2, zero_init=True))
        >>> x, y = torch.randn(8, 2), torch.randn(8, 2)
        >>> torch.allclose(critic(x, y), base(x, y))
        True
    """

    def __init__(self, base: Critic, network: Critic, *, base_dx: int | None = None, base_dy: int | None = None) -> None:
        super().__init__()
        if base.stack != network.stack:
            raise InputError(f"The base is stacked as {base.stack}, the network as {network.stack}: make them equal.")
        self.stack = network.stack
        self.base = base.requires_grad_(False)
        self.network = network
        self.base_dx, self.base_dy = base_dx, base_dy
        self.scale = nn.Parameter(torch.ones(*self.stack, 1))

    def encode_x(self, x: Tensor) -> Encoding:
        return self.base.encode_x(x[..., : self.base_dx]), self.network.encode_x(x)

    def encode_y(self, y: Tensor) -> Encoding:
        return self.base.encode_y(y[..., : self.base_dy]), self.network.encode_y(y)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        # The halves stay apart in a tuple: slicing one tensor would cost a zero-filled gradient each step.
        return self.scale * self.base.combine(hx[0], hy[0]) + self.network.combine(hx[1], hy[1])


class MeanCritic(Critic):
    """The mean score of several critics of the same pairs, by ``weights`` that sum to 1; equal ones by default.

    Donsker-Varadhan is concave in the critic: the mean of critics trained apart bounds no less than they do on average, and
    what each has learned of noise cancels.

    Example:
        >>> members = [SeparableCritic(2, 3) for _ in range(3)]
        >>> x, y = torch.randn(8, 2), torch.randn(8, 3)
        >>> torch.allclose(MeanCritic(members)(x, y), sum(m(x, y) for m in members) / 3, atol=1e-6)
        True
    """

    def __init__(self, members: Sequence[Critic], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.stack = members[0].stack
        self.members: Any = nn.ModuleList(members)
        self.weights = tuple([1 / len(members)] * len(members) if weights is None else weights)

    def encode_x(self, x: Tensor) -> Encoding:
        return tuple(member.encode_x(x) for member in self.members)

    def encode_y(self, y: Tensor) -> Encoding:
        return tuple(member.encode_y(y) for member in self.members)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        parts = zip(self.weights, self.members, hx, hy, strict=True)
        return torch.stack([weight * member.combine(u, v) for weight, member, u, v in parts]).sum(0)


class ModuleCritic(Critic):
    """Any ``nn.Module`` taking ``(x, y)`` (or their concatenation) and giving one score a row, as a critic.

    Inputs keep their shape, so images reach the module as ``(B, C, H, W)``.

    Arguments:
        module: The user's network; scores of shape (B,) or (B, 1).
        concat: Call ``module(torch.cat([x, y], -1))`` instead of ``module(x, y)``.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        >>> ModuleCritic(net, concat=True)(torch.randn(5, 1), torch.randn(5, 2)).shape
        torch.Size([5])
    """

    def __init__(self, module: nn.Module, *, concat: bool = False) -> None:
        super().__init__()
        self.module = module
        self.concat = concat

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        if self.concat:
            hx, hy = (h.unsqueeze(-1) if h.ndim == 1 else h.flatten(1) for h in (hx, hy))
            scores = self.module(torch.cat([hx, hy], -1))
        else:
            scores = self.module(hx, hy)
        if not isinstance(scores, Tensor) or scores.numel() != len(hx) or scores.ndim > 2:
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise InputError(
                f"The critic must give one score a pair: shape ({len(hx)},) or ({len(hx)}, 1) for {len(hx)} pairs, got {got}."
            )
        return scores.reshape(len(hx))


def as_critic(module: nn.Module, *, concat: bool | None = None) -> Critic:
    """``module`` itself where it is a :class:`Critic`, else wrapped in :class:`ModuleCritic`.

    ``concat=None`` looks at the signature of ``forward``: one required argument means the concatenation.

    >>> as_critic(nn.Linear(2, 1)).concat
    True
    """
    if isinstance(module, Critic):
        return module
    if not isinstance(module, nn.Module):
        raise InputError(f"A critic must be an nn.Module taking (x, y), got {type(module).__name__}.")
    return ModuleCritic(module, concat=_takes_one(module) if concat is None else concat)


def _takes_one(module: nn.Module) -> bool:
    parameters: Any = inspect.signature(module.forward).parameters.values()
    positional = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is inspect.Parameter.empty
    ]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return len(positional) == 1 and not variadic


def pair_scores(critic: Critic, x: Tensor, y: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Scores of the joint pairs and of their cyclic shifts, in one pass through the critic.

    Arguments:
        critic: A critic, stacked or not. A separable one scores every pair in one matrix product where the shifts ask for an
            eighth of them or more.
        x: Rows of x, shape ``(*stack, B, ...)``.
        y: Rows of y, shape ``(*stack, B, ...)``.
        shifts: K shifts; shift s pairs ``x_i`` with ``y_{(i + s) mod B}``.

    Returns:
        joint of shape ``(*stack, B)`` and marginal of shape ``(*stack, B, K)``.
    """
    dim = len(critic.stack)
    rows, k = x.shape[dim], len(shifts)
    hx, hy = critic.encode_x(x), critic.encode_y(y)
    if type(critic).combine is SeparableCritic.combine and _WORTH_A_TABLE * (k + 1) >= rows:  # not a subclass with its own
        scores = hx @ hy.mT  # pyright: ignore[reportOperatorIssue, reportAttributeAccessIssue]
        own = torch.arange(rows, device=scores.device).unsqueeze(1)
        partners = (own + torch.as_tensor([0, *shifts], device=scores.device)) % rows
        scores = scores.gather(-1, partners.expand(*scores.shape[:-1], k + 1))
        return scores[..., 0], scores[..., 1:]
    scores = critic.combine(
        map_encoding(lambda h: torch.cat([h] * (k + 1), dim), hx),
        map_encoding(lambda h: torch.cat([h, *(h.roll(-s, dim) for s in shifts)], dim), hy),
    )
    scores = scores.unflatten(dim, (k + 1, rows))
    return scores.select(dim, 0), scores.narrow(dim, 1, k).movedim(dim, -1)


def map_encoding(function: Callable[[Tensor], Tensor], encoding: Encoding) -> Encoding:
    """Apply ``function`` to every tensor of an encoding."""
    if isinstance(encoding, tuple):
        return tuple(map_encoding(function, part) for part in encoding)
    return function(encoding)

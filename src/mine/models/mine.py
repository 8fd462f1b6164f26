"""The paper's algorithm as a module: one statistics network, one bound, trained in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics.critic import Critic
from mine.critics.pairs import pair_scores
from mine.critics.users import ModuleCritic, as_critic
from mine.data.sources import plain_array
from mine.data.tensors import check_tensor
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators.evaluation import REPORTED_BOUND, selection_rows
from mine.sampling import cyclic_shifts
from mine.surroundings import plain_modes
from mine.terms.misfit import explained
from mine.terms.untouched import evaluating
from mine.training.evaluation import evaluate_scores
from mine.training.loop import train_critic
from mine.training.options import History, TrainingOptions
from mine.training.pairs import Pairs

__all__ = ["Mine"]

_LOSSES = {"mine": "mine", "mine_biased": "dv", "fdiv": "nwj"}

#: Shares of the rows that `optimize` trains on and picks the step by; it reports on the rest.
_TRAIN, _VALIDATION = 0.5, 0.1


class Mine(nn.Module):
    r"""Mutual information neural estimator: a statistics network and its Donsker-Varadhan (or f-divergence) bound.

    This is the paper's algorithm for people who know it by that name. For an estimate with an error bar use
    :func:`mine.estimate`.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), algorithm 1, eq. 5, 6 and 12.

    Arguments:
        T: Statistics network: a module taking ``(x, z)``, or with ``method="concat"`` their concatenation; one score per row.
        loss: ``"mine"`` (bias-corrected gradient), ``"mine_biased"`` (plain mini-batch gradient) or ``"fdiv"`` (MINE-f).
        alpha: Weight of the newest batch in the moving average of ``"mine"``.
        method: ``"concat"`` for a network that takes ``torch.cat([x, z], -1)``, None for one that takes both.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
        >>> model = Mine(net, loss="mine", method="concat")
        >>> x = torch.randn(64, 1)
        >>> model(x, x + torch.randn(64, 1)).shape
        torch.Size([])
    """

    log_average: Tensor

    def __init__(self, T: nn.Module, loss: str = "mine", alpha: float = 0.01, method: str | None = None) -> None:
        super().__init__()
        if loss not in _LOSSES:
            raise UnknownNameError("loss", loss, _LOSSES)
        if method not in (None, "concat"):
            raise UnknownNameError("method", method, ["concat", "None"])
        if not 0 < alpha <= 1:
            raise InputError(f"alpha must lie in (0, 1], got {alpha!r}.")
        self.T = T
        self.loss = loss
        self.alpha = alpha
        self.method = method
        # The moving average of E[exp T] as a logarithm; NaN until the first batch.
        self.register_buffer("log_average", torch.tensor(math.nan))
        self.history = History()

    def forward(self, x: Any, z: Any, z_marg: Any = None) -> Tensor:
        """The loss, minus the estimate of mutual information on this batch (nats): minimise it to train ``T``.

        In training mode with ``loss="mine"`` the call moves the moving average.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            z: Rows of z, paired with x.
            z_marg: Rows of z drawn from its marginal; None shuffles ``z`` without fixed points.

        Returns:
            A scalar.
        """
        x, z, z_marg = self._tensors(x, z, z_marg)
        joint, marginal = self._scores(x, z, z_marg)
        state = None if self.log_average.isnan() else self.log_average
        loss, _, state = self._bound()(joint, marginal, state)
        if self.training and self.loss == "mine" and state is not None:
            self.log_average.copy_(state.detach())
        return loss

    @plain_modes()
    @torch.no_grad()
    def mi(self, x: Any, z: Any, z_marg: Any = None) -> Tensor:
        """The bound (nats) on the rows given, a scalar tensor; changes no state.

        The moving average, the network's mode and the random generators stay as they are. Rows the network was trained on
        read too high: hand it fresh ones, or use the number that :meth:`optimize` returns.

        Arguments:
            x: Rows of x, shape (n,) or (n, ...).
            z: Rows of z, paired with x.
            z_marg: Rows of z from its marginal; None takes sixteen fixed cyclic shifts of ``z``.
        """
        x, z, z_marg = self._tensors(x, z, z_marg)
        with evaluating(self.T):
            if z_marg is None:
                index = torch.arange(len(x), device=x.device)
                generator = torch.Generator().manual_seed(0)
                with explained(self.T, x, z):
                    joint, marginal, _ = evaluate_scores(self._critic(), Pairs(x, z), index, 16, generator)
            else:
                joint, marginal = self._scores(x, z, z_marg)
        return self._bound()(joint, marginal, None).value

    @plain_modes()
    def optimize(
        self,
        X: Any,
        Y: Any,
        iters: int,
        batch_size: int | None = None,
        opt: torch.optim.Optimizer | Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] | None = None,
    ) -> float:
        """Train ``T`` on half of the rows and return the estimate (nats) on rows it never saw.

        Half of the rows train, a tenth pick the step, the others are reported on. The split and the batches come from
        torch's global generator: ``torch.manual_seed`` repeats them. ``T`` is left with its best weights.

        Arguments:
            X: Rows of x, shape (n,) or (n, ...), at least 20.
            Y: Rows of y, paired with X.
            iters: Passes over the training rows.
            batch_size: Rows per step; None takes 128.
            opt: Optimizer of ``T``'s parameters, or a function making one from them; None is Adam with rate 1e-3.

        Returns:
            The held-out estimate; ``self.history`` has the bound over the steps.

        Raises:
            InputError: Lengths that differ, values that are not finite, ``iters`` below 1.
            NotEnoughDataError: Fewer than 20 rows.
        """
        if any(p.is_inference() or p.is_meta for p in self.T.parameters()):
            raise InputError("T cannot be trained: make it outside torch.inference_mode() and on a device that holds values.")
        x, y, _ = self._tensors(X, Y, None)
        x, y = x.detach(), y.detach()  # T alone is trained
        n = len(x)
        if n < 20:
            raise NotEnoughDataError(f"{n} rows are too few to hold some out: pass at least 20.")
        if iters < 1 or (batch_size is not None and batch_size < 2):
            raise InputError(f"iters must be at least 1 and batch_size at least 2, got {iters} and {batch_size}.")

        with torch.no_grad(), evaluating(self.T):  # a network of the wrong shape is an error before anything is trained
            self._scores(x[:2], y[:2], y[:2])
        order = torch.randperm(n).to(x.device)
        seed = int(torch.randint(2**31 - 1, ()))
        n_train, n_validation = round(_TRAIN * n), max(4, round(_VALIDATION * n))
        train, validation, held = order[:n_train], order[n_train : n_train + n_validation], order[n_train + n_validation :]
        size = min(batch_size or 128, n_train)
        per_pass = n_train // size

        self.history = train_critic(
            self._critic(),
            self._bound(),
            Pairs(x, y),
            train,
            validation,
            TrainingOptions(
                steps=iters * per_pass,
                batch_size=size,
                shuffles=1,
                learning_rate=1e-3,
                weight_decay=0.0,
                eval_every=max(1, per_pass),
                patience=max(20, iters),
            ),
            contributions=partial(selection_rows, REPORTED_BOUND[_LOSSES[self.loss]]),
            seed=seed,
            optimizer=opt if opt is not None else lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
        )
        self.T.train(self.training)
        return float(self.mi(x[held], y[held]))

    def _bound(self) -> bounds.Bound:
        if self.loss == "mine":
            return lambda joint, marginal, state=None: bounds.mine(joint, marginal, state, alpha=self.alpha)
        return bounds.get_bound(_LOSSES[self.loss])

    def _critic(self) -> Critic:
        return ModuleCritic(self.T, concat=True) if self.method == "concat" else as_critic(self.T)

    def _scores(self, x: Tensor, z: Tensor, z_marg: Tensor | None) -> tuple[Tensor, Tensor]:
        critic = self._critic()
        with explained(self.T, x, z):
            if z_marg is None:
                return pair_scores(critic, x, z, cyclic_shifts(len(x), 1))
            return critic(x, z), critic(x, z_marg).unsqueeze(-1)

    def _tensors(self, x: Any, z: Any, z_marg: Any) -> tuple[Tensor, Tensor, Tensor | None]:
        """Float tensors on the network's device, one-dimensional input as a column."""
        like = next(iter(self.T.parameters()), self.log_average)
        out: list[Tensor | None] = []
        for name, rows in (("x", x), ("z", z), ("z_marg", z_marg)):
            if rows is None and name == "z_marg":
                out.append(None)
                continue
            tensor = _tensor(rows, name).to(like.device, like.dtype)
            tensor = tensor.unsqueeze(-1) if tensor.ndim == 1 else tensor
            if tensor.ndim == 0 or len(tensor) < 2 or len(tensor) != len(out[0] if out and out[0] is not None else tensor):
                raise InputError(f"{name} must have as many rows as x, at least two; got shape {tuple(tensor.shape)}.")
            if not bool(torch.isfinite(tensor).all()):
                raise InputError(f"{name} has values that are not finite in {like.dtype}: clean or rescale it.")
            out.append(tensor)
        first, second, third = out
        assert first is not None and second is not None
        return first, second, third


def _tensor(rows: Any, name: str) -> Tensor:
    """Numbers as a tensor; one that is a tensor already keeps its gradient.

    Raises:
        InputError: Masked, complex or other values that are no numbers.
    """
    if isinstance(rows, Tensor):
        check_tensor(rows, name)
        if not rows.is_complex():
            return rows
    else:
        array = plain_array(rows, name)
        if array.dtype.kind in "biuf":
            with np.errstate(over="ignore"):  # a long double beyond float64 is infinite, which is refused later
                return torch.as_tensor(array.astype(np.float64))
    raise InputError(f"{name} must hold real numbers, none of them missing or masked.")

"""Scores of the same rows with the same shuffles again and again while a critic is trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mine.critics.combined import ResidualCritic
from mine.critics.copula_metric import CopulaMetricCritic
from mine.critics.critic import Critic
from mine.training.evaluation import HELD_ROWS, encoded_scores, evaluate_scores, shuffled_rows, ungrouped
from mine.training.pairs import Pairs

__all__ = ["repeated_scores"]


def repeated_scores(
    critic: Critic, pairs: Pairs, index: Tensor, shuffles: int, seed: int
) -> Callable[[], tuple[Tensor, Tensor]]:
    """A function that scores rows ``index`` by ``critic`` as it then is: joint (..., B) and marginal (..., B, K) scores.

    What training does not change, as the scores of a fixed base and the inputs of the network on top of it, is computed once.

    Arguments:
        critic: The critic, whose weights may change between calls.
        pairs: The data.
        index: The rows, shape ``(*stack, B)``.
        shuffles: K.
        seed: Seed of the shuffles, which are the same at each call.
    """
    if isinstance(critic, (ResidualCritic, CopulaMetricCritic)) and index.numel() <= HELD_ROWS:  # larger ones are not kept
        return _above_base(critic, pairs, index, shuffles, seed)

    def scores() -> tuple[Tensor, Tensor]:
        joint, marginal, _ = evaluate_scores(critic, pairs, index, shuffles, torch.Generator().manual_seed(seed))
        return joint, marginal

    return scores


def _above_base(
    critic: ResidualCritic | CopulaMetricCritic, pairs: Pairs, index: Tensor, shuffles: int, seed: int
) -> Callable[[], tuple[Tensor, Tensor]]:
    index, shifts, order = shuffled_rows(pairs, index, shuffles, torch.Generator().manual_seed(seed))
    network: Critic = critic.network
    critic.base.eval()
    with torch.no_grad():
        x, y = pairs.rows(index)
        (base_x, inputs_x), (base_y, inputs_y) = critic.fixed_x(x), critic.fixed_y(y)
        base = encoded_scores(critic.base, base_x, base_y, shifts)

    def scores() -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            by_network = encoded_scores(network, network.encode_x(inputs_x), network.encode_y(inputs_y), shifts)
            joint, marginal = (critic.joined(b, n) for b, n in zip(base, by_network, strict=True))
        return ungrouped(joint, marginal, order)

    return scores

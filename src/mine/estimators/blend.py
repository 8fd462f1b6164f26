"""Two kinds of critic on the same folds: how much of each is decided on the validation rows."""

from __future__ import annotations

import torch
from torch import Tensor

from mine.critics.combined import MeanCritic
from mine.critics.critic import Critic
from mine.estimators.evaluation import ReportedBound, selection_rows
from mine.training.evaluation import evaluate_scores
from mine.training.pairs import Pairs

__all__ = ["SHARES", "blend"]

#: Shares of the second critic that are tried. The bounds are concave in the critic: between two that are equally good lies a
#: better one.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def blend(first: Critic, second: Critic, pairs: Pairs, validation: Tensor, kind: ReportedBound, seed: int) -> Critic:
    """``(1 - s) first + s second`` with the share s whose bound on the rows ``validation`` is the highest.

    Arguments:
        first: A trained critic.
        second: Another, trained on the same rows.
        pairs: The data.
        validation: Rows that neither was trained on, shape (m,).
        kind: The bound to choose by.
        seed: Of the shuffles, the same for both.
    """
    shuffles = max(4, min(32, (1 << 14) // max(1, len(validation))))
    (joint_a, marginal_a, _), (joint_b, marginal_b, _) = (
        evaluate_scores(critic, pairs, validation, shuffles, torch.Generator().manual_seed(seed)) for critic in (first, second)
    )
    validation_bounds = [
        selection_rows(kind, torch.lerp(joint_a, joint_b, share), torch.lerp(marginal_a, marginal_b, share)).mean().item()
        for share in SHARES
    ]
    share = SHARES[max(range(len(SHARES)), key=validation_bounds.__getitem__)]
    if share in (0.0, 1.0):
        return second if share else first
    return MeanCritic([first, second], (1 - share, share))

r"""Critics (statistics networks): modules that map a pair (x, y) to a score ``T(x, y)``.

Built-in critics are written in two halves. ``encode_x`` and ``encode_y`` do the work that depends on one side only,
``combine`` turns two encodings into scores. Shuffled pairs then reuse the encodings: with K shuffles a batch costs one
encoding and K + 1 combinations.

``stack=(M,)`` gives every parameter a leading dimension: M independent critics that train in one batched matmul. Inputs
then have shape ``(M, B, d)`` and scores ``(M, B)``; ``critic.select(k)`` copies critic k out.
"""

from mine.critics.combined import MeanCritic, ResidualCritic
from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic
from mine.critics.networks import ConcatCritic, SeparableCritic
from mine.critics.pairs import pair_scores
from mine.critics.users import ModuleCritic, as_critic

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

"""Mutual information as a term in a model's loss.

:class:`mine.MaximizeMI`, :class:`mine.MinimizeMI` and :class:`mine.MinimizeTC` wire a critic, shuffled pairs and a bound into
somebody else's training loop; :func:`clipped_backward` keeps such a term from pulling harder than the main loss.
"""

from mine.terms.clipping import ClippedGradient, adaptive_clip, clipped_backward
from mine.terms.columns import MinimizeTC
from mine.terms.conditional import GaussianConditional
from mine.terms.maximize import MaximizeMI
from mine.terms.minimize import MinimizeMI
from mine.terms.priors import LearnedPrior
from mine.terms.term import Term
from mine.terms.upper_bounds import club, leave_one_out

__all__ = [
    "ClippedGradient",
    "GaussianConditional",
    "LearnedPrior",
    "MaximizeMI",
    "MinimizeMI",
    "MinimizeTC",
    "Term",
    "adaptive_clip",
    "clipped_backward",
    "club",
    "leave_one_out",
]

"""Whether the components that were read hold what the sides share, or the next ones would hold more."""

from __future__ import annotations

from dataclasses import replace

from mine.data.components import COMPONENTS, WideLayout
from mine.estimators.fit import CrossFit
from mine.estimators.wide.views import component_view, copula_bounds
from mine.result import Estimate

__all__ = ["allowing_for_more"]

#: Nats by which a copula of all components must bound more than one of half of them, for more to be expected of the next;
#: and how many times as much the upper end of the interval then allows for.
RISES, AHEAD = 0.05, 3.0
#: What is said then.
MORE_COMPONENTS = (
    "The bound still rises with the last of the {count} components that were read of a side, so the next ones may add to it. "
    "The value may be much too low. Fewer, better features of each side (topics, embeddings) would help."
)


def allowing_for_more(estimate: Estimate, fit: CrossFit) -> Estimate:
    """``estimate`` with a higher upper end, and a sentence, where the bound still rises with the number of components.

    Of forty topics thirty-two directions tell a part, and nothing on training or on held-out rows shows the rest. But a copula
    of half of the directions then tells less than one of all of them, where otherwise it tells more: it has less to learn.
    """
    layouts = fit.pairs.layouts
    if layouts is None or not all(map(_is_cut, layouts)):
        return estimate
    half, full = (component_view(layouts, count, len(fit.folds), copula=True) for count in (COMPONENTS // 2, COMPONENTS))
    rise = float((copula_bounds(full, fit.pairs, fit.folds) - copula_bounds(half, fit.pairs, fit.folds)).mean())
    if rise < RISES:
        return estimate
    low, high = estimate.interval
    told = {**estimate.diagnostics, "warnings": [*estimate.warnings, MORE_COMPONENTS.format(count=COMPONENTS)]}
    return replace(estimate, interval=(low, high + AHEAD * rise), diagnostics=told)


def _is_cut(layout: WideLayout) -> bool:
    """Whether the side has more directions than its components."""
    return layout.components == COMPONENTS

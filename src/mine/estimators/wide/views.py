"""Views of two wide sides: a few numbers per side and fold, made of the side alone or chosen on the fold's training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from mine.critics.copula_metric import direction_weights
from mine.critics.gaussian import GaussianCritic
from mine.critics.wide import view
from mine.data.components import WideLayout
from mine.data.shrinkage import ledoit_wolf_shrinkage
from mine.data.splits import Fold, trimmed
from mine.estimators.base import base_rows, fit_base, made_to_fit
from mine.estimators.partition import bound_rows
from mine.estimators.wide.screen import Screened, screen
from mine.training.pairs import Pairs

__all__ = ["Side", "View", "canonical_view", "component_view", "copula_bounds", "preferred", "screened_view", "whole_view"]

#: The features of a side that a fold's critic reads: their numbers (c,), and their map (c, q) to what it reads or None.
Side: TypeAlias = tuple[Tensor, "Tensor | None"]

#: Most screened columns of a side, and fewest.
MOST_COLUMNS, FEWEST_COLUMNS = 48, 2
#: Features of labels up to which components stand next to all of them: pixels that are seldom lit are labels too.
MOST_LABELS = 32
#: Rows that a screen reads.
SCREENED_ROWS = 20_000
#: Columns of both sides up to which canonical directions of all of them are sought, most of these, and the number of standard
#: errors by which they must correlate on validation rows.
CANONICAL_COLUMNS, MOST_DIRECTIONS, SURELY = 1200, 64, 4.0


@dataclass(frozen=True)
class View:
    """What the critics of the folds read.

    Attributes:
        name: For the diagnostics.
        sides: The features of x and of y, one pair per fold; every fold has as many of them.
        dims: How many of them, from the first on, are normal scores for a copula to read; (0, 0) if there is no copula.
        bases: The copulas of the folds where they are known already.
        on_pairs: Whether the network reads the pair itself, which only few features allow.
    """

    name: str
    sides: list[tuple[Side, Side]]
    dims: tuple[int, int]
    bases: list[GaussianCritic] | None = None
    on_pairs: bool = False

    def of_folds(self, folds: list[int]) -> View:
        """The view of these folds only."""
        bases = None if self.bases is None else [self.bases[k] for k in folds]
        return replace(self, sides=[self.sides[k] for k in folds], bases=bases)

    def read(self, pairs: Pairs, folds: list[Fold]) -> tuple[Pairs, list[Fold]]:
        """The view as data of their own: every fold has its own copy of all rows, and its row numbers in it."""
        assert isinstance(pairs.x, Tensor) and isinstance(pairs.y, Tensor)
        n = len(pairs.x)
        x, y = (torch.cat([view(side, *read[i]) for read in self.sides]) for i, side in enumerate((pairs.x, pairs.y)))
        groups = None if pairs.groups is None else pairs.groups.repeat(len(folds))
        moved = [Fold(f.train + k * n, f.validation + k * n, f.evaluation + k * n) for k, f in enumerate(folds)]
        return Pairs(x, y, groups), moved

    def copulas(self, data: Pairs, folds: list[Fold]) -> tuple[GaussianCritic, Tensor]:
        """The folds' copulas of the view's ``data``, stacked, and the weights of their directions, shape (M, 1, r)."""
        if self.bases is not None:
            stacked = GaussianCritic.stacked(self.bases)
            return stacked, stacked.correlations
        fitted, weights = [], []
        for fold in folds:
            x, y, part = base_rows(data, fold, *self.dims)
            fitted.append(fit_base(x, y, part))
            weights.append(direction_weights(fitted[-1], *(torch.as_tensor(side[part.validation]) for side in (x, y))))
        return GaussianCritic.stacked(fitted), torch.stack(weights)


def component_view(layouts: Sequence[WideLayout], count: int, folds: int, *, copula: bool) -> View:
    """The first ``count`` principal components of wide sides, all columns of narrow ones, and labels if they are few.

    With ``copula`` they are read ranked, for a copula, and plain; otherwise plain.
    """
    sides = [_components(layout, count, ranked=copula) for layout in layouts]
    dims = [min(count, layout.components) or layout.columns for layout in layouts]
    name = "components " + _of(dims, layouts)
    both = ((sides[0], None), (sides[1], None))
    return View(name + ("" if copula else ", without a copula"), [both] * folds, (dims[0], dims[1]) if copula else (0, 0))


def _components(layout: WideLayout, count: int, *, ranked: bool) -> Tensor:
    d, k = layout.columns, layout.components
    labels = torch.arange(d, d + layout.labels if layout.labels <= MOST_LABELS or layout.is_label else d)
    if not k:
        return torch.cat([torch.arange(d), labels])
    start, count = d + layout.labels, min(count, k)
    first, plain = torch.arange(start, start + count), torch.arange(start + k, start + k + count)
    return torch.cat([first, plain, labels] if ranked else [plain, labels])


def preferred(views: list[View], pairs: Pairs, folds: list[Fold]) -> list[View]:
    """The views whose copulas bound best, without a network, on the validation rows of some fold."""
    bounds = [copula_bounds(candidate, pairs, folds) for candidate in views]
    winners = np.argmax(bounds, 0)
    return [candidate for i, candidate in enumerate(views) if i in winners]


def copula_bounds(view: View, pairs: Pairs, folds: list[Fold]) -> np.ndarray:
    """The bound of each fold's copula of a view, without a network, on the fold's validation rows: (folds,)."""
    data, moved = view.read(pairs, folds)
    parts = [base_rows(data, fold, *view.dims) for fold in moved]
    validation = [tuple(torch.as_tensor(side[part.validation]) for side in (x, y)) for x, y, part in parts]
    return np.array([float(bound_rows(fit_base(*part), *rows).mean()) for part, rows in zip(parts, validation, strict=True)])


def screened_view(pairs: Pairs, layouts: Sequence[WideLayout], folds: list[Fold]) -> View | None:
    """The columns that each fold's training rows show to depend on a column of the other side; None if no fold shows any."""
    found = [_screened(pairs, layouts, fold) for fold in folds]
    passing = [[int((getattr(s, side) > s.chance).sum()) for s in found] for side in ("x", "y")]
    if not any(map(sum, passing)):
        return None
    chosen, dims = [], []
    for side, layout, counts in zip(("x", "y"), layouts, passing, strict=True):
        numbers = min(MOST_COLUMNS, max(FEWEST_COLUMNS, *counts), layout.columns)
        # One column of labels alone has a score for each level: it needs all of them.
        labels = layout.labels if layout.is_label else min(MOST_COLUMNS, max(FEWEST_COLUMNS, *counts), layout.labels)
        chosen.append([_strongest(getattr(s, side), layout.columns, numbers, labels) for s in found])
        dims.append(numbers)
    sides: list[tuple[Side, Side]] = [((x, None), (y, None)) for x, y in zip(*chosen, strict=True)]
    name = "screened columns " + _of(dims, layouts) if max(dims) else "screened labels"
    return View(name, sides, (dims[0], dims[1]) if min(dims) else (0, 0))


def whole_view(layouts: Sequence[WideLayout], folds: int) -> View:
    """All columns, and the plain components of a wide side: many labels may each tell a little that no component holds."""
    sides = []
    for layout in layouts:
        features, k = layout.columns + layout.labels, layout.components
        sides.append((torch.cat([torch.arange(features), torch.arange(features + k, features + 2 * k)]), None))
    return View("all columns and components", [(sides[0], sides[1])] * folds, (0, 0))


def _screened(pairs: Pairs, layouts: Sequence[WideLayout], fold: Fold) -> Screened:
    rows = torch.as_tensor(trimmed([fold], SCREENED_ROWS, seed=0)[0].train, device=pairs.x.device)
    x, y = pairs.rows(rows)
    return screen(*(side[:, : layout.columns + layout.labels] for side, layout in zip((x, y), layouts, strict=True)))


def _strongest(strength: Tensor, columns: int, numbers: int, labels: int) -> Tensor:
    """The ``numbers`` strongest of the first ``columns``, then the ``labels`` strongest of the others."""
    first = strength[:columns].argsort(descending=True, stable=True)[:numbers]
    rest = columns + strength[columns:].argsort(descending=True, stable=True)[:labels]
    return torch.cat([first, rest if columns else rest.sort().values])


def canonical_view(pairs: Pairs, layouts: Sequence[WideLayout], folds: list[Fold]) -> View | None:
    """Canonical directions of all columns, fitted to training rows, that correlate on validation rows too; None without any.

    They see what is spread over many columns, each of them too weak to be screened, if it is monotone. Their correlations are
    those of the validation rows, since on training rows chance alone correlates hundreds of columns.
    """
    dx, dy = (layout.columns for layout in layouts)
    if dx + dy > CANONICAL_COLUMNS or min(dx, dy) == 0:
        return None
    fitted = [_validated(*base_rows(pairs, fold, dx, dy)) for fold in folds]
    count = min(MOST_DIRECTIONS, max(int((r > 0).sum()) for *_, r in fitted))
    if not count:
        return None
    sides: list[tuple[Side, Side]] = []
    bases = []
    for map_x, map_y, r in fitted:
        columns = [torch.arange(layout.columns) for layout in layouts]
        sides.append(((columns[0], map_x[:, :count].float()), (columns[1], map_y[:, :count].float())))
        zero, eye = torch.zeros(1, count, dtype=r.dtype), torch.eye(count, dtype=r.dtype)
        bases.append(GaussianCritic(zero, zero, eye, eye, r[None, :count]))
    data, moved = View("", sides, (count, count)).read(pairs, folds)
    checked = []
    for base, fold in zip(bases, moved, strict=True):
        x, y = data.rows(torch.as_tensor(fold.validation, device=pairs.x.device))
        checked.append(made_to_fit(base, x.cpu().double(), y.cpu().double()))
    return View("canonical directions " + _of([count, count], layouts), sides, (count, count), checked)


def _validated(x: np.ndarray, y: np.ndarray, fold: Fold) -> tuple[Tensor, Tensor, Tensor]:
    """Maps to canonical directions, of unit variance on the validation rows, and their correlations there, 0 where not sure.

    The surest come first; all have r columns.
    """
    train, validation = fold.train, fold.validation
    diagonal = ledoit_wolf_shrinkage(np.concatenate([x[train], y[train]], 1))
    gaussian = GaussianCritic.fit(x[train], y[train], diagonal=diagonal, floor=1 / len(train))
    u, v = gaussian.encode_x(torch.as_tensor(x[validation])), gaussian.encode_y(torch.as_tensor(y[validation]))
    scale_u, scale_v = (side.square().mean(0).sqrt().clamp(min=1e-9) for side in (u, v))
    correlation = (u * v).mean(0) / (scale_u * scale_v)
    sure = torch.where(correlation * len(validation) ** 0.5 > SURELY, correlation, 0.0)
    r = (sure.square() - sure.gt(0) / len(validation)).clamp(min=0, max=1 - 1 / len(train)).sqrt()
    order = r.argsort(descending=True, stable=True)
    return (gaussian.map_x / scale_u)[:, order], (gaussian.map_y / scale_v)[:, order], r[order]


def _of(counts: Sequence[int], layouts: Sequence[WideLayout]) -> str:
    """What is read of how many columns: ``"16 + 3 of 512 + 3 columns"``; of labels alone how many levels they have."""
    if all(layout.columns for layout in layouts):
        widths = " + ".join(str(layout.columns) for layout in layouts) + " columns"
    else:
        widths = " + ".join(
            f"{layout.columns or layout.labels} {'columns' if layout.columns else 'levels'}" for layout in layouts
        )
    return " + ".join(map(str, counts)) + " of " + widths

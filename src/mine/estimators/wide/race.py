"""Views of wide sides compete: each is trained briefly, every fold keeps the best on its own validation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from mine.bounds import Bound
from mine.critics.combined import ResidualCritic
from mine.critics.critic import Critic
from mine.critics.label import LabelCritic
from mine.critics.networks import ConcatCritic
from mine.critics.wide import DropoutMetricCritic, ViewCritic, WideCritic
from mine.data.components import WideLayout
from mine.data.splits import Fold
from mine.estimators.evaluation import ReportedBound, selection_rows
from mine.estimators.folds import even_rows
from mine.estimators.wide.views import View, canonical_view, component_view, preferred, screened_view, whole_view
from mine.training.evaluation import evaluate_scores
from mine.training.loop import train_critic
from mine.training.options import History, TrainingOptions
from mine.training.pairs import Pairs
from mine.training.processes import ProcessGroup

__all__ = ["WideTraining", "inputs_of"]

#: Components read by a copula and a network, and by a network alone.
WITH_COPULA, WITHOUT_COPULA = (4, 8, 16, 32), 32
#: Share of hidden units left out beside a copula, which leaves little to learn, and without one.
DROPOUT_WITH_COPULA, DROPOUT = 0.15, 0.4
#: Screened columns of a side up to which a network that reads pairs is tried; its widths, rate and shuffles.
PAIR_COLUMNS, PAIR_NETWORK, PAIR_RATE, PAIR_SHUFFLES = 8, (64, 64, 64), 1.5e-2, 2
#: Levels and columns of a side up to which all of them are read at once.
MOST_LEVELS = 1000
#: Levels and columns of a side up to which all of them are read at once.
MOST_LEVELS = 1000
#: Rate of a classifier of labels.
LABEL_RATE = 5e-3
#: Steps and batch of the race, as shares of the training's, and fewest steps.
RACE_STEPS, RACE_BATCH, FEWEST_STEPS = 0.25, 0.5, 120
#: Features of a side up to which steps cost little; with more, so large a share of the steps is taken.
SMALL, PACE = 16, 0.5
#: Share of the distance between the bounds on training and on validation rows that a view is marked down by in the race.
OVERFITTED = 0.5
#: Standard errors by which a critic's bound on validation rows must exceed 0: the best of several views and many validations is
#: somewhat above it if there is nothing to find, and below it on other rows.
SURELY = 2.0


@dataclass(frozen=True)
class WideTraining:
    """How critics of wide sides are trained.

    Attributes:
        bound: The bound that trains them.
        kind: The bound that is reported, which also chooses.
        hidden: Widths of their towers.
        activation: Their activation.
        options: Maximum number of steps, batch size and rates.
        seed: Of everything random.
        on_progress: Called with (part, parts) gives the function that a training reports its progress to, or None.
        label: The side that is one column of labels, if either is: its critic is a classifier.
        processes: Processes that share every batch, or None.
    """

    bound: Bound
    kind: ReportedBound
    hidden: tuple[int, ...]
    activation: str
    options: TrainingOptions
    seed: int
    on_progress: Callable[[int, int], Callable[[int, int, float], None] | None]
    label: Literal["x", "y", ""] = ""
    processes: ProcessGroup | None = None

    def run(self, pairs: Pairs, layouts: Sequence[WideLayout], folds: list[Fold]) -> tuple[list[Critic], list[History]]:
        """The critics of the folds, which read the features of the layouts, and the histories of their trainings."""
        views = self._views(pairs, layouts, folds)
        short = replace(
            self.options,
            steps=min(self.options.steps, max(FEWEST_STEPS, round(RACE_STEPS * self.options.steps))),
            batch_size=max(2, round(RACE_BATCH * self.options.batch_size)),
        )
        parts = len(views) + round(1 / RACE_STEPS)
        bounds = torch.stack(
            [self._merit(*self._trained(candidate, pairs, folds, short, (i, parts))[:2]) for i, candidate in enumerate(views)]
        )
        winners = bounds.argmax(0).tolist()
        critics: dict[int, Critic] = {}
        histories = []
        for i in sorted(set(winners)):
            own = [k for k, winner in enumerate(winners) if winner == i]
            view = views[i].of_folds(own)
            single, data, history = self._trained(view, pairs, [folds[k] for k in own], self.options, (len(views), parts))
            shares = [float(_surely_positive(rows)) for rows in self._contributions(single, *data)]
            for k, critic, share, sides in zip(own, single, shares, view.sides, strict=True):
                critics[k] = ViewCritic(critic, view.name if share else "nothing", share, *sides)
            histories.append(history)
        return [critics[k].to(pairs.x.device) for k in range(len(folds))], histories

    def _views(self, pairs: Pairs, layouts: Sequence[WideLayout], folds: list[Fold]) -> list[View]:
        counted = [component_view(layouts, count, len(folds), copula=True) for count in WITH_COPULA]
        screened = screened_view(pairs, layouts, folds)
        views = [
            *([] if self.label else preferred(list({v.dims: v for v in counted}.values()), pairs, folds)),
            component_view(layouts, WITHOUT_COPULA, len(folds), copula=False),
            screened,
            canonical_view(pairs, layouts, folds),
            whole_view(layouts, len(folds)) if _labels_at_once(layouts) else None,
        ]
        if screened is not None and max(screened.dims) <= PAIR_COLUMNS and not self.label:
            views.append(replace(screened, name=f"{screened.name}, by pairs", on_pairs=True))
        return [v for v in views if v is not None]

    def _trained(
        self, view: View, pairs: Pairs, folds: list[Fold], options: TrainingOptions, part: tuple[int, int]
    ) -> tuple[list[Critic], tuple[Pairs, list[Fold]], History]:
        """One critic per fold for the data of the view, and these data."""
        data, moved = view.read(pairs, folds)
        critic = self._critic(view, data, moved).to(pairs.x.device)
        small = max(data.x.shape[1], data.y.shape[1]) <= SMALL
        steps = options.steps if small else max(1, round(PACE * options.steps))
        options = replace(options, steps=steps, eval_every=max(1, steps // 40))
        if self.label:
            options = replace(options, learning_rate=LABEL_RATE)
        if view.on_pairs:
            options = replace(options, learning_rate=PAIR_RATE, all_pairs=False, shuffles=PAIR_SHUFFLES)
        history = train_critic(
            critic,
            self.bound,
            data,
            even_rows([f.train for f in moved], self.seed, pairs.x.device),
            even_rows([f.validation for f in moved], self.seed, pairs.x.device),
            options,
            contributions=partial(selection_rows, self.kind),
            seed=self.seed,
            on_progress=self.on_progress(*part),
            processes=self.processes,
        )
        return [critic.select(k) for k in range(len(folds))], (data, moved), history

    def _critic(self, view: View, data: Pairs, folds: list[Fold]) -> Critic:
        widths = (data.x.shape[1], data.y.shape[1])
        generator = torch.Generator().manual_seed(self.seed + 1)
        if self.label:
            levels, others = widths if self.label == "x" else (widths[1], widths[0])
            return LabelCritic(
                levels,
                others,
                self.hidden,
                labels=self.label,
                activation=self.activation,
                stack=(len(folds),),
                generator=generator,
            )
        if view.dims == (0, 0):
            return DropoutMetricCritic(
                *widths,
                self.hidden,
                dropout=DROPOUT,
                seed=self.seed,
                activation=self.activation,
                stack=(len(folds),),
                generator=generator,
            )
        gaussian, weights = view.copulas(data, folds)
        if view.on_pairs:
            network = ConcatCritic(
                *widths,
                PAIR_NETWORK,
                activation=self.activation,
                stack=(len(folds),),
                zero_init=True,
                generator=generator,
            )
            return ResidualCritic(gaussian.float(), network, base_dx=view.dims[0], base_dy=view.dims[1])
        return WideCritic(
            gaussian.float(),
            weights.float(),
            view.dims,
            widths,
            hidden=self.hidden,
            dropout=DROPOUT_WITH_COPULA,
            activation=self.activation,
            seed=self.seed,
            generator=generator,
        )

    def _merit(self, critics: list[Critic], view: tuple[Pairs, list[Fold]]) -> Tensor:
        """The bound of each fold's critic on its validation rows, less a share of what it is higher on training rows: (folds,).

        Of two views that are equally good after a few steps, the one that has learnt less of its training rows by heart goes
        farther, and its two bounds stay nearer to each other.
        """
        data, folds = view
        held_out = torch.stack([rows.mean() for rows in self._contributions(critics, data, folds)])
        fitted = [replace(f, validation=f.train[: len(f.validation)]) for f in folds]
        on_train = torch.stack([rows.mean() for rows in self._contributions(critics, data, fitted)])
        return held_out - OVERFITTED * (on_train - held_out).clamp(min=0)

    def _contributions(self, critics: list[Critic], data: Pairs, folds: list[Fold]) -> list[Tensor]:
        """Contributions to the bound of each fold's critic on its validation rows."""
        out = []
        for critic, fold in zip(critics, folds, strict=True):
            rows = torch.as_tensor(fold.validation, device=data.x.device)
            shuffles = max(4, min(32, (1 << 14) // len(rows)))
            joint, marginal, _ = evaluate_scores(critic, data, rows, shuffles, torch.Generator().manual_seed(self.seed))
            out.append(selection_rows(self.kind, joint, marginal))
        return out


def _labels_at_once(layouts: Sequence[WideLayout]) -> bool:
    """Whether the components of a side are those of its labels, and all their levels are few enough to be read at once."""
    return (
        any(layout.of_labels for layout in layouts) and max(layout.columns + layout.labels for layout in layouts) <= MOST_LEVELS
    )


def _surely_positive(rows: Tensor) -> bool:
    return bool(rows.mean() > SURELY * rows.std(correction=0) / len(rows) ** 0.5)


def inputs_of(critics: Sequence[Critic]) -> str:
    """What the critics of a wide estimate read, for the diagnostics; every fold has chosen for itself.

    >>> inputs_of([])
    ''
    """
    names = [c.name for c in critics if isinstance(c, ViewCritic)]
    return "; ".join(f"{name} ({names.count(name)} of {len(names)} folds)" for name in dict.fromkeys(names))

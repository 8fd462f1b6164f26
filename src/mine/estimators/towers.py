"""Inputs of more than two dimensions: critics made for images and sequences, which of them, and how they are trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from mine.critics.builders import CRITICS, candidates, tower_critic
from mine.critics.critic import Critic
from mine.critics.towers import SequenceTower
from mine.critics.two_towers import TowerCritic
from mine.data.preprocessing import Preprocess, SideEncoder
from mine.data.problem import Problem
from mine.data.shaped import ShapedEncoder
from mine.data.splits import Fold
from mine.data.variable import Variable
from mine.errors import UnknownNameError
from mine.estimators.evaluation import ReportedBound, selection_rows
from mine.estimators.fit import CrossFit, Trained
from mine.estimators.folds import pairs_of
from mine.result import Estimate
from mine.training.evaluation import evaluate_scores
from mine.training.options import History, TrainingOptions
from mine.training.pairs import Pairs

__all__ = ["TOWER_FOLDS", "TOWER_PACE", "Towers", "Trainer", "late_gain", "shape_critics", "widened_by_late_gain"]

#: Number of folds, which train one after another; how long, by effort.
TOWER_FOLDS = 3
TOWER_PACE = {"fast": 0.4, "default": 1.0, "thorough": 2.0}
#: Passes through the training rows by kind, and the fewest steps; both are multiplied by the pace of the effort. With more
#: passes, critics of images learn their rows by heart: rectangles of 24 x 24 pixels from 10,000 rows gave 2.72 nats on held-out
#: rows after 14 passes and 2.73 after 10. Sequences lose little: of 1.79 nats 14 passes found 1.64, and 10 found 1.61.
PASSES: dict[str, int] = {"conv": 10, "sequence": 11, "mlp": 10}
FEWEST_STEPS = 250
#: How many times as long critics of shifted images are trained: each pass shows them other images. Two digits side by side
#: from 10,000 rows gave 4.01 nats on held-out rows after 10 passes, and 4.16 after 15.
LONGER_IF_SHIFTED = 1.5
#: Maximum number of multiplications of the forward passes of one training, multiplied by the pace: about a minute on one
#: core. A limit in seconds would make results depend on the machine.
MOST_WORK = 3e11
#: Rows per batch by kind, all pairs of which are scored. Steps count more than rows: of sequences, 1,000 steps found 1.93 of
#: 2.36 nats by 256 rows each, and 1.89 by 64, in a quarter of the time.
BATCHES: dict[str, int] = {"conv": 128, "sequence": 64, "mlp": 128}
#: Learning rate of AdamW by kind, and of the orthogonal updates of matrices, which change with it if the user sets it.
RATES: dict[str, float] = {"conv": 5e-3, "sequence": 1e-2, "mlp": 5e-3}
ORTHOGONAL_RATE = 0.02
#: Share of the steps over which weights are averaged; number of validations, and how many without a gain end
#: the training: half of them, for a deep critic may stand still for a third of its steps before it finds more.
AVERAGING, VALIDATIONS, PATIENCE = 0.15, 12, 6
#: Gain in the second half of all steps, in nats or as a share of the bound, from which longer training would gain more. The
#: falling rate ends every training on a plateau, so that the last steps alone do not show it.
RISING = 0.05
#: By how much longer the other folds are trained if the first one gained more than this share of its bound in its second half.
LONGER, GAINED_LATE = 1.5, 0.1
#: How often that gain may come again: once, and more often after fewer than so many steps. Of images and curves of 2,000 rows
#: 100 steps found 2.8 of 4 nats with .46 of them in the second half; of two digits side by side 660 steps 3.7 of 4.6 with .8.
AGAIN_STEPS = 250
#: Critics of sequences miss about so many times their value, divided by the number of rows, without any other sign of it: of
#: 2.36 nats 2,000 rows showed 1.40 to 1.76, and 10,000 rows 2.10 (suite "structured").
MISSED_IN_SEQUENCES = 1200.0
#: Share of the steps that kinds of critics compete over.
RACE = 0.15
#: How critics of a kind are regularised. If there are two ways, both are trained on the first fold to the end: what overfits
#: leads at first, and of digits it ended .13 nats below. Sequences lose nothing by dropout. With shifts by two pixels in place
#: of one, and a dropout of .05 in place of .1, two digits from 2,000 rows gave .2 nats more on held-out rows.
REGULARISED: dict[str, tuple[dict[str, Any], ...]] = {
    "conv": ({}, {"dropout": 0.05, "shift": 2}),
    "sequence": ({"dropout": 0.2},),
    "mlp": ({}, {"dropout": 0.3}),
}

#: Trains a critic on a fold: (critic, pairs, fold, options, seed) -> history.
Trainer = Callable[[Critic, Pairs, Fold, TrainingOptions, int], History]


@dataclass(frozen=True)
class _Entry:
    """A critic that was trained on a fold.

    Attributes:
        critic: The critic.
        history: Of its training.
        bound: Its bound (nats) on the validation rows.
    """

    critic: TowerCritic
    history: History
    bound: float


@dataclass(frozen=True)
class _Choice:
    """What critics are made of, and what they read.

    Attributes:
        kind: One of ``CRITICS``.
        settings: How they are regularised.
        encoders: The fitted encoders of the two sides.
        pairs: The features.
    """

    kind: str
    settings: dict[str, Any]
    encoders: list[ShapedEncoder]
    pairs: Pairs


def shape_critics(critic: Any, problem: Problem) -> tuple[str, ...]:
    """The kinds of critics to try: the one named by ``critic``, those that suit the shapes, or none for flat rows.

    Raises:
        UnknownNameError: ``critic`` is a string that names none.
    """
    if isinstance(critic, str):
        if critic not in CRITICS:
            raise UnknownNameError("critic", critic, CRITICS)
        return (critic,)
    if critic is not None:
        return ()
    return candidates(problem.x.continuous.shape[1:], problem.y.continuous.shape[1:])


@dataclass(frozen=True)
class Towers:
    """Critics of two towers, trained fold after fold.

    Attributes:
        kinds: Those that compete, on the first fold.
        train: Trains one.
        options: Options of the training; steps, rate and validations are set here where the user left them.
        reported: The bound that chooses.
        encoder: How flat sides are read.
        pace: How long to train, 1 for effort ``"default"``.
        steps: The number of steps that the user asked for, or None.
        learning_rate: The rate that the user asked for, or None.
        batch_size: The batch that the user asked for, or None.
        hidden: Widths of the dense layers, or None.
        activation: As for :class:`mine.critics.ConcatCritic`.
    """

    kinds: tuple[str, ...]
    train: Trainer
    options: TrainingOptions
    reported: ReportedBound
    encoder: SideEncoder
    pace: float
    steps: int | None
    learning_rate: float | None
    batch_size: int | None
    hidden: Sequence[int] | None
    activation: str

    def run(self, problem: Problem, folds: list[Fold], seed: int) -> Trained:
        """Choose the kind and how it is regularised on the validation rows of the first fold, then train on the others.

        They are trained for longer if the first one was still gaining much.
        """
        choices = self._choices(problem, folds[0], seed)
        choice, first = self._best(choices, folds[0], seed)
        share = LONGER if _is_rising(first.history, first.bound, GAINED_LATE) else 1.0
        entries = [first, *(self._entry(choice, fold, seed + 3 * k, share) for k, fold in enumerate(folds) if k)]
        critics: list[Critic] = [entry.critic for entry in entries]
        steps = max(entry.history.most_steps for entry in entries)
        words = _words(choice.kind, first.critic, choice.settings)
        return Trained(folds, critics, [e.history for e in entries], list(choice.encoders), choice.pairs, steps, words)

    def _choices(self, problem: Problem, fold: Fold, seed: int) -> list[_Choice]:
        """The ways to regularise the kind that does best after a share of the steps."""
        kinds = []
        for kind in self.kinds:
            encoders = [_encoder(side, kind, self.encoder) for side in (problem.x, problem.y)]
            kinds.append(_Choice(kind, REGULARISED[kind][0], encoders, pairs_of(problem, list(encoders))))
        best = kinds[0] if len(kinds) == 1 else self._best(kinds, fold, seed, share=RACE)[0]
        return [replace(best, settings=settings) for settings in REGULARISED[best.kind]]

    def _best(self, choices: list[_Choice], fold: Fold, seed: int, share: float = 1.0) -> tuple[_Choice, _Entry]:
        """The choice whose critic, after a share of the steps, has the largest bound on validation rows; and that critic."""
        entries = [self._entry(choice, fold, seed, share) for choice in choices]
        best = max(range(len(choices)), key=lambda i: entries[i].bound)
        return choices[best], entries[best]

    def _entry(self, choice: _Choice, fold: Fold, seed: int, share: float = 1.0) -> _Entry:
        """A critic trained on the fold, for a share of the usual steps."""
        pairs = choice.pairs
        critic = tower_critic(
            choice.kind,
            tuple(pairs.x.shape[1:]),
            tuple(pairs.y.shape[1:]),
            hidden=self.hidden,
            activation=self.activation,
            generator=torch.Generator().manual_seed(seed),
            **choice.settings,
        ).to(pairs.x.device)
        options = self._options(choice, critic, fold, share)
        history = self.train(critic, pairs, fold, options, seed)
        bound = self._bound(critic, pairs, fold.validation, seed)
        history.converged = history.converged and not _is_rising(history, bound)
        return _Entry(critic, history, bound)

    def _options(self, choice: _Choice, critic: TowerCritic, fold: Fold, share: float) -> TrainingOptions:
        n, kind = len(fold.train), choice.kind
        batch = min(n, self.batch_size or BATCHES[kind])
        longer = LONGER_IF_SHIFTED if choice.settings.get("shift") else 1.0
        wanted = self.steps or longer * self.pace * max(PASSES[kind] * n / batch, FEWEST_STEPS)
        most = self.steps or self.pace * MOST_WORK / (critic.work * batch)
        steps = max(1, int(min(share * wanted, min(1.0, share) * most)))
        rate = self.learning_rate or RATES[kind]
        return replace(
            self.options,
            steps=steps,
            batch_size=batch,
            learning_rate=rate,
            orthogonal_rate=ORTHOGONAL_RATE * rate / RATES[kind],
            averaging=self.options.averaging or AVERAGING,
            eval_every=max(1, steps // VALIDATIONS),
            patience=min(self.options.patience, PATIENCE),
            all_pairs=True,
        )

    def _bound(self, critic: Critic, pairs: Pairs, rows: np.ndarray, seed: int) -> float:
        index = torch.as_tensor(rows, device=pairs.x.device)
        generator = torch.Generator().manual_seed(seed)
        joint, marginal, _ = evaluate_scores(critic, pairs, index, min(32, len(rows) - 1), generator)
        return float(selection_rows(self.reported, joint, marginal).mean())


def late_gain(history: History) -> float:
    """How far (nats) the bound on validation rows rose in the second half of all steps; 0 if training ended before.

    >>> steps, bounds = [0, 5, 10], [0.0, 1.0, 1.25]
    >>> late_gain(History(steps, validation=bounds, most_steps=10)), late_gain(History(steps, validation=bounds, most_steps=20))
    (0.25, 0.0)
    """
    best, steps = max(history.validation), history.most_steps
    if history.step[history.validation.index(best)] <= 0.9 * steps:
        return 0.0
    return best - max(bound for step, bound in zip(history.step, history.validation, strict=True) if step <= 0.5 * steps)


def _is_rising(history: History, bound: float, share: float = RISING) -> bool:
    """Whether training gained more than this share of the bound in its second half, so that a longer one would gain more."""
    return late_gain(history) > max(RISING, share * bound)


def widened_by_late_gain(estimate: Estimate, fit: CrossFit) -> Estimate:
    """``estimate`` whose interval reaches higher by what longer training, judged by its second half, and more rows may gain."""
    if not isinstance(fit.critics[0], TowerCritic):
        return estimate
    gain = float(np.mean([late_gain(history) for history in fit.histories]))
    more = (1 + AGAIN_STEPS / fit.steps) * gain
    towers = (fit.critics[0].tower_x, fit.critics[0].tower_y)
    sequences = any(isinstance(tower, SequenceTower) for tower in towers)
    missed = MISSED_IN_SEQUENCES / fit.problem.independent_rows * max(0.0, estimate.value) if sequences else 0.0
    low, high = estimate.interval
    high = estimate.value + math.hypot(high - estimate.value, more, missed)
    return replace(estimate, interval=(low, high), diagnostics={**estimate.diagnostics, "late_gain": gain})


def _encoder(side: Variable, kind: str, flat: SideEncoder) -> ShapedEncoder:
    axes = side.continuous.ndim - 1
    channels = "last" if kind == "sequence" and axes == 2 else "first" if axes > 2 else None
    preprocess = cast("Preprocess", flat.preprocess)
    return ShapedEncoder(preprocess, both=flat.both, channels=channels).fit(side)


def _words(kind: str, critic: TowerCritic, settings: dict[str, Any]) -> str:
    """The critic, for the diagnostics."""
    shared = ", one tower for both sides" if critic.tower_x is critic.tower_y else ""
    dropout = f", dropout {settings['dropout']}" if settings.get("dropout") else ""
    shift = ", trained on shifted images" if settings.get("shift") else ""
    return f"{kind}{shared}{dropout}{shift}"

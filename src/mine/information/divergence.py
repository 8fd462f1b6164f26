"""``mine.kl_divergence``: the Donsker-Varadhan bound between two samples, by the critics and the honesty of the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from mine.data.parsing import ReadColumn, read_texts
from mine.data.preprocessing import RankGaussianizer, RobustLogScaler
from mine.data.problem import problem_device, problem_seed
from mine.data.rows import MIN_ROWS, complete_rows, equally_long, infinite_sentence, rereadable
from mine.data.sides import as_variable
from mine.data.sources import read_source
from mine.data.splits import Fold, make_folds
from mine.errors import InputError, UnknownNameError, renamed_arguments
from mine.estimators.crossfit import interval_half_width
from mine.estimators.options import check_integers, check_widths
from mine.estimators.ratio import FEWEST_EFFECTIVE, RatioCritics, RatioPart, gaussian_ratio, told_in_steps, train_ratio
from mine.estimators.run import with_read_columns
from mine.progress import progress_callback
from mine.result import UNITS, Estimate
from mine.surroundings import plain_modes

__all__ = ["kl_divergence"]

#: Share of the rows of p, where no row of q lies, from which on nothing bounds the divergence from above. Normals one deviation
#: apart have a share of 0.003, normals two apart of 0.15.
BEYOND_Q = 0.1
#: Then scores end at the so-manieth highest of the rows of q that the critic was trained on. Where no row of q lies a score may
#: be anything: it raises the mean over p, and no held-out row of q is there to answer for it in the partition term.
HIGHEST_KEPT = 3


@renamed_arguments()
@plain_modes()
def kl_divergence(
    samples_p: Any,
    samples_q: Any,
    *,
    steps: int = 600,
    batch_size: int = 512,
    hidden: tuple[int, ...] = (64, 64),
    n_folds: int = 5,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Estimate:
    r"""The Kullback-Leibler divergence of the law p of one sample from the law q of another: ``KL(p || q) = E_p[log p / q]``.

    A critic T starts from the log-ratio of two fitted Gaussians and is trained to distinguish the samples. ``lower_bound`` is
    ``E_p[T] - log E_q[exp T]`` on rows that no critic saw; ``value`` adds half of its distance to the bound on training rows.
    Rows of q must reach wherever p has mass. Otherwise the divergence is infinite or indistinguishable from infinite, and a
    warning says so.

    References:
        Donsker & Varadhan, 1983; Belghazi et al., 2018 (arXiv 1801.04062), theorem 1.

    Arguments:
        samples_p: Rows drawn from p: shape (n,) or (n, d), numbers.
        samples_q: Rows drawn from q, independent of them: shape (m,) or (m, d).
        steps: Maximum number of optimiser steps; the best is chosen on the validation rows.
        batch_size: Rows of either sample per step.
        hidden: Widths of the critic's hidden layers.
        n_folds: Critics, each reporting on its own part of both samples.
        device: Where to train.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator.
        drop_missing: Leave out the rows with a missing or infinite value of either sample instead of raising; ``diagnostics``
            counts them.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`; both samples are read together.
        progress: As in :func:`mine.estimate`; counts steps.

    Returns:
        An :class:`~mine.Estimate` whose ``pointwise()`` belongs to the rows of p, and whose ``n`` is their number.

    Raises:
        InputError: Labels, samples of different width, or data that cannot be used.
        NotEnoughDataError: Fewer than 20 rows of either.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = kl_divergence(rng.normal(1, 1, 2000), rng.normal(0, 1, 2000), steps=50, random_state=0)
        >>> abs(found.value - 0.5) < 0.1  # (1 - 0)^2 / 2
        True
    """
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    check_integers({"steps": steps, "batch_size": batch_size, "n_folds": n_folds}, {"steps": 1, "batch_size": 1, "n_folds": 2})
    check_widths(hidden)
    samples_p, samples_q, read = _read(parse, samples_p, samples_q)
    about_rows, n_dropped = [], 0
    if drop_missing:
        (samples_p,), (samples_q,) = equally_long(samples_p=samples_p), equally_long(samples_q=samples_q)
        about_rows = [
            f"{side}: {said}"
            for side, data in (("samples_p", samples_p), ("samples_q", samples_q))
            for said in infinite_sentence(data)
        ]
        (samples_p,), of_p = complete_rows(samples_p=samples_p)
        (samples_q,), of_q = complete_rows(samples_q=samples_q)
        n_dropped = of_p + of_q
    sides = [
        as_variable(data, name, False, allow_constant=True, min_rows=MIN_ROWS)
        for data, name in ((samples_p, "samples_p"), (samples_q, "samples_q"))
    ]
    for side in sides:
        if side.n_discrete:
            raise InputError(
                f"{side.name} has text or labels in {', '.join(side.discrete_columns)}: both samples must be numbers."
            )
    left, right = (side.flat for side in sides)
    if left.shape[1] != right.shape[1] or not left.shape[1]:
        raise InputError(
            f"samples_p has {left.shape[1]} columns of numbers and samples_q {right.shape[1]}: both need the same."
        )
    seeds = [int(s) for s in np.random.SeedSequence(problem_seed(random_state)).generate_state(3, np.uint32)]
    where = torch.device(problem_device(device))

    # One map for both samples leaves the divergence as it is; it is fitted without knowing which row is whose.
    both = np.concatenate([left, right])
    mapped = RobustLogScaler().fit_transform(both)
    seen = np.concatenate([mapped, RankGaussianizer(4096).fit_transform(both)], 1).astype(np.float32)
    folds = list(zip(make_folds(len(left), n_folds, seeds[0]), make_folds(len(right), n_folds, seeds[0] + 1), strict=True))
    base = np.stack([gaussian_ratio(mapped[p.train], mapped[len(left) :][q.train], mapped) for p, q in folds])
    table = torch.as_tensor(seen, device=where)
    model = RatioCritics(
        lambda index: table[index],
        torch.as_tensor(base.astype(np.float32), device=where),
        table.shape[1],
        hidden,
        torch.Generator().manual_seed(seeds[1]),
    )
    with progress_callback(progress) as on_progress:
        history = train_ratio(
            model, folds, len(left), steps=steps, batch_size=batch_size, seed=seeds[2], on_progress=told_in_steps(on_progress)
        )
    result = _report(model, folds, len(left), len(right), history)
    warnings = [*about_rows, *result.warnings]
    result = replace(result, diagnostics={**result.diagnostics, "warnings": warnings, "dropped_missing_rows": n_dropped})
    return with_read_columns(result, read).to(unit)


def _read(parse: bool, samples_p: Any, samples_q: Any) -> tuple[Any, Any, list[ReadColumn]]:
    """Both samples, with ``parse`` their columns of numbers written as text as numbers: those of q as those of p were."""
    if not parse:
        return samples_p, samples_q, []
    left, right = read_source(rereadable(samples_p), "samples_p"), read_source(rereadable(samples_q), "samples_q")
    (samples_p,), read = read_texts(parse, False, samples_p=left)
    names = dict(zip(left.names, right.names, strict=False))  # of other widths they are refused later
    known = [replace(column, name=names[column.name]) for column in read if column.name in names]
    (samples_q,), alike = read_texts(parse, False, known, samples_q=right)
    (samples_q,), others = read_texts(parse, False, samples_q=samples_q)
    return samples_p, samples_q, [*read, *alike, *others]


def _share_beyond(scores: np.ndarray, folds: list[tuple[Fold, Fold]], n: int) -> float:
    """Share of the rows of p whose held-out score is above that of every row of q."""
    of_p = np.concatenate([scores[k, p.evaluation] for k, (p, _) in enumerate(folds)])
    of_q = np.concatenate([scores[k, n + q.evaluation] for k, (_, q) in enumerate(folds)])
    return float((of_p > of_q.max()).mean())


def _report(model: RatioCritics, folds: list[tuple[Fold, Fold]], n: int, m: int, history: dict[str, list[float]]) -> Estimate:
    """Bound on held-out rows, half of its distance to that on the training rows, and the error of both samples."""
    scores = model.scores()
    beyond = _share_beyond(scores, folds, n)
    if beyond > BEYOND_Q:
        scores = np.minimum(scores, [[np.sort(scores[k, n + q.train])[-HIGHEST_KEPT]] for k, (_, q) in enumerate(folds)])
    rows, weights = np.empty(n), np.empty(m)
    on_train, effective = [], []
    for k, (fold_p, fold_q) in enumerate(folds):
        held = RatioPart.read(scores[k, fold_p.evaluation], scores[k, n + fold_q.evaluation])
        rows[fold_p.evaluation], weights[fold_q.evaluation] = held.rows, held.weights
        effective.append(held.effective)
        on_train.append(float(RatioPart.read(scores[k, fold_p.train], scores[k, n + fold_q.train]).rows.mean()))
    held_bound = float(rows.mean())
    correction = 0.5 * (float(np.mean(on_train)) - held_bound)
    stderr = math.sqrt(rows.var() / n + weights.var() / m)
    half_width = interval_half_width(stderr, correction, min(n, m))
    few = float(np.median(effective)) < min(FEWEST_EFFECTIVE, 0.25 * m / len(folds))
    warnings = []
    if few:
        warnings.append(
            f"Only about {np.median(effective):.0f} rows of q a fold lie where p has its mass: the value is a lower end, "
            "the divergence may be far larger or infinite."
        )
    if beyond > BEYOND_Q and not few:
        warnings.append(
            f"{beyond:.0%} of the rows of p lie where no row of q does: the value is a lower end, the divergence may be far "
            "larger or infinite."
        )
    few |= beyond > BEYOND_Q
    value = held_bound + correction
    return Estimate(
        value=value,
        lower_bound=held_bound,
        stderr=stderr,
        interval=(value - half_width, math.inf if few else value + half_width),
        method="kl divergence",
        n=n,
        history=history,
        diagnostics={
            "basis": "variational bound between two samples",
            "rows_of_q": m,
            "bias_correction": correction,
            "effective_rows_of_q": float(np.median(effective)),
            "share_of_p_beyond_q": beyond,
            "saturated": few,
            "warnings": warnings,
        },
        pointwise_values=rows,
    )

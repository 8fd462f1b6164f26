"""``mine.independence_test``: is there any dependence at all, and any that z does not explain?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from mine.conditional.given import CONSTANT, residuals, third_variable
from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles, equal_rows
from mine.data.columns import DiscreteSpec
from mine.data.encoders import encoded_sides
from mine.data.frames import as_frame
from mine.data.kernels import KernelFeatures, coordinates, kernel_statistics, pair_weights, strongest
from mine.data.parsing import read_texts
from mine.data.problem import Problem, make_problem, order_warnings, problem_device
from mine.data.rows import complete_rows, equally_long, infinite_sentence, times_sentence
from mine.data.variable import Variable
from mine.data.weights import refuse_weights
from mine.errors import InputError, renamed_arguments
from mine.independence.comparisons import strongest_comparison
from mine.independence.held_out import held_out_statistics
from mine.independence.label_products import product_statistics
from mine.progress import progress_callback, reported
from mine.surroundings import plain_modes

__all__ = ["IndependenceTest", "independence_test"]

#: Rows up to which critics in closed form are refitted on all of them; of more a random part is taken.
MOST_ROWS = 20_000


@dataclass(frozen=True)
class IndependenceTest:
    """The outcome of a permutation test. Plain data.

    Attributes:
        statistic: What was compared: large means dependent. Its scale has no meaning of its own.
        p_value: ``(b + 1) / (m + 1)``, b of the m permutations having a statistic at least as large.
        n_permutations: m, those that were drawn. No p-value is below ``1 / (m + 1)``.
        n: Rows whose y was permuted.
        method: ``"kernels"`` or ``"held-out critic"``.
        conditional: Whether the test is given z: then it is approximate, unless z is labels.
        warnings: Sentences to read before quoting the p-value.
        component: Which comparison contributes most to the statistic, for example ``"x: squares, y: linear"``: where a
            dependence was found, it says what kind. It is no test of its own. Empty for a held-out critic and given z.
    """

    statistic: float
    p_value: float
    n_permutations: int
    n: int
    method: str
    conditional: bool = False
    warnings: list[str] = field(default_factory=list)
    component: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The fields, JSON-ready."""
        return asdict(self)

    def to_frame(self) -> Any:
        """One row as a frame of pandas (or of polars or pyarrow where that is missing); the warnings as one text."""
        return as_frame(
            {name: [value] for name, value in {**self.to_dict(), "warnings": " ".join(self.warnings)}.items()}, None
        )

    def __str__(self) -> str:
        given = ", given z" if self.conditional else ""
        sign = "≤" if self.p_value <= 1.000001 / (self.n_permutations + 1) else "="  # more permutations: a smaller one
        about = f"{self.n_permutations:,} permutations, {self.method}{given}, n = {self.n:,}"
        lines = [f"p {sign} {self.p_value:.3g} ({about})"]
        if self.component and self.p_value <= 0.05:
            lines.append(f"  most of it in: {self.component}")
        return "\n".join([*lines, *(f"  ! {warning}" for warning in self.warnings)])


@renamed_arguments()
@plain_modes()
def independence_test(
    x: Any,
    y: Any,
    z: Any = None,
    *,
    n_permutations: int = 999,
    stop_early: bool = True,
    critic: Any = None,
    encoder: Any = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    device: str = "auto",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **options: Any,
) -> IndependenceTest:
    r"""Permutation test of "x and y are independent", or of "x and y are independent given z".

    Without z it is exact whatever the distribution: a share of at most alpha of independent data sets has a p-value of at most
    alpha. By default several views of each side (linear, radius, squares, kernels of three bandwidths, nearest rows) are
    compared on all rows, for every permutation of y anew, and the combination of the comparisons is permuted.
    With ``critic=`` a network is trained on one half of the rows and the other half permuted under it.

    With z, a regression on z is subtracted from both sides. The residuals are permuted only among rows whose z is near, which
    is approximate, or among rows of the same labels z, which is exact. With labels on a side and numbers in z nothing is
    permuted: the signs of the products of both residuals are flipped. See the page on significance for measured levels.

    References:
        Gretton et al., 2008, 'A kernel statistical test of independence'; Phipson & Smyth, 2010, 'Permutation p-values should
        never be zero'; Kim et al., 2022, 'Local permutation tests for conditional independence' (arXiv 2112.11666).

    Arguments:
        x: Rows of the first variable, as in :func:`mine.estimate`.
        y: Rows of the second variable.
        z: Rows of what to condition on, or None.
        n_permutations: m, at least 19. The smallest p-value is ``1 / (m + 1)``: for a correction over k tests take
            at least ``20 * k``.
        stop_early: Stop after the first 99 permutations if their p-value is above 0.2, which takes a tenth of the time. The
            test is as exact as with all of them; only such a p-value is known less precisely. For the test without z and
            ``critic=``.
        critic: None; ``"network"`` for the default method's critic; or one as in :func:`mine.estimate`.
        encoder: A frozen network or function that is applied to the rows first, or a pair of them, as in :func:`mine.estimate`.
        discrete: Which columns are labels, as in :func:`mine.estimate`.
        groups: One label per row, shape (n,). A group is one unit: groups of as many rows exchange their y; the last rows of
            larger ones are left out to make such.
        order: ``"time"`` where rows come in the order of time, or one number or date per row, as in :func:`mine.estimate`.
            Instead of permuting rows, y is then shifted in time against x, which keeps what neighbouring rows share; with
            ``groups`` each group is a series with its own shift. Not with z or ``critic=``.
        device: Where a network trains.
        random_state: Seed or generator.
        drop_missing: Leave out rows with a missing or infinite value instead of raising.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`.
        progress: As in :func:`mine.estimate`; counts permutations, and steps of a network before them.
        **options: Options of the training, for example ``steps=500``; only with ``critic=``.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        NotEnoughDataError: Fewer than 20 rows or four groups.

    Example:
        >>> import numpy as np, mine
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=300)
        >>> mine.independence_test(x, x**2 + rng.normal(size=300), n_permutations=199, random_state=0).p_value
        0.005
    """
    if not isinstance(n_permutations, (int, np.integer)) or isinstance(n_permutations, bool) or n_permutations < 19:
        raise InputError(f"n_permutations must be an integer of at least 19 (fewer cannot reach 5 %), got {n_permutations!r}.")
    refuse_weights(options)
    if options and critic is None:
        raise InputError(f"{', '.join(options)}: options of the training need critic='network' or a critic of yours.")
    if encoder is not None:
        x, y = encoded_sides(x, y, encoder, problem_device(device))
    (x, y, z), read = read_texts(parse, discrete, x=x, y=y, z=z)
    x, y, z = equally_long(x=x, y=y, z=z)
    about_rows = times_sentence(x, y, z) + (infinite_sentence(x, y, z) if drop_missing else [])
    if z is not None and drop_missing:
        (x, y, z, groups), _ = complete_rows(x=x, y=y, z=z, groups=groups)
    if order is not None and (z is not None or critic is not None):
        raise InputError("order= goes with neither z nor critic= in this test: leave one of them out.")
    third = None if z is None else third_variable(z, discrete)
    problem, _ = make_problem(
        x, y, discrete=discrete, groups=groups, order=order, device=device, random_state=random_state,
        drop_missing=drop_missing, keep_constant_columns=critic is not None and not isinstance(critic, str),
        others=[] if third is None else [third],
    )  # fmt: skip
    if problem.copies and not (problem.x.n_continuous and problem.y.n_continuous):
        problem = replace(problem, groups=None, copies=0)  # labels repeat by nature
    given = third if third is not None and third.columns else None
    warnings = [*(column.sentence for column in read), *about_rows]
    if third is not None and not third.columns:
        warnings.append(CONSTANT)
    warnings += order_warnings(problem, unsaid=groups is None and order is None)
    if problem.copies:
        warnings.append(f"{problem.copies:,} rows are exact copies of others and were permuted together.")
    component = ""
    with progress_callback(progress) as on_progress:
        problem = replace(problem, on_progress=on_progress)
        if critic is None:
            statistics, used, component = _by_kernels(problem, given, int(n_permutations), stop_early=stop_early)
        else:
            users = None if isinstance(critic, str) and critic == "network" else critic
            _check_permutable(problem, given)
            statistics, used = held_out_statistics(problem, users, given, int(n_permutations), options)
    expected = problem.n if critic is None else None
    if expected is not None and used < expected:
        warnings.append(f"{used:,} of {expected:,} rows were used.")
    # Equal up to rounding counts as equal: with few distinct rows many permutations change nothing.
    tolerance = 1e-9 * max(1.0, abs(float(statistics[0])))
    at_least = int((statistics[1:] >= statistics[0] - tolerance).sum())
    return IndependenceTest(
        statistic=float(statistics[0]),
        p_value=(at_least + 1) / len(statistics),
        n_permutations=len(statistics) - 1,
        n=used,
        method="kernels" if critic is None else "held-out critic",
        conditional=given is not None,
        warnings=warnings,
        component=component,
    )


def _check_permutable(problem: Problem, third: Variable | None) -> None:
    """Refuse to permute labels of both sides among rows whose z is only near: a label's probabilities differ even there.

    Raises:
        InputError: Labels on both sides and numbers in z, with the remedy.
    """
    if third is not None and third.n_continuous and not problem.x.n_continuous and not problem.y.n_continuous:
        raise InputError(
            "A held-out critic cannot test labels on both sides given numbers: z tells them apart in every neighbourhood. "
            "Leave critic out: the default test compares both with what z predicts of them."
        )


def _by_kernels(
    problem: Problem, third: Variable | None, n_permutations: int, *, stop_early: bool
) -> tuple[np.ndarray, int, str]:
    """Statistics of critics in closed form, the true order first, shape (1 + m,), the rows permuted, the largest component."""
    seeds = problem.seeds(6)
    rows, groups = _at_most(problem, seeds[0])
    if third is None:
        ordered = problem.order
        shuffles = Shuffles.of(len(rows), groups) if ordered is None else TimeShifts.of(ordered.take(rows))
        kept = rows[shuffles.rows]
        sides = problem.x.take(kept), problem.y.take(kept)
        statistics, component = strongest_comparison(
            *sides, shuffles, n_permutations, (seeds[3], seeds[5]), stop_early=stop_early, on_progress=problem.on_progress
        )
        return statistics, len(kept), component
    left, right, z = problem.x.take(rows), problem.y.take(rows), coordinates(third)[rows]
    if third.n_continuous and (left.n_discrete or right.n_discrete):
        return product_statistics(left, right, z, groups, n_permutations, seeds[1:4]), len(rows), ""
    x, y = coordinates(left), coordinates(right)
    exact = not third.n_continuous and groups is None
    if exact:
        cells = equal_rows(z)
        x, y = (_centred(side, cells) for side in (x, y))
        if not x.any() or not y.any():  # functions of z: no permutation changes anything
            return np.zeros(1 + n_permutations), len(rows), ""
    else:
        x, y = (residuals(side, z, groups, seed) for side, seed in ((x, seeds[1]), (y, seeds[2])))
    spaces = [x, np.concatenate([x, z], 1)]  # the second sees a dependence that turns with z
    shuffles = Shuffles.of(len(rows), groups, z, equal=exact)
    kept = shuffles.rows
    of_x = KernelFeatures.fit([space[kept] for space in spaces], seeds[3])
    of_y = KernelFeatures.fit([y[kept]], seeds[4])

    def permutations() -> Any:
        yield np.arange(len(kept))[None]
        draws = shuffles.draw(n_permutations, seeds[5])
        yield from reported(draws, n_permutations, "permutations", problem.on_progress)

    statistics = kernel_statistics(of_x, of_y, permutations())
    return strongest(statistics, pair_weights(of_x, of_y)), len(kept), ""


def _centred(side: np.ndarray, cells: list[np.ndarray]) -> np.ndarray:
    """``side`` (n, d) less its mean over each cell of rows, of unit variance."""
    centred = side.copy()
    for cell in cells:
        centred[cell] -= side[cell].mean(0)
    centred[np.abs(centred) < 1e-12] = 0.0
    return centred / np.maximum(centred.std(0), 1e-12)


def _at_most(problem: Problem, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """All rows, or a random part of them (whole groups), and their groups."""
    rng = np.random.default_rng(seed)
    groups = problem.groups
    rows = np.arange(problem.n)
    if problem.n > MOST_ROWS:
        if problem.order is not None:  # further apart in time, and still in its order
            rows = np.sort(problem.order.rows(-(-problem.n // MOST_ROWS))[0])
        elif groups is None:
            rows = np.sort(rng.choice(problem.n, MOST_ROWS, replace=False))
        else:
            labels, counts = np.unique(groups, return_counts=True)
            order = rng.permutation(len(labels))
            taken = labels[order[: max(4, int(np.searchsorted(np.cumsum(counts[order]), MOST_ROWS)))]]
            rows = np.flatnonzero(np.isin(groups, taken))
    return rows, None if groups is None else groups[rows]

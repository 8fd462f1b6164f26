"""The blocks that a table's pairs are computed in: decided before the run, each saved when it is done."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles
from mine.data.order import TimeOrder, time_order
from mine.data.problem import Problem
from mine.data.rows import MIN_ROWS
from mine.errors import NotEnoughDataError
from mine.estimators import get_estimator
from mine.estimators.copied_rows import open_without_noise
from mine.estimators.levels.estimate import levels_estimate
from mine.estimators.rank_neighbours import Scores
from mine.estimators.screen import Screen, screen_estimate
from mine.estimators.thinned import run_in_order
from mine.estimators.ties import TiesError
from mine.independence.permutations import table_test
from mine.independence.rank_test import rank_test
from mine.result import Estimate
from mine.storage.files import cells_folder, write_whole
from mine.storage.seals import checked_content, sealed_content
from mine.tables.columns import Column
from mine.tables.critics_checked import with_checks
from mine.tables.stack import EffortSettings, StackedPair, estimate_stack

__all__ = ["STACKED_METHOD", "Block", "BlockStore", "Cell", "Task", "cell_seed", "plan", "shares_null"]

#: Pairs of numbers that train together, and pairs of other kinds that are saved together.
STACKED, OTHERS = 16, 64
#: A block's pairs lose rows down to the fewest of any of them, and no more than this share.
FEWEST_SHARE = 0.95
#: What the critics of a stack are called.
STACKED_METHOD = "stacked critics"
#: Cells that numbers are cut into for their test against labels.
LABEL_TEST_CELLS = 16
#: The note of a pair that could not be tested.
UNTESTED = "no test: fewer than four groups to permute"


@dataclass(frozen=True)
class Cell:
    """What is known of one pair; nats, None where there is no such number. ``unidentifiable``: one column names the rows."""

    x: str
    y: str
    value: float | None
    lower_bound: float | None
    stderr: float | None
    low: float | None
    high: float | None
    p: float | None
    permutations: int | None
    kind: str
    method: str
    n: int
    note: str
    unidentifiable: bool = False


@dataclass(frozen=True)
class Block:
    """Pairs of columns that are computed in one go: ``stacked`` ones train together."""

    pairs: tuple[tuple[str, str], ...]
    stacked: bool


@dataclass(frozen=True)
class Task:
    """All that a worker needs for one block; what it returns depends on nothing else.

    ``features`` are those of the block's columns of numbers where it is a stacked one. If pairs are screened, ``scores`` are
    those of complete columns of numbers, and ``settings`` is None. ``position`` is the place of each row in time, and
    ``groups`` are the series then.
    """

    block: Block
    columns: dict[str, Column]
    features: dict[str, np.ndarray]
    scores: dict[str, Scores]
    settings: EffortSettings | None
    method: str
    seed: int
    groups: np.ndarray | None
    apart: bool
    position: np.ndarray | None
    n_permutations: int
    max_rows: int | None

    @property
    def shares_null(self) -> bool:
        """Whether rows are exchanged one by one: all pairs of as many rows then have one distribution under independence."""
        return shares_null(self.groups, self.position, apart=self.apart)

    def run(self) -> list[Cell]:
        return _stacked(self) if self.block.stacked else [_single(self, *pair) for pair in self.block.pairs]


def shares_null(groups: np.ndarray | None, position: np.ndarray | None, *, apart: bool) -> bool:
    """Whether rows count one by one, copies once: neither groups that belong together nor an order in time."""
    return position is None and (groups is None or not apart)


def cell_seed(seed: int, *names: str) -> int:
    """The seed of what ``names`` say, from the run's own.

    >>> cell_seed(0, "a", "b") == cell_seed(0, "a", "b") != cell_seed(0, "b", "a")
    True
    """
    return int.from_bytes(hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()[:4], "big")


def plan(pairs: list[tuple[str, str]], columns: dict[str, Column], *, stack: bool) -> list[Block]:
    """Blocks of the pairs, the same whatever is finished and however many workers there are.

    Pairs of numbers come in stacks of about equally many complete rows, the others in their order.
    """
    together = [p for p in pairs if stack and all(columns[name].kind == "number" for name in p)]
    chosen = set(together)
    rest = [p for p in pairs if p not in chosen]
    rows = {p: int((columns[p[0]].present & columns[p[1]].present).sum()) for p in together}
    too_few = [p for p in together if rows[p] < MIN_ROWS]
    together = sorted((p for p in together if rows[p] >= MIN_ROWS), key=lambda p: -rows[p])  # stable: in order where equal
    blocks: list[Block] = []
    current: list[tuple[str, str]] = []
    for pair in together:
        if current and (len(current) == STACKED or rows[pair] < FEWEST_SHARE * rows[current[0]]):
            blocks.append(Block(tuple(current), True))
            current = []
        current.append(pair)
    if current:
        blocks.append(Block(tuple(current), True))
    rest += too_few
    blocks += [Block(tuple(rest[i : i + OTHERS]), False) for i in range(0, len(rest), OTHERS)]
    return blocks


def _stacked(task: Task) -> list[Cell]:
    assert task.settings is not None
    pairs = task.block.pairs
    seed = cell_seed(task.seed, *(name for pair in pairs for name in pair))
    rng = np.random.default_rng(seed)
    complete = [np.flatnonzero(task.columns[a].present & task.columns[b].present) for a, b in pairs]
    size = min(map(len, complete))
    if task.max_rows is not None:
        size = min(size, task.max_rows)
    rows = [r if len(r) == size else np.sort(rng.choice(r, size, replace=False)) for r in complete]
    if task.groups is not None and not all(np.array_equal(rows[0], other) for other in rows):
        # A stack has one list of groups: where missing values leave each pair other rows, each is a stack of its own.
        stacks = [[i] for i in range(len(pairs))]
    else:
        stacks = [list(range(len(pairs)))]
    if task.position is not None:
        stacks = [[i] for i in range(len(pairs))] if len({r.tobytes() for r in rows}) > 1 else stacks
    cells: list[Cell] = []
    for stack in stacks:
        orders = None if task.position is None else [_order(task, *pairs[i], rows[i]) for i in stack]
        estimates = estimate_stack(
            np.stack([task.features[pairs[i][0]][rows[i]] for i in stack]),
            np.stack([task.features[pairs[i][1]][rows[i]] for i in stack]),
            settings=task.settings, seed=seed, groups=None if task.groups is None else task.groups[rows[stack[0]]],
            apart=task.apart, orders=orders, n_permutations=task.n_permutations,
        )  # fmt: skip
        for place, (i, one) in enumerate(zip(stack, estimates, strict=True)):
            order = None if orders is None else orders[place]
            checked, sentences = with_checks(one, _problem(task, *pairs[i], rows[i], order), STACKED_METHOD)
            about = [] if order is None or order.warning is None else [order.warning]
            cells.append(_of_stack(pairs[i], checked, task.n_permutations > 0, sentences, about))
    return cells


def _problem(task: Task, a: str, b: str, rows: np.ndarray, order: TimeOrder | None) -> Problem:
    """These rows of a pair; a copied row counts once."""
    groups = None if task.groups is None else task.groups[rows]
    copies = 0 if groups is None or task.apart else len(rows) - len(np.unique(groups))
    units = groups if order is None else order.blocks
    x, y = (task.columns[name].variable(rows) for name in (a, b))
    return Problem(x, y, units, cell_seed(task.seed, a, b), copies=copies, order=order)


def _of_stack(pair: tuple[str, str], one: StackedPair, tested: bool, sentences: list[str], about_order: list[str]) -> Cell:
    notes = [sentence.removesuffix(".") for sentence in (*about_order, *sentences)]
    if one.saturated and not sentences:
        notes.append("saturated: the value is a lower end; try mine.estimate on this pair")
    if tested and one.p_value is None:
        notes.append(UNTESTED)
    note = ". ".join(notes)
    return Cell(
        *pair, one.value, one.lower_bound, one.stderr, one.low, None if one.saturated else one.high, one.p_value, one.draws,
        "number-number", STACKED_METHOD, one.n, note,
    )  # fmt: skip


def _single(task: Task, a: str, b: str) -> Cell:
    """A pair with labels, or by a method of its own."""
    x, y = task.columns[a], task.columns[b]
    kind = f"{x.kind}-{y.kind}"
    rows = np.flatnonzero(x.present & y.present)
    seed = cell_seed(task.seed, a, b)
    if task.max_rows is not None and len(rows) > task.max_rows:
        rows = np.sort(np.random.default_rng(seed).choice(rows, task.max_rows, replace=False))
    n = len(rows)
    constant = [c.name for c in (x, y) if c.kind == "constant" or (n and len(np.unique(c.values[rows])) == 1)]
    if constant:
        p = 1.0 if task.n_permutations else None
        return Cell(a, b, 0.0, None, 0.0, 0.0, 0.0, p, None, kind, "none", n, f"constant: {', '.join(constant)}")
    if n < MIN_ROWS:
        return _nothing(a, b, kind, n, f"only {n} complete rows")
    method = task.method
    if method == "auto":
        method = {2: "discrete", 1: "ross", 0: "screen"}[(x.kind == "label") + (y.kind == "label")]
    groups = None if task.groups is None else task.groups[rows]
    order = None if task.position is None else _order(task, a, b, rows)
    problem = _problem(task, a, b, rows, order)
    try:
        if method == "screen":
            estimate = _screened(task, problem)
        else:
            few = levels_estimate(problem, "auto") if task.method == "auto" and method == "ross" else None
            estimate = few or run_in_order(get_estimator(method), problem)
        estimate = open_without_noise(estimate, problem)
    except (NotEnoughDataError, TiesError) as error:
        return _nothing(a, b, kind, n, str(error))
    p, draws = None, None
    notes = list(estimate.warnings)
    if order is not None and order.warning is not None:
        notes.append(order.warning)
    if task.n_permutations and not (method == "screen" and task.shares_null):
        try:
            p, draws = _tested(task, x, y, rows, groups, order, by_ranks=method == "screen")
        except NotEnoughDataError:
            notes.append(UNTESTED)
    low, high = (None if not np.isfinite(end) else float(end) for end in estimate.interval)
    return Cell(
        a, b, estimate.value, estimate.lower_bound, estimate.stderr, low, high, p, draws, kind, estimate.method, estimate.n,
        " ".join(notes), bool(estimate.diagnostics.get("unidentifiable", False)),
    )  # fmt: skip


def _screened(task: Task, problem: Problem) -> Estimate:
    """Two columns of numbers by their ranks, those of complete columns known beforehand."""
    left, right = (task.scores.get(side.name) for side in (problem.x, problem.y))
    distinct = problem.n - problem.copies
    if left is not None and right is not None and len(left.values) == len(right.values) == distinct:
        return screen_estimate(left, right)
    return run_in_order(Screen(), problem)


def _tested(
    task: Task,
    x: Column,
    y: Column,
    rows: np.ndarray,
    groups: np.ndarray | None,
    order: TimeOrder | None,
    *,
    by_ranks: bool,
) -> tuple[float, int]:
    """p-value and permutations of these rows of a pair."""
    how = {"most": task.n_permutations, "seed": cell_seed(task.seed, x.name, y.name)}
    if not by_ranks:
        return table_test(_codes(x, rows), _codes(y, rows), groups, order, **how)
    shuffles = Shuffles.of(len(rows), groups) if order is None else TimeShifts.of(order)
    return rank_test(x.values[rows], y.values[rows], shuffles, **how)


def _order(task: Task, a: str, b: str, rows: np.ndarray) -> TimeOrder:
    """Where these rows stand in time, and how long the two columns remember."""
    assert task.position is not None
    groups = None if task.groups is None else task.groups[rows]
    return time_order(task.position[rows], task.columns[a].variable(rows), task.columns[b].variable(rows), groups)


def _nothing(a: str, b: str, kind: str, n: int, note: str) -> Cell:
    return Cell(a, b, None, None, None, None, None, None, None, kind, "none", n, note)


def _codes(column: Column, rows: np.ndarray) -> np.ndarray:
    """Labels, or numbers in cells of about equally many rows, as integers from 0."""
    values = column.values[rows]
    if column.kind == "number":
        ordered = np.sort(values)
        values = np.searchsorted(ordered, values) * LABEL_TEST_CELLS // len(values)
    return np.unique(values, return_inverse=True)[1].ravel()


class BlockStore:
    """The folder ``cells`` of a run: one JSON file a finished block, written whole or not at all."""

    def __init__(self, out: Path, about: dict[str, Any], columns: dict[str, Column], groups: np.ndarray | None) -> None:
        self.folder = cells_folder(out)
        self.about = json.dumps(about, sort_keys=True, default=str)
        self.digests = {name: column.digest() for name, column in columns.items()}
        self.groups = b"" if groups is None else hashlib.sha256(np.ascontiguousarray(groups).tobytes()).digest()

    def path(self, block: Block) -> Path:
        """The file of a block: named by its pairs, the data in them, and all that the numbers depend on."""
        fingerprint = hashlib.sha256(self.about.encode() + self.groups)
        for a, b in block.pairs:
            fingerprint.update(self.digests[a] + self.digests[b])
        return self.folder / f"block_{fingerprint.hexdigest()[:24]}.json"

    def read(self, block: Block) -> list[Cell] | None:
        """The cells of a finished block; None where there is none, or a file that is damaged."""
        try:
            cells = [Cell(**cell) for cell in checked_content(self.path(block).read_bytes())]
        except (OSError, ValueError, TypeError):
            return None
        return cells if [(c.x, c.y) for c in cells] == list(block.pairs) else None

    def write(self, block: Block, cells: list[Cell]) -> None:
        content = sealed_content([asdict(cell) for cell in cells])
        write_whole(self.path(block), lambda stream: stream.write(content))

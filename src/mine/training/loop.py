"""Training of critics, many at once: one loop for every bound, every critic, every estimator.

Each critic of a stack has its own train and stop rows. It keeps the weights of its best stop-split bound, so there is no
'which step to report': the report rows are read once, afterwards, by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mine.bounds import Bound, donsker_varadhan
from mine.critics.critic import Critic, Encoding, map_encoding
from mine.critics.metric import off_diagonal
from mine.critics.pairs import pair_scores
from mine.data.features import Features
from mine.sampling import batches, cyclic_shifts, longest_run
from mine.training.fused import FusedPairs, table_slopes
from mine.training.processes import ProcessGroup, SharedStep

__all__ = ["History", "OptimizerLike", "Pairs", "TrainingOptions", "evaluate_scores", "train_critic"]


#: Rows of all critics above which the encodings of a split are not held but made chunk by chunk.
HELD_ROWS = 1 << 17
#: Bytes up to which the features of one side of such a split are.
HELD_BYTES = 128 << 20
_fused_adamw: Any = torch.ops.aten._fused_adamw_.default

OptimizerLike: TypeAlias = "torch.optim.Optimizer | Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]"


@dataclass(frozen=True)
class Pairs:
    """The data on one device: ``x`` (n, ...), ``y`` (n, ...), tensors or encoded when read; a group label a row or None."""

    x: Features
    y: Features
    groups: Tensor | None = None

    def rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        return _read(self.x, index), _read(self.y, index)


def _read(side: Features, index: Tensor) -> Tensor:
    if isinstance(side, Tensor) and index.ndim == 1:  # half the time of the general indexing
        return side.index_select(0, index)
    return side[index]


@dataclass(frozen=True)
class TrainingOptions:
    """How a critic is trained; the defaults are those of ``method='auto'``.

    Attributes:
        steps: Most optimiser steps.
        batch_size: Rows a step and critic.
        shuffles: Shuffled pairs a joint pair.
        learning_rate: Peak learning rate of AdamW, decayed by a cosine.
        weight_decay: Of AdamW, on matrices.
        eval_every: Steps between looks at the stop split.
        patience: Looks without a better bound, in every critic, after which training ends.
        warmup: Share of the steps over which the learning rate rises.
        all_pairs: Take every pair of the batch, for a critic that has ``all_pairs``, where rows have no groups; ``shuffles``
            is then not used.
        bf16: Score training pairs under bfloat16 autocast, for GPUs whose matrix units want it; the bound, the looks and the
            report stay in float32.
        averaging: Weights are read, at the looks and in the end, as their running average over about this share of all
            steps; 0 reads them as they are.
    """

    steps: int = 1000
    batch_size: int = 512
    shuffles: int = 2
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    eval_every: int = 25
    patience: int = 16
    warmup: float = 0.05
    averaging: float = 0.0
    bf16: bool = False
    all_pairs: bool = False


@dataclass
class History:
    """One entry a look at the stop split: ``step``, mean ``train`` bound since the last look, ``stop`` bound (nats)."""

    step: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    stop: list[float] = field(default_factory=list)
    converged: bool = False


def evaluate_scores(
    critic: Critic,
    pairs: Pairs,
    index: Tensor,
    shuffles: int,
    generator: torch.Generator | None = None,
    *,
    chunk: int = 1 << 13,
) -> tuple[Tensor, Tensor, list[int]]:
    """Scores without gradient on rows ``index``: joint (..., B), marginal (..., B, K), and the K shifts.

    The shifts run over ``index`` sorted by group where there are groups; a chunk holds about that many pairs, over the
    whole stack: small enough to stay in cache, so that neither time nor memory suffers from a large K.
    """
    gap, order = 1, None
    if pairs.groups is not None:
        labels, order = pairs.groups[index].sort(dim=-1, stable=True)
        # make_folds has seen to it that no group fills half of a part; trimming parts to one length may just miss that.
        index, gap = index.gather(-1, order), min(longest_run(labels), index.shape[-1] // 2)
    n, dim = index.shape[-1], len(critic.stack)
    shifts = cyclic_shifts(n, shuffles, generator, gap=gap)
    joint_parts: list[Tensor] = []
    marginal_parts: list[Tensor] = []
    if index.numel() > HELD_ROWS:
        joint, marginal = _stream_scores(critic, pairs, index, shifts, chunk // math.prod(critic.stack))
        return *_ungrouped(joint, marginal, order), shifts
    with torch.no_grad():
        x, y = pairs.rows(index)
        hx, hy = critic.encode_x(x), critic.encode_y(y)
        per_critic = max(1, chunk // math.prod(critic.stack))
        per_call = max(1, per_critic // n)
        rows_per_call = min(n, per_critic)
        for start in range(0, n, rows_per_call):
            rows = slice(start, min(n, start + rows_per_call))
            part = _take(hx, dim, rows)
            joint_parts.append(critic.combine(part, _take(hy, dim, rows)))
            base = torch.arange(rows.start, rows.stop, device=index.device)
            columns = [
                _combine_shifted(critic, part, hy, base, n, shifts[s : s + per_call], dim)
                for s in range(0, len(shifts), per_call)
            ]
            marginal_parts.append(torch.cat(columns, -1))
    joint, marginal = torch.cat(joint_parts, -1), torch.cat(marginal_parts, -2)
    return *_ungrouped(joint, marginal, order), shifts


def _ungrouped(joint: Tensor, marginal: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores of rows sorted by ``order``, back in the caller's order."""
    if order is None:
        return joint, marginal
    inverse = order.argsort(-1)
    return joint.gather(-1, inverse), marginal.gather(-2, inverse.unsqueeze(-1).expand_as(marginal))


def _stream_scores(critic: Critic, pairs: Pairs, index: Tensor, shifts: Sequence[int], chunk: int) -> tuple[Tensor, Tensor]:
    """Scores of a split too large to hold its encodings: each chunk encodes its own rows, and its partners once a shift."""
    n = index.shape[-1]
    dim = index.ndim - 1
    held = pairs.y[index] if 4 * index.numel() * math.prod(pairs.y.shape[1:]) <= HELD_BYTES else None
    joint: list[Tensor] = []
    marginal: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, n, max(1, chunk)):
            part = torch.arange(start, min(n, start + max(1, chunk)), device=index.device)
            x, y = pairs.rows(index[..., part])
            hx = critic.encode_x(x)
            joint.append(critic.combine(hx, critic.encode_y(y)))
            columns: list[Tensor] = []
            for shift in shifts:
                partner = (part + shift) % n
                partners = pairs.y[index[..., partner]] if held is None else held.index_select(dim, partner)
                columns.append(critic.combine(hx, critic.encode_y(partners)))
            marginal.append(torch.stack(columns, -1))
    return torch.cat(joint, -1), torch.cat(marginal, -2)


def _take(h: Encoding, dim: int, rows: slice) -> Encoding:
    return map_encoding(lambda t: t.narrow(dim, rows.start, rows.stop - rows.start), h)


def _combine_shifted(
    critic: Critic, part: Encoding, hy: Encoding, base: Tensor, n: int, shifts: Sequence[int], dim: int
) -> Tensor:
    """Scores of the rows ``base`` (b,), encoded in ``part``, against shifts of ``hy``: shape (..., b, len(shifts))."""
    partner = torch.cat([(base + s) % n for s in shifts])
    scores = critic.combine(
        map_encoding(lambda t: torch.cat([t] * len(shifts), dim), part),
        map_encoding(lambda t: t.index_select(dim, partner), hy),
    )
    return scores.unflatten(dim, (len(shifts), len(base))).movedim(dim, -1)


def train_critic(
    critic: Critic,
    bound: Bound,
    pairs: Pairs,
    train: Tensor,
    stop: Tensor,
    options: TrainingOptions,
    *,
    stop_rows: Callable[[Tensor, Tensor], Tensor],
    seed: int,
    optimizer: OptimizerLike | None = None,
    on_progress: Callable[[int, int, float], None] | None = None,
    processes: ProcessGroup | None = None,
) -> History:
    """Train ``critic`` in place and leave it with its best stop-split weights.

    Arguments:
        critic: Critic or stack of critics, on the device of ``pairs``.
        bound: The bound whose loss is minimised.
        pairs: The data.
        train: Rows each critic trains on, shape ``(*stack, n_train)``.
        stop: Rows that pick its step, shape ``(*stack, n_stop)``.
        options: Steps, batch size, rates.
        stop_rows: (joint, marginal) scores -> contributions of the stop rows, shape ``(*stack, n_stop)``, whose mean is the
            bound to pick the step by.
        seed: Of the batches and shuffles.
        optimizer: A user's optimizer, or a function making one, used at its own constant rate; None is AdamW with the
            cosine schedule of ``options``.
        on_progress: Called at each look with (step, steps, mean stop bound).
        processes: Processes that share every batch, all of which make this call with the same arguments; all end with the same
            weights.

    Returns:
        The history of looks; ``converged`` is False where the bound still rose in the last tenth of all steps.
    """
    device = pairs.x.device
    rows_generator = torch.Generator(device).manual_seed(seed)
    shift_generator = torch.Generator().manual_seed(seed + 1)  # on the CPU: drawing a shift never waits for a GPU

    trainable = [p for p in critic.parameters() if p.requires_grad]
    history = History()
    if processes is not None:
        processes.same_weights(critic)
    keeper = _BestWeights(critic)
    stop_shuffles = max(4, min(32, (1 << 14) // max(1, stop.shape[-1])))

    average = _Average(trainable, options) if options.averaging else None

    def look(step: int, train_value: float) -> bool:
        critic.eval()
        if average is not None:
            average.swap()
        stop_generator = torch.Generator().manual_seed(seed + 2)  # the same shuffles at each look
        joint, marginal, _ = evaluate_scores(critic, pairs, stop, stop_shuffles, stop_generator)
        rows = stop_rows(joint, marginal)
        if processes is not None:  # all go on, or all end
            rows = processes.same_tensor(rows)
        improved = keeper.update(rows, step)
        if average is not None:
            average.swap()
        critic.train()
        history.step.append(step)
        history.train.append(train_value)
        history.stop.append(rows.mean().item())
        if on_progress is not None:
            on_progress(step, options.steps, history.stop[-1])
        return improved

    look(0, math.nan)
    start = getattr(critic, "start_training", None)
    if start is not None:
        start()
    if not trainable:
        history.converged = True
        return history

    if optimizer is None:
        update = _AdamW(trainable, options, len(critic.stack)).step
    else:
        users = optimizer if isinstance(optimizer, torch.optim.Optimizer) else optimizer(trainable)

        def update(step: int) -> None:
            users.step()

    table: Any = getattr(critic, "all_pairs", None) if options.all_pairs and pairs.groups is None else None
    dtype = pairs.x.dtype if isinstance(pairs.x, Tensor) else torch.float32
    by_hand = (
        processes is None and table is None and not options.bf16 and dtype == trainable[0].dtype and FusedPairs.supports(critic)
    )
    fused = FusedPairs(critic) if by_hand else None
    batch_size, shared = options.batch_size, None
    if processes is not None:
        batch_size = processes.even(min(batch_size, train.shape[-1]))
        shared = SharedStep(critic, processes, all_pairs=table is not None, bf16=options.bf16)
    stream = batches(train, batch_size, rows_generator, pairs.groups)
    state: Tensor | None = None
    since_better = 0
    running = torch.zeros((), device=device)

    for step in range(1, options.steps + 1):
        rows, gap = next(stream)
        shifts = cyclic_shifts(rows.shape[-1], options.shuffles, shift_generator, gap=gap)
        x, y = pairs.rows(rows if processes is None else rows[..., processes.share(rows.shape[-1])])
        if shared is not None:
            value, state = shared.step(bound, x, y, shifts, state)
        elif fused is not None:
            value, state = fused.step(bound, x, y, shifts, state)
        else:
            for p in trainable:
                p.grad = None
            with torch.autocast(device.type, torch.bfloat16, enabled=options.bf16):
                scored = _scores(critic, table, x, y, shifts)
            if isinstance(scored, Tensor) and bound is donsker_varadhan:
                slopes, value = table_slopes(_wide(scored))
                scored.backward(slopes.to(scored.dtype))
            else:
                joint, marginal = _joint_and_marginal(scored)
                loss, value, state = bound(_wide(joint), _wide(marginal), state)
                loss.sum().backward()
        update(step)
        if average is not None:
            average.update(step)
        running += value.detach().mean()

        if step % options.eval_every == 0 or step == options.steps:
            since_look = step - history.step[-1]
            since_better = 0 if look(step, (running / since_look).item()) else since_better + 1
            running.zero_()
            if since_better >= options.patience:
                break

    history.converged = keeper.last_step() <= 0.9 * options.steps or _flat(history.stop)
    keeper.restore()
    if processes is not None:  # what a critic keeps of its own rows, as a running mean, may differ
        processes.same_weights(critic)
    critic.eval()
    return history


class _AdamW:
    """AdamW that decays matrices, not biases and scales, at the rates of ``options``.

    On a CPU or a GPU of CUDA it calls the kernel below :class:`torch.optim.AdamW`: for small critics the class, its hooks and
    a scheduler take ten times as long as the update itself.
    """

    def __init__(self, trainable: list[nn.Parameter], options: TrainingOptions, stack_dims: int) -> None:
        matrices = [p for p in trainable if p.ndim - stack_dims > 1 and p.shape[-2] > 1]
        decayed = {id(p) for p in matrices}
        others = [p for p in trainable if id(p) not in decayed]
        self.groups = [(decay, group) for decay, group in ((options.weight_decay, matrices), (0.0, others)) if group]
        self.rate, self.factor = options.learning_rate, _warm_cosine(options)
        self.count = torch.zeros((), device=trainable[0].device)
        self.means, self.squares = ({p: torch.zeros_like(p) for p in trainable} for _ in range(2))
        self.plain: torch.optim.AdamW | None = None
        if trainable[0].device.type not in ("cpu", "cuda"):
            self.plain = torch.optim.AdamW([{"params": group, "weight_decay": decay} for decay, group in self.groups])

    def step(self, step: int) -> None:
        """Update by the gradients of step number ``step``, counted from 1; what has no gradient stays."""
        rate = self.rate * self.factor(step - 1)
        if self.plain is not None:
            for settings in self.plain.param_groups:
                settings["lr"] = rate
            self.plain.step()
            return
        with torch.no_grad():
            self.count += 1
            for decay, group in self.groups:
                reached = [p for p in group if p.grad is not None]
                _fused_adamw(
                    reached, [p.grad for p in reached], [self.means[p] for p in reached], [self.squares[p] for p in reached],
                    [], [self.count] * len(reached),
                    lr=rate, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-8, amsgrad=False, maximize=False,
                )  # fmt: skip


def _flat(stop: list[float]) -> bool:
    """True where the last tenth of the looks gained less than a hundredth of a nat (or 1 %)."""
    tail = max(1, len(stop) // 10)
    before, after = max(stop[:-tail], default=-math.inf), max(stop[-tail:])
    return after - before < max(0.01, 0.01 * abs(after))


def _warm_cosine(options: TrainingOptions) -> Callable[[int], float]:
    warm = max(1, int(options.warmup * options.steps))

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, options.steps - warm))))

    return factor


def _scores(critic: Critic, table: Any, x: Tensor, y: Tensor, shifts: Sequence[int]) -> Tensor | tuple[Tensor, Tensor]:
    """Scores of a batch: a table of every pair where the critic has one, else those of the joint pairs and of the shifts."""
    if table is None:
        return pair_scores(critic, x, y, shifts)
    return table(critic.encode_x(x), critic.encode_y(y))


def _wide(scores: Tensor) -> Tensor:
    """Scores under autocast in float32; others as they are."""
    return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores


def _joint_and_marginal(scored: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    if isinstance(scored, tuple):
        return scored
    return scored.diagonal(dim1=-2, dim2=-1), off_diagonal(scored)


class _Average:
    """Running average of weights over the last ``averaging`` share of the steps: the middle of what a high rate jumps about."""

    def __init__(self, live: list[nn.Parameter], options: TrainingOptions) -> None:
        self.live = live
        self.mean = [p.detach().clone() for p in live]
        self.horizon = max(1.0, options.averaging * options.steps)

    def update(self, step: int) -> None:
        weight = max(1 / step, 1 / self.horizon)
        for p, mean in zip(self.live, self.mean, strict=True):
            mean.lerp_(p.detach(), weight)

    def swap(self) -> None:
        """Exchange the live weights and their average."""
        for p, mean in zip(self.live, self.mean, strict=True):
            p.data, mean.data = mean.data, p.data


class _BestWeights:
    """Best weights so far, kept for each critic of a stack by itself.

    Later weights must beat the best by half a standard error of the paired difference over the stop rows, and by half a nat
    over their number: on a handful of rows the luckiest of many looks is an overfitted critic.
    """

    def __init__(self, critic: Critic) -> None:
        self.stack = critic.stack
        self.live = [t for t in (*critic.parameters(), *critic.buffers()) if t.ndim >= len(self.stack)]
        self.best = [t.detach().clone() for t in self.live]
        self.rows: Tensor | None = None
        self.step: Tensor | None = None

    def update(self, rows: Tensor, step: int) -> bool:
        """Keep the live weights of every critic whose bound, the mean of ``rows`` (*stack, n), rose; True if any did."""
        rows = torch.nan_to_num(rows.detach(), nan=-1e30)
        if self.rows is None or self.step is None:
            self.rows, self.step = rows.clone(), torch.full(rows.shape[:-1], step, device=rows.device)
            return True
        n = rows.shape[-1]
        gain = rows - self.rows
        better = gain.mean(-1) > 0.5 * gain.std(-1, correction=0) / n**0.5 + 0.5 / n
        if bool(better.any()):
            for live, best in zip(self.live, self.best, strict=True):
                mask = better.reshape(better.shape + (1,) * (live.ndim - len(self.stack)))
                best.copy_(torch.where(mask, live.detach(), best))
            self.step = torch.where(better, torch.full_like(self.step, step), self.step)
            self.rows = torch.where(better.unsqueeze(-1), rows, self.rows)
        return bool(better.any())

    def restore(self) -> None:
        with torch.no_grad():
            for live, best in zip(self.live, self.best, strict=True):
                live.copy_(best)

    def last_step(self) -> float:
        return 0.0 if self.step is None else float(self.step.max())

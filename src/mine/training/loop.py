"""The one training loop: steps, validations in between, and the weights of the best one.

Each critic of a stack has its own training and validation rows and keeps the weights of its own best validation, so there is no
'which step to report': the evaluation rows are used once, afterwards, by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mine.bounds import Bound
from mine.critics.critic import Critic
from mine.sampling import batches, cyclic_shifts
from mine.training.optimizer import optimizer_step
from mine.training.options import History, OptimizerLike, TrainingOptions, is_flat
from mine.training.pairs import Pairs
from mine.training.processes import ProcessGroup
from mine.training.steps import gradient_step
from mine.training.validation import repeated_scores
from mine.training.weights import Average, BestWeights

__all__ = ["run_training", "train_critic"]


def train_critic(
    critic: Critic,
    bound: Bound,
    pairs: Pairs,
    train: Tensor,
    validation: Tensor,
    options: TrainingOptions,
    *,
    contributions: Callable[[Tensor, Tensor], Tensor],
    seed: int,
    optimizer: OptimizerLike | None = None,
    on_progress: Callable[[int, int, float], None] | None = None,
    processes: ProcessGroup | None = None,
) -> History:
    """Train ``critic`` in place and leave it with the weights of its best validation.

    Arguments:
        critic: Critic or stack of critics, on the device of ``pairs``.
        bound: The bound whose loss is minimised.
        pairs: The data.
        train: Rows each critic trains on, shape ``(*stack, n_train)``.
        validation: Rows that choose its step, shape ``(*stack, n_validation)``.
        options: Steps, batch size, rates.
        contributions: (joint, marginal) scores -> contributions of the validation rows, shape ``(*stack, n_validation)``; their
            mean is the bound that chooses the step.
        seed: Seed of the batches and shuffles.
        optimizer: A user's optimizer, or a function making one, used at its own constant rate; None is AdamW with the
            cosine schedule of ``options``.
        on_progress: Called at each validation with (step, steps, mean validation bound).
        processes: Processes that share every batch, all of which make this call with the same arguments; all end with the same
            weights.

    Returns:
        The history of validations; ``converged`` is False if the bound still rose in the last tenth of all steps.
    """
    if processes is not None:
        processes.same_weights(critic)
    history = run_training(
        critic,
        options,
        stack=critic.stack,
        take_step=_batch_steps(critic, bound, pairs, train, options, seed, processes),
        validate=_validation(critic, pairs, validation, contributions, seed, processes),
        before_training=getattr(critic, "start_training", None),
        optimizer=optimizer,
        on_progress=on_progress,
    )
    if processes is not None:  # what a critic keeps of its own rows, as a running mean, may differ
        processes.same_weights(critic)
    return history


def run_training(
    model: nn.Module,
    options: TrainingOptions,
    *,
    stack: Sequence[int],
    take_step: Callable[[], Tensor],
    validate: Callable[[], Tensor],
    before_training: Callable[[], None] | None = None,
    optimizer: OptimizerLike | None = None,
    on_progress: Callable[[int, int, float], None] | None = None,
) -> History:
    """Optimise the parameters of ``model``, and leave it in evaluation mode with the weights of its best validation.

    Arguments:
        model: What is trained.
        options: Steps, validations, rates.
        stack: Leading dimensions of its parameters, shape of the independent critics in it; ``()`` for one.
        take_step: Puts the gradient of the next batch into every parameter's ``grad`` and returns the bound on that batch.
        validate: Contributions of the validation rows, shape ``(*stack, n)``; a larger mean is better.
        before_training: Called once, between the first validation and the first step.
        optimizer: As for :func:`train_critic`.
        on_progress: As for :func:`train_critic`.
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    best = BestWeights(model, len(stack))
    average = Average(trainable, options) if options.averaging else None
    history = History(most_steps=options.steps)

    def validated(step: int, train_bound: float) -> bool:
        """Validate at ``step``; whether any critic of the stack is better than before."""
        model.eval()
        if average is not None:
            average.swap()
        rows = validate()
        improved = best.update(rows, step)
        if average is not None:
            average.swap()
        model.train()
        history.add(step, train_bound, rows.mean().item())
        if on_progress is not None:
            on_progress(step, options.steps, history.validation[-1])
        return improved

    validated(0, math.nan)
    if before_training is not None:
        before_training()
    if not trainable:
        history.converged = True
        return history

    update = optimizer_step(trainable, options, len(stack), optimizer)
    running = torch.zeros((), device=trainable[0].device)
    without_gain = 0
    for step in range(1, options.steps + 1):
        value = take_step()
        update(step)
        if average is not None:
            average.update(step)
        running += value.detach().mean()
        if step % options.eval_every == 0 or step == options.steps:
            train_bound = (running / (step - history.step[-1])).item()
            running.zero_()
            without_gain = 0 if validated(step, train_bound) else without_gain + 1
            if without_gain >= options.patience:
                break

    history.converged = best.last_step() <= 0.9 * options.steps or is_flat(history.validation)
    best.restore()
    model.eval()
    return history


def _batch_steps(
    critic: Critic,
    bound: Bound,
    pairs: Pairs,
    train: Tensor,
    options: TrainingOptions,
    seed: int,
    processes: ProcessGroup | None,
) -> Callable[[], Tensor]:
    """A function that draws the next batch with its shuffles and computes the gradient; it returns the bound on the batch."""
    device = pairs.x.device
    rows_generator = torch.Generator(device).manual_seed(seed)
    shift_generator = torch.Generator().manual_seed(seed + 1)  # on the CPU: drawing a shift never waits for a GPU
    batch_size = options.batch_size
    if processes is not None:
        batch_size = processes.even(min(batch_size, train.shape[-1]))
    stream = batches(train, batch_size, rows_generator, pairs.groups)
    gradient = gradient_step(critic, pairs, options, processes)
    state: Tensor | None = None

    def take_step() -> Tensor:
        nonlocal state
        rows, gap = next(stream)
        shifts = cyclic_shifts(rows.shape[-1], options.shuffles, shift_generator, gap=gap)
        x, y = pairs.rows(rows if processes is None else rows[..., processes.share(rows.shape[-1])])
        value, state = gradient.step(bound, x, y, shifts, state)
        return value

    return take_step


def _validation(
    critic: Critic,
    pairs: Pairs,
    rows: Tensor,
    contributions: Callable[[Tensor, Tensor], Tensor],
    seed: int,
    processes: ProcessGroup | None,
) -> Callable[[], Tensor]:
    """A function that scores the validation rows, with the same shuffles at each validation."""
    shuffles = max(4, min(32, (1 << 14) // max(1, rows.shape[-1])))
    scores = repeated_scores(critic, pairs, rows, shuffles, seed + 2)

    def validate() -> Tensor:
        row_values = contributions(*scores())
        return row_values if processes is None else processes.same_tensor(row_values)  # all processes go on, or all end

    return validate

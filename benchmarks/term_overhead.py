"""What a term costs in a training loop: its step against the same step written by hand, in turns, in one process.

Run as ``python benchmarks/term_overhead.py [--rounds 40]``. One step trains the critic on a batch and gives the encoder its
gradient; the loop by hand has the same critic, bound, shuffles and optimizers, and no checks. Times are of the CPU, because
others may use the machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

import mine
from mine.bounds import donsker_varadhan
from mine.critics import ConcatCritic, SeparableCritic
from mine.critics.critic import Critic
from mine.critics.pairs import pair_scores
from mine.critics.users import as_critic

#: Shuffled partners of a row, coordinates of the code, and coordinates of y.
SHUFFLES, CODE, TARGET = 8, 8, 8


def critics(width: int) -> dict[str, Callable[[], nn.Module]]:
    """The critics that are timed, with hidden layers of this width."""
    return {
        "concat": lambda: ConcatCritic(CODE, TARGET, (width, width)),
        "separable": lambda: SeparableCritic(CODE, TARGET, (width, width)),
        "module": lambda: nn.Sequential(
            nn.Linear(CODE + TARGET, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        ),
    }


def by_hand(critic: Critic, encoder: nn.Module, batch: int) -> Callable[[], None]:
    """A step without the library's term: two losses, two backward passes, two optimizers."""
    trainer, model = torch.optim.Adam(critic.parameters(), 1e-3), torch.optim.Adam(encoder.parameters(), 1e-3)
    a, b = torch.randn(batch, 16), torch.randn(batch, TARGET)

    def loss(z: Tensor) -> Tensor:
        shifts = (torch.randperm(batch - 1)[:SHUFFLES] + 1).tolist()
        return donsker_varadhan(*pair_scores(critic, z, b, shifts)).loss

    def step() -> None:
        z = encoder(a)
        trainer.zero_grad()
        loss(z.detach()).backward()
        trainer.step()
        model.zero_grad()
        for parameter in parameters:
            parameter.requires_grad_(False)
        loss(z).backward()
        for parameter in parameters:
            parameter.requires_grad_(True)
        model.step()

    parameters = list(critic.parameters())
    return step


def by_term(critic: nn.Module, encoder: nn.Module, batch: int, *, check: bool, joint: bool) -> Callable[[], None]:
    """The same step by :class:`mine.MaximizeMI`; ``joint`` takes one pass for critic and encoder."""
    term = mine.MaximizeMI(critic, shuffles=SHUFFLES, check_finite=check)
    model = torch.optim.Adam(encoder.parameters(), 1e-3)
    a, b = torch.randn(batch, 16), torch.randn(batch, TARGET)

    def step() -> None:
        z = encoder(a)
        if joint:
            loss = term.joint_loss(z, b)
        else:
            term.critic_step(z, b)
            loss = term(z, b)
        model.zero_grad()
        loss.backward()
        model.step()
        if joint:
            term.step()

    return step


def compare(steps: dict[str, Callable[[], None]], rounds: int, per_round: int) -> dict[str, float]:
    """Median milliseconds of CPU per step, of rounds in turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(per_round):
            step()
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(per_round):
                step()
            times[name].append((time.process_time() - start) / per_round * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--per-round", type=int, default=50)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print("| critic | by hand, ms | term | without checks | one pass |\n|---|---|---|---|---|")
    for name, make in critics(options.width).items():
        steps = {"hand": by_hand(as_critic(make()), nn.Linear(16, CODE), options.batch)}
        for label, check, joint in (("term", True, False), ("unchecked", False, False), ("joint", True, True)):
            steps[label] = by_term(make(), nn.Linear(16, CODE), options.batch, check=check, joint=joint)
        found = compare(steps, options.rounds, options.per_round)
        ratios = [f"{found[label] / found['hand']:.2f}" for label in ("term", "unchecked", "joint")]
        print(f"| {name} | {found['hand']:.3f} | {' | '.join(ratios)} |", flush=True)


if __name__ == "__main__":
    main()

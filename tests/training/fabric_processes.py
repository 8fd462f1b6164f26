"""What two processes of a Fabric find: gradients of shared steps, estimates, errors. The test imports it for one process.

Run as a script, Fabric starts the second process: ``python fabric_processes.py FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import mine
from mine.bounds import BOUNDS
from mine.critics import ConcatCritic, Critic, GaussianCritic, ResidualCritic, as_critic
from mine.critics.metric import MetricCritic
from mine.errors import InputError

#: Rows of the joined batch, and shifts that lead from one half into the other and around the end.
ROWS, SHIFTS = 12, (1, 5, 9)


class Images(nn.Module):
    """A user's critic of x (B, 2, 2) and y (B, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(7, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x.flatten(1), y], 1))


def cases() -> dict[str, tuple[Critic, str, bool, tuple[int, ...], tuple[int, ...]]]:
    """Critic, bound, whether it takes every pair, shapes of x and y without the batch."""

    def generator() -> torch.Generator:
        return torch.Generator().manual_seed(0)

    rng = np.random.default_rng(0)
    z = rng.normal(size=(2, 50, 1))
    base = GaussianCritic.stacked([GaussianCritic.fit(a + rng.normal(size=(50, 2)), a + rng.normal(size=(50, 3))) for a in z])
    made: dict[str, Any] = {
        f"concat {bound}": (ConcatCritic(2, 3, (8,), stack=(2,), generator=generator()), bound, False, (2,), (3,))
        for bound in ("mine", "nwj", "infonce", "smile", "jensen-shannon")
    }
    made |= {
        f"metric {bound}": (MetricCritic(2, 3, (8,), embed=4, stack=(2,), generator=generator()), bound, True, (2,), (3,))
        for bound in ("dv", "mine")
    }
    network = ConcatCritic(2, 3, (8,), stack=(2,), generator=generator())
    made["residual"] = ResidualCritic(base, network, base_dx=2, base_dy=3), "dv", False, (2,), (3,)
    torch.manual_seed(0)
    made["images"] = as_critic(Images()), "mine", False, (2, 2), (3,)
    return {name: (case[0].double(), *case[1:]) for name, case in made.items()}


def batches(stack: tuple[int, ...], x: tuple[int, ...], y: tuple[int, ...]) -> list[tuple[Tensor, Tensor]]:
    """Two joined batches of dependent rows."""
    generator = torch.Generator().manual_seed(1)
    out = []
    for _ in range(2):
        a = torch.randn(*stack, ROWS, *x, generator=generator, dtype=torch.float64)
        b = torch.randn(*stack, ROWS, *y, generator=generator, dtype=torch.float64)
        out.append((a, b + a.flatten(len(stack) + 1)[..., :1]))
    return out


def gradients(fabric: Any) -> dict[str, Tensor]:
    """Of the second of two steps: a bound may carry a state from the first."""
    from mine.training.processes import Ranks, SharedStep

    ranks, out = Ranks(fabric), {}
    for name, (critic, bound, all_pairs, x, y) in cases().items():
        shared, state, value = SharedStep(critic, ranks, all_pairs=all_pairs), None, None
        for a, b in batches(critic.stack, x, y):
            own = (*(slice(None) for _ in critic.stack), ranks.share(ROWS))
            value, state = shared.step(BOUNDS[bound], a[own], b[own], SHIFTS, state)
        out |= {f"{name}: {key}": p.grad for key, p in critic.named_parameters() if p.requires_grad}
        out[f"{name}: value"] = value
    return out


def data(name: str = "") -> tuple[np.ndarray, np.ndarray]:
    """A correlated normal of 0.51 nats; for the name "folded" two of them, and only the size of y, which no copula sees."""
    x, y = mine.datasets.correlated_normal(2000, 0.8, 2 if name == "folded" else 1, random_state=0)
    return x, np.abs(y) if name == "folded" else y


#: Estimates to compare with those of one process; the batch is even on two.
ESTIMATES: dict[str, dict[str, Any]] = {
    "auto": {"effort": "fast", "steps": 60},
    "folded": {"effort": "fast", "steps": 60},
    "mine": {"method": "mine", "steps": 200, "batch_size": 128, "hidden": (32, 32), "n_folds": 2},
    "groups": {"steps": 40, "n_folds": 2, "groups": np.arange(2000) // 4},
    "user's critic": {"method": "mine", "steps": 150, "n_folds": 2, "critic": lambda: ConcatCritic(1, 1, (32, 32))},
    "given": {"steps": 30, "z": np.random.default_rng(1).normal(size=2000)},
}


if __name__ == "__main__":
    from lightning.fabric import Fabric

    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    x, y = data()
    found: dict[str, Any] = {"gradients": gradients(fabric)}
    seen: list[int] = []
    for name, options in ESTIMATES.items():
        given = {"random_state": 0, **options}
        found[name] = mine.estimate(*data(name), progress=lambda *_: seen.append(1), fabric=fabric, **given).to_dict()
    found["progress"] = len(seen)
    found["unseeded"] = mine.estimate(x, y, steps=2, fabric=fabric).to_dict()
    try:
        mine.estimate(x, np.random.default_rng(fabric.global_rank).normal(size=2000), steps=2, fabric=fabric)
    except InputError as error:
        found["other rows"] = str(error)
    torch.save(found, Path(sys.argv[1]) / f"{fabric.global_rank}.pt")
    torch.distributed.destroy_process_group()

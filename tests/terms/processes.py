"""Gradients of every kind of term on one batch, computed by one process or shared by several.

Run as a script it is one rank: ``python processes.py RANK WORLD RENDEZVOUS OUT``. The test imports it for the single process.
"""

from __future__ import annotations

import sys
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

import mine
from mine.critics import ConcatCritic, SeparableCritic
from mine.terms import GaussianConditional, Term

#: Rows of each rank: unequal, as at the end of an epoch.
ROWS = (7, 5)


def terms() -> dict[str, Term]:
    """One of each kind; all ranks but the first start from other critics, which the first step must put right."""

    def sgd(parameters):
        return torch.optim.SGD(parameters, lr=0.1)

    made: dict[str, Term] = {}
    for bound in ("mine", "dv", "nwj", "infonce", "jensen-shannon"):
        made[f"maximize {bound}"] = mine.MaximizeMI(ConcatCritic(2, 3, (8,)), bound, shuffles=4, optimizer=sgd)
    made["minimize infonce"] = mine.MinimizeMI(SeparableCritic(2, 3, (8,), embed=4), "infonce", max_stale=2, optimizer=sgd)
    made["club"] = mine.MinimizeMI(GaussianConditional(2, 3, (8,)), upper_bound="club", max_stale=2, optimizer=sgd)
    made["leave-one-out"] = mine.MinimizeMI(upper_bound="leave-one-out")
    return {name: term.double() for name, term in made.items()}


def results(rank: int, world: int) -> dict[str, Tensor]:
    """What must not depend on the number of processes: gradients of the model, the trained critics, the logged values."""
    torch.manual_seed(0)
    both = nn.ModuleDict({"x": nn.Linear(4, 2), "y": nn.Linear(4, 3)}).double()
    a, b = torch.randn(2, 2, sum(ROWS), 4, dtype=torch.float64).unbind(0)
    start = sum(ROWS[:rank])
    rows = slice(start, start + ROWS[rank]) if world > 1 else slice(None)
    a, b = a[:, rows], b[:, rows]
    torch.manual_seed(1 + rank)
    made = terms()
    out: dict[str, Tensor] = {}
    for name, term in made.items():
        models = dict(both.items())
        if world > 1:
            models = {side: nn.parallel.DistributedDataParallel(model) for side, model in models.items()}

        def pair(i: int, models=models) -> tuple[Tensor, Tensor]:
            return models["x"](a[i]), models["y"](b[i])

        both.zero_grad()
        if name == "leave-one-out":
            mean = models["x"](a[0])
            term(mean + 0.3 * b[0][:, :2], torch.distributions.Normal(mean, 0.3)).backward()
        else:
            with torch.no_grad():
                batches = [pair(0), pair(1)]
            for batch in batches:
                term.critic_step(*batch, steps=2)
            term(*pair(0)).backward()
            out |= {f"{name}: critic {i}": p.detach().clone() for i, p in enumerate(term.parameters())}
        out[f"{name}: estimate"] = torch.tensor(term.estimate, dtype=torch.float64)
        out |= {f"{name}: model {key}": p.grad.clone() for key, p in both.named_parameters() if p.grad is not None}

    # The paper's clipping, on the module itself. A mean over own rows, weighted so that the ranks' mean is the whole's.
    both.zero_grad()
    x, y = both["x"](a[0]), both["y"](b[0])
    main = 0.0005 * (x**2).sum() * world
    done = mine.clipped_backward(main, made["maximize dv"](x, y), both.parameters())
    out |= {f"clipped {key}": p.grad.clone() for key, p in both.named_parameters()}
    out["clipped: factor"] = done.scale.double()
    return out


if __name__ == "__main__":
    own, ranks, rendezvous, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=own, world_size=ranks, timeout=timedelta(seconds=60)
    )
    torch.save(results(own, ranks), path)
    dist.destroy_process_group()

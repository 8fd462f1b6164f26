"""A plain PyTorch loop, as ports of MINE train: a module on the concatenation, a joint and a shuffled pass, Adam.

With ``--memory`` its batches are indexed out of a tensor; otherwise a DataLoader collates them row by row.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.speed.race import Clock, Race, contend, one_core


def loader_batches(x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True, drop_last=True)
    while True:
        yield from loader


def memory_batches(x: Tensor, y: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        order = torch.randperm(len(x))
        for start in range(0, len(x) - size + 1, size):
            rows = order[start : start + size]
            yield x[rows], y[rows]


def train(race: Race, clock: Clock, *, memory: bool = False, rate: float = 0.01) -> None:
    x, y = (torch.from_numpy(a) for a in race.data())
    sizes = (2 * race.dim, *race.hidden)
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    critic = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3)
    average = None
    batches = (memory_batches if memory else loader_batches)(x, y, race.batch)
    for _ in range(race.all_steps):
        batch_x, batch_y = next(batches)
        shuffled = batch_y[torch.randperm(len(batch_y))]
        joint = critic(torch.cat([batch_x, batch_y], 1)).mean()
        partition = critic(torch.cat([batch_x, shuffled], 1)).exp().mean()
        average = partition.detach() if average is None else (1 - rate) * average + rate * partition.detach()
        loss = -(joint - partition / average)  # the corrected gradient of MINE (Belghazi et al. 2018, eq. 12)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        clock.tick()


if __name__ == "__main__":
    one_core()
    torch.set_num_threads(1)
    memory = "--memory" in sys.argv
    contend(lambda race, clock: train(race, clock, memory=memory))

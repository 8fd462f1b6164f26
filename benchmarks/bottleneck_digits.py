"""The information bottleneck on 8 x 8 digits by three terms: accuracy on new images against what the code has on the image.

    python -m benchmarks.bottleneck_digits --seeds 0 1 2 3 4 5 6 7 --out benchmarks/results/bottleneck_digits.csv

writes one row for each term, weight and seed; about four CPU seconds each. ``docs/figures/bottleneck_digits.py`` draws them.

I(x; z) is computed, not learned: x is one of the n new images, so the marginal of z is the mixture of their n densities. It is
at most ln n = 6.6 nats.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.functional import cross_entropy, softplus

import mine
from mine.critics import ConcatCritic
from mine.terms import LearnedPrior

D, BATCH, STEPS = 8, 128, 1000
#: Weights of the information in the loss.
WEIGHTS = {
    "MINE": (0.03, 0.1, 0.2, 0.3, 0.5, 0.7),
    "vib": (0.003, 0.01, 0.03, 0.1, 0.2, 0.3),
    "vib, learned prior": (0.003, 0.01, 0.03, 0.1, 0.2, 0.3),
}


def term_of(name: str, seed: int) -> mine.MinimizeMI:
    """The term that lowers I(x; z)."""
    if name == "MINE":
        critic = ConcatCritic(64, D, hidden=(64, 64), generator=torch.Generator().manual_seed(seed))
        return mine.MinimizeMI(critic, "dv", random_state=seed, learning_rate=3e-3)
    prior = LearnedPrior(D, components=10, generator=torch.Generator().manual_seed(seed)) if "learned" in name else None
    return mine.MinimizeMI(prior, upper_bound="vib", random_state=seed)


def density_of(encoder: nn.Module, x: Tensor) -> Independent:
    mean, raw = encoder(x).chunk(2, 1)
    return Independent(Normal(mean, softplus(raw) + 0.01), 1)


def train(x: Tensor, y: Tensor, name: str, weight: float, seed: int) -> tuple[nn.Module, nn.Module]:
    """An encoder to densities of the code, and a classifier of the code."""
    torch.manual_seed(seed)
    encoder, head = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 2 * D)), nn.Linear(D, 10)
    term = term_of(name, seed)
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=1e-3)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        density = density_of(encoder, x[rows])
        z = density.rsample()
        sides = (x[rows], z) if name == "MINE" else (z, density)
        if term.critic is not None:
            term.critic_step(*sides, steps=5 if name == "MINE" else 1)
        optimizer.zero_grad()
        (cross_entropy(head(z), y[rows]) + weight * term(*sides)).backward()
        optimizer.step()
    return encoder, head


@torch.no_grad()
def measured(encoder: nn.Module, head: nn.Module, x: Tensor, y: Tensor, draws: int = 20) -> tuple[float, float]:
    """Accuracy and I(x; z) in nats on new images, means over draws of z."""
    torch.manual_seed(0)
    density = density_of(encoder, x)
    right, information = 0.0, 0.0
    for _ in range(draws):
        z = density.sample()
        right += (head(z).argmax(1) == y).float().mean().item() / draws
        every = Normal(density.base_dist.loc[None], density.base_dist.scale[None]).log_prob(z[:, None]).sum(-1)
        mixture = torch.logsumexp(every, 1) - math.log(len(x))
        information += (density.log_prob(z) - mixture).mean().item() / draws
    return right, information


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(8)))
    parser.add_argument("--terms", nargs="+", default=list(WEIGHTS), choices=list(WEIGHTS))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    digits = mine.datasets.digits()
    x = torch.tensor(digits.images, dtype=torch.float32).flatten(1) / 16
    y = torch.tensor(digits.labels, dtype=torch.long)
    seen, new = slice(0, digits.n_train), slice(digits.n_train, None)
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["term", "weight", "seed", "accuracy", "information_nats"])
        for seed in options.seeds:
            for name in options.terms:
                for weight in WEIGHTS[name]:
                    networks = train(x[seen], y[seen], name, weight, seed)
                    accuracy, information = measured(*networks, x[new], y[new])
                    writer.writerow([name, weight, seed, f"{accuracy:.4f}", f"{information:.4f}"])
                    file.flush()
                    print(f"{name} {weight} seed {seed}: {accuracy:.1%} right, I(x; z) = {information:.2f} nats", flush=True)


if __name__ == "__main__":
    main()

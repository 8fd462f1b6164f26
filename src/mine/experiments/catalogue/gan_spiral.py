"""Two spirals: a GAN against the same GAN with mutual information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mine.datasets.points import SPIRAL_STD, nearest_on_spirals, spirals
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.games.point_metrics import code_information, covered, energy_distance, purity, reverse_kl
from mine.experiments.games.points_figure import plot_points
from mine.experiments.games.points_gan import ARMS, PointsConfig, train_points_gan
from mine.experiments.store import Record
from mine.experiments.targets import Target

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

#: Of each spiral, of equal probability.
_PIECES = 25

#: Points enough for the information between code and spiral.
_FEW = 10_000


@dataclass(frozen=True)
class Config(PointsConfig):
    """As :class:`PointsConfig`: a label for a stretch of spiral, and points enough for small energy distances."""

    n_codes: int = 10
    fade: tuple[float, float] = (0.4, 0.6)
    steps: int = 14_000
    spread: float = 0.25
    evaluated: int = 200_000


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Train, sample, and compare with a fresh sample of the data."""
    sample = train_points_gan(config, seed, spirals, out, progress, device)
    pieces, distance = nearest_on_spirals(sample.points, _PIECES)
    good = distance < 3 * SPIRAL_STD
    arm = pieces // _PIECES
    data, again = (spirals(config.evaluated, np.random.default_rng([seed, 2**32 + i]))[0] for i in range(2))
    numbers = {
        "energy_distance": energy_distance(sample.points, data),
        "energy_floor": energy_distance(again, data),
        "near_curve": float(good.mean()),
        "pieces": covered(pieces, good),
        "reverse_kl": reverse_kl(pieces, good, 2 * _PIECES),
        "code_information": code_information(sample.codes[:_FEW], arm[:_FEW]),
        "critic": sample.estimate,
    }
    return numbers | ({"purity": purity(sample.codes, arm)} if sample.codes.ndim == 1 else {})


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Original and arms side by side, as in the paper's figure."""

    def caption(m: Mapping[str, float]) -> str:
        return f"energy distance {m['energy_distance']:.4f}, {100 * m['near_curve']:.0f} % near the curve"

    return plot_points(results, out, spirals, 1.3, caption)


_SMOKE = Config(steps=150, batch_size=64, width=32, critic_width=32, evaluated=500, averaging=0.9)
_PAPER = Config(steps=200_000, width=256, depth=4, learning_rate=2e-4, critic_width=256, critic_rate=2e-4, averaging=0.0)

EXPERIMENT = Experiment(
    name="gan-spiral",
    shows="Mutual information between code and sample makes a GAN follow two spirals to their ends.",
    source="Belghazi et al., 2018 (arXiv 1801.04062), section 5.1, a figure without numbers",
    arms=ARMS,
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 4, "paper": 100},
    metrics=(
        Metric("energy_distance", "energy distance", 4, published={"GAN": "–", "GAN+MINE": "–"}),
        Metric("energy_floor", "of two samples of the data", 4),
        Metric("near_curve", "near the curve (%)", 1, 100),
        Metric("pieces", "pieces of 50", 1),
        Metric("reverse_kl", "reverse KL (nats)", 2),
        Metric("code_information", "I(code; spiral) (nats)"),
        Metric("purity", "purity (%)", 0, 100),
    ),
    run=run,
    plot=plot,
    drawn_from="samples.npz",
    targets=[
        Target(
            "GAN+MINE's energy distance is half of GAN's at most",
            lambda of: of("GAN+MINE", "energy_distance").mean <= of("GAN", "energy_distance").mean / 2,
        )
    ],
)  # fmt: skip

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
from mine.experiments.games.refinements import Refinements
from mine.experiments.store import Record
from mine.experiments.targets import Values, leads, reaches

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

#: Of each spiral, of equal probability.
_PIECES = 25

#: Points enough for the information between code and spiral.
_FEW = 10_000

#: Losses of the paper; only the weight of the information falls.
_FADED = Refinements(fade=(0.4, 0.6))


@dataclass(frozen=True)
class Config(PointsConfig):
    """As :class:`PointsConfig`: a label for a stretch of spiral, and points enough for small energy distances."""

    n_codes: int = 10
    steps: int = 14_000
    spread: float = 0.25
    evaluated: int = 200_000
    refinements: Refinements = _FADED


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
_PAPER = Config(
    steps=200_000,
    width=256,
    depth=4,
    learning_rate=2e-4,
    critic_width=256,
    critic_rate=2e-4,
    averaging=0.0,
)


def _seen(of: Values) -> str:
    plain, ours, floor = (
        of(arm, key).mean
        for arm, key in (("GAN", "energy_distance"), ("GAN+MINE", "energy_distance"), ("GAN+MINE", "energy_floor"))
    )
    return (
        f"GAN+MINE's energy distance to the spirals is {ours:.4f}, the plain GAN's {plain:.4f}. "
        f"Two samples of the data are {floor:.4f} apart. "
        f"{of('GAN+MINE', 'near_curve').mean:.1%} and {of('GAN', 'near_curve').mean:.1%} of the points are near the curve."
    )


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
    seen=_seen,
    limits=(
        "The paper has a figure without numbers, so there is no published level. "
        "With the losses and features of gan-25-gaussians GAN+MINE does not beat the plain GAN, on one seed and 6,000 steps."
    ),
    run=run,
    plot=plot,
    drawn_from="samples.npz",
    targets=[
        reaches(
            "GAN+MINE's energy distance is at most 0.40 of GAN's",
            lambda of: of("GAN+MINE", "energy_distance").mean / of("GAN", "energy_distance").mean,
            most=0.4,
            shown="{:.2f} of GAN's",
        ),
        reaches(
            "GAN+MINE's energy distance is at most 1.5 times the distance of two samples of the data",
            lambda of: of("GAN+MINE", "energy_distance").mean / of("GAN+MINE", "energy_floor").mean,
            most=1.5,
            shown="{:.2f} times",
        ),
        leads(
            "GAN+MINE beats GAN in energy distance by more than two standard errors",
            "GAN+MINE",
            "GAN",
            "energy_distance",
            less=True,
        ),
        reaches(
            "with the normal code the information does no harm: its energy distance is at most GAN's",
            lambda of: of("GAN+MINE, normal code", "energy_distance").mean / of("GAN, normal code", "energy_distance").mean,
            most=1.0,
            shown="{:.2f} of GAN's",
        ),
    ],
)  # fmt: skip

"""25 normals on a grid: a bidirectional GAN against the same one with mutual information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mine.datasets.points import GRID_CENTRES, GRID_STD, gaussian_grid
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.games.bigan import ARMS, BiganConfig, train_bigan
from mine.experiments.games.point_metrics import covered, nearest_centre, reverse_kl
from mine.experiments.games.points_figure import of_one_seed, points_panel
from mine.experiments.games.refinements import Refinements
from mine.experiments.store import Record
from mine.experiments.targets import Target, Values, leads, reaches
from mine.reporting.figures import new_figure, write_figure

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

_LIMIT = 5.5
_PLAIN, _MINE = ARMS

_REFINED = Refinements(
    octaves=4,
    code_octaves=2,
    encoder_noise=2,
    paired=True,
    penalty=0.01,
    penalty_end=0.0005,
    penalty_held=0.5,
    penalty_every=8,
    discriminator_rate=2.0,
    rate_held=0.35,
    fade=(0.0, 0.35),
)


@dataclass(frozen=True)
class Config(BiganConfig):
    """As :class:`BiganConfig`.

    Attributes:
        spread: Standard deviation of the data, which the networks see divided by it.
        refinements: Of the game, for both arms.
    """

    steps: int = 48_000
    critic: str = "decoder"
    critic_spread: float = 0.2
    critic_width: int = 64
    shuffles: int = 31
    spread: float = 8**0.5
    refinements: Refinements = _REFINED


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Train; count samples as in PacGAN's experiment; measure how far fresh data are from their reconstructions."""

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        return gaussian_grid(n, rng)[0] / config.spread

    model = train_bigan(config, 2, seed, draw, out, progress, refinements=config.refinements, device=device)
    samples = model.sample(config.evaluated).double().numpy() * config.spread
    points, labels = gaussian_grid(config.evaluated, np.random.default_rng([seed, 2**32]))
    rows = torch.as_tensor(points / config.spread, dtype=torch.float32)
    rebuilt = model.reconstruct(rows).double().numpy() * config.spread
    np.savez_compressed(
        out / "samples.npz",
        samples=samples.astype(np.float32), points=points.astype(np.float32), labels=labels, rebuilt=rebuilt.astype(np.float32),
    )  # fmt: skip
    clusters, distance = nearest_centre(samples, GRID_CENTRES)
    good = distance < 3 * GRID_STD
    return {
        "modes": covered(clusters, good),
        "high_quality": float(good.mean()),
        "reverse_kl": reverse_kl(clusters, good, len(GRID_CENTRES)),
        "reconstruction_error": float(np.linalg.norm(points - rebuilt, axis=1).mean()),
        "same_mode": float((nearest_centre(rebuilt, GRID_CENTRES)[0] == labels).mean()),
        "critic": model.estimate,
    }


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """The data; of each arm samples above, coloured by their nearest normal, and reconstructions below, coloured by x's."""
    shown = of_one_seed(results)
    figure, axes = new_figure(2, 1 + len(shown), (2.9 * (1 + len(shown)), 6.6))
    for column, (record, folder) in enumerate(shown, 1):
        with np.load(folder / "samples.npz") as stored:
            samples, points, labels, rebuilt = (stored[key] for key in ("samples", "points", "labels", "rebuilt"))
        m = record.metrics
        note = f"{m['modes']:.0f} modes, {100 * m['high_quality']:.0f} % high quality"
        nearest = nearest_centre(samples.astype(float), GRID_CENTRES)[0]
        points_panel(axes[0][column], samples, nearest, _LIMIT, f"{record.arm}: samples", note)
        note = f"mean distance to x {m['reconstruction_error']:.2f}, {100 * m['same_mode']:.0f} % in the mode of x"
        points_panel(axes[1][column], rebuilt, labels, _LIMIT, f"{record.arm}: G(E(x))", note)
        if column == 1:
            points_panel(axes[0][0], points, labels, _LIMIT, "data x", "colour: mode")
    axes[1][0].set_axis_off()
    axes[1][0].text(0.5, 0.5, "Right: reconstructions,\neach in the colour of its x.", ha="center", va="center", fontsize=9)
    target = out / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


_SMOKE = Config(averaging=("moving", 0.9), steps=100, batch_size=64, width=32, critic_width=32, evaluated=500)
_PAPER = Config(
    averaging=("moving", 0.0),
    steps=400_000,
    batch_size=100,
    width=400,
    depth=4,
    learning_rate=1e-4,
    beta1=0.8,
    critic_width=400,
    critic_rate=1e-4,
)


def _seen(of: Values) -> str:
    return (
        f"BiGAN+MINE has {of(_MINE, 'high_quality').mean:.1%} good samples and BiGAN {of(_PLAIN, 'high_quality').mean:.1%}. "
        f"Reconstructions are {of(_MINE, 'reconstruction_error').mean:.2f} and "
        f"{of(_PLAIN, 'reconstruction_error').mean:.2f} away from x on average. "
        f"Over the seeds BiGAN+MINE's distance is {_range(of, 'reconstruction_error')}."
    )


def _range(of: Values, key: str) -> str:
    values = [record.metrics[key] for record in of.records if record.arm == _MINE]
    return f"{min(values):.2f} to {max(values):.2f}"


EXPERIMENT = Experiment(
    name="bigan-25-gaussians",
    shows="Mutual information of data and code makes a bidirectional GAN rebuild what it sees: 25 normals on a grid.",
    source=(
        "Belghazi et al., 2018 (arXiv 1801.04062), section 5.2, a figure without numbers; modes, quality and KL of ALI, "
        "and the way to count, follow PacGAN (Lin et al., 2018, arXiv 1712.04086, table 1), 10 runs"
    ),
    arms=ARMS,
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 5, "paper": 250},
    metrics=(
        Metric("modes", "modes of 25", 1, published={"BiGAN": "24.1", "BiGAN+MINE": "–"}, better="more"),
        Metric("high_quality", "high quality (%)", 1, 100, published={"BiGAN": "95.7", "BiGAN+MINE": "–"}, better="more"),
        Metric("reverse_kl", "reverse KL (nats)", 2, published={"BiGAN": "0.14", "BiGAN+MINE": "–"}, better="less"),
        Metric("reconstruction_error", "distance of x and G(E(x))", 2, published={"BiGAN": "–", "BiGAN+MINE": "–"}),
        Metric("same_mode", "reconstructed in the mode of x (%)", 1, 100),
    ),
    seen=_seen,
    limits=(
        "The networks have three layers of 128 and the game has losses, features and schedules that ALI had not. "
        "The generator is continuous, so codes between two modes give points in neither."
    ),
    run=run,
    plot=plot,
    drawn_from="samples.npz",
    targets=[
        reaches("BiGAN+MINE covers 24.8 of 25 modes", lambda of: of(_MINE, "modes").mean, least=24.8, shown="{:.1f}"),
        reaches(
            "95 % of BiGAN+MINE's samples are good", lambda of: of(_MINE, "high_quality").mean, least=0.95, shown="{:.1%}"
        ),
        reaches(
            "BiGAN+MINE's reverse KL is at most 0.02 nats", lambda of: of(_MINE, "reverse_kl").mean, most=0.02, shown="{:.3f}"
        ),
        reaches(
            "BiGAN+MINE's distance of x and G(E(x)) is at most 0.10",
            lambda of: of(_MINE, "reconstruction_error").mean,
            most=0.1,
        ),
        Target(
            "BiGAN covers 24 modes with 90 % good samples, near the published ALI",
            lambda of: of(_PLAIN, "modes").mean >= 24 and of(_PLAIN, "high_quality").mean >= 0.9,
            lambda of: f"{of(_PLAIN, 'modes').mean:.1f} modes, {of(_PLAIN, 'high_quality').mean:.1%}",
        ),
        *(
            leads(f"BiGAN+MINE beats BiGAN in {text} by more than two standard errors", _MINE, _PLAIN, key, less=less)
            for key, text, less in (
                ("reverse_kl", "reverse KL", True),
                ("high_quality", "good samples", False),
                ("reconstruction_error", "distance of x and G(E(x))", True),
            )
        ),
    ],
)  # fmt: skip

"""25 normals on a grid: a GAN against the same GAN with mutual information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mine.datasets.points import GRID_CENTRES, GRID_STD, gaussian_grid
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.games.point_metrics import code_information, covered, inner_width, nearest_centre, purity, reverse_kl
from mine.experiments.games.points_figure import plot_points
from mine.experiments.games.points_gan import ARMS, PointsConfig, train_points_gan
from mine.experiments.games.refinements import Refinements
from mine.experiments.store import Record
from mine.experiments.targets import Values, leads, reaches

__all__ = ["EXPERIMENT", "Config", "plot", "run"]


#: The game of both arms; only the weight of the information, which ``fade`` lowers, is the second arm's alone.
_REFINED = Refinements(
    octaves=4,
    paired=True,
    penalty=0.01,
    penalty_end=0.0005,
    penalty_held=0.5,
    penalty_every=8,
    discriminator_rate=2.0,
    rate_held=0.25,
    fade=(0.5, 0.8),
)


@dataclass(frozen=True)
class Config(PointsConfig):
    """As :class:`PointsConfig`. With four labels for each normal, no normal is missed when two labels take the same one."""

    spread: float = 8**0.5
    n_codes: int = 100
    steps: int = 7_000
    critic_width: int = 64
    shuffles: int = 3
    refinements: Refinements = _REFINED


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Train, sample, and count as in PacGAN's experiment: only points within three deviations of a centre are good."""
    sample = train_points_gan(config, seed, gaussian_grid, out, progress, device)
    clusters, distance = nearest_centre(sample.points, GRID_CENTRES)
    good = distance < 3 * GRID_STD
    numbers = {
        "modes": covered(clusters, good),
        "high_quality": float(good.mean()),
        "reverse_kl": reverse_kl(clusters, good, len(GRID_CENTRES)),
        "width": inner_width(sample.points[good], clusters[good]) / GRID_STD if good.any() else 0.0,
        "code_information": code_information(sample.codes, clusters),
        "critic": sample.estimate,
    }
    return numbers | ({"purity": purity(sample.codes, clusters)} if sample.codes.ndim == 1 else {})


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Original and arms side by side, as in mine-pytorch's README."""
    return plot_points(
        results, out, gaussian_grid, 5.5, lambda m: f"{m['modes']:.0f} modes, {100 * m['high_quality']:.0f} % high quality"
    )


_SMOKE = Config(steps=150, batch_size=64, width=32, critic_width=32, evaluated=500, averaging=0.9)
_PAPER = Config(
    n_codes=25,
    shuffles=4,
    steps=400_000,
    batch_size=100,
    width=400,
    depth=4,
    learning_rate=1e-4,
    beta1=0.8,
    critic_width=400,
    critic_rate=1e-4,
    averaging=0.0,
    refinements=Refinements(),
)


def _seen(of: Values) -> str:
    plain, ours = (
        "{:.1f} modes, {:.1%} good samples and a reverse KL of {:.3f} nats".format(
            *(of(arm, key).mean for key in ("modes", "high_quality", "reverse_kl"))
        )
        for arm in ("GAN", "GAN+MINE")
    )
    return (
        f"GAN+MINE reaches {ours}. The plain GAN, with the same networks and losses, reaches {plain}. "
        f"GAN+MINE's modes are {of('GAN+MINE', 'width').mean:.2f} as wide as the normals, "
        f"the plain GAN's {of('GAN', 'width').mean:.2f}."
    )


EXPERIMENT = Experiment(
    name="gan-25-gaussians",
    shows="Mutual information between code and sample keeps a GAN from dropping modes: 25 normals on a grid.",
    source=(
        "Belghazi et al., 2018 (arXiv 1801.04062), section 5.1, a figure without numbers; the numbers for a plain GAN, and the "
        "way to count, follow PacGAN (Lin et al., 2018, arXiv 1712.04086, table 1), 10 runs"
    ),
    arms=ARMS,
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 3, "paper": 270},
    metrics=(
        Metric("modes", "modes of 25", 1, published={"GAN": "17.3 ± 0.8", "GAN+MINE": "–"}, better="more"),
        Metric("high_quality", "high quality (%)", 1, 100, published={"GAN": "94.8", "GAN+MINE": "–"}, better="more"),
        Metric("reverse_kl", "reverse KL (nats)", 2, published={"GAN": "0.70", "GAN+MINE": "–"}, better="less"),
        Metric("width", "width of modes (data: 0.98)"),
        Metric("code_information", "I(code; cluster) (nats)"),
        Metric("purity", "purity (%)", 0, 100),
    ),
    seen=_seen,
    limits=(
        "The networks are small and see data divided by their spread, with sine and cosine features. "
        "PacGAN's plain GAN has none of these, so its published level tests the protocol and not the term. "
        "Of the data themselves 98.9 % count as good, so a higher share means modes that are too narrow. "
        "Points come from averaged weights."
    ),
    run=run,
    plot=plot,
    drawn_from="samples.npz",
    version=2,
    targets=[
        reaches("GAN+MINE covers 25 of 25 modes", lambda of: of("GAN+MINE", "modes").mean, least=25, shown="{:.1f}"),
        reaches(
            "97 % of GAN+MINE's samples are good", lambda of: of("GAN+MINE", "high_quality").mean, least=0.97, shown="{:.1%}"
        ),
        reaches(
            "GAN+MINE's reverse KL is at most 0.01 nats",
            lambda of: of("GAN+MINE", "reverse_kl").mean,
            most=0.01,
            shown="{:.3f}",
        ),
        reaches("GAN+MINE's modes are 0.9 as wide as the normals", lambda of: of("GAN+MINE", "width").mean, least=0.9),
        leads("GAN+MINE beats GAN in modes by more than two standard errors", "GAN+MINE", "GAN", "modes"),
        leads("GAN+MINE beats GAN in good samples by more than two standard errors", "GAN+MINE", "GAN", "high_quality"),
        leads("GAN+MINE beats GAN in reverse KL by more than two standard errors", "GAN+MINE", "GAN", "reverse_kl", less=True),
    ],
)  # fmt: skip

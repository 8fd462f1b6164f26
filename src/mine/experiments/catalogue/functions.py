"""Noisy functions of a uniform variable: the estimate next to the exact value and two classical measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from mine.api import estimate
from mine.datasets.noisy_functions import NOISY_FUNCTIONS, noisy_function, noisy_function_mi
from mine.experiments.dependence import distance_correlation, largest_pearson
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.store import Record
from mine.experiments.sweep import sweep
from mine.experiments.targets import Target, Values, reaches
from mine.formats import fixed
from mine.reporting.figures import new_figure, write_figure

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

#: Panels of the figure: key, title, darkest value or None for the largest.
_PANELS = (
    ("estimate", "mine.estimate (nats)", None),
    ("exact", "exact (nats)", None),
    ("pearson", "absolute Pearson correlation", 1.0),
    ("distance", "distance correlation", 1.0),
)


@dataclass(frozen=True)
class Config:
    """One function at several levels of noise.

    Attributes:
        function: One of :data:`mine.datasets.noisy_functions.NOISY_FUNCTIONS`.
        sigmas: Standard deviations of the noise. At 0 the information is infinite, and no estimate can be right.
        n: Rows of a sample.
        dim: Coordinates a side.
        steps: Most training steps; None is the default method's own number.
    """

    function: str = "x"
    sigmas: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9)
    n: int = 10_000
    dim: int = 1
    steps: int | None = None


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Draw a sample at each level of noise, estimate, and compare with the quadrature."""
    place = list(NOISY_FUNCTIONS).index(config.function)

    def measure(sigma: float) -> dict[str, Any]:
        draw = [seed, place, config.dim, round(1000 * sigma)]
        x, y = noisy_function(config.n, config.function, sigma, config.dim, random_state=draw)
        information = estimate(x, y, steps=config.steps, device=device, random_state=seed, progress=False)
        return {
            "estimate": information.value,
            "exact": noisy_function_mi(config.function, sigma, config.dim),
            "pearson": largest_pearson(x, y),
            "distance": distance_correlation(x, y),
        }

    cells = sweep(config.sigmas, measure, out, progress)
    errors = [abs(cell["estimate"] - cell["exact"]) for cell in cells]
    numbers = {"worst_error": max(errors), "mean_error": fmean(errors)}
    return numbers | {
        f"{key}_{sigma:g}": value for sigma, cell in zip(config.sigmas, cells, strict=True) for key, value in cell.items()
    }


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Write ``figure.png``: heat maps of functions against noise, means over the seeds."""
    arms = list(dict.fromkeys(record.arm for record, _ in results))
    sigmas = list(results[0][0].config["sigmas"])

    def mean(arm: str, key: str) -> float:
        return fmean(record.metrics[key] for record, _ in results if record.arm == arm)

    figure, axes = new_figure(2, 2, (9.6, 1.9 + 0.72 * len(arms)))
    top = max(mean(arm, f"exact_{sigma:g}") for arm in arms for sigma in sigmas)
    for axis, (key, title, darkest) in zip(axes.flat, _PANELS, strict=True):
        values = [[mean(arm, f"{key}_{sigma:g}") for sigma in sigmas] for arm in arms]
        _heat_map(axis, values, darkest or top, arms, [f"{sigma:g}" for sigma in sigmas])
        axis.set_title(title, loc="left")
    for axis in axes[1]:
        axis.set_xlabel("noise σ; at σ = 0 the information is infinite")
    target = out / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


def _heat_map(axis: Any, values: list[list[float]], darkest: float, rows: list[str], columns: list[str]) -> None:
    axis.imshow(values, cmap="Blues", vmin=0, vmax=darkest, aspect="auto")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            axis.text(
                j,
                i,
                fixed(value, 2),
                ha="center",
                va="center",
                color="white" if value > 0.6 * darkest else "black",
            )
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _exact(of: Values) -> list[float]:
    """Of the paper's three functions, at little noise."""
    return [of(name, "exact_0.1").mean for name in ("x", "x^3", "sin x")]


_DEFAULT = Config()
_SMOKE = Config(n=200, sigmas=(0.1, 0.9), steps=20)
_PAPER = Config(sigmas=tuple(i / 10 for i in range(1, 10)), dim=2)


def _worst(of: Values) -> tuple[float, str]:
    """The largest error of the functions that were run, and whose it is."""
    ran = {record.arm for record in of.records}
    return max((of(name, "worst_error").mean, name) for name in NOISY_FUNCTIONS if name in ran)


def _seen(of: Values) -> str:
    error, name = _worst(of)
    return (
        f"The largest error over all levels of noise is {error:.3f} nats, for {name}. "
        "The exact information differs between functions, so the paper's claim of equality does not hold."
    )


EXPERIMENT = Experiment(
    name="functions",
    shows="Information of noisy functions next to its exact value, Pearson and distance correlation; it is not equal for all "
    "f.",
    source=(
        "Belghazi et al., 2018 (arXiv 1801.04062), section 4.2, a figure without numbers, for x, x^3 and sin x in 2-d; exact "
        "values by quadrature"
    ),
    arms={name: {"function": name} for name in NOISY_FUNCTIONS},
    scales={"smoke": _SMOKE, "default": _DEFAULT, "paper": _PAPER},
    minutes={"smoke": 0.04, "default": 0.8, "paper": 2},
    metrics=(
        Metric("worst_error", "largest error (nats)", 3),
        Metric("mean_error", "mean error (nats)", 3),
        *(Metric(f"estimate_{s:g}", f"estimate at σ = {s:g} (nats)", 3) for s in (0.1, 0.9)),
        *(Metric(f"exact_{s:g}", f"exact at σ = {s:g} (nats)", 3) for s in (0.1, 0.9)),
    ),
    seen=_seen,
    limits=(
        "The paper has a figure without numbers, so there is no published level. "
        "X has two dimensions at paper scale, as in the paper, and one at the default scale. "
        "Errors are means over the seeds of the largest error of a seed."
    ),
    run=run,
    plot=plot,
    targets=[
        reaches(
            "every estimate is within 0.03 nats of the exact value",
            lambda of: _worst(of)[0],
            most=0.03,
            shown="{:.3f}",
        ),
        Target(
            "the paper's claim that information is equal for all f at equal noise, within 5 %, by the exact values at σ = 0.1",
            lambda of: max(_exact(of)) <= 1.05 * min(_exact(of)),
            lambda of: f"{min(_exact(of)):.2f} to {max(_exact(of)):.2f} nats",
        ),
    ],
)  # fmt: skip

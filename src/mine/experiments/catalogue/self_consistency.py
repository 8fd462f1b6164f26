"""Three questions to which every estimator of mutual information should know the answer without knowing the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mine.api import estimate
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.store import Record
from mine.experiments.summary import mean_and_error
from mine.experiments.sweep import sweep
from mine.experiments.targets import Target, Values, reaches
from mine.reporting.figures import new_figure, write_figure

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

#: An information (nats) at or below this is no denominator.
_LEAST = 0.01

#: Ratios of the baseline above this one are outside the panel, and their number is written at its edge.
_HIGHEST = 1.6


@dataclass(frozen=True)
class Config:
    """One method on images X and their top rows Y.

    Attributes:
        method: Of :func:`mine.estimate`.
        data: ``"mnist"`` or ``"digits"``.
        n: Images, or pairs of images.
        pooling: Side of the squares of pixels that are averaged.
        shares: Of the image's rows, for the baseline test; 0.5 and 1 among them.
        further: Share of the rows that the data-processing test adds to the top half.
        effort: Of methods that train.
        steps: Most training steps; None is the method's own number.
    """

    method: str = "auto"
    data: str = "mnist"
    n: int = 4_000
    pooling: int = 2
    shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    further: float = 0.25
    effort: str = "fast"
    steps: int | None = None


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """The estimates that the tests need, and their ratios.

    A ratio is left out where its denominator is not positive. The published estimators are compared by their values, as in the
    paper. The default's value is no number to be compared where it says that it cannot bound the information from above: then
    its ratio is left out too. ``open_KEY`` is 1 for such an estimate, ``open`` the share of them. ``low_KEY`` is the low end of
    the interval.
    """
    images = _images(config, seed)
    first, second = images[: config.n], images[config.n :]
    options: dict[str, Any] = {} if config.steps is None or config.method == "ksg" else {"steps": config.steps}

    def top(share: float, of: np.ndarray = first) -> np.ndarray:
        return of[:, : round(share * of.shape[1])].reshape(len(of), -1)

    def beside(*parts: np.ndarray) -> np.ndarray:
        return np.concatenate(parts, 1)

    both = beside(top(1.0), top(1.0, second))
    pairs: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        **{f"rows_{share:g}": lambda share=share: (top(1.0), top(share)) for share in config.shares},
        "further": lambda: (top(1.0), top(0.5 + config.further)),
        "further_and_half": lambda: (top(1.0), beside(top(0.5 + config.further), top(0.5))),
        "two_images": lambda: (both, beside(top(0.5), top(0.5, second))),
    }

    def measure(name: str) -> dict[str, Any]:
        x, y = pairs[name]()
        information = estimate(
            x,
            y,
            method=config.method,
            effort=config.effort,
            discrete=False,
            device=device,
            random_state=seed,
            progress=False,
            **options,
        )
        low, high = information.interval
        return {"value": information.value, "low": low, "open": float(not math.isfinite(high))}

    cells = sweep(list(pairs), measure, out, progress)
    of = dict(zip(pairs, cells, strict=True))
    value = {name: cell["value"] for name, cell in of.items()}
    bounded = [name for name, cell in of.items() if not cell["open"]]
    compared = set(bounded if config.method == "auto" else of)
    wanted = {
        **{f"baseline_{share:g}": (f"rows_{share:g}", "rows_1") for share in config.shares if share < 1},
        "processing": ("further_and_half", "further"),
        "additivity": ("two_images", "rows_0.5"),
    }
    ratios = {
        key: value[top] / value[bottom]
        for key, (top, bottom) in wanted.items()
        if value[bottom] > _LEAST and {top, bottom} <= compared
    }
    seen = {f"{key}_{name}": cell[key] for key in ("open", "low") for name, cell in of.items()}
    seen["open"] = 1 - len(bounded) / len(of)
    seen |= {"compared_rows_1": value["rows_1"]} if "rows_1" in compared else {}
    return {f"nats_{name}": nats for name, nats in value.items()} | ratios | seen


def _images(config: Config, seed: int) -> np.ndarray:
    """Two disjoint samples of ``n`` images one after the other, (2n, height, width), pixels from 0 to 1."""
    from mine.datasets import digits, mnist

    dataset = mnist() if config.data == "mnist" else digits()
    images, _ = dataset.train
    rows = np.random.default_rng(seed).permutation(len(images))[: 2 * config.n]
    p = config.pooling
    n, height, width = images[rows].shape
    return images[rows].reshape(n, height // p, p, width // p, p).mean((2, 4)) / dataset.white


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Write ``figure.png``: the baseline as curves, the other two tests as points next to their targets."""
    arms = list(dict.fromkeys(record.arm for record, _ in results))
    shares = list(results[0][0].config["shares"])

    def ratio(arm: str, key: str) -> tuple[float, float | None] | None:
        values = [record.metrics[key] for record, _ in results if record.arm == arm and key in record.metrics]
        return mean_and_error(values) if values else None

    figure, axes = new_figure(1, 3, (11.5, 3.6))
    for i, arm in enumerate(arms):
        measured = {share: ratio(arm, f"baseline_{share:g}") for share in shares if share < 1}
        if all(r is None for r in measured.values()):  # no line from 0 to 1 of one who has said nothing
            axes[0][0].plot([], [], "o-", color=f"C{i}", label=f"{arm}: unbounded")
            continue
        points = [(0.0, 0.0), *((share, r[0]) for share, r in measured.items() if r is not None), (1.0, 1.0)]
        axes[0][0].plot(*zip(*points, strict=True), "o-", ms=4, lw=1.2, color=f"C{i}", label=arm)
        for share, value in points:
            if value > _HIGHEST:  # one value far outside would flatten all others
                axes[0][0].annotate(
                    f"{value:.1f}", (share, _HIGHEST), xytext=(5, -11), textcoords="offset points", color=f"C{i}", fontsize=8
                )
    axes[0][0].set_ylim(
        -0.08, _HIGHEST if any(high > _HIGHEST for line in axes[0][0].lines for high in line.get_ydata()) else None
    )
    axes[0][0].set_title("Baseline: rises from 0 to 1", loc="left")
    axes[0][0].set_xlabel("share of the rows in Y")
    axes[0][0].set_ylabel("I(X; Y) / I(X; X)")
    axes[0][0].legend(fontsize=8, loc="lower right")
    for axis, key, ideal, title in (
        (axes[0][1], "processing", 1, "Data processing: 1"),
        (axes[0][2], "additivity", 2, "Additivity: 2"),
    ):
        axis.axvline(ideal, color="#444444", lw=1)
        for i, arm in enumerate(arms):
            one = ratio(arm, key)
            if one is not None:
                axis.errorbar(one[0], i, xerr=one[1] or 0.0, fmt="o", color=f"C{i}", capsize=3)
            else:
                axis.text(ideal, i, "reported as unbounded ", color=f"C{i}", ha="right", va="center", fontsize=8)
        axis.set_yticks(range(len(arms)), arms)
        axis.set_ylim(len(arms) - 0.5, -0.5)
        axis.set_title(title, loc="left")
        axis.set_xlabel("ratio")
    target = out / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


def _consistent(of: Values, arm: str) -> bool:
    return abs(of(arm, "processing").mean - 1) <= 0.05 and abs(of(arm, "additivity").mean - 2) <= 0.1


_ARMS = {
    "default": {"method": "auto"},
    "MINE": {"method": "mine"},
    "MINE-f": {"method": "nwj"},
    "InfoNCE": {"method": "infonce"},
    "SMILE": {"method": "smile"},
    "Kraskov": {"method": "ksg"},
}
_SMOKE = Config(data="digits", n=200, pooling=1, steps=5)
_PAPER = Config(n=30_000, pooling=1, shares=tuple(i / 8 for i in range(2, 9)), effort="default")


def _seen(of: Values) -> str:
    return (
        "An image and its own rows share infinite information, so an estimate should say that it cannot bound it. "
        f"The default says so of {100 * of('default', 'open').mean:.0f} % of the pairs. Only its low ends are to be read: "
        f"for I(X; X) it is {of('default', 'low_rows_1').mean:.1f} nats. Values of other methods, in intervals as open, "
        f"hardly add up: the two images have {of('InfoNCE', 'additivity').mean:.2f} times the information by InfoNCE, "
        f"{of('MINE', 'additivity').mean:.2f} times by MINE."
    )


EXPERIMENT = Experiment(
    name="self-consistency",
    shows="Images against their top rows: does information grow with rows, ignore copies, and add up over pairs of images?",
    source="Song & Ermon, 2020 (arXiv 1910.06222), section 6.2, figures without numbers; the right answers are 0 to 1, 1 and 2",
    arms=_ARMS,
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 3, "paper": 120},
    metrics=(
        Metric("open", "pairs reported as unbounded, as all are (%)", 0, 100),
        *(Metric(f"baseline_{s:g}", f"I(X; top {s:.0%}) / I(X; X)", 2) for s in (0.25, 0.5, 0.75)),
        Metric("processing", "data processing, should be 1", 2),
        Metric("additivity", "additivity, should be 2", 2),
        Metric("compared_rows_1", "I(X; X) that the ratios take (nats)", 2),
        Metric("low_rows_1", "low end of I(X; X) (nats)", 2),
    ),
    seen=_seen,
    limits=(
        "The paper has figures without numbers. "
        "The tests check ratios only. In truth every information here is infinite, so only an estimate that says so is right. "
        "The default's values behind an open interval are not consistent: only their low ends are meant to be read."
    ),
    run=run,
    plot=plot,
    version=2,
    targets=[
        reaches(
            "the default method says of every pair that its information cannot be bounded",
            lambda of: 100 * of("default", "open").mean, least=100, shown="{:.0f} %",
        ),
        Target(
            "another method ignores known information, and adds up over two images, both within 5 %",
            lambda of: any(_consistent(of, arm) for arm in _ARMS if arm != "default"),
        ),
    ],
)  # fmt: skip

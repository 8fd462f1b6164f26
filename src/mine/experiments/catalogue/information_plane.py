"""The information plane of a small network: exact values with noise, stacked critics, kernels and bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import Experiment, Metric, Progress
from mine.experiments.store import Record
from mine.experiments.sweep import sweep
from mine.experiments.targets import Target, Values
from mine.reporting.figures import new_figure, write_figure

__all__ = ["EXPERIMENT", "Config", "plot", "run"]

#: What is compared with the exact value, and the titles of the columns of the figure.
_WAYS = {
    "exact": "exact, with noise",
    "critics": "stacked critics",
    "kernel": "kernel bound",
    "bins": "30 bins",
    "rebinned": "30 bins, evenly filled",
}


@dataclass(frozen=True)
class Config:
    """Network 12-10-7-5-4-3-2 on the patterns of an icosahedron, and the critics that measure it.

    Attributes:
        activation: Of the hidden layers, ``"tanh"`` or ``"relu"``.
        noise: Standard deviation of the noise as a share of a layer's range over the whole training.
        epochs: Of training.
        snapshots: Epochs at which the layers are looked at, about, evenly spaced in their logarithm.
        learning_rate: Of the network.
        bins: For each unit.
        steps: Of the critics.
        batch_size: Of the critics.
        reported: Fresh rows that the critics report on.
    """

    activation: str = "tanh"
    noise: float = 0.1
    epochs: int = 3_000
    snapshots: int = 32
    learning_rate: float = 1e-3
    bins: int = 30
    steps: int = 1_000
    batch_size: int = 256
    reported: int = 4_096


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Train, then measure every layer at every snapshot in each way; on the CPU: the network has 29 units."""
    import torch

    from mine.datasets.icosahedron import icosahedron_patterns
    from mine.experiments.plane.critics import CriticTraining, estimate_plane
    from mine.experiments.plane.exact import binned, kernel_bound, noisy_information
    from mine.experiments.plane.network import log_grid, train_and_watch

    patterns, labels = icosahedron_patterns()
    x, y = torch.as_tensor(patterns, dtype=torch.float32), torch.as_tensor(labels, dtype=torch.int64)
    epochs = log_grid(config.epochs, config.snapshots)
    layers, accuracy = train_and_watch(
        2 * x - 1, y, (10, 7, 5, 4, 3), config.activation, epochs,
        batch_size=512, learning_rate=config.learning_rate, seed=seed, folder=out, progress=_third(progress, 0),
    )  # fmt: skip
    lows = [min(float(outputs[k].min()) for outputs in layers) for k in range(6)]
    ranges = [max(float(outputs[k].max()) for outputs in layers) - low for k, low in enumerate(lows)]
    sigmas = [config.noise * extent for extent in ranges]
    shares = torch.arange(1, config.bins) / config.bins

    def measure(place: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(1_000_003 * (seed + 1) + place)
        numbers: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS if way != "critics"}
        for h, low, extent, sigma in zip(layers[place], lows, ranges, sigmas, strict=True):
            numbers["exact"].append(noisy_information(h, y, sigma, generator))
            numbers["kernel"].append(kernel_bound(h, y, sigma))
            numbers["bins"].append(binned(h, y, low + extent * shares))
            numbers["rebinned"].append(binned(h, y, torch.quantile(h, shares, dim=0).T))
        return {way: [list(pair) for pair in pairs] for way, pairs in numbers.items()}

    cells = sweep(range(len(epochs)), measure, out, _third(progress, 1))
    checkpoint = Checkpoint(out / "critics.pt")
    training = CriticTraining(config.steps, config.batch_size, reported=config.reported)
    estimates = estimate_plane(
        x,
        y,
        [h for snapshot in layers for h in snapshot],
        sigmas * len(epochs),
        training,
        seed,
        checkpoint,
        _third(progress, 2),
    )
    planes: dict[str, Any] = {way: np.array([cell[way] for cell in cells]) for way in _WAYS if way != "critics"}
    planes["critics"] = np.array(estimates).reshape(len(epochs), 6, 2)
    np.savez_compressed(out / "planes.npz", epochs=epochs, **planes)
    for left in ("network.pt", "critics.pt"):
        Checkpoint(out / left).remove()
    return {"accuracy": accuracy[-1], **_numbers(planes)}


def _third(progress: Progress, part: int) -> Progress:
    """Progress of one of three parts of equal weight."""
    return lambda done, total, message: progress(part * total + done, 3 * total, message)


def _numbers(planes: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean errors over layers and snapshots; compression, how far I(X; T) ends below its highest value, hidden layers' mean."""
    out: dict[str, float] = {}
    for way, plane in planes.items():
        hidden = plane[:, :5, 0]
        out[f"compression_{way}"] = float((hidden.max(0) - hidden[-1]).mean())
        if way != "exact":
            error = np.abs(plane - planes["exact"]).mean((0, 1))
            out[f"error_{way}"], out[f"label_error_{way}"] = float(error[0]), float(error[1])
    return out


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Write ``figure.png``: one row per arm, one column per way to measure, of each arm's first seed."""
    first: dict[str, tuple[Record, Path]] = {}
    for record, folder in results:
        first.setdefault(record.arm, (record, folder))
    figure, axes = new_figure(len(first), len(_WAYS), (3.0 * len(_WAYS) + 1, 2.9 * len(first) + 0.3))
    mappable: Any = None
    for row, (arm, (_, folder)) in enumerate(first.items()):
        with np.load(folder / "planes.npz") as stored:
            epochs, planes = stored["epochs"], {way: stored[way] for way in _WAYS}
        for column, (way, title) in enumerate(_WAYS.items()):
            axis = axes[row][column]
            mappable = _draw(axis, planes[way], np.log10(epochs + 1))
            axis.set_title(title if row == 0 else "", loc="left")
            axis.set_xlim(-0.3, 8.7)
            axis.set_ylim(-0.03, 0.75)
            if row == len(first) - 1:
                axis.set_xlabel("I(X; T) (nats)")
        axes[row][0].set_ylabel(f"{arm}\nI(T; Y) (nats)")
    bar = figure.colorbar(mappable, ax=axes, shrink=0.7, pad=0.01)
    last = int(np.floor(mappable.norm.vmax))
    bar.set_ticks([0, *range(1, last + 1)], labels=["0", *(f"{10**i:,}" for i in range(1, last + 1))])
    bar.set_label("epoch")
    target = out / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


def _draw(axis: Any, plane: np.ndarray, colour: np.ndarray) -> Any:
    """Paths of the layers, (snapshots, layers, 2), with the number of a layer at its end."""
    shown: Any = None
    for layer in range(plane.shape[1]):
        path = plane[:, layer]
        axis.plot(path[:, 0], path[:, 1], color="#cccccc", lw=0.8, zorder=1)
        shown = axis.scatter(path[:, 0], path[:, 1], c=colour, cmap="viridis", s=12, lw=0, zorder=2)
        axis.annotate(str(layer + 1), path[-1], xytext=(3, -9), textcoords="offset points", fontsize=8)
    return shown


_SMOKE = Config(epochs=1, snapshots=3, steps=10, batch_size=64, reported=256)
_PAPER = Config(epochs=8_000, learning_rate=4e-4, steps=4_000, batch_size=512)
_ARMS: dict[str, dict[str, Any]] = {
    f"{name}, noise {noise:g}": {"activation": activation, "noise": noise}
    for noise in (0.1, 0.03, 0.3)
    for name, activation in (("tanh", "tanh"), ("ReLU", "relu"))
}


def _accurate(arm: str, of: Values) -> bool:
    critics, kernel, bins = (of(arm, f"error_{way}").mean for way in ("critics", "kernel", "bins"))
    return critics <= 0.15 and 2 * critics < min(kernel, bins)


def _errors(arm: str, of: Values) -> str:
    critics, kernel, bins = (of(arm, f"error_{way}").mean for way in ("critics", "kernel", "bins"))
    return f"critics {critics:.2f}, kernel bound {kernel:.2f}, bins {bins:.2f}"


def _compression(of: Values, activation: str, way: str) -> float:
    return of(f"{activation}, noise 0.1", f"compression_{way}").mean


def _seen(of: Values) -> str:
    return (
        f"With noise 0.1 the critics err by {of('tanh, noise 0.1', 'error_critics').mean:.2f} nats with tanh and "
        f"{of('ReLU, noise 0.1', 'error_critics').mean:.2f} with ReLU. The exact I(X; T) falls by "
        f"{_compression(of, 'tanh', 'exact'):.2f} nats with tanh and {_compression(of, 'ReLU', 'exact'):.2f} with ReLU."
    )


EXPERIMENT = Experiment(
    name="information-plane",
    shows="What the layers of a small network hold on input and label while it trains: stacked critics against exact values.",
    source=(
        "Shwartz-Ziv & Tishby, 2017 (arXiv 1703.00810), figures without numbers; Saxe et al., 2018, on tanh, ReLU and bins; "
        "exact values of the layers with noise by Monte Carlo"
    ),
    arms=_ARMS,
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 6, "paper": 40},
    metrics=(
        Metric("accuracy", "accuracy on rows left out (%)", 1, 100),
        *(
            Metric(f"error_{way}", f"error of I(X; T), {name} (nats)", 3)
            for way, name in (("critics", "critics"), ("kernel", "kernel bound"), ("bins", "bins"))
        ),
        *(
            Metric(f"label_error_{way}", f"error of I(T; Y), {name} (nats)", 3)
            for way, name in (("critics", "critics"), ("kernel", "kernels"), ("bins", "bins"))
        ),
        *(
            Metric(f"compression_{way}", f"compression, {name} (nats)", 2)
            for way, name in (("exact", "exact"), ("critics", "critics"), ("bins", "bins"), ("rebinned", "evenly filled bins"))
        ),
    ),
    seen=_seen,
    limits=(
        "The papers have figures without numbers, and average over many initial weights. "
        "The default scale trains for 3,000 epochs instead of 8,000."
    ),
    run=run,
    plot=plot,
    drawn_from="planes.npz",
    targets=[
        *(
            Target(
                f"{arm}: the critics err by 0.15 nats at most in I(X; T), less than half of kernel bound and bins",
                partial(_accurate, arm),
                partial(_errors, arm),
            )
            for arm in list(_ARMS)[:4]
        ),
        Target(
            "with noise 0.1 the exact I(X; T) falls again with tanh, and less than half as much with ReLU",
            lambda of: 2 * _compression(of, "ReLU", "exact") < _compression(of, "tanh", "exact"),
            lambda of: f"{_compression(of, 'tanh', 'exact'):.2f} and {_compression(of, 'ReLU', 'exact'):.2f} nats",
        ),
        Target(
            "what falls with tanh and 30 bins of equal width falls less than half as much with evenly filled bins",
            lambda of: 2 * _compression(of, "tanh", "rebinned") < _compression(of, "tanh", "bins"),
            lambda of: f"{_compression(of, 'tanh', 'bins'):.2f} and {_compression(of, 'tanh', 'rebinned'):.2f} nats",
        ),
    ],
)  # fmt: skip

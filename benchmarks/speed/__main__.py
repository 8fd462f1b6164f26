"""How fast the library trains. One command, one table, one figure; all times are CPU time on one core.

    python -m benchmarks.speed [--out DIR] [--envs DIR] [--rounds 5] [--no-rivals] [--tiny] [--draw FILE]

(a) steps a second at equal critic, batch, data and number of steps, beside a plain PyTorch loop over a DataLoader and beside
torch-mist and benchmark-mi in environments of their own; (b) the share of the machine's measured matrix-product rate that a
training step reaches; (c) time against rows, coordinates and stacked critics; (d) steps written out by hand beside autograd.
Run it from the root of the repository.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed import by_hand, ratios, scaling
from benchmarks.speed.figure import draw
from benchmarks.speed.flops import step_flops
from benchmarks.speed.matmul import matmul_rate
from benchmarks.speed.race import Race, one_core
from benchmarks.speed.table import render

RACES = [
    Race(batch, width, steps=steps)
    for width, batch, steps in ((64, 100, 800), (64, 512, 400), (128, 100, 600), (128, 512, 300))
]
SHARE = Race(batch=4096, width=256, layers=3, steps=10, warmup=2)
ROWS, DIMS, CRITICS = (1_000, 10_000, 100_000, 1_000_000), (1, 4, 16, 64, 256, 512), (1, 2, 4, 8, 16)
ESTIMATE_ROWS = (1_000, 10_000, 100_000)


def measure_races(field: list[ratios.Contender], races: list[Race], rounds: int) -> list[dict[str, Any]]:
    out = []
    for race in races:
        tell(f"2 x {race.width}, batch {race.batch}: {rounds} rounds of {len(field)} contenders")
        results = ratios.measure(field, race, rounds)
        rows = [
            {"name": name, "seconds": None if r.problem else r.median, "all": r.seconds, "problem": r.problem}
            for name, r in results.items()
        ]
        out.append({"width": race.width, "batch": race.batch, "contenders": rows})
    return out


def measure_share(race: Race, rounds: int, size: int = 2048) -> dict[str, Any]:
    """Rate of the products and of our steps, taken in turns."""
    rates, achieved = [], []
    for _ in range(rounds):
        rates.append(matmul_rate(size))
        achieved.append(step_flops(race) / scaling.step_seconds(race, repeats=1))
    return {
        "width": race.width,
        "batch": race.batch,
        "layers": race.layers,
        "rate": statistics.median(rates),
        "achieved": statistics.median(achieved),
    }


def measure_all(field: list[ratios.Contender], rounds: int, *, tiny: bool = False) -> dict[str, Any]:
    """Everything the table and the figure show; ``tiny`` runs every part once on the smallest sizes."""
    if tiny:
        races, share = [Race(20, 8, steps=20, rows=200)], replace(SHARE, batch=64, width=16, steps=2)
        rows, dims, critics, estimates = (1_000, 2_000), (1, 2), (1, 2), ()
        field, rounds = field[:1], 1
    else:
        races, share, rows, dims, critics, estimates = RACES, SHARE, ROWS, DIMS, CRITICS, ESTIMATE_ROWS
    out: dict[str, Any] = {"machine": machine(), "races": measure_races(field, races, rounds)}
    tell("share of the matrix-product rate")
    out["share"] = measure_share(share, rounds, 256 if tiny else 2048)
    tell("steps by hand and by autograd")
    out["by_hand"] = [by_hand.compare(steps, rounds) for steps in by_hand.default_steps()]
    tell("time against size")
    out["scaling"] = {
        "rows": scaling.against_rows(rows),
        "dim": scaling.against_dim(dims),
        "critics": scaling.against_critics(critics),
        "estimate": scaling.estimate_seconds(estimates),
    }
    return out


def machine() -> str:
    """Processor, versions and date in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        name = found[0] if found else name
    today = datetime.date.today().isoformat()
    return f"{name}, one core, Python {platform.python_version()}, torch {torch.__version__}, {today}."


def tell(message: str) -> None:
    print(message, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/speed"), help="folder of speed.json, speed.md and speed.png")
    parser.add_argument(
        "--envs", type=Path, default=Path(tempfile.gettempdir()) / "torch-mine-speed", help="folder of the rivals' environments"
    )
    parser.add_argument("--rounds", type=int, default=5, help="times each contender runs; the median counts")
    parser.add_argument("--no-rivals", action="store_true", help="leave torch-mist and benchmark-mi out")
    parser.add_argument("--tiny", action="store_true", help="a check that everything runs, in seconds; no figures to quote")
    parser.add_argument("--draw", type=Path, default=None, help="draw an earlier speed.json and measure nothing")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.draw is not None:
        results = json.loads(arguments.draw.read_text())
    else:
        one_core()
        torch.set_num_threads(1)
        field = ratios.contenders(arguments.envs, rivals=not (arguments.no_rivals or arguments.tiny), tell=tell)
        results = measure_all(field, arguments.rounds, tiny=arguments.tiny)
        (arguments.out / "speed.json").write_text(json.dumps(results, indent=1) + "\n")
    table = render(results)
    (arguments.out / "speed.md").write_text(table)
    draw(results, arguments.out / "speed.png")
    print(table)


if __name__ == "__main__":
    main()

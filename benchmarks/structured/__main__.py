"""Measure the suite ``structured`` and write its table and figure into the documentation.

``python -m benchmarks.structured --n 2000 --out DIR`` resumes from what is in DIR. ``--stored`` measures nothing and shows the
cells that are there.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import mine
from benchmarks.structured.page import as_table, inserted, plot_values
from mine import tasks
from mine.benchmarking.entrants import as_entrants
from mine.benchmarking.store import Record, Store
from mine.reporting.figures import write_figure

ROOT = Path(__file__).parents[2]
PAGE, FIGURES, RESULTS = ROOT / "docs/structured.md", ROOT / "docs/_static", ROOT / "docs/results/structured"
OURS = "benchmarks/structured/entrants.py"
METHODS = f"ksg,{OURS}:pca_ksg,auto[effort=fast],auto,{OURS}:latentmi"


def main() -> None:
    options = arguments()
    if options.stored:
        records = stored(options.out, options.n, options.methods)
    else:
        result = mine.benchmark(
            None, options.methods, suite="structured", n=options.n, n_repeats=options.repeats, n_jobs=options.jobs,
            out=options.out,
        )  # fmt: skip
        result.save(options.out)
        print(result)
        records = result.records
        RESULTS.mkdir(parents=True, exist_ok=True)
        shutil.copy(options.out / "table.csv", RESULTS / f"{options.n}.csv")
    figure = f"structured_{options.n}.png"
    write_figure(plot_values(records), FIGURES / figure, dpi=110)
    PAGE.write_text(inserted(PAGE.read_text(encoding="utf-8"), as_table(records, figure)), encoding="utf-8")
    print(f"Written: {PAGE}, {FIGURES / figure}")


def stored(folder: Path, n: int, methods: str) -> list[Record]:
    """The finished cells of the suite and these methods in the folder, in that order."""
    names, labels = tasks.names("structured"), [entrant.label for entrant in as_entrants(methods)]
    found = [r for r in Store(folder).read().values() if r.n == n and r.task in names and r.method in labels]
    return sorted(found, key=lambda r: (names.index(r.task), r.seed, labels.index(r.method)))


def arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stored", action="store_true", help="measure nothing: show the finished cells of --out")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""The command that writes ``docs/structured.md``: its entrants, its table, its figure, and the page as it is kept."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mine import tasks
from mine.benchmarking.store import Record

ROOT = Path(__file__).parents[2]


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``benchmarks.structured.name``, which lies next to the package and is not installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module(f"benchmarks.structured.{name}")


def record(task: str, method: str, value: float | None, low: float, high: float | None, seed: int = 0) -> Record:
    return Record(
        f"structured-{task}", method, 2000, seed, "v", "m", 3.0, value, low=low, high=high, has_interval=value is not None,
        seconds=2.0, error=None if value is not None else "ValueError", environment="Python",
    )  # fmt: skip


def test_the_table_has_a_row_per_task_and_a_column_per_method(monkeypatch: pytest.MonkeyPatch) -> None:
    page = module("page", monkeypatch)
    records = [
        record("blobs-flat", "auto", 2.9, 2.5, None),
        record("blobs-flat", "a/b.py:pca_ksg", 1.5, 1.0, 2.0),
        record("words", "auto", None, 0.0, 0.0),
    ]
    lines = page.as_table(records, "figure.png").splitlines()
    assert lines[0].startswith("2,000 rows, 1 draw, in nats")
    assert "| task | truth | `auto` | `pca_ksg` |" in lines
    assert "| `blobs-flat` | 3.00 | 2.90 [2.50, ∞) | 1.50 [1.00, 2.00] ! |" in lines
    assert "| `words` | 3.00 | failed |  |" in lines
    assert "| mean absolute error | | 0.10 | 1.50 |" in lines
    assert "| intervals with the truth | | 1 of 1 | 0 of 1 |" in lines
    several = page.as_table([*records, record("blobs-flat", "auto", 3.1, 3.05, 4.0, seed=1)], "figure.png")
    assert "| `blobs-flat` | 3.00 | 3.00 (1 of 2) |" in several
    page.plot_values(records).draw_without_rendering()


def test_the_table_replaces_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    page = module("page", monkeypatch)
    once = page.inserted(f"a\n{page.START}\nold\n{page.END}\nb\n", "new")
    assert once == f"a\n{page.START}\nnew\n{page.END}\nb\n" == page.inserted(once, "new")
    with pytest.raises(ValueError, match="needs one line"):
        page.inserted("nothing", "new")


def test_the_page_shows_every_task_of_the_suite() -> None:
    text = (ROOT / "docs/structured.md").read_text(encoding="utf-8")
    for name in tasks.names("structured"):
        assert f"| `{name.removeprefix('structured-')}` | {tasks.get_task(name).mutual_information:.2f} |" in text
    assert f"has {len(tasks.names('structured'))} tasks" in text


def test_the_last_points_of_the_curves_stand_clear_of_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    curve = module("curve", monkeypatch)
    cell = {"task": "blobs", "n": 2000, "truth": 3.0, "value": 2.9, "low": 2.8, "high": 3.2}
    figure = curve.plot_curves([{**cell, "seconds": 10.0}, {**cell, "seconds": 80.0}])
    left, right = figure.axes[0].get_xlim()
    assert left == 0 and right > 1.02 * 80
    figure.draw_without_rendering()


def test_principal_components_then_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four columns that are linear in two: the components carry all of it, and images are flattened."""
    entrants = module("entrants", monkeypatch)
    rng = np.random.default_rng(0)
    z, e = rng.normal(size=(2, 1000, 2))
    spread = rng.normal(size=(2, 2, 4))
    x, y = z @ spread[0], (0.8 * z + 0.6 * e) @ spread[1]
    found = entrants.pca_ksg(x.reshape(1000, 1, 2, 2), y, n_components=2, random_state=0)
    assert found.value == pytest.approx(-2 * np.log(0.6), abs=0.12)
    assert entrants.pca_ksg(z, e, n_components=2, random_state=0).value == pytest.approx(0, abs=0.08)

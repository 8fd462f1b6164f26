"""Whole tables: exact values, kinds of columns, seeds, resumption, tests."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import stats

import mine
from mine.data.frames import as_frame
from mine.errors import InputError, UnknownNameError
from mine.estimators.evaluation import RowReport
from mine.reporting.matrix import clustered_order, plot_pairwise, strength_matrix
from mine.storage import versions
from mine.tables import blocks
from mine.tables.blocks import Task, cell_seed
from mine.tables.measured import strength
from mine.tables.pairwise import measure
from mine.tables.stack import _assembled

SRC = str(Path(mine.__file__).parents[1])


def table(n: int = 800, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    return pd.DataFrame(
        {
            "a": a,
            "line": 0.8 * a + 0.6 * rng.normal(size=n),
            "wave": np.cos(2 * a) + 0.2 * rng.normal(size=n),
            "noise": rng.normal(size=n),
            "side": np.where(a > 0, "right", "left"),
            "letter": rng.choice(list("uvw"), n),
            "flat": np.full(n, 3.0),
        }
    )


def cell(found: Any, x: str, y: str) -> dict[str, Any]:
    rows = found[(found["x"] == x) & (found["y"] == y)]
    assert len(rows) == 1
    return rows.iloc[0].to_dict()


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return mine.pairwise(table(), random_state=0, test=True)


def test_a_row_for_every_pair_once(found: pd.DataFrame):
    names = list(table())
    assert list(zip(found["x"], found["y"], strict=True)) == [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    assert set(found["unit"]) == {"nats"}


def test_exact_values(found: pd.DataFrame):
    line = cell(found, "a", "line")
    assert line["value"] == pytest.approx(-0.5 * math.log(1 - 0.8**2), abs=0.08)
    assert line["low"] < -0.5 * math.log(0.36) < line["high"]
    assert math.isnan(line["lower_bound"])  # nearest neighbours have none
    assert line["strength"] == pytest.approx(0.8, abs=0.06)
    side = cell(found, "a", "side")  # a tells the side: ln 2
    assert side["value"] == pytest.approx(math.log(2), abs=0.03)
    assert cell(found, "a", "wave")["value"] > 0.4  # which correlation does not see
    assert abs(cell(found, "a", "noise")["value"]) < 0.02
    for pair in (("a", "noise"), ("line", "noise"), ("side", "letter")):
        one = cell(found, *pair)
        assert one["low"] <= 0 <= one["high"]


def test_kinds_go_to_their_methods(found: pd.DataFrame):
    expected = {
        ("a", "line"): ("number-number", "rank neighbours"),
        ("a", "letter"): ("number-label", "ross"),
        ("side", "letter"): ("label-label", "discrete"),
        ("a", "flat"): ("number-constant", "none"),
    }
    for pair, (kind, method) in expected.items():
        one = cell(found, *pair)
        assert (one["kind"], one["method"]) == (kind, method)
    data = table()
    alone = mine.estimate(data["side"], data["letter"], method="discrete")
    assert cell(found, "side", "letter")["value"] == pytest.approx(alone.value, abs=1e-12)
    ross = mine.estimate(data["wave"], data["side"], method="ross", random_state=0)
    assert cell(found, "wave", "side")["value"] == pytest.approx(ross.value, abs=1e-6)


def test_critics_bound_from_below():
    found = mine.pairwise(table()[["a", "line", "wave"]], effort="fast", random_state=0)
    assert set(found["method"]) == {"stacked critics"}
    line = cell(found, "a", "line")
    assert line["low"] < -0.5 * math.log(0.36) < line["high"]
    assert line["lower_bound"] <= line["value"] + 0.02
    assert 0.4 < cell(found, "a", "wave")["lower_bound"] < 1.6


def test_a_constant_column_is_zero_with_a_note(found: pd.DataFrame):
    one = cell(found, "letter", "flat")
    assert (one["value"], one["stderr"], one["strength"], one["p"]) == (0.0, 0.0, 0.0, 1.0)
    assert one["note"] == "constant: flat"


def test_p_and_q(found: pd.DataFrame):
    for pair in (("a", "line"), ("a", "wave"), ("a", "side"), ("line", "side"), ("wave", "side")):
        assert (cell(found, *pair)["q"] <= 0.05) == (pair != ("wave", "side"))  # the cosine is even: it tells no side
    for pair in (("a", "noise"), ("noise", "letter"), ("side", "letter")):
        assert cell(found, *pair)["p"] > 0.01
    # Benjamini & Hochberg by hand
    p = found["p"].to_numpy()
    order, m = np.argsort(p), len(p)
    by_hand = np.empty(m)
    by_hand[order] = np.minimum.accumulate((p[order] * m / np.arange(1, m + 1))[::-1])[::-1].clip(max=1)
    np.testing.assert_allclose(found["q"], by_hand)


def test_a_weak_correlation_is_found():
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    data = pd.DataFrame({"x": x, "y": 0.12 * x + rng.normal(size=3000), "z": rng.normal(size=3000)})
    found = mine.pairwise(data, random_state=0, test=True, n_permutations=400)
    assert cell(found, "x", "y")["p"] < 0.01


def test_strength_is_the_correlation_of_a_normal_pair():
    assert strength(-0.5 * math.log(1 - 0.25)) == pytest.approx(0.5)
    assert (strength(0.0), strength(-1.0), strength(50.0)) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("kind", ["polars", "numpy", "arrow"])
def test_frames_come_back_as_they_went_in(kind: str):
    data = table(200)[["a", "line", "side"]]
    given: Any = {
        "polars": pl.from_pandas(data),
        "numpy": data[["a", "line"]].to_numpy(),
        "arrow": pl.from_pandas(data).to_arrow(),
    }[kind]
    back = mine.pairwise(given, method="auto", random_state=0)
    assert isinstance(back, {"polars": pl.DataFrame, "numpy": pd.DataFrame, "arrow": type(given)}[kind])
    first = mine.pairwise(data, random_state=0)["value"].iloc[0]
    names = {"numpy": ("x[0]", "x[1]")}.get(kind, ("a", "line"))
    value = np.asarray(back["value"])[0]
    assert (np.asarray(back["x"])[0], np.asarray(back["y"])[0]) == names
    assert value == pytest.approx(first, abs=0.05 if kind == "numpy" else 1e-6)  # other names, other seeds


def test_targets_by_name_and_as_data():
    data = table(200)
    by_name = mine.pairwise(data, "side", method="auto", random_state=0, unit="bits")
    assert list(by_name["x"]) == ["a", "line", "wave", "noise", "letter", "flat"]
    assert set(by_name["y"]) == {"side"}
    apart = mine.pairwise(data.drop(columns="side"), data["side"], random_state=0, unit="bits")
    assert list(apart["value"]) == list(by_name["value"])
    in_nats = mine.pairwise(data, ["side"], random_state=0)
    np.testing.assert_allclose(by_name["value"] * math.log(2), in_nats["value"])
    np.testing.assert_allclose(by_name["strength"], in_nats["strength"])


def test_one_method_for_all():
    data = table(300)[["a", "line", "wave"]]
    found = mine.pairwise(data, method="gaussian", random_state=0)
    alone = mine.estimate(data["a"], data["line"], method="gaussian")
    assert cell(found, "a", "line")["value"] == pytest.approx(alone.value, abs=1e-12)
    assert cell(found, "a", "line")["high"] == pytest.approx(alone.interval[1], abs=1e-12)


@pytest.mark.parametrize("effort", ["screen", "fast"])
def test_the_same_digits_whatever_the_workers(effort: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "STACKED", 2)
    monkeypatch.setattr(blocks, "OTHERS", 2)
    data = table(200)[["a", "line", "wave", "noise"]].assign(a=lambda frame: frame["a"].round(1))  # seeds order ties
    alone = mine.pairwise(data, random_state=3, test=True, effort=effort)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        together = mine.pairwise(data, random_state=3, test=True, effort=effort)
    pd.testing.assert_frame_equal(alone, together)
    assert not mine.pairwise(data, random_state=4, effort=effort)["value"].equals(alone["value"])


@pytest.mark.parametrize("effort", ["screen", "fast"])
def test_what_is_finished_is_taken_over(effort: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "STACKED", 2)
    monkeypatch.setattr(blocks, "OTHERS", 2)
    data = table(200)[["a", "line", "wave", "noise"]].assign(a=lambda frame: frame["a"].round(1))
    whole = mine.pairwise(data, random_state=0, effort=effort)
    ran: list[Any] = []
    run = Task.run

    def dies_at_the_third(task: Task) -> Any:
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(task.block)
        return run(task)

    monkeypatch.setattr(Task, "run", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        mine.pairwise(data, random_state=0, out=tmp_path, effort=effort)
    assert len(list((tmp_path / "cells").glob("*.json"))) == 2
    ran.clear()
    resumed = mine.pairwise(data, random_state=0, out=tmp_path, effort=effort)
    assert len(ran) == 1
    pd.testing.assert_frame_equal(resumed, whole)
    # a broken file is measured again; other data, or another seed, take nothing over
    next(iter(sorted((tmp_path / "cells").glob("*.json")))).write_text("[", encoding="utf-8")
    ran.clear()
    pd.testing.assert_frame_equal(mine.pairwise(data, random_state=0, out=tmp_path, effort=effort), whole)
    assert len(ran) == 1
    monkeypatch.setattr(Task, "run", lambda task: pytest.fail("measured again") if task.seed == 0 else run(task))
    mine.pairwise(data, random_state=0, out=tmp_path, effort=effort)
    assert not mine.pairwise(data, random_state=1, out=tmp_path, effort=effort)["value"].equals(whole["value"])


def small_table() -> np.ndarray:
    i = np.arange(400)
    return np.stack([i % 37, i * 7 % 41 + i % 37, i * i % 43], 1).astype(float)


def test_a_folder_of_release_0_1_0_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The block has the name that commit 721daf8 gave it, and holds values that nobody would measure."""
    monkeypatch.setattr(versions, "NUMERICS", 1)
    pairs = [("x[0]", "x[1]"), ("x[0]", "x[2]"), ("x[1]", "x[2]")]
    cells = [
        {
            "x": x, "y": y, "value": 7.0, "lower_bound": None, "stderr": 0.5, "low": 6.0, "high": 8.0, "p": None,
            "permutations": None, "kind": "number-number", "method": "gaussian", "n": 400, "note": "",
        }
        for x, y in pairs
    ]  # fmt: skip
    block = tmp_path / "cells" / "block_59096b89678bc49b1e297bf3.json"
    block.parent.mkdir()
    block.write_text(json.dumps(cells), encoding="utf-8")
    call = {"method": "gaussian", "random_state": 3, "out": tmp_path}
    assert list(mine.pairwise(small_table(), **call)["value"]) == [7.0] * 3
    monkeypatch.setattr(versions, "NUMERICS", versions.NUMERICS + 9)  # the same block of other numerics is another one
    assert 7.0 not in list(mine.pairwise(small_table(), **call)["value"])


def test_a_new_release_with_the_same_numbers_takes_finished_pairs_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    call = {"method": "gaussian", "random_state": 3, "out": tmp_path}
    first = mine.pairwise(small_table(), **call)
    monkeypatch.setattr(versions, "__version__", "9.9.9")
    monkeypatch.setattr(Task, "run", lambda task: pytest.fail("measured again"))
    pd.testing.assert_frame_equal(mine.pairwise(small_table(), **call), first)


@pytest.mark.slow
def test_kill_minus_nine_loses_nothing_finished(tmp_path: Path):
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(1000, 14)), columns=[f"c{i}" for i in range(14)])
    data.to_csv(tmp_path / "data.csv", index=False)
    command = [sys.executable, "-m", "mine", "pairwise", "data.csv", "--seed", "0", "--out", "out", "--csv"]
    env = {**os.environ, "PYTHONPATH": SRC, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL)
    cells = tmp_path / "out" / "cells"
    deadline = time.monotonic() + 120
    while len(list(cells.glob("block_*.json"))) < 2:
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in cells.glob("block_*.json")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1 + 91
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in kept.items())


@pytest.mark.slow
def test_fifty_columns_of_five_thousand_rows_in_five_minutes():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(5000, 10))
    data = hidden @ rng.normal(size=(10, 50)) * 0.5 + rng.normal(size=(5000, 50))
    started = time.perf_counter()
    found = mine.pairwise(data, random_state=0, n_jobs=2)
    assert len(found) == 1225
    assert time.perf_counter() - started < 300
    loadings = np.corrcoef(data.T)[np.triu_indices(50, 1)]
    assert np.abs(found["value"] + 0.5 * np.log1p(-(loadings**2))).mean() < 0.01


def test_seeds_come_from_names():
    assert cell_seed(0, "ab", "c") != cell_seed(0, "a", "bc") != cell_seed(1, "a", "bc")


def test_missing_values_are_refused_or_left_out_pair_by_pair():
    data = table(300)
    data.loc[3:12, "a"] = np.nan
    data.loc[8:20, "side"] = None
    with pytest.raises(InputError, match=r"missing value.*drop_missing=True"):
        mine.pairwise(data, random_state=0, drop_missing=False)
    found = mine.pairwise(data, random_state=0)
    assert "18 of 300 rows left out (missing or infinite)." in cell(found, "a", "side")["note"]
    assert "left out" not in cell(found, "line", "wave")["note"]
    rows = {(x, y): n for x, y, n in zip(found["x"], found["y"], found["n"], strict=True)}
    assert 0.95 * 300 <= rows["line", "wave"] <= 300  # pairs of one stack keep equally many
    assert rows["a", "letter"] == 290
    assert rows["a", "side"] == 282
    assert rows["a", "line"] == 290
    complete = data[data["a"].notna() & data["side"].notna()]
    ross = mine.estimate(complete["a"], complete["side"], method="ross", random_state=0)
    assert cell(found, "a", "side")["value"] == pytest.approx(ross.value, abs=1e-6)


def test_infinite_values_and_columns_without_values_are_carried_along():
    data = table(300)[["a", "line", "letter"]].assign(nothing=np.nan, few=[1.5, 2.5, *[None] * 298])
    data.loc[3:12, "a"] = np.inf
    data.loc[13:14, "a"] = np.nan
    measured = measure(data, random_state=0)
    cells = {(c.x, c.y): c for c in measured.cells}
    assert (cells["a", "line"].n, cells["a", "letter"].n) == (288, 288)
    assert cells["a", "nothing"].value is None and cells["a", "nothing"].note == "only 0 complete rows"
    assert cells["line", "few"].note == "only 2 complete rows"
    (said,) = measured.gaps()
    assert said == (
        "Rows with missing or infinite values were left out pair by pair: a (12 rows), nothing (300 rows), few (298 rows)."
    )
    with pytest.raises(InputError, match=r"infinite value.*drop_missing=True"):
        mine.pairwise(data[["a", "line"]].dropna(), drop_missing=False)


def test_groups_without_a_label_are_named():
    data = table(60)[["a", "line"]]
    with pytest.raises(InputError, match="groups lacks a label in 2 rows"):
        mine.pairwise(data, groups=[None, None, *["u", "v"] * 29])


def test_groups_widen_the_error_and_stay_together():
    rng = np.random.default_rng(5)
    few = rng.normal(size=(200, 2)) @ np.array([[1, 0.7], [0, 0.7]])
    data = pd.DataFrame(np.repeat(few, 6, axis=0) + 0.3 * rng.normal(size=(1200, 2)), columns=["x", "y"])
    grouped = mine.pairwise(data, groups=np.repeat(np.arange(200), 6), random_state=0)
    single = mine.pairwise(data, random_state=0)
    assert grouped["stderr"].iloc[0] > 1.5 * single["stderr"].iloc[0]


def grouped_table(n_groups: int, rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Columns that are independent, but nearly the same within a group."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), rows)
    own = rng.normal(size=(n_groups, 6))[groups] + 0.1 * rng.normal(size=(n_groups * rows, 6))
    data = pd.DataFrame(own, columns=list("abcdef"))
    return data.assign(e=np.where(own[:, 4] > 0, "up", "down"), f=np.where(own[:, 5] > 0, "left", "right")), groups


def test_the_test_permutes_whole_groups():
    found = [
        mine.pairwise(data, groups=groups, random_state=seed, test=True, n_permutations=299)
        for seed in range(3)
        for data, groups in [grouped_table(60, 10, seed)]
    ]
    p = np.concatenate([frame["p"] for frame in found])  # 45 pairs, number-number, number-label and label-label
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 45)
    assert p.mean() > 0.3
    data, _ = grouped_table(60, 10, 0)
    alone = mine.pairwise(data, random_state=0, test=True, n_permutations=299)["p"]
    assert (alone <= 0.05).mean() > 0.4  # rows that are permuted alone pretend to be ten times as many
    data, groups = grouped_table(60, 10, 3)
    dependent = mine.pairwise(data.assign(b=data["a"] + 0.1), "b", groups=groups, random_state=0, test=True)
    assert cell(dependent, "a", "b")["q"] <= 0.05


def test_columns_that_are_functions_of_each_other():
    rng = np.random.default_rng(0)
    n, count = 600, np.arange(600) % 40
    label = rng.permutation(40)[count] % 5
    data = pd.DataFrame({"count": count, "label": label, "half": count // 2, "same": 2 * count + 1, "site": count.astype(str)})
    result = measure(data, random_state=0, test=True, n_permutations=199)
    assert result.copies == 0
    found = as_frame(result.records(), data)
    share = np.bincount(label) / n
    entropy = -float((share * np.log(share)).sum())
    for pair in (("count", "label"), ("label", "site")):
        assert cell(found, *pair)["value"] == pytest.approx(entropy, abs=0.1)
    assert cell(found, "count", "half")["value"] > 2  # log 20 nats
    assert cell(found, "count", "same")["value"] > 2.5  # log 40
    assert (found["p"] <= 0.01).all()


def test_copies_of_rows_are_permuted_together():
    rng = np.random.default_rng(7)
    once = pd.DataFrame(rng.normal(size=(80, 8))).assign(side=rng.choice(list("ab"), 80)).rename(columns=str)
    found = mine.pairwise(once.iloc[np.repeat(np.arange(80), 4)], random_state=0, test=True, n_permutations=719)
    assert (found["p"] <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(found))


@pytest.mark.parametrize(("effort", "n_groups"), [("screen", 3), ("fast", 6)])  # critics test on a part of the groups
def test_too_few_groups_are_a_note_not_a_p_value(effort: str, n_groups: int):
    data, groups = grouped_table(n_groups, 40, 0)
    found = mine.pairwise(data[["a", "b"]], groups=groups, random_state=0, test=True, effort=effort)
    assert np.isnan(found["p"][0]) and np.isnan(found["q"][0])
    assert "fewer than four groups" in found["note"][0]


def test_the_upper_end_grows_with_the_bias_correction():
    # By hand: a held-out bound of .1 and .3 on the training rows make a value of .2, corrected by .1; two columns, 1,000 rows,
    # rows that all say the same, hence no sampling error.
    def report(bound: float, rows: int) -> RowReport:
        same = torch.full((rows,), bound, dtype=torch.float64)
        return RowReport(same, torch.zeros(rows, dtype=torch.float64), 1e9, 0.0, 8)

    nothing = np.zeros((2, 500))
    rows = np.arange(1000).reshape(2, 500)
    found = _assembled([report(0.1, 500)] * 2, [report(0.3, 400)] * 2, nothing, False, rows, None, None, None)
    assert (found.value, found.lower_bound) == (pytest.approx(0.2), pytest.approx(0.1))
    half = math.sqrt(0.1**2 + 0.5 / 1000)
    assert found.low == pytest.approx(0.2 - half)
    assert found.high == pytest.approx(0.2 + math.sqrt(half**2 + (34 / 1000) ** 2 + 0.3**2))
    # Bounds of -.4 and .8 are too far apart for their middle: the larger of the bound and the copula, .25 with no error.
    far = _assembled([report(-0.4, 500)] * 2, [report(0.8, 400)] * 2, nothing + 0.25, False, rows, None, None, None)
    assert (far.value, far.lower_bound, far.stderr) == (pytest.approx(0.25), pytest.approx(0.25), pytest.approx(0.0))
    assert far.low == pytest.approx(0.25 - math.sqrt(0.5 / 1000))
    assert far.high == pytest.approx(0.25 + math.sqrt(0.5 / 1000 + (34 / 1000) ** 2 + 1.8**2))
    # A copula as strong as the rows can tell leaves the interval open above.
    assert math.isinf(_assembled([report(3.0, 500)] * 2, [report(3.0, 400)] * 2, nothing, True, rows, None, None, None).high)


@pytest.mark.parametrize(("n", "noise"), [(500, 0.002), (60, 1e-3), (300, 1e-5), (1500, 0.01)])
def test_near_copies_are_open_above_or_right(n: int, noise: float):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        c = rng.normal(size=n)
        data = pd.DataFrame({"x": c, "y": np.exp(c + noise * rng.normal(size=n))})
        found = mine.pairwise(data, random_state=0).iloc[0]
        truth = 0.5 * math.log1p(noise**-2)
        assert found.low <= truth <= found.high
        assert found.low > 1 and found.value <= truth + 0.2
        assert math.isinf(found.high) == bool(found.note)


def test_few_permutations_are_a_warning():
    data = table(120)[["side", "letter", "flat"]]
    with pytest.warns(UserWarning, match=r"30 permutations cannot bring the q .* n_permutations=59 or more"):
        mine.pairwise(data, test=True, n_permutations=30, random_state=0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"target": "lin"}, UnknownNameError, "did you mean 'line'"),
        ({"effort": "quick"}, UnknownNameError, "Unknown effort"),
        ({"method": "kgs"}, UnknownNameError, "did you mean 'ksg'"),
        ({"unit": "bans"}, UnknownNameError, "Unknown unit"),
        ({"method": "ksg"}, InputError, "these columns are labels: side, letter"),
        ({"discrete": ["lina"]}, UnknownNameError, "did you mean 'line'"),
        ({"out": "here"}, InputError, "needs an integer random_state"),
        ({"max_rows": 3}, InputError, "max_rows must be 20 or more"),
        ({"test": True, "n_permutations": 5}, InputError, "n_permutations must be an integer of 19 or more"),
    ],
)
def test_errors_name_the_remedy(arguments: dict[str, Any], error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        mine.pairwise(table(60), **arguments)


def test_tables_that_are_none():
    with pytest.raises(InputError, match="pass at least two columns"):
        mine.pairwise(table(60)[["a"]])
    with pytest.raises(InputError, match="needs at least 20"):
        mine.pairwise(table(10))
    with pytest.raises(InputError, match="one column per variable"):
        mine.pairwise(np.zeros((30, 2, 2)))


def test_the_matrix_and_its_order(found: pd.DataFrame):
    rows, columns, matrix = strength_matrix(found)
    assert rows == columns == list(table())
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.isnan(np.diag(matrix)).all()
    order = [rows[i] for i in clustered_order(matrix)]
    assert abs(order.index("a") - order.index("side")) <= 2
    figure = plot_pairwise(found)
    assert len(figure.axes) == 2
    # two blocks that correlate within, dealt alternately
    blocks_ = np.full((6, 6), 0.05)
    blocks_[::2, ::2], blocks_[1::2, 1::2] = 0.9, 0.9
    assert {tuple(sorted(part)) for part in np.split(np.array(clustered_order(blocks_)), 2)} == {(0, 2, 4), (1, 3, 5)}


def test_a_frame_for_what_is_none():
    assert isinstance(as_frame({"x": ["a"]}, np.zeros(3)), pd.DataFrame)


@pytest.mark.slow
def test_the_level_over_many_independent_columns():
    rng = np.random.default_rng(11)
    columns = np.concatenate([rng.normal(size=(400, 8)), rng.standard_cauchy(size=(400, 8))], 1)
    p = mine.pairwise(pd.DataFrame(columns).rename(columns=str), random_state=0, test=True)["p"]
    assert len(p) == 120
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)
    assert stats.kstest(p, "uniform").pvalue > 1e-4


def identifiers_in_a_table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 3, 300)
    return pd.DataFrame(
        {
            "record": [f"r{i}" for i in range(300)],
            "kind": kind.astype(str),
            "shop": rng.integers(0, 100, 300).astype(str),
            "size": kind + 1.2 * rng.normal(size=300),
        }
    )


def test_identifiers_come_last_with_a_note_and_without_a_strength():
    found = mine.pairwise(identifiers_in_a_table(), random_state=0)
    ids = found["x"].eq("record") | found["y"].eq("record")
    assert ids.tolist() == [False] * 3 + [True] * 3
    assert found.loc[ids, "strength"].isna().all() and found.loc[~ids, "strength"].notna().all()
    assert found.loc[ids, "note"].str.contains("Column 'record' has a different label in \\(nearly\\) every row").all()
    assert np.isfinite(found["high"]).all() and (found["low"] <= found["value"]).all()
    row = found[ids & found["y"].eq("kind")].iloc[0]
    assert row["low"] == 0.0 and row["high"] == pytest.approx(np.log(3), abs=0.03)
    unrelated = found[found["x"].eq("kind") & found["y"].eq("shop")].iloc[0]
    assert abs(unrelated["value"]) < 0.06 and unrelated["low"] <= 0.0


def test_identifiers_have_no_colour_in_the_heat_map():
    names, across, matrix = strength_matrix(mine.pairwise(identifiers_in_a_table(), random_state=0))
    assert names == across
    i = names.index("record")
    others = np.delete(np.arange(len(names)), i)
    assert np.isnan(matrix[i]).all() and np.isnan(matrix[:, i]).all()
    rest = matrix[np.ix_(others, others)]
    assert np.isfinite(rest[~np.eye(len(others), dtype=bool)]).all()


@pytest.mark.parametrize("method", ["gaussian", "ksg"])
def test_a_pair_with_a_heap_of_zeros_has_a_note_and_the_others_a_value(method: str):
    rng = np.random.default_rng(4)
    a = rng.normal(size=300)
    table = np.c_[a, a + rng.normal(size=300), np.maximum(rng.normal(size=300), 0.3)]
    found = mine.pairwise(table, method=method, random_state=0)
    values, notes = list(found["value"]), list(found["note"])
    assert values[0] == pytest.approx(0.5 * np.log(2), abs=0.15) and np.isnan(values[1:]).all()
    assert all("column 'x[2]' has" in note and "Use method 'auto'" in note for note in notes[1:])


def test_the_order_of_time_may_be_an_index() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        rng.normal(size=(300, 2)).cumsum(0), columns=["a", "b"], index=pd.date_range("2020-01-01", periods=300)
    )
    mixed = rng.permutation(300)
    shuffled = frame.iloc[mixed]
    by_index = mine.pairwise(shuffled, order="time", random_state=0)
    pd.testing.assert_frame_equal(by_index, mine.pairwise(shuffled, order=mixed, random_state=0))
    pd.testing.assert_frame_equal(by_index, mine.pairwise(shuffled[["a"]], shuffled["b"], order="time", random_state=0))
    assert by_index["high"][0] - by_index["low"][0] > 1.2 * np.ptp(mine.pairwise(shuffled, random_state=0)[["low", "high"]])

"""``order=`` in every entry point: what two unrelated series share by chance is not taken for information."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import mine
from mine.cli.app import app
from mine.errors import InputError

Series = Callable[[int, float, np.random.Generator], np.ndarray]


def test_unsaid_order_is_noticed_and_said_order_is_not(autoregression: Series):
    rng = np.random.default_rng(11)
    x, y = autoregression(700, 0.95, rng), autoregression(700, 0.95, rng)
    settings = {"method": "gaussian", "random_state": 0}
    assert any("order=" in w for w in mine.estimate(x, y, **settings).warnings)
    assert not mine.estimate(x, y, order="time", **settings).warnings
    assert not mine.estimate(x, y, groups=np.arange(700) // 50, **settings).warnings
    assert any("order=" in w for w in mine.independence_test(x, y, n_permutations=19).warnings)
    assert not mine.independence_test(x, y, order="time", n_permutations=19).warnings
    table = pd.DataFrame({"a": x, "b": y, "c": rng.normal(size=700)})
    notes = mine.pairwise(table, method="gaussian", random_state=0).set_index(["x", "y"]).note
    assert "order=" in notes["a", "b"] and not notes["a", "c"] and not notes["b", "c"]
    assert not mine.pairwise(table, method="gaussian", order="time", random_state=0).note.any()


@pytest.mark.parametrize("method", ["gaussian", "ksg", "discrete"])
def test_independent_series_tell_nothing(autoregression: Series, method: str):
    covered, values = 0, []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = autoregression(1200, 0.95, rng), autoregression(1200, 0.95, rng)
        if method == "discrete":
            x, y = np.where(x > 0, "up", "down"), np.digitize(y, [-1, 1]).astype(str)
        estimate = mine.estimate(x, y, order="time", method=method, random_state=0)
        covered += estimate.interval[0] <= 0 <= estimate.interval[1]
        values.append(estimate.value)
    assert covered >= 18
    assert abs(np.mean(values)) < 0.025


def test_a_critic_on_independent_series(autoregression: Series):
    rng = np.random.default_rng(3)
    x, y = autoregression(1500, 0.98, rng), autoregression(1500, 0.98, rng)
    estimate = mine.estimate(x, y, order="time", effort="fast", random_state=0)
    assert estimate.interval[0] <= 0 <= estimate.interval[1]
    assert estimate.diagnostics["independent_rows"] < 150
    assert estimate.pointwise_values is not None and len(estimate.pointwise_values) == 1500


@pytest.mark.parametrize("method", ["gaussian", "ksg"])
def test_a_true_relation_keeps_its_value(autoregression: Series, method: str):
    rng = np.random.default_rng(4)
    x = autoregression(6000, 0.9, rng)
    estimate = mine.estimate(x, x + rng.normal(size=6000), order="time", method=method, random_state=0)
    assert estimate.value == pytest.approx(0.5 * np.log(2), abs=0.06)
    assert estimate.interval[0] <= 0.5 * np.log(2) <= estimate.interval[1]


def test_rows_may_come_in_any_order_when_their_times_are_given(autoregression: Series):
    rng = np.random.default_rng(5)
    x, y = autoregression(900, 0.9, rng), autoregression(900, 0.9, rng)
    mixed = rng.permutation(900)
    days = np.datetime64("2024-01-01") + mixed.astype("timedelta64[D]")
    one = mine.estimate(x, y, order="time", method="gaussian", random_state=0)
    other = mine.estimate(x[mixed], y[mixed], order=days, method="gaussian", random_state=0)
    assert other.value == pytest.approx(one.value, abs=1e-9)
    assert other.interval == pytest.approx(one.interval, abs=1e-9)
    p = [
        mine.independence_test(a, b, order=when, n_permutations=99, random_state=0).p_value
        for a, b, when in ((x, y, "time"), (x[mixed], y[mixed], days))
    ]
    assert p[0] == p[1]


def test_series_that_never_forget_are_said_to_tell_little():
    a, b = np.random.default_rng(0).normal(size=(2, 600)).cumsum(1)  # two random walks
    estimate = mine.estimate(a, b, order="time", method="gaussian", random_state=0)
    assert any("independent ones" in w for w in estimate.warnings)
    assert estimate.interval[0] <= 0 <= estimate.interval[1]
    assert any("independent ones" in w for w in mine.independence_test(a, b, order="time", n_permutations=19).warnings)


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_the_level_of_the_shifted_test(autoregression: Series, phi: float):
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = autoregression(400, phi, rng), autoregression(400, phi, rng)
        p.append(mine.independence_test(x, y, order="time", n_permutations=59, random_state=0).p_value)
    assert np.mean(np.array(p) <= 0.05) <= 0.15  # of 60 at 5 %: more than nine in one of a thousand runs


def test_the_shifted_test_finds_what_is_there(autoregression: Series):
    rng = np.random.default_rng(7)
    x = autoregression(800, 0.9, rng)
    y = np.abs(x) + 0.5 * autoregression(800, 0.9, rng)
    assert mine.independence_test(x, y, order="time", n_permutations=199, random_state=0).p_value <= 0.02
    series = np.repeat([0, 1], 400)
    assert mine.independence_test(x, y, order="time", groups=series, n_permutations=199, random_state=0).p_value <= 0.02


def test_what_the_test_does_not_do_in_order_is_refused(autoregression: Series):
    x = autoregression(100, 0.5, np.random.default_rng(0))
    with pytest.raises(InputError, match="neither z nor critic="):
        mine.independence_test(x, x, x, order="time")


def test_tables_take_a_column_of_times(autoregression: Series):
    rng = np.random.default_rng(8)
    series = {name: autoregression(800, 0.95, rng) for name in ("a", "b")}
    mixed = rng.permutation(800)
    table = pd.DataFrame({"when": np.arange(800), **series, "state": np.where(series["a"] > 0, "up", "down")})
    found = mine.pairwise(table.iloc[mixed], order="when", test=True, n_permutations=99, random_state=0)
    assert {*found.x, *found.y} == {"a", "b", "state"}
    found = found.set_index(["x", "y"])
    assert found.low["a", "b"] <= 0 <= found.high["a", "b"] and found.p["a", "b"] > 0.05
    assert found.low["a", "state"] > 0 and found.p["a", "state"] <= 0.05


def test_the_commands(tmp_path: Path, autoregression: Series):
    rng = np.random.default_rng(9)
    table = pd.DataFrame({"t": np.arange(500), "a": autoregression(500, 0.95, rng), "b": autoregression(500, 0.95, rng)})
    file = tmp_path / "series.csv"
    table.to_csv(file, index=False)
    run = CliRunner()
    args = ["estimate", str(file), "--x", "a", "--y", "b", "--method", "gaussian", "--seed", "0"]
    plain = json.loads(run.invoke(app, [*args, "--json"]).stdout)
    assert any("--order" in w for w in plain["diagnostics"]["warnings"])
    said = run.invoke(app, [*args, "--order", "t"])
    assert "order: t (worth" in said.stdout and "--order" not in said.stdout
    assert run.invoke(app, [*args, "--order", "time"]).exit_code == 0
    glob = run.invoke(app, ["pairwise", str(file), "--order", "t", "--method", "gaussian", "--csv"])
    assert [line.split(",")[:2] for line in glob.stdout.splitlines()[1:]] == [["a", "b"]]
    twice = run.invoke(app, ["estimate", str(file), "--x", "a,t", "--y", "b", "--order", "t"])
    assert twice.exit_code == 2 and "--order" in twice.stderr


@pytest.mark.parametrize("shape", ["line", "steps"])
def test_two_trends_are_said_to_be_what_is_shared(autoregression: Series, shape: str):
    rng, n = np.random.default_rng(21), 800
    course = np.linspace(0, 4, n) if shape == "line" else np.floor(np.linspace(0, 3.99, n))
    a, b, c = course + autoregression(n, 0.3, rng), autoregression(n, 0.3, rng) - 0.7 * course, autoregression(n, 0.3, rng)

    def said(warnings: object) -> bool:
        return "drift" in str(warnings) or "independent ones" in str(warnings)

    assert said(mine.independence_test(a, b, order="time", n_permutations=19).warnings)
    assert said(mine.estimate(a, b, order="time", method="gaussian").warnings)
    assert not said(mine.independence_test(a, c, order="time", n_permutations=19).warnings)
    table = pd.DataFrame({"a": a, "b": b, "c": c})
    for effort in ("screen", "fast"):
        notes = mine.pairwise(table, order="time", effort=effort, test=True, random_state=0).set_index(["x", "y"]).note
        assert said(notes["a", "b"]) and not said(notes["a", "c"]) and not said(notes["b", "c"])


# === ties are those of all rows ===


@pytest.mark.parametrize("method", ["gaussian", "ksg"])
@pytest.mark.parametrize("conditional", [False, True])
def test_a_part_of_the_rows_has_fewer_values_than_all_and_is_no_reason_to_refuse(method: str, conditional: bool):
    """Rounded numbers with enough distinct values, of which the rows that stand far apart show fewer."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(3, 800))
    for t in range(1, 800):
        noise[:, t] += 0.9 * noise[:, t - 1]
    x, y, z = noise / noise.std(1, keepdims=True)
    x = np.round(2 * x) / 2
    assert len(np.unique(x)) >= 11
    given = {"z": z} if conditional else {}
    est = mine.estimate(x, y, order="time", method=method, discrete=False, random_state=0, **given)
    assert est.interval[0] < 0 < est.interval[1] and est.diagnostics["rows_apart"] > 2
    tied = np.round(x)
    with pytest.raises(mine.MineError, match="800 rows"):
        mine.estimate(np.where(rng.random(800) < 0.4, 0.0, x), y, order="time", method=method, discrete=False, **given)
    if method == "gaussian":
        with pytest.raises(mine.MineError, match="800 rows"):
            mine.estimate(y, z, order="time", method=method, discrete=False, z=tied)


# === the column of times in a table ===


@pytest.mark.parametrize("form", ["dates as text", "a word and a number", "few whole numbers", "missing"])
def test_pairwise_reads_the_column_of_times_as_every_function_does(form: str):
    """Texts are no levels whose alphabet orders the rows, and few numbers are numbers."""
    rng = np.random.default_rng(0)
    n = 240
    x, y = rng.normal(size=(2, n)).cumsum(1)
    place = rng.permutation(n)
    when = {
        "dates as text": pd.date_range("2019-12-20", periods=n).strftime("%d.%m.%Y").to_numpy(),
        "a word and a number": np.array([f"day {i}" for i in range(n)]),
        "few whole numbers": np.repeat(np.arange(12), n // 12),
        "missing": np.where(np.arange(n) == 7, np.nan, np.arange(n)),
    }[form]
    frame = pd.DataFrame({"x": x, "y": y, "when": when})
    place = np.sort(place) if form == "few whole numbers" else place
    if form == "few whole numbers":
        place = np.concatenate([np.flatnonzero(when == k) for k in rng.permutation(12)])
    mixed = frame.iloc[place].reset_index(drop=True)
    if form in ("a word and a number", "missing"):
        with pytest.raises(InputError, match="order"):
            mine.pairwise(mixed, order="when", method="gaussian", random_state=0)
        return
    found = mine.pairwise(mixed, order="when", method="gaussian", random_state=0)
    straight = mine.pairwise(frame[["x", "y"]], order="time", method="gaussian", random_state=0)
    assert list(found["x"]) == ["x"] and found["value"].tolist() == straight["value"].tolist()


def test_rows_of_one_time_are_named():
    """Two series under one another share the times: with groups each is its own."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400))
    day, who = np.tile(np.arange(200), 2), np.repeat(["a", "b"], 200)
    shared = mine.estimate(x, y, order=day, method="gaussian")
    assert any("200 rows have the same time" in w and "groups=" in w for w in shared.warnings)
    assert not any("same time" in w for w in mine.estimate(x, y, order=day, groups=who, method="gaussian").warnings)
    assert any("same time" in w for w in mine.independence_test(x, y, order=day, n_permutations=19, random_state=0).warnings)


def test_periods_of_pandas_are_times():
    months = pd.period_range("1990-01", periods=120, freq="M")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 120))
    mixed = rng.permutation(120)
    days = months[mixed].to_timestamp()
    by_days = mine.estimate(x, y, order=days, method="ksg", random_state=0)
    for order in (months[mixed], pd.Series(months[mixed])):
        by_months = mine.estimate(x, y, order=order, method="ksg", random_state=0)
        assert (by_months.value, by_months.stderr) == (by_days.value, by_days.stderr)
    table = pd.DataFrame({"x": x, "y": y, "month": months[mixed]})
    assert len(mine.pairwise(table, order="month", random_state=0)) == 1
    assert str(mine.describe(table)) == str(mine.describe(table.assign(month=days)))

"""Inputs that are left where they lie: the same numbers as in memory, the same errors, a bounded resident set, no files left."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet
from typer.testing import CliRunner

import mine
from mine.cli.app import app
from mine.critics import ConcatCritic, GaussianCritic
from mine.data import bigfiles, outofcore
from mine.data.features import EncodedRows, features
from mine.data.gaps import unusable_rows
from mine.data.outofcore import LazyRows, NamedRows, Part, chunks, fit_rows, row_hashes, survey
from mine.data.preprocessing import RankGaussianizer, SideEncoder
from mine.data.sides import as_variable
from mine.data.splits import duplicate_groups, make_folds, trimmed
from mine.errors import InputError
from mine.estimators.evaluation import report_rows
from mine.training import evaluation
from mine.training.pairs import Pairs

RHO = 0.8
TRUTH = -np.log(1 - RHO**2)  # two coordinates: 2 * (-1/2) ln(1 - rho^2), about 1.02 nats
QUICK = {"steps": 60, "n_folds": 2, "random_state": 0}


def normal_pairs(n: int, seed: int = 0) -> np.ndarray:
    """Columns x0, x1, y0, y1 in float32; x_i and y_i correlate by RHO."""
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, n, 2))
    return np.concatenate([x, RHO * x + np.sqrt(1 - RHO**2) * noise], 1).astype(np.float32)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds so low that 3,000 rows are left where they lie, encoded batch by batch and scored in chunks."""
    monkeypatch.setattr(outofcore, "LARGE_VALUES", 1000)
    monkeypatch.setattr(outofcore, "RESIDENT_BYTES", 1000)
    monkeypatch.setattr(outofcore, "HASH_ROWS", 100)
    monkeypatch.setattr(outofcore, "CHUNK_VALUES", 1 << 11)
    monkeypatch.setattr(evaluation, "HELD_ROWS", 100)
    monkeypatch.setattr(evaluation, "HELD_BYTES", 1000)
    monkeypatch.setattr(bigfiles, "MAPPED_BYTES", 1000)
    monkeypatch.setattr(bigfiles, "BATCH_ROWS", 500)


# === The parts ===


@pytest.mark.parametrize(("n", "width"), [(1, 1), (10, 3), (1000, 1 << 19), (5, 1 << 30)])
def test_chunks_cover_every_row_once(n: int, width: int):
    assert [row for part in chunks(n, width) for row in range(n)[part]] == list(range(n))


def test_lazy_rows_read_like_the_matrix_they_stand_for():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 99, (20, 3)).astype(np.int16), rng.normal(size=(20, 9)).astype(np.float32)
    lazy = LazyRows((Part(a), Part(b)))
    full = np.concatenate([a, b], 1).astype(np.float64)
    few = np.array([7, 2, 2])
    mask = rng.random(20) < 0.5
    np.testing.assert_array_equal(np.asarray(lazy), full)
    for rows in (slice(3, 8), few, mask):
        np.testing.assert_array_equal(lazy[rows], full[rows])
    order = [4, 0, 11, 2]
    np.testing.assert_array_equal(lazy.columns(order)[few], full[:, order][few])
    np.testing.assert_array_equal(lazy.columns(order).columns([3, 0])[:], full[:, [2, 4]])
    np.testing.assert_array_equal(lazy.rows(mask)[1:3], full[mask][1:3])
    np.testing.assert_array_equal(lazy.rows(mask).rows(np.array([2, 0])).columns([11])[:], full[mask][[2, 0]][:, [11]])
    assert lazy.shape == (20, 12)


def test_few_columns_of_a_wide_file_are_read_alone():
    wide = np.arange(100, dtype=np.float32).reshape(4, 25)
    np.testing.assert_array_equal(Part(wide).with_columns([24, 3]).read(np.array([2, 0])), [[74.0, 53.0], [24.0, 3.0]])


def test_survey_finds_what_is_wrong_in_each_column(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outofcore, "CHUNK_VALUES", 50)
    rng = np.random.default_rng(0)
    data = rng.normal(size=(100, 5))
    data[:, 1], data[:, 2] = 3.0, np.arange(100) % 4
    data[[40, 71], 3], data[99, 4] = np.nan, -np.inf
    found = survey(LazyRows((Part(data),)), 20)
    assert found.missing.tolist() == [0, 0, 0, 2, 0]
    assert found.first_missing.tolist() == [-1, -1, -1, 40, -1]
    assert found.infinite.tolist() == [0, 0, 0, 0, 1]
    assert found.first_infinite.tolist() == [-1, -1, -1, -1, 99]
    assert found.constant.tolist() == [False, True, False, False, False]
    assert found.levels[0] is None
    assert found.levels[1] is not None
    assert found.levels[1].tolist() == [3.0]
    assert found.levels[2] is not None
    assert found.levels[2].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_levels_that_only_appear_late_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outofcore, "CHUNK_VALUES", 1000)
    column = np.zeros((3000, 1))
    column[2500:2521, 0] = np.arange(1, 22)
    assert survey(LazyRows((Part(column),)), 20).levels == [None]


def test_hashes_are_equal_for_equal_rows_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outofcore, "CHUNK_VALUES", 64)
    grid = np.stack(np.meshgrid(np.arange(100.0), np.arange(100.0)), -1).reshape(-1, 2)  # regular values, swapped pairs
    hashes = row_hashes(len(grid), 2, grid.__getitem__, [])
    assert len(np.unique(hashes)) == len(grid)
    again = np.concatenate([grid, grid[:7]])
    again[again == 0] = -0.0
    assert (row_hashes(len(again), 2, again.__getitem__, [])[-7:] == hashes[:7]).all()
    labels = np.arange(len(grid)) % 2
    assert len(np.unique(row_hashes(len(grid), 2, np.zeros_like(grid).__getitem__, [labels]))) == 2


def test_copies_are_found_by_hash_as_by_sorting(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 2)), rng.normal(size=(500, 1))
    x[400:420], y[400:420] = x[10:30], y[10:30]
    exact = duplicate_groups(as_variable(x, "x").row_ids(), as_variable(y, "y").row_ids())
    monkeypatch.setattr(outofcore, "HASH_ROWS", 100)
    hashed = duplicate_groups(as_variable(x, "x").row_ids(), as_variable(y, "y").row_ids())
    assert exact[1] == hashed[1] == 20
    assert exact[0] is not None
    assert hashed[0] is not None
    np.testing.assert_array_equal(exact[0][:, None] == exact[0], hashed[0][:, None] == hashed[0])
    assert duplicate_groups(as_variable(x[:400], "x").row_ids(), as_variable(y[:400], "y").row_ids()) == (None, 0)


def test_quantiles_come_from_a_fixed_subsample(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outofcore, "FIT_ROWS", 20_000)
    x = np.random.default_rng(0).normal(size=(60_000, 1)) ** 3
    encoder = SideEncoder("rank").fit(as_variable(x, "x"))
    assert len(encoder.scalers_[0].knots_[0][0]) <= 4096
    scores = encoder.transform(as_variable(x, "x")).ravel()
    # A cubed normal's normal score is its cube root; the ranks of 20,000 rows know it to about 1 / sqrt(20,000) of a
    # rank: within .05 away from the tails.
    root = np.cbrt(x).ravel()
    assert np.abs(scores - root)[np.abs(root) < 2].max() < 0.05
    assert np.corrcoef(np.argsort(np.argsort(x.ravel())), np.argsort(np.argsort(scores, kind="stable")))[0, 1] > 0.999999
    rows = fit_rows(60_000, 1)
    assert rows is not None
    np.testing.assert_array_equal(rows, fit_rows(60_000, 1))
    assert len(np.unique(rows)) == 20_000


def test_fewer_knots_move_no_score_by_much():
    x = np.random.default_rng(0).standard_cauchy(size=(50_000, 1))
    full, thin = RankGaussianizer().fit(x), RankGaussianizer(max_knots=4096).fit(x)
    new = np.random.default_rng(1).standard_cauchy(size=(10_000, 1))
    inside = np.abs(full.transform(new)) < 3
    # Linear in x over a gap of about 12 ranks of 50,000, where at |score| < 3 the density is at least 1/80 of its peak.
    assert np.abs(full.transform(new) - thin.transform(new))[inside].max() < 0.02
    assert (np.diff(thin.transform(np.sort(new, axis=0)).ravel()) >= 0).all()


def test_training_rows_are_trimmed_to_a_random_part():
    folds = make_folds(1000, 2, seed=0)
    few = trimmed(folds, 100, seed=0)
    for whole, part in zip(folds, few, strict=True):
        assert set(part.train) < set(whole.train)
        assert part.train.mean() == pytest.approx(500, abs=100)
        np.testing.assert_array_equal(part.evaluation, whole.evaluation)
    assert trimmed(folds, 10_000, seed=0) == folds


def test_features_made_on_demand_are_those_made_at_once(monkeypatch: pytest.MonkeyPatch):
    data = normal_pairs(500)
    labels = np.where(data[:, 0] > 0, "up", "down")
    x = as_variable(pd.DataFrame({"a": data[:, 0], "kind": labels, "b": data[:, 1]}), "x")
    y = as_variable(data[:, 2:], "y")
    encoders = SideEncoder("rank", both=True).fit(x), SideEncoder("robust").fit(y)
    held = features(x, y, encoders, "cpu")
    monkeypatch.setattr(outofcore, "RESIDENT_BYTES", 0)
    lazy = features(x, y, encoders, "cpu")
    index = torch.tensor([[3, 499, 3], [0, 7, 11]])
    for full, made in zip(held, lazy, strict=True):
        assert isinstance(full, torch.Tensor)
        assert isinstance(made, EncodedRows)
        assert made.shape == full.shape
        assert torch.equal(made[index], full[index])


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("held_bytes", [0, 1 << 30])
def test_scores_made_chunk_by_chunk_are_those_made_at_once(grouped: bool, held_bytes: int, monkeypatch: pytest.MonkeyPatch):
    data = torch.as_tensor(normal_pairs(400))
    groups = torch.arange(400) // 4 if grouped else None
    pairs = Pairs(data[:, :2], data[:, 2:], groups)
    critic = ConcatCritic(2, 2, (8,), stack=(3,), generator=torch.Generator().manual_seed(0))
    index = torch.stack([torch.randperm(400, generator=torch.Generator().manual_seed(s))[:101] for s in range(3)])

    def scores() -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        return evaluation.evaluate_scores(critic, pairs, index, 5, torch.Generator().manual_seed(1), chunk=60)

    joint, marginal, shifts = scores()
    monkeypatch.setattr(evaluation, "HELD_ROWS", 0)
    monkeypatch.setattr(evaluation, "HELD_BYTES", held_bytes)
    streamed_joint, streamed_marginal, streamed_shifts = scores()
    assert shifts == streamed_shifts
    torch.testing.assert_close(streamed_joint, joint)
    torch.testing.assert_close(streamed_marginal, marginal)


def test_many_rows_get_eight_shuffles():
    index = torch.arange(100_000)
    pairs = Pairs(*torch.randn(2, 100_000, 1, generator=torch.Generator().manual_seed(0)))
    critic = GaussianCritic.fit(pairs.x[:100].numpy(), pairs.y[:100].numpy()).float()
    assert report_rows("dv", critic, pairs, index, generator=torch.Generator().manual_seed(0)).shuffles == 8


# === Variables: the same columns, the same errors ===


def test_a_large_array_becomes_the_variable_that_a_small_one_does(everything_is_large: None, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": rng.normal(size=600).astype(np.float32),
            "flat": 1.0,
            "kind": rng.choice(["u", "v"], 600),
            "code": rng.integers(0, 5, 600),
            "day": pd.date_range("2020", periods=600),
            "b": rng.normal(size=600),
        }
    )
    for discrete in (None, False, ["b"]):
        large = as_variable(frame, "x", discrete)
        assert isinstance(large.continuous, LazyRows)
        with monkeypatch.context() as small_again:
            small_again.setattr(outofcore, "LARGE_VALUES", 10**9)
            small = as_variable(frame, "x", discrete)
        assert isinstance(small.continuous, np.ndarray)
        assert (large.columns, large.dropped) == (small.columns, small.dropped)
        np.testing.assert_array_equal(large.flat, small.flat)
        np.testing.assert_array_equal(large.discrete, small.discrete)
        assert large.levels == small.levels
        part = np.array([5, 3, 599])
        np.testing.assert_array_equal(large.take(part).flat, small.flat[part])
        np.testing.assert_array_equal(large.select(["b", "a"]).flat, small.select(["b", "a"]).flat)


def test_images_keep_their_shape_where_they_lie(everything_is_large: None):
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8)).astype(np.uint8)
    images[:, 0, 0] = 0
    x = as_variable(images, "x")
    assert isinstance(x.continuous, LazyRows)
    assert x.continuous.shape == (50, 8, 8)
    np.testing.assert_array_equal(x.take(np.array([4, 2])).continuous, images[[4, 2]])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.__setitem__((40, 1), np.nan),
        lambda a: a.__setitem__(([7, 500], 2), np.inf),
        lambda a: a.__setitem__(slice(None), 1.0),
    ],
    ids=["missing", "infinite", "constant"],
)
def test_errors_are_those_of_small_inputs(spoil: Callable[[np.ndarray], None], monkeypatch: pytest.MonkeyPatch):
    data = np.random.default_rng(0).normal(size=(600, 3))
    spoil(data)
    with pytest.raises(InputError) as small:
        as_variable(data, "x")
    monkeypatch.setattr(outofcore, "LARGE_VALUES", 1000)
    monkeypatch.setattr(outofcore, "CHUNK_VALUES", 100)
    with pytest.raises(InputError) as large:
        as_variable(data, "x")
    assert str(large.value) == str(small.value)


def test_missing_rows_of_named_rows(everything_is_large: None):
    data = np.random.default_rng(0).normal(size=(600, 3))
    data[[3, 77], [0, 2]] = np.nan
    named = NamedRows(("a", "b"), LazyRows((Part(data).with_columns([2, 1]),)), ("a", "b"))
    assert np.flatnonzero(unusable_rows(named, "x")).tolist() == [77]
    kept = named.rows(~unusable_rows(named, "x"))
    assert len(kept) == 599
    np.testing.assert_array_equal(as_variable(kept, "x").flat[77], data[78, [2, 1]])


# === End to end ===


def test_a_mapped_file_gives_what_the_array_gives(tmp_path: Path, everything_is_large: None, monkeypatch: pytest.MonkeyPatch):
    data = normal_pairs(3000)
    np.save(tmp_path / "data.npy", data)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    streamed = mine.estimate(mapped[:, :2], mapped[:, 2:], **QUICK)
    monkeypatch.undo()
    held = mine.estimate(data[:, :2], data[:, 2:], **QUICK)
    assert streamed.value == pytest.approx(held.value, abs=1e-3)
    assert streamed.stderr == pytest.approx(held.stderr, rel=0.01)
    assert streamed.value == pytest.approx(TRUTH, abs=0.1)


@pytest.mark.parametrize("method", ["mine", "infonce", "gaussian", "ksg"])
def test_every_kind_of_method_takes_mapped_rows(method: str, tmp_path: Path, everything_is_large: None):
    np.save(tmp_path / "data.npy", normal_pairs(1500))
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    options = {"steps": 60, "n_folds": 2} if method in ("mine", "infonce") else {}
    est = mine.estimate(mapped[:, :2], mapped[:, 2:], method=method, random_state=0, **options)
    assert est.value == pytest.approx(TRUTH, abs=0.25)


def test_groups_and_copies_of_large_inputs(everything_is_large: None):
    data = normal_pairs(1500)
    groups = np.repeat(np.arange(500), 3)
    est = mine.estimate(data[:, :2], data[:, 2:], groups=groups, **QUICK)
    assert est.value == pytest.approx(TRUTH, abs=0.15)
    twice = np.concatenate([data, data[:100]])
    assert mine.estimate(twice[:, :2], twice[:, 2:], **QUICK).diagnostics["duplicate_rows"] == 100


def cli(*arguments: str) -> dict:
    result = CliRunner().invoke(
        app, ["estimate", *arguments, "--option", "steps=60", "--option", "n_folds=2", "--seed", "0", "--json"]
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_npy_by_the_command(tmp_path: Path, everything_is_large: None):
    np.save(tmp_path / "big.npy", normal_pairs(3000))
    found = cli(str(tmp_path / "big.npy"), "--x", "0,1", "--y", "2,3")
    assert found["value"] == pytest.approx(TRUTH, abs=0.1)


@pytest.mark.parametrize("cached", [True, False])
def test_parquet_by_the_command_leaves_no_files(
    cached: bool, tmp_path: Path, everything_is_large: None, monkeypatch: pytest.MonkeyPatch
):
    data = normal_pairs(3000)
    columns = {name: data[:, i].astype(kind) for i, (name, kind) in enumerate(zip("abcd", "fdfd", strict=True))}
    table = pa.table({**columns, "note": pa.array([str(i % 3) + "x" for i in range(3000)])})
    parquet.write_table(table, tmp_path / "big.parquet", row_group_size=700)
    folder = tmp_path / "scratch"
    folder.mkdir()
    seen: list[list[str]] = []

    def spy(*arguments: object) -> np.ndarray:
        out = write(*arguments)
        seen.append([p.name for p in folder.iterdir()])
        return out

    write = bigfiles._write
    monkeypatch.setattr(bigfiles, "_write", spy)
    monkeypatch.setattr(bigfiles.tempfile, "gettempdir", lambda: str(folder))
    where = ["--cache", str(folder)] if cached else []
    found = cli(str(tmp_path / "big.parquet"), "--x", "a,b,note", "--y", "c,d", *where)
    assert found["value"] == pytest.approx(TRUTH, abs=0.1)
    assert found["diagnostics"]["discrete_columns"] == ["note"]
    assert len(seen) == 4  # float32 and float64 columns of either side
    assert all(names and all(name.startswith("mine-") for name in names) for names in seen)
    assert list(folder.iterdir()) == []


def test_converted_columns_hold_the_values(tmp_path: Path, everything_is_large: None):
    from mine.data.readers import read_table

    table = pa.table(
        {
            "small": pa.array([1, None, 3] * 500, pa.int16()),
            "exact": pa.array([2**40 + 1, 2, 3] * 500, pa.int64()),
            "half": pa.array([0.5, 0.25, None] * 500, pa.float32()),
        }
    )
    parquet.write_table(table, tmp_path / "big.parquet", row_group_size=400)
    with read_table(str(tmp_path / "big.parquet")) as opened:
        rows = opened.select("exact,small,half")
        assert isinstance(rows, NamedRows)
        assert rows.names == ("exact", "small", "half")
        in_order = [rows.numeric.index(name) for name in rows.names]
        expected = [[2**40 + 1, 1, 0.5], [2, np.nan, 0.25], [3, 3, np.nan]] * 500
        np.testing.assert_array_equal(rows.numbers[:][:, in_order], expected)


def test_missing_values_of_a_large_parquet_file(tmp_path: Path, everything_is_large: None):
    data = normal_pairs(3000)
    data[17, 0] = np.nan
    parquet.write_table(pa.table({name: data[:, i] for i, name in enumerate("abcd")}), tmp_path / "big.parquet")
    path = str(tmp_path / "big.parquet")
    failed = CliRunner().invoke(app, ["estimate", path, "--x", "a,b", "--y", "c,d"])
    assert failed.exit_code == 2
    assert "Column 'a' has 1 missing value(s) (NaN), the first in row 17" in failed.output
    found = cli(path, "--x", "a,b", "--y", "c,d", "--drop-missing")
    assert found["n"] == 2999
    assert found["diagnostics"]["dropped_missing_rows"] == 1


def test_a_cache_that_cannot_hold_it(tmp_path: Path, everything_is_large: None, monkeypatch: pytest.MonkeyPatch):
    parquet.write_table(pa.table({name: normal_pairs(600)[:, i] for i, name in enumerate("abcd")}), tmp_path / "big.parquet")
    arguments = ["estimate", str(tmp_path / "big.parquet"), "--x", "a", "--y", "b", "--cache"]
    missing = CliRunner().invoke(app, [*arguments, str(tmp_path / "nowhere")])
    assert missing.exit_code == 2
    assert "--cache" in missing.output
    usage = bigfiles.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(bigfiles.shutil, "disk_usage", lambda _: usage._replace(free=10))
    full = CliRunner().invoke(app, [*arguments, str(tmp_path)])
    assert full.exit_code == 2
    assert "GB of disk" in full.output
    assert [p.name for p in tmp_path.iterdir()] == ["big.parquet"]


# === At full size, in a process of its own ===


def measured(code: str) -> dict:
    """Run ``code`` in a fresh interpreter on one thread; it prints one line of JSON."""
    preamble = """
    import json, resource, sys, time
    import numpy as np, torch
    import mine
    torch.set_num_threads(1)
    def peak():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    def normal(n, d, rho):
        rng = np.random.default_rng(0)
        x, y = (rng.standard_normal((n, d), dtype=np.float32) for _ in range(2))
        y *= np.float32((1 - rho**2) ** 0.5)
        for i in range(0, n, 10_000):
            y[i : i + 10_000] += np.float32(rho) * x[i : i + 10_000]
        return x, y
    """
    source = textwrap.dedent(preamble) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_million_rows_stay_small_in_memory():
    pytest.importorskip("resource")
    found = measured(
        """
        x, y = normal(1_000_000, 10, 0.3)
        est = mine.estimate(x, y, random_state=0)
        print(json.dumps({"value": est.value, "peak": peak(), "raw": x.nbytes + y.nbytes}))
        """
    )
    assert found["value"] == pytest.approx(-5 * np.log(1 - 0.3**2), abs=0.01)
    assert found["peak"] < 1.5 * found["raw"] + 2**30


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_a_thousand_columns_finish_with_a_sensible_number(rho: float):
    found = measured(
        f"""
        x, y = normal(10_000, 512, {rho})
        est = mine.estimate(x, y, random_state=0)
        print(json.dumps({{"value": est.value, "low": est.interval[0], "high": est.interval[1], "bound": est.lower_bound}}))
        """
    )
    truth = -256 * np.log(1 - rho**2)
    assert found["low"] <= truth <= found["high"]
    assert found["bound"] <= truth + 0.01
    assert abs(found["value"] - truth) < 0.02 + 0.6 * truth

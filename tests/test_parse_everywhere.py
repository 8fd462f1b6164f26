"""``parse=True`` in every function that reads data: the numbers of the texts, and one sentence; without it, one refusal."""

from __future__ import annotations

import datetime
import functools
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import mine
from mine.data import bigfiles, outofcore
from mine.data.outofcore import NamedRows
from mine.data.readers import read_table
from mine.errors import InputError, NumberTextError

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

N = 240
RNG = np.random.default_rng(7)
X = np.exp(RNG.normal(8, 1, N)).round(2)
Y = np.log(X) + RNG.normal(size=N)
Z = RNG.normal(size=N)

Entry = Callable[..., Any]


def _whole(check: Any) -> Any:
    return check.estimate


ESTIMATES: dict[str, Entry] = {
    "estimate x": lambda data, **parse: mine.estimate(data, Y, method="gaussian", **parse),
    "estimate y": lambda data, **parse: mine.estimate(Y, data, method="gaussian", **parse),
    "estimate z": lambda data, **parse: mine.estimate(Y, Z, data, method="gaussian", **parse),
    "shuffle z": lambda data, **parse: mine.estimate(Y, Z, data, conditional="shuffle", steps=2, random_state=0, **parse),
    "MutualInformation X": lambda data, **parse: mine.MutualInformation("gaussian", **parse).fit(data, Y).estimate_,
    "MutualInformation y": lambda data, **parse: mine.MutualInformation("gaussian", **parse).fit(Y, data).estimate_,
    "transfer_entropy x": lambda data, **parse: mine.transfer_entropy(data, Y, method="gaussian", **parse),
    "transfer_entropy y": lambda data, **parse: mine.transfer_entropy(Y, data, method="gaussian", **parse),
    "lagged_information": lambda data, **parse: mine.lagged_information(data, Y, [1], method="gaussian", **parse)[1],
    "kl_divergence p": lambda data, **parse: mine.kl_divergence(data, X + 9, steps=2, random_state=0, **parse),
    "kl_divergence q": lambda data, **parse: mine.kl_divergence(X + 9, data, steps=2, random_state=0, **parse),
    "total_correlation": lambda data, **parse: mine.total_correlation({"known": data, "y": Y}, method="gaussian", **parse),
    "sample_size_check x": lambda data, **parse: _whole(mine.sample_size_check(data, Y, levels=3, method="gaussian", **parse)),
    "sample_size_check z": lambda data, **parse: _whole(
        mine.sample_size_check(Y, Z, data, levels=3, method="gaussian", **parse)
    ),
}
OTHERS: dict[str, Entry] = {
    "shared_dimensions": lambda data, **parse: mine.shared_dimensions(data, Y, steps=2, random_state=0, **parse),
    "independence_test x": lambda data, **parse: mine.independence_test(data, Y, n_permutations=19, random_state=0, **parse),
    "independence_test z": lambda data, **parse: mine.independence_test(Y, Z, data, n_permutations=19, random_state=0, **parse),
    "mutual_info X": lambda data, **parse: mine.mutual_info(data, Y, **parse),
    "mutual_info y": lambda data, **parse: mine.mutual_info(Y[:, None], data, **parse),
    "MutualInfoSelector X": lambda data, **parse: mine.MutualInfoSelector(1, **parse).fit(pd.DataFrame({"a": data}), Y),
    "MutualInfoSelector y": lambda data, **parse: mine.MutualInfoSelector(1, **parse).fit(Y[:, None], data),
    "lag_scan": lambda data, **parse: mine.lag_scan(data, Y, [0, 1], method="gaussian", **parse),
    "transfer_table": lambda data, **parse: mine.transfer_table(
        pd.DataFrame({"a": list(data), "y": Y}), method="gaussian", n_permutations=19, random_state=0, **parse
    ),
    "pairwise": lambda data, **parse: mine.pairwise(data, Y, method="gaussian", progress=False, **parse),
    "pairwise y": lambda data, **parse: mine.pairwise(Y, data, method="gaussian", progress=False, **parse),
    "report": lambda data, **parse: mine.report(
        pd.DataFrame({"a": list(data), "y": Y}), test=False, random_state=0, progress=False, **parse
    ),
}
ENTRIES = ESTIMATES | OTHERS
every_entry = pytest.mark.parametrize("entry", ENTRIES)


def test_every_public_function_that_reads_data_is_here() -> None:
    """Those whose first argument is data take ``parse``, and are walked through below."""
    readers = {}
    for name in mine.__all__:
        if inspect.isroutine(getattr(mine, name)) or name in ("MutualInformation", "MutualInfoSelector"):
            readers[name] = inspect.signature(getattr(mine, name)).parameters
    takes = {name for name, arguments in readers.items() if "parse" in arguments}
    reads = {
        name for name, arguments in readers.items() if next(iter(arguments), "") in ("x", "X", "data", "blocks", "samples_p")
    }
    of_options = {"transfer_entropy", "lagged_information"}  # hand it on
    assert takes | of_options | {"windows"} == reads | {"MutualInformation", "MutualInfoSelector"}
    describes = {"describe"}  # refuses no column and gives no number: tests/tables/test_describe.py
    assert {entry.split()[0] for entry in ENTRIES} - {"shuffle"} == (takes - describes) | of_options


def numbers_of(entry: str, result: Any) -> list[float]:
    if entry in ESTIMATES:
        return [result.value, result.stderr]
    if entry.startswith("independence_test"):
        return [result.statistic, result.p_value]
    if entry == "lag_scan":
        return result.values.tolist()
    if entry == "transfer_table":
        return [pair["value"] for pair in result.pairs]
    if entry.startswith("pairwise"):
        return np.asarray(result["value"]).tolist()
    if entry == "report":
        return np.asarray(result.to_frame()["value"]).tolist()
    if entry == "shared_dimensions":
        return list(result.values)
    return (result.scores_ if entry.startswith("MutualInfoSelector") else result).tolist()


def notes_of(entry: str, result: Any, warned: list[warnings.WarningMessage]) -> list[str]:
    if entry.startswith("pairwise"):
        return list(result["note"])
    if entry == "report":
        return list(result.to_frame()["note"])
    if entry in ESTIMATES or entry.startswith(("independence_test", "lag_scan", "transfer_table", "shared_dimensions")):
        return result.warnings
    return [str(warning.message) for warning in warned]


@functools.cache
def of_plain_numbers(entry: str) -> list[float]:
    return numbers_of(entry, ENTRIES[entry](X))


MONEY = [f"${v:,.2f}" for v in X]


@every_entry
def test_money_is_refused_without_parse_and_read_with_it(entry: str) -> None:
    with pytest.raises(
        NumberTextError, match=r"holds money written as text, such as '\$.*, or pass parse=True to read them as"
    ):
        ENTRIES[entry](MONEY)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = ENTRIES[entry](MONEY, parse=True)
    assert numbers_of(entry, result) == of_plain_numbers(entry)
    sentence = f"{N} values of column .* were written as money; read as numbers."
    assert any(pd.Series(notes_of(entry, result, warned)).str.fullmatch(sentence))
    if entry in ESTIMATES:
        assert len(result.diagnostics["read_as_numbers"]) == 1


@every_entry
def test_two_currencies_are_refused_with_parse_and_without(entry: str) -> None:
    mixed = [*MONEY[:-1], "12.50 €"]
    for parse in ({}, {"parse": True}):
        with pytest.raises(InputError, match=r"several currencies \('\$', '€'\): convert them to one, or declare the column"):
            ENTRIES[entry](mixed, **parse)


@every_entry
def test_numbers_stay_as_they_are(entry: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "mine.lagged_information", FutureWarning)
        assert numbers_of(entry, ENTRIES[entry](X, parse=True)) == of_plain_numbers(entry)


DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(int(v)) for v in RNG.permutation(N)]
CONTAINERS: dict[str, Callable[[list[str]], Any]] = {
    "list": list,
    "generator": iter,
    "array of objects": lambda texts: np.array(texts, object),
    "array of text": np.array,
    "list of numpy's texts": lambda texts: list(np.array(texts)),
    "pandas": lambda texts: pd.Series(texts, index=[7] * N, name="a"),
    "pandas frame, numbered columns": lambda texts: pd.DataFrame({0: texts}),
    "polars": lambda texts: pl.Series("a", texts),
    "arrow": lambda texts: pa.table({"a": texts}),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_any_container_and_rows_left_out(container: str) -> None:
    texts = [day.strftime("%d/%m/%Y") for day in DAYS]
    texts[5], texts[50] = "n/a", ""
    keep = np.array([text not in ("n/a", "") for text in texts])
    stamps = np.array(DAYS, "M8[us]")
    found = mine.estimate(CONTAINERS[container](texts), Y, method="gaussian", parse=True, drop_missing=True)
    assert found.value == mine.estimate(stamps[keep], Y[keep], method="gaussian").value
    assert found.warnings[0].startswith(f"{N - 2} values of column ") and "as dates, day first" in found.warnings[0]
    with pytest.raises(InputError, match=r"has 2 missing value\(s\) \(NaN\), the first in row 5"):
        mine.estimate(CONTAINERS[container](texts), Y, method="gaussian", parse=True)


def test_a_stray_text_is_named_and_a_missing_one_read() -> None:
    with pytest.raises(InputError, match=r"'x' holds money written as text but also 'unknown' \(row 5\): clean it"):
        mine.estimate([*MONEY[:5], "unknown", *MONEY[6:]], Y, parse=True)
    holed = [*X[:5], "n/a", *X[6:]]
    with pytest.raises(
        NumberTextError, match=r"the text 'n/a' \(row 5\): .* or pass parse=True to read them as missing values"
    ):
        mine.estimate(holed, Y)
    found = mine.estimate(holed, Y, method="gaussian", parse=True, drop_missing=True)
    assert found.n == N - 1 and found.warnings[0] == "1 value of column 'x' was written as text; read as missing."


def test_labels_stay_labels() -> None:
    doses = RNG.integers(1, 4, N)
    table = pd.DataFrame(
        {
            "dose": [f"{dose} mg" for dose in doses],  # few that repeat
            "zip": [f"{v:05d}" for v in RNG.integers(0, 99_999, N)],
            "price": MONEY,
            "size": pd.Series([f"{v} cm" for v in RNG.integers(1, 99, N)], dtype="category"),
        }
    )
    found = mine.estimate(table, Y, discrete=["dose", "price"], parse=True, steps=2, random_state=0)
    assert found.diagnostics["discrete_columns"] == ["dose", "zip", "price", "size"]
    assert "read_as_numbers" not in found.diagnostics


def test_what_is_declared_numbers_is_read_as_numbers() -> None:
    doses = RNG.integers(1, 4, N) + 0.0
    zeros = {"dose": [f"{dose:.0f} mg" for dose in doses], "code": [f"{v:05d}" for v in range(N)]}
    declared = {"dose": False, "code": False}
    found = mine.estimate(pd.DataFrame(zeros), Y, discrete=declared, parse=True, method="ksg", random_state=0)
    wanted = mine.estimate(np.stack([doses, np.arange(N)], 1), Y, discrete=False, method="ksg", random_state=0)
    assert found.value == wanted.value and found.diagnostics["read_as_numbers"] == ["dose", "code"]


def test_new_rows_are_read_as_those_of_the_fit() -> None:
    """A new row of 1.234 EUR is 1,234 EUR where the rows of the fit say so, though nothing in the new rows does."""
    texts = [f"{v:,.2f} €".translate(str.maketrans(",.", ".,")) for v in X]
    options = {"steps": 20, "n_folds": 2}
    fitted = mine.MutualInformation(random_state=0, parse=True, options=options).fit(texts, Y)
    plain = mine.MutualInformation(random_state=0, options=options).fit(X, Y)
    assert fitted.value_ == plain.value_
    rows = np.arange(40) * 100 + 500.0
    new = [f"{v:,.0f} €".replace(",", ".") for v in rows]
    assert fitted.score(new, Y[:40]) == plain.score(rows, Y[:40])
    with pytest.raises(InputError, match=r"'\d*\.?\d+,\d+ €' and '500.25' disagree on which mark is decimal"):
        fitted.score([f"{v + 0.25}" for v in rows], Y[:40])
    weights = [f"{v:.0f} kg" for v in X]
    fitted = mine.MutualInformation("gaussian", parse=True).fit(weights, Y)
    with pytest.raises(
        InputError, match="'x' holds percentages written as text, and numbers in kg elsewhere: write them in one"
    ):
        fitted.score([f"{v} %" for v in rows], Y[:40])


def test_both_samples_of_a_divergence_are_read_alike() -> None:
    p, q = [f"{v:.2f}".replace(".", ",") for v in X], [f"{v:.3f}" for v in X]
    with pytest.raises(InputError, match="disagree on which mark is decimal"):
        mine.kl_divergence(p, q, parse=True)


@pytest.mark.parametrize("mapped", [False, True])
def test_columns_of_a_parquet_file(mapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of one whose numbers stay in a file, with rows left out."""
    if mapped:
        monkeypatch.setattr(bigfiles, "MAPPED_BYTES", 0)
        monkeypatch.setattr(outofcore, "LARGE_VALUES", 0)
    money: list[str | None] = [*MONEY]
    money[7] = None
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"z": Z, "money": money, "y": Y}), path)
    with read_table(str(path)) as table:
        data = table.select("z,money")
        assert isinstance(data, NamedRows) is mapped
        found = mine.estimate(data, table.select("y"), method="gaussian", parse=True, drop_missing=True)
        with pytest.raises(NumberTextError, match="'money' holds money written as text"):
            mine.estimate(data, table.select("y"), method="gaussian", drop_missing=True)
    keep = np.arange(N) != 7
    wanted = mine.estimate(np.stack([Z, X], 1)[keep], Y[keep], method="gaussian")
    assert found.value == pytest.approx(wanted.value, abs=1e-12)
    assert found.warnings == [f"{N - 1} values of column 'money' were written as money; read as numbers."]


def test_limits_of_detection_are_read_as_the_limit() -> None:
    rng = np.random.default_rng(91)
    dose = rng.lognormal(size=200)
    texts = np.array([f"{value:.3f}" if value >= 0.6 else "<0.6" for value in dose], object)
    mixed = np.array([value if value >= 0.6 else "<0.6" for value in dose], object)
    y = np.log(dose) + rng.normal(size=200)
    plain = mine.mutual_info(np.maximum(dose, 0.6).round(3)[:, None], y, random_state=0)
    for column in (texts, mixed):
        with pytest.raises(NumberTextError, match=r"such as '<0.6'.*parse=True"):
            mine.mutual_info(column[:, None], y, random_state=0)
        with pytest.warns(UserWarning, match=f"{(dose < 0.6).sum()} of them lie beyond a limit, such as '<0.6'"):
            read = mine.mutual_info(column[:, None], y, random_state=0, parse=True)
        assert read == pytest.approx(plain, abs=0.05)
    with pytest.raises(InputError, match="lies beyond the limit"):
        mine.estimate(np.append(texts[:-1], "0.1"), y, parse=True)

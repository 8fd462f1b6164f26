"""One reader: every entry point takes the same kinds of data for the same numbers, and refuses the same with the same words."""

from __future__ import annotations

import array
import decimal
import functools
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from torch.masked import masked_tensor

import mine
from mine.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

N = 240
RNG = np.random.default_rng(0)
#: Whole numbers below 256: exact in every type of number, and too many to be labels.
X = RNG.permutation(N).astype(float)
Y = X + 40 * RNG.normal(size=N)
Z = RNG.normal(size=N)

ENTRIES: dict[str, Callable[[Any], Any]] = {
    "estimate x": lambda data: mine.estimate(data, Y, method="gaussian").value,
    "estimate y": lambda data: mine.estimate(Y, data, method="gaussian").value,
    "estimate z": lambda data: mine.estimate(Y, Z, data, method="gaussian").value,
    "chain x, missing rows left out": lambda data: mine.estimate(data, Y, Z, method="gaussian", drop_missing=True).value,
    "shuffle z": lambda data: mine.estimate(Y, Z, data, conditional="shuffle", steps=2, random_state=0).value,
    "independence_test": lambda data: mine.independence_test(data, Y, n_permutations=19, random_state=0).statistic,
    "independence_test z": lambda data: mine.independence_test(Y, Z, data, n_permutations=19, random_state=0).statistic,
    "mutual_info X": lambda data: mine.mutual_info(data, Y)[0],
    "mutual_info y": lambda data: mine.mutual_info(Y[:, None], data)[0],
    "MutualInfoSelector y": lambda data: mine.MutualInfoSelector(1).fit(np.stack([Y, Z], 1), data).scores_[0],
    "MutualInformation": lambda data: mine.MutualInformation("gaussian").fit(data, Y).value_,
    "pairwise": lambda data: np.asarray(mine.pairwise(data, Y, method="gaussian", drop_missing=False, progress=False)["value"])[
        0
    ],
    "transfer_entropy x": lambda data: mine.transfer_entropy(data, Y, method="gaussian").value,
    "transfer_entropy y": lambda data: mine.transfer_entropy(Y, data, method="gaussian").value,
    "lagged_information": lambda data: mine.lagged_information(data, Y, [1], method="gaussian")[1].value,
    "kl_divergence": lambda data: mine.kl_divergence(data, 60 * Z + 128, steps=2, random_state=0).value,
    "total_correlation": lambda data: mine.total_correlation([data, Y, Z], method="gaussian").value,
    "sample_size_check x": lambda data: mine.sample_size_check(data, Y, levels=3, method="gaussian", random_state=0).value,
    "shared_dimensions": lambda data: mine.shared_dimensions(data, Y, steps=2, random_state=0).values[0],
    "sample_size_check z": lambda data: mine.sample_size_check(Y, Z, data, levels=3, method="gaussian", random_state=0).value,
}
every_entry = pytest.mark.parametrize("entry", ENTRIES)

NUMBERS: dict[str, Callable[[], Any]] = {
    "integers": lambda: X.astype(np.uint8),
    "big-endian": lambda: X.astype(">f4"),
    "list": X.tolist,
    "generator": lambda: (value for value in X.tolist()),
    "deque": lambda: deque(X.tolist()),
    "array.array": lambda: array.array("d", X.tolist()),
    "decimals": lambda: [decimal.Decimal(int(value)) for value in X],
    "objects": lambda: X.astype(object),
    "masked, none missing": lambda: np.ma.array(X),
    "times": lambda: X.astype("m8[us]"),
    "dates": lambda: X.astype("M8[us]"),
    "torch": lambda: torch.tensor(X),
    "torch bfloat16": lambda: torch.tensor(X, dtype=torch.bfloat16, requires_grad=True),
    "list of tensors": lambda: list(torch.tensor(X)),
    "pandas": lambda: pd.Series(X, index=[7] * N),
    "pandas Int64": lambda: pd.Series(X).astype("Int64"),
    "pandas frame": lambda: pd.DataFrame({"a": X}),
    "polars": lambda: pl.Series("a", X),
    "polars frame": lambda: pl.DataFrame({"a": X}),
    "arrow": lambda: pa.array(X),
    "arrow table": lambda: pa.table({"a": X}),
}


@functools.cache
def of_plain_numbers(entry: str) -> float:
    return float(ENTRIES[entry](X))


@every_entry
@pytest.mark.parametrize("kind", NUMBERS)
def test_the_same_numbers_in_other_clothes(entry: str, kind: str):
    assert float(ENTRIES[entry](NUMBERS[kind]())) == of_plain_numbers(entry)


def with_hole(hole: Any) -> list[Any]:
    return [*X[:99].tolist(), hole, *X[100:].tolist()]


class UnreadTable:
    """A table of an engine that is not read, such as Dask's or Spark's: it iterates over its columns' names."""

    columns = tuple(map(str, range(N)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return N


class Unreadable:
    def __float__(self) -> float:
        raise ArithmeticError("not a number")


def silently(make: Callable[[], Any]) -> Any:
    """What torch warns of when it is made, as being a prototype."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


MASKED = np.ma.array(X, mask=np.arange(N) == 99)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "masked": (lambda: MASKED, r"has 1 missing value\(s\)"),
    "list with None": (lambda: with_hole(None), r"has 1 missing value\(s\)"),
    "arrow with null": (lambda: pa.array(with_hole(None)), r"has 1 missing value\(s\)"),
    "infinite": (lambda: with_hole(float("inf")), r"has 1 infinite value\(s\)"),
    "complex": (lambda: X + 1j, "is complex. Complex data not supported"),
    "sparse": (lambda: scipy.sparse.csr_matrix(X[:, None]), r"sparse input is not supported: pass \w+\.toarray\(\)"),
    "sparse tensor": (lambda: torch.tensor(X[:, None]).to_sparse(), r"sparse input is not supported: pass \w+\.to_dense\(\)"),
    "text among numbers": (lambda: with_hole("n/a"), r"is mostly numeric but holds the text 'n/a' \(row 99\)"),
    "ragged": (lambda: [[1.0], [2.0, 3.0]] * 120, "is ragged: every row must have the same shape"),
    "nested": (lambda: pl.Series("a", [[1, 2], [3, 4]] * 120), "holds list values"),
    "a single value": (lambda: np.array(3.0), "is a single value: pass one row for each observation"),
    "a mapping": (lambda: {"a": X}, "must be an array, a tensor, a list, or a column or frame of a table; got dict"),
    "unread frame": (lambda: pl.LazyFrame({"a": X}), "must be an array, .* got LazyFrame"),
    "another unread frame": (lambda: UnreadTable(), "must be an array, .* got UnreadTable"),
    "tensor without values": (lambda: torch.empty(N, device="meta"), "is on the device 'meta' and holds no values"),
    "list of such": (lambda: [torch.empty((), device="meta")] * N, "is on the device 'meta' and holds no values"),
    "quantised": (
        lambda: silently(lambda: torch.quantize_per_tensor(torch.tensor(X, dtype=torch.float32), 0.1, 0, torch.qint8)),
        r"is quantised: pass \w+\.dequantize\(\)",
    ),
    "nested tensor": (
        lambda: silently(lambda: torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])),
        "is a nested tensor, whose rows differ in shape",
    ),
    "masked tensor": (
        lambda: silently(lambda: masked_tensor(torch.tensor(X), torch.tensor(np.arange(N) != 99))),
        r"is a masked tensor: pass \w+\.to_tensor\(float\('nan'\)\)",
    ),
    "signalling NaN": (lambda: with_hole(decimal.Decimal("sNaN")), r"has 1 missing value\(s\)"),
    "empty iterator": (lambda: iter(()), "is empty"),
    "generator that raises": (
        lambda: (1 / int(value) for value in X),
        r"cannot be read \(ZeroDivisionError: division by zero\)",
    ),
    "values that raise": (lambda: [Unreadable()] * N, r"cannot be read \(ArithmeticError: not a number\)"),
    "far years": (lambda: np.r_[2**62, np.arange(N - 1)].astype("M8[Y]"), "too far from 1970 to count in microseconds"),
    "far days in polars": (lambda: pl.Series("a", [2**31 - 1, *range(N - 1)]).cast(pl.Date), "too far from 1970"),
    "long durations in arrow": (lambda: pa.array([2**62, *range(N - 1)], pa.duration("s")), "too far from 1970"),
    "text": (lambda: "abc", "must be an array, .* got str"),
    "empty": (list, "is empty: 0 feature|is empty: 1 feature"),
    "twice the same name": (
        lambda: pd.DataFrame(np.stack([X, X], 1), columns=["a", "a"]),
        "has several columns of the same name: rename them",
    ),
}


@every_entry
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_refused_in_the_same_words(entry: str, kind: str):
    make, message = REFUSED[kind]
    if entry.endswith("left out") and ("missing" in message or "infinite" in message):
        with_gap = ENTRIES[entry](make())
        keep = np.arange(N) != 99
        assert with_gap == mine.estimate(X[keep], Y[keep], Z[keep], method="gaussian").value
        return
    with pytest.raises(InputError, match=message):
        ENTRIES[entry](make())


TEXT = ["1", "2"] * (N // 2)
LABELS: dict[str, Callable[[], Any]] = {
    "list": lambda: TEXT,
    "generator": lambda: (value for value in TEXT),
    "fixed width": lambda: np.array(TEXT),
    "bytes": lambda: np.array([value.encode() for value in TEXT]),
    "category": lambda: pd.Series(TEXT, dtype="category"),
    "polars": lambda: pl.Series("a", TEXT),
    "arrow dictionary": lambda: pa.array(TEXT).dictionary_encode(),
    "booleans": lambda: np.arange(N) % 2 == 0,
    "few integers": lambda: np.arange(N) % 2,
    "masked integers": lambda: np.ma.array(np.arange(N) % 2),
    "integers far away": lambda: 2**53 + np.arange(N) % 2,
}
LABELLED = np.where(np.arange(N) % 2 == 0, "u", "v")
OTHER = np.where(RNG.random(N) < 0.8, np.arange(N) % 2, RNG.integers(0, 2, N)).astype(str)
TAKES_LABELS: dict[str, Callable[[Any], Any]] = {
    "estimate": lambda data: mine.estimate(data, OTHER, method="discrete").value,
    "estimate z": lambda data: mine.estimate(OTHER, LABELLED, data, method="discrete").value,
    "independence_test": lambda data: mine.independence_test(data, OTHER, n_permutations=19, random_state=0).p_value,
    "mutual_info X": lambda data: mine.mutual_info(data, OTHER)[0],
    "mutual_info y": lambda data: mine.mutual_info(pd.DataFrame({"a": OTHER}), data)[0],
    "pairwise": lambda data: np.asarray(mine.pairwise(data, pd.DataFrame({"other": OTHER}), progress=False)["value"])[0],
}


@pytest.mark.parametrize("entry", TAKES_LABELS)
@pytest.mark.parametrize("kind", LABELS)
def test_the_same_labels_in_other_clothes(entry: str, kind: str):
    assert TAKES_LABELS[entry](LABELS[kind]()) == pytest.approx(TAKES_LABELS[entry](LABELLED), abs=1e-12)


@pytest.mark.parametrize("name", ["transfer_entropy x", "transfer_entropy y", "lagged_information", "kl_divergence"])
def test_text_where_numbers_are_needed(name: str):
    with pytest.raises(InputError, match=r"(holds text, and numbers are needed|has text or labels in)"):
        ENTRIES[name](["1", "2"] * (N // 2))
    frame = pd.DataFrame({"a": X, "b": ["u", "v"] * (N // 2)})
    with pytest.raises(InputError, match=r"(Column 'b' holds text|has text or labels in b)"):
        ENTRIES[name](frame)


TABLES: dict[str, Callable[[np.ndarray], Any]] = {
    "list of lists": lambda table: table.tolist(),
    "generator of rows": lambda table: (row for row in table.tolist()),
    "masked, none missing": np.ma.array,
    "list of masked rows": lambda table: [np.ma.array(row) for row in table],
    "torch bfloat16": lambda table: torch.tensor(table, dtype=torch.bfloat16),
    "pandas": lambda table: pd.DataFrame(table, columns=["a", "b", "c"]),
    "polars": lambda table: pl.DataFrame(table, schema=["a", "b", "c"]),
    "arrow": lambda table: pa.table(dict(zip("abc", table.T, strict=True))),
    "matrix of objects": lambda table: table.astype(object),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_of_every_kind_select_the_same_features(kind: str):
    table = np.stack([RNG.permutation(N), X, RNG.integers(0, 200, N)], 1).astype(float)
    wanted = mine.MutualInfoSelector(2).fit(table, Y)
    found = mine.MutualInfoSelector(2).fit(TABLES[kind](table), Y)
    assert found.scores_.tolist() == wanted.scores_.tolist()
    assert found.order_ == wanted.order_ and found.n_features_in_ == 3
    assert mine.mutual_info(TABLES[kind](table), Y).tolist() == wanted.scores_.tolist()


def test_the_mask_of_a_matrix_is_seen():
    table = np.ma.array(np.stack([X, Z], 1), mask=np.arange(2 * N).reshape(N, 2) == 51)
    for data in (table, list(table)):
        with pytest.raises(InputError, match=r"Column 'x\[1\]' has 1 missing value\(s\) \(NaN\), the first in row 25"):
            mine.MutualInfoSelector(1).fit(data, Y)
        with pytest.raises(InputError, match=r"Column 'x\[1\]' has 1 missing value\(s\) \(NaN\), the first in row 25"):
            mine.estimate(data, Y)


def test_a_series_may_have_gaps_that_are_left_out():
    holed = X.copy()
    holed[99] = np.nan
    wanted = mine.transfer_entropy(holed, Y, method="gaussian", drop_missing=True)
    for data in (MASKED, with_hole(None), pl.Series("a", with_hole(None)), pa.array(with_hole(None))):
        found = mine.transfer_entropy(data, Y, method="gaussian", drop_missing=True)
        assert (found.value, found.n) == (wanted.value, wanted.n)


def test_sides_of_different_length_are_told_in_the_same_words():
    message = "x has 240 rows and {} has 239: x and {} need the same number of rows"
    for drop_missing in (False, True):
        with pytest.raises(InputError, match=message.format("y", "y")):
            mine.estimate(X, Y[1:], drop_missing=drop_missing)
        with pytest.raises(InputError, match=message.format("z", "z")):
            mine.estimate(X, Y, Z[1:], drop_missing=drop_missing)
        with pytest.raises(InputError, match=message.format("z", "z")):
            mine.independence_test(X, Y, Z[1:], drop_missing=drop_missing)
    with pytest.raises(InputError, match=message.format("y", "y")):
        mine.pairwise(X[:, None], Y[1:])


def test_what_can_be_read_once_is_read_once():
    def once(values: np.ndarray) -> Any:
        return (value for value in values.tolist())

    holed = X.copy()
    holed[3] = np.nan
    found = mine.estimate(once(holed), once(Y), once(Z), method="gaussian", drop_missing=True)
    assert found.n == N - 1 and found.diagnostics["dropped_missing_rows"] == 1
    blocks = mine.total_correlation([once(X), once(Y), once(Z)], method="gaussian")
    assert blocks.value == mine.total_correlation([X, Y, Z], method="gaussian").value


@pytest.mark.parametrize("kind", [complex, np.complex64])
def test_complex_numbers_in_a_column_of_objects_are_no_labels(kind: Any):
    column = np.array([kind(value + 1j) for value in X], object)
    for call in (
        lambda: mine.estimate(column, Y),
        lambda: mine.estimate(column, np.repeat(["a", "b"], N // 2), method="discrete"),
        lambda: mine.independence_test(column, Y, n_permutations=19),
        lambda: mine.estimate(X, Y, groups=column, method="gaussian"),
    ):
        with pytest.raises(InputError, match="complex"):
            call()

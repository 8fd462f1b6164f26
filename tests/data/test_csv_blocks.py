"""CSV in blocks: the types and values of the whole text read at once, in a bounded multiple of its size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from mine.data import csv_blocks
from mine.data.csv_blocks import csv_columns, csv_texts, plain_texts, texts_that_match
from mine.data.readers import read_table
from mine.data.sources import read_source
from mine.errors import InputError

#: Cells of one kind; a column is made of runs of up to three kinds.
POOLS = (
    ("1", "2", "30"), ("1", "2.5", "-3e5"), ("true", "false"), ("0", "1"), ("2020-01-01", "2021-05-06"), ("", "NA"), ("",),
    ("2020-01-01 10:00:00",), ("2020-01-01 10:00:00.123",), ("10:00", "11:30:01"), ("a", "b\nc", 'q""x'), ("NULL", "nan"),
    ("99999999999999999999",), ("inf", "-inf"), ("2020-01-01T00:00:00Z",), ("2020-01-01T00:00:00.5+02:00",), ("3000000000",),
    ("1e400",), (" 1", " 2 "), ("é", "٣"), ("x" * 300,), ("TRUE",), ("0x10",), ("007", "-01"),
)  # fmt: skip


def at_once(data: bytes) -> pa.Table:
    """The whole text as one block, whose types are those of all rows."""
    return csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(block_size=len(data) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(strings_can_be_null=True),
    )


def random_text(rng: np.random.Generator) -> bytes:
    n = int(rng.integers(1, 60))
    columns = []
    for _ in range(rng.integers(1, 4)):
        runs = [POOLS[i] for i in rng.integers(0, len(POOLS), rng.integers(1, 4))]
        ends = np.sort(rng.integers(0, n + 1, len(runs) - 1))
        columns.append([str(rng.choice(runs[int((ends <= i).sum())])) for i in range(n)])
    names = "abc"[: len(columns)] if rng.random() < 0.9 else "a" * len(columns)
    quoted = [
        [f'"{c}"' if "\n" in c or '"' in c or (c and rng.random() < 0.3) else c for c in row]
        for row in zip(*columns, strict=True)
    ]
    return "\n".join([",".join(names), *(",".join(row) for row in quoted), ""]).encode()


@pytest.mark.parametrize("block", [64, 300])
def test_types_and_values_are_those_of_the_whole(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    rng = np.random.default_rng(block)
    compared = 0
    for _ in range(300):
        data = random_text(rng)
        try:
            wanted = at_once(data)
        except pa.ArrowException:
            with pytest.raises(InputError, match="cannot be read as CSV"):
                csv_columns(data, ",", "x")
            continue
        found = plain_texts(csv_columns(data, ",", "x"))
        assert found.schema.names == wanted.schema.names
        kinds = [pa.int64() if pa.types.is_int32(kind) else kind for kind in found.schema.types]
        assert kinds == wanted.schema.types, data
        assert repr([c.to_pylist() for c in found.columns]) == repr([c.to_pylist() for c in wanted.columns])
        compared += 1
    assert compared > 250


def test_a_row_longer_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 100)
    data = b"a,b\n1,007\n" + b'2,"' + b"z\n" * 500 + b'"\n3,x\n'
    assert csv_columns(data, ",", "x").column("a").to_pylist() == [1, 2, 3]
    assert csv_texts(data, ",", "x", ["a"]).column("a").to_pylist() == ["1", "2", "3"]
    assert texts_that_match(data, ",", "x", ["a", "b"], "^0") == ["b"]


def test_integers_that_32_bits_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 64)
    small, large = [*range(40)], [*range(40), 2**60]
    table = csv_columns(("a,b\n" + "\n".join(f"{a},{b}" for a, b in zip([*small, 1], large, strict=True))).encode(), ",", "x")
    assert table.schema.types == [pa.int32(), pa.int64()]
    assert table.column("b").to_pylist() == large


def test_a_text_is_one_object_however_many_rows_have_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{'uvw'[i % 3] * 100},{i}\n" for i in range(300)) + ",1\n")
    (texts,) = read_source(read_table(str(path)).select(["a"]), "x").columns
    assert texts.tolist() == [*["u" * 100, "v" * 100, "w" * 100] * 100, None]
    assert len(set(map(id, texts))) == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts kilobytes on Linux")
@pytest.mark.parametrize("kind", ["floats", "integers", "labels"])
def test_the_peak_is_below_twice_the_file(kind: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 600_000
    labels = pa.array([f"label {i} " + "x" * 150 for i in range(3000)])
    columns = {
        "floats": lambda: {f"c{i}": rng.normal(size=n) for i in range(10)},
        "integers": lambda: {f"c{i}": rng.integers(-(10**6), 10**6, n) for i in range(16)},
        "labels": lambda: {"c0": rng.normal(size=n), "c1": labels.take(pa.array(rng.integers(0, 3000, n)))},
    }[kind]()
    csv.write_csv(pa.table(columns), tmp_path / "large.csv")
    (tmp_path / "small.csv").write_text("a,b\n" + "1.5,2\n" * 30)
    large, small = (peak(tmp_path / f"{name}.csv") for name in ("large", "small"))
    assert large - small < 2.0 * (tmp_path / "large.csv").stat().st_size


def peak(path: Path) -> int:
    """Bytes that ``mine describe`` of a file takes at most."""
    script = (
        "import resource, runpy, sys; sys.argv = ['mine', 'describe', sys.argv[1]]\n"
        "try: runpy.run_module('mine', run_name='__main__')\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stderr.split()[-1])

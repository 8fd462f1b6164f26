"""A damaged file of any format is one sentence: no other exception, and no end of the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, orc, parquet

from mine.data.readers import read_table
from mine.data.sources import read_source
from mine.errors import InputError

N = 40
RNG = np.random.default_rng(0)
TABLE = pa.table({"a": RNG.normal(size=N), "b": RNG.integers(0, 9, N), "c": RNG.choice(["u", "v", "wé"], N)})


def stream(table: pa.Table, path: str) -> None:
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


FORMATS: dict[str, Callable[[str], object]] = {
    "t.parquet": lambda path: parquet.write_table(TABLE, path, use_dictionary=False, compression="none"),
    "coded.parquet": lambda path: parquet.write_table(TABLE, path),
    "t.feather": lambda path: feather.write_feather(TABLE, path),
    "t.arrow": lambda path: stream(TABLE, path),
    "t.orc": lambda path: orc.write_table(TABLE, path),
    "t.npy": lambda path: np.save(path, RNG.normal(size=(N, 3))),
    "records.npy": lambda path: np.save(path, np.zeros(N, dtype=[("a", "f8"), ("b", "i4")])),
    "t.npz": lambda path: np.savez(path, a=RNG.normal(size=N), b=np.array(["u", "v"] * (N // 2))),
    "packed.npz": lambda path: np.savez_compressed(path, a=RNG.normal(size=(N, 2))),
}


def reads_or_refuses(path: Path) -> None:
    try:
        table = read_table(str(path))
        read_source(table.select(list(table.columns)), "x")
    except InputError as error:
        assert len(str(error)) > 15


@pytest.mark.parametrize("name", FORMATS)
def test_flipped_bits(name: str, tmp_path: Path) -> None:
    flip(name, tmp_path, 40)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "t.orc"])  # Apache ORC's own reader can end the process
def test_a_thousand_flipped_bits(name: str, tmp_path: Path) -> None:
    flip(name, tmp_path, 1000)


def flip(name: str, folder: Path, count: int) -> None:
    path = folder / name
    FORMATS[name](str(path))
    whole = path.read_bytes()
    rng = np.random.default_rng(count)
    for place, bit in zip(rng.integers(0, len(whole), count), rng.integers(0, 8, count), strict=True):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(bit)
        path.write_bytes(damaged)
        reads_or_refuses(path)


def test_a_header_that_is_no_python(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", np.zeros((20, 2)))
    raw = (tmp_path / "t.npy").read_bytes().replace(b"(20, 2)", b"((((((,")
    (tmp_path / "t.npy").write_bytes(raw)
    with pytest.raises(InputError, match=r"t\.npy cannot be read as npy: "):
        read_table(str(tmp_path / "t.npy"))


def test_offsets_beyond_the_file(tmp_path: Path) -> None:
    """Texts whose offsets point elsewhere: to follow them would end the process."""
    offsets = pa.py_buffer(np.array([0, 1, 2**30, 3, 4] + [4] * 36, np.int32).tobytes())
    texts = pa.Array.from_buffers(pa.string(), N, [None, offsets, pa.py_buffer(b"abcd")])
    stream(pa.table({"a": RNG.normal(size=N), "c": texts}), str(tmp_path / "t.arrow"))
    with pytest.raises(InputError, match=r"t\.arrow cannot be read as arrow: "):
        read_table(str(tmp_path / "t.arrow")).select(["c"])

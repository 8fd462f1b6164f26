"""Random files, whole and damaged, through the commands and the archives: a result, or one sentence; nothing else.

Tables in every format, with odd encodings, quotes, names and cells, then with bytes changed, cut or put in. A command ends with
exit code 0 or 2; its output has no control characters. An own file comes back the very same or is refused.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import strategies as st
from pyarrow import feather, orc, parquet

import mine
from mine.cli.app import app
from mine.critics import ConcatCritic
from mine.critics.storage import load_critic, save_critic
from mine.errors import InputError

#: Names of columns and cells that somebody else chose.
NAMES = (
    "a", "b", "a", "", " ", "größe", "日本", "=1+1", "@x", "a\x1b[31m", "\x9b31m", "\u202etxt", "x[0]", "*", "?", "a,b", 'q"uote',
    "line\nbreak", "<script>alert(1)</script>", "$x^{", "nul\0", "a" * 300, "1", "nan", "None", "-", "time", "tab\t", "\ufeff",
)  # fmt: skip
CELLS = (
    "", "NA", "nan", "inf", "-inf", "1e400", "1e-400", "1,5", "$1,200.50", "007", "0x1F", "1_000", "9007199254740993", "12%",
    "2020-02-30", "2020-01-01", "01/02/2020", "true", "n/a", "=cmd|' /C calc'!A0", "\x1b[2J", "\x00", "é", '"', "'", "1e5", "-0",
    "x" * 2000, "1" * 400, "٣", "1.7e308", "5e-324", "None", "null", "#DIV/0!",
)  # fmt: skip
KINDS = ("numbers", "numbers", "labels", "cells", "dates", "ids", "ones", "holes")
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "shift_jis")


def column(kind: str, n: int, rng: np.random.Generator) -> list[Any]:
    """A column of n cells."""
    normal = rng.normal(size=n).round(3).tolist()
    match kind:
        case "numbers":
            return normal
        case "labels":
            return rng.choice(["u", "v", "w"], n).tolist()
        case "cells":
            return [CELLS[i] for i in rng.integers(0, len(CELLS), n)]
        case "dates":
            return [f"2020-01-{1 + i % 28:02}" for i in rng.integers(0, 400, n)]
        case "ids":
            return [f"{i:06}" for i in rng.permutation(n)]
        case "ones":
            return [1] * n
        case _:
            return [value if i % 5 else None for i, value in enumerate(normal)]


def table(columns: list[tuple[str, list[Any]]]) -> pa.Table:
    """The columns with names of their own, cells of several types as text."""
    arrays, names = [], []
    for i, (name, values) in enumerate(columns):
        try:
            arrays.append(pa.array(values))
        except pa.ArrowException:
            arrays.append(pa.array([None if value is None else str(value) for value in values]))
        if pa.types.is_null(arrays[-1].type):
            arrays[-1] = arrays[-1].cast(pa.string())
        names.append(name if name not in names else f"{name}{i}")
    return pa.table(arrays, names=names)


def as_csv(columns: list[tuple[str, list[Any]]], rng: np.random.Generator, encoding: str, delimiter: str) -> bytes:
    """A text with one of the line ends, and sometimes short, long or empty rows and lines in front of the header."""
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=str(rng.choice(["\n", "\r\n", "\r"])),
        quoting=csv.QUOTE_ALL if rng.random() < 0.2 else csv.QUOTE_MINIMAL,
    )
    if rng.random() < 0.1:
        writer.writerow([])
    writer.writerow([name for name, _ in columns])
    for row in zip(*(values for _, values in columns), strict=True):
        oddity = rng.random()
        cells = ["" if value is None else value for value in row]
        writer.writerow(
            cells[:-1] if oddity < 0.002 else [*cells, "more"] if oddity < 0.004 else [] if oddity < 0.01 else cells
        )
    return out.getvalue().encode(encoding, errors="replace")


def write(kind: str, path: Path, columns: list[tuple[str, list[Any]]], rng: np.random.Generator, encoding: str) -> None:
    """Write the columns as a file of this kind."""
    arrow = table(columns)
    match kind:
        case ".csv" | ".tsv":
            delimiter = "\t" if kind == ".tsv" else str(rng.choice([",", ",", ";", "\t"]))
            path.write_bytes(as_csv(columns, rng, encoding, delimiter))
        case ".csv.gz":
            path.write_bytes(gzip.compress(as_csv(columns, rng, encoding, ","), mtime=0))
        case ".parquet":
            parquet.write_table(
                arrow, path, use_dictionary=bool(rng.integers(2)), compression=str(rng.choice(["none", "snappy"]))
            )
        case ".feather":
            feather.write_feather(arrow, str(path), compression=str(rng.choice(["uncompressed", "lz4"])))
        case ".arrow":
            with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_stream(stream, arrow.schema) as writer:
                writer.write_table(arrow)
        case ".orc":
            orc.write_table(arrow, str(path))
        case ".jsonl":
            lines = [json.dumps({name: value for name, value in row.items() if value is not None}) for row in arrow.to_pylist()]
            path.write_text("\n".join(lines), encoding="utf-8")
        case ".npz":
            arrays = {name.replace("/", "-").replace("\0", "") or "empty": plain(arrow[name]) for name in arrow.column_names}
            np.savez(path, **{name: array for name, array in arrays.items() if name != "file"})
        case ".npy":
            parts = [plain(arrow[name]) for name in arrow.column_names]
            np.save(
                path, np.stack([part if part.dtype.kind == "f" else np.arange(len(part), dtype=float) for part in parts], 1)
            )
        case ".sqlite":
            names = [
                f'"{name.replace(chr(0), "").replace(chr(34), chr(34) * 2)}{i or ""}"'
                for i, name in enumerate(arrow.column_names)
            ]
            with contextlib.closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(f"CREATE TABLE t ({', '.join(names)})")
                rows = [tuple(row.values()) for row in arrow.to_pylist()]
                connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
        case _:
            legal = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
            frame = arrow.to_pandas().map(lambda value: legal.sub("", value)[:30000] if isinstance(value, str) else value)
            frame.columns = [legal.sub("", name) for name in frame.columns]
            frame.to_excel(path, index=False)


def plain(values: pa.ChunkedArray) -> np.ndarray:
    found = values.to_numpy()
    return found if found.dtype.kind in "fiub" else np.array(["" if value is None else str(value) for value in found])


FORMATS = (
    ".csv", ".csv", ".csv", ".csv.gz", ".tsv", ".parquet", ".parquet", ".npz", ".npz", ".npy", ".feather", ".arrow", ".orc",
    ".jsonl", ".sqlite", ".xlsx",
)  # fmt: skip
#: What is done to the bytes of a file.
DAMAGE: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "none": lambda raw, rng: raw,
    "flip": lambda raw, rng: changed(raw, rng, 1, lambda byte: byte ^ (1 << int(rng.integers(8)))),
    "bytes": lambda raw, rng: changed(raw, rng, 8, lambda byte: int(rng.integers(256))),
    "zeros": lambda raw, rng: changed(raw, rng, 20, lambda byte: 0),
    "cut": lambda raw, rng: raw[: int(rng.integers(0, len(raw) + 1))],
    "put in": lambda raw, rng: raw[: (at := int(rng.integers(0, len(raw) + 1)))] + rng.bytes(5) + raw[at:],
    "twice": lambda raw, rng: raw + raw[int(rng.integers(0, len(raw) + 1)) :],
}
COMMANDS: dict[str, list[str]] = {
    "describe": [],
    "describe parsed": ["--parse", "--csv"],
    "estimate": ["--x", "*", "--y", "y", "--method", "gaussian", "--drop-missing"],
    "estimate labels": ["--x", "y", "--y", "*", "--seed", "0", "--method", "ross"],
    "pairwise": ["--seed", "0", "--parse"],
    "pairwise json": ["--seed", "0", "--json", "--method", "ksg"],
    "report": ["--no-test", "-o", "page.html"],
}


def changed(raw: bytes, rng: np.random.Generator, count: int, change: Callable[[int], int]) -> bytes:
    out = bytearray(raw)
    for place in rng.integers(0, len(raw), count) if raw else ():
        out[place] = change(out[place])
    return bytes(out)


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in this process; any other end is an error of the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stopped:
        app(list(arguments), prog_name="mine")
    return int(stopped.value.code or 0), out.getvalue(), err.getvalue()


def shows_no_control_characters(text: str) -> None:
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"] and "\u202e" not in text


def answers(
    folder: Path, kind: str, kinds: list[str], names: list[str], encoding: str, damage: str, command: str, n: int, seed: int
) -> None:
    """The command on a file of random columns ends with a result or one sentence."""
    rng = np.random.default_rng(seed)
    columns = [("y", column("numbers", n, rng))]
    columns += [(name, column(one, n, rng)) for name, one in zip(names, kinds, strict=False)]
    path = folder / f"table{kind}"
    path.unlink(missing_ok=True)
    write(kind, path, columns, rng, encoding)
    if kind != ".orc":  # of a damaged one, in a thousand, Apache ORC's own reader ends the process
        path.write_bytes(DAMAGE[damage](path.read_bytes(), rng))
    places = {"page.html": str(folder / "page.html"), "y": "0" if kind == ".npy" else "y"}
    options = [places.get(option, option) for option in COMMANDS[command]]
    code, out, err = run(command.split()[0], str(path), *options)
    assert code in (0, 2), err
    shows_no_control_characters(out)
    shows_no_control_characters(err)
    assert code == 0 or re.search(r"^mine: error: [^\n]{15,}\n\Z", err, re.MULTILINE), err
    if code == 0 and command == "report":
        shows_no_control_characters((folder / "page.html").read_text(encoding="utf-8"))


draws = hypothesis.given(
    kind=st.sampled_from(FORMATS),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    encoding=st.sampled_from(ENCODINGS),
    damage=st.sampled_from(("none",) * 6 + tuple(DAMAGE)),
    command=st.sampled_from(sorted(COMMANDS)),
    n=st.sampled_from((0, 1, 7, *[40] * 9)),
    seed=st.integers(0, 2**32 - 1),
)
shared_folder = [hypothesis.HealthCheck.function_scoped_fixture]


@draws
@hypothesis.settings(max_examples=60, derandomize=True, suppress_health_check=shared_folder)
def test_a_result_or_one_sentence(tmp_path: Path, **drawn: Any) -> None:
    answers(tmp_path, **drawn)


@pytest.mark.slow
@draws
@hypothesis.settings(max_examples=1000, suppress_health_check=shared_folder)
def test_a_thousand_of_them(tmp_path: Path, **drawn: Any) -> None:
    answers(tmp_path, **drawn)


# === Own files ===


def estimate_file(folder: Path) -> tuple[Path, Callable[[], Any]]:
    found = mine.estimate(np.arange(60.0) % 7, np.arange(60.0) ** 2 % 11, method="ksg", random_state=0)
    path = folder / "estimate.json"
    found.save(path)
    return path, lambda: (lambda back: (repr(back), back.pointwise_values))(mine.Estimate.load(path))


def critic_file(folder: Path) -> tuple[Path, Callable[[], Any]]:
    path = folder / "critic.json"
    with torch.random.fork_rng(devices=[]):
        save_critic(ConcatCritic(2, 1, hidden=(4,)), path)
    return path, lambda: {name: value.tolist() for name, value in load_critic(path).state_dict().items()}


def pairs_file(folder: Path) -> tuple[Path, Callable[[], Any]]:
    values = np.random.default_rng(0).normal(size=(60, 3))
    out = folder / "pairs"

    def measure() -> Any:
        return np.asarray(mine.pairwise(values, out=out, random_state=0, progress=False)).tolist()

    measure()
    return next((out / "cells").glob("*.json")), measure


def lags_file(folder: Path) -> tuple[Path, Callable[[], Any]]:
    values = np.random.default_rng(0).normal(size=(120, 2))
    out = folder / "lags"

    def measure() -> Any:
        return repr(mine.lag_scan(*values.T, lags=1, method="gaussian", out=out, random_state=0, progress=False))

    measure()
    return next((out / "cells").glob("*.json")), measure


OWN = (estimate_file, critic_file, pairs_file, lags_file)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Callable[[], Any], bytes, str]]:
    """Each kind of own file: where it is, how it is read, its bytes, what reading gives."""
    found = []
    for make in OWN:
        path, load = make(tmp_path_factory.mktemp(make.__name__))
        found.append((path, load, path.read_bytes(), repr(load())))
    return found


damages = hypothesis.given(
    which=st.sampled_from(range(len(OWN))), damage=st.sampled_from(sorted(DAMAGE)), seed=st.integers(0, 2**32 - 1)
)


def comes_back_or_is_refused(own: list[Any], which: int, damage: str, seed: int) -> None:
    path, load, whole, right = own[which]
    path.write_bytes(DAMAGE[damage](whole, np.random.default_rng(seed)))
    try:
        assert repr(load()) == right
    except InputError:
        assert path.read_bytes() != whole
    finally:
        path.write_bytes(whole)


@damages
@hypothesis.settings(max_examples=60, derandomize=True)
def test_own_files_come_back_or_are_refused(own: list[Any], **drawn: Any) -> None:
    comes_back_or_is_refused(own, **drawn)


@pytest.mark.slow
@damages
@hypothesis.settings(max_examples=1000)
def test_a_thousand_damaged_own_files(own: list[Any], **drawn: Any) -> None:
    comes_back_or_is_refused(own, **drawn)


def test_a_frame_of_every_name_is_a_page_and_a_table(tmp_path: Path) -> None:
    names = list(dict.fromkeys(NAMES))
    values = np.random.default_rng(0).normal(size=(40, len(names)))
    frame = pd.DataFrame(values, columns=names)
    page = mine.report(frame, title="\x1b]0;x\x07", test=False, random_state=0, progress=False)
    described = mine.describe(frame)
    for text in (page.html, repr(page), repr(described), described._repr_html_(), described.to_csv()):
        shows_no_control_characters(text)
    assert "<script>alert" not in page.html + described._repr_html_()

"""What the commands print, fold, draw and say when it cannot be done."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import mine
from mine import api

from .commands import FIELDS, Run, check_refused, write_csv


def test_long_lists_are_cut_and_names_with_commas_quoted(run: Run, csv: str, calls: list[dict[str, Any]]):
    out = run("estimate", csv, "--x", "a,b,id,kind,code,c", "--y", '"d, in kg"').out
    assert out.endswith('  x: a, b, id, kind, code, c\n  y: "d, in kg"\n')
    out = run("estimate", "example:breast-cancer", "--x", "mean *", "--y", "diagnosis").out
    assert (
        "  x: mean radius, mean texture, mean perimeter, mean area, mean smoothness, mean compactness, ... (10 columns)" in out
    )


def test_lines_are_folded_to_a_terminal_and_whole_in_a_pipe(
    run: Run, csv: str, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "60")
    arguments = ("estimate", "example:breast-cancer", "--x", "mean *", "--y", "diagnosis")
    piped = run(*arguments).out
    assert max(map(len, piped.splitlines())) > 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    shown = run(*arguments).out
    assert max(map(len, shown.splitlines())) <= 60
    assert "mean area,\n    mean smoothness" in shown
    assert shown.split() == piped.split()


def test_a_name_of_two_lines_is_chosen_and_printed_in_one(run: Run, tmp_path: Path, data: dict[str, Any]):
    file = str(write_csv(tmp_path / "lines.csv", **{"two\nlines": data["a"], "c": data["c"]}))
    result = run("estimate", file, "--x", "two\nlines", "--y", "c", "--method", "gaussian")
    assert result.out.endswith("  x: two lines\n  y: c\n")


def test_message_is_one_line_even_where_a_name_has_two(run: Run, tmp_path: Path):
    file = tmp_path / "data.csv"
    file.write_text('"two\nlines",b\n' + "".join(f"1,{i}\n" for i in range(40)))
    check_refused(run("estimate", str(file), "--x", "two*", "--y", "b"), r"Column 'two\\nlines' is constant")


def test_output_that_cannot_be_written_is_one_sentence(run: Run, csv: str, monkeypatch: pytest.MonkeyPatch):
    def full(text: str, err: bool = False) -> None:
        if not err:
            raise OSError(28, "No space left on device")
        sys.stderr.write(f"{text}\n")

    monkeypatch.setattr("typer.echo", full)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    for arguments in (["methods"], ["examples"], ["estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian"]):
        check_refused(run(*arguments), r"Standard output cannot be written: No space left on device\.")


# ===  Progress and interrupts ===


@pytest.mark.parametrize(("delay", "more", "shown"), [(0.0, [], True), (3600.0, [], False), (0.0, ["--no-progress"], False)])
def test_progress_bar_on_a_terminal_after_a_while(
    delay: float, more: list[str], shown: bool, run: Run, csv: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mine.progress.DELAY_SECONDS", delay)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    result = run("estimate", csv, "--x", "a", "--y", "c", "--option", "steps=40", "--json", *more)
    assert list(json.loads(result.out)) == FIELDS  # stdout holds the result alone
    assert ("training" in result.err) == shown
    assert bool(result.err) == shown


def test_progress_bar_that_was_asked_for_in_a_pipe_ends_full(run: Run, csv: str):
    arguments = ("estimate", csv, "--x", "a", "--y", "c", "--option", "steps=40", "--option", "patience=20", "--json")
    result = run(*arguments, "--progress")
    assert list(json.loads(result.out)) == FIELDS
    assert re.fullmatch(r"training 5 critics, bound \S+ nats ━+ 100% .*\n", result.err), result.err


def test_interrupt_is_one_line_and_130(run: Run, csv: str, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "estimate", interrupted)
    assert run("estimate", csv, "--x", "a", "--y", "c") == (130, "", "mine: interrupted\n")


def read_until(screen: int, end: bytes, shown: bytes = b"") -> bytes:
    """What a terminal shows until ``end`` turns up, at most a minute."""
    last = time.monotonic() + 60
    while end not in shown:
        assert select.select([screen], [], [], max(0.0, last - time.monotonic()))[0], f"no {end!r} in {shown!r}"
        shown += os.read(screen, 4096)
    return shown


def test_interrupting_a_training_takes_the_bar_away(csv: str):
    import pty  # Windows has none, and the other tests run there

    screen, stderr = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1", "TERM": "xterm"}
    endless = ("--option", "steps=100000", "--option", "patience=100000", "--progress")
    arguments = ("estimate", csv, "--x", "a", "--y", "c", *endless)

    def heed_interrupts() -> None:  # a test run in a shell's background ignores them, and its children inherit that
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    command = [sys.executable, "-m", "mine", *arguments]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=stderr, preexec_fn=heed_interrupts) as process:
        try:
            shown = read_until(screen, b"training")
            process.send_signal(signal.SIGINT)
            shown = read_until(screen, b"mine: interrupted\r\n", shown)
            assert process.wait(60) == 130
            assert process.stdout is not None
            assert process.stdout.read() == b""
        finally:
            process.kill()
            os.close(screen)
            os.close(stderr)
    *_, after = shown.rpartition(b"training")
    assert b"\x1b[2K" in after  # the bar's line is erased
    assert b"\x1b[?25h" in after  # and the cursor is back
    assert b"Traceback" not in shown


# ===  Figures ===


@pytest.mark.parametrize(("name", "start"), [("est.png", b"\x89PNG"), ("est.PDF", b"%PDF"), ("est.svg", b"<?xml")])
def test_plot_writes_the_format_its_name_says(name: str, start: bytes, run: Run, csv: str, tmp_path: Path):
    file = tmp_path / name
    result = run("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--plot", str(file))
    assert (result.code, result.err) == (0, "")
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("est.jpg", r"--plot cannot write 'est\.jpg': end the name in \.png, \.pdf, \.svg"),
        ("est", r"--plot cannot write 'est': end the name in"),
        ("nowhere/est.png", r"--plot cannot write into .*nowhere: there is no such folder"),
        ("folder.png", r"--plot cannot write .*folder\.png: it is a folder"),
    ],
)
def test_plot_that_cannot_be_written_fails_before_the_work(
    target: str, message: str, run: Run, csv: str, tmp_path: Path, calls: list[dict[str, Any]]
):
    (tmp_path / "folder.png").mkdir()
    check_refused(run("estimate", csv, "--x", "a", "--y", "c", "--plot", str(tmp_path / target)), message)
    assert calls == []


def test_plot_without_matplotlib_fails_before_the_work(
    run: Run, csv: str, tmp_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("estimate", csv, "--x", "a", "--y", "c", "--plot", str(tmp_path / "est.png"))
    check_refused(result, r'pip install "torch-mine\[plot\]"')
    assert calls == []


def test_estimate_is_printed_even_where_the_disk_is_full(run: Run, csv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    result = run("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--json", "--plot", str(tmp_path / "est.png"))
    assert result.code == 2
    assert list(json.loads(result.out)) == FIELDS
    assert re.fullmatch(r"mine: error: --plot cannot write .*: No space left on device; the estimate stands\.\n", result.err)

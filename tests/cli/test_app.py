"""The command ``mine`` as a program: help, version, usage errors, pipes, what it imports."""

from __future__ import annotations

import inspect
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mine
from mine.cli.app import main
from mine.cli.estimate import estimate

from .commands import Run


def test_version_and_help(run: Run):
    assert run("--version") == (0, f"mine {mine.__version__}\n", "")
    overview = run("--help").out
    assert all(command in overview for command in ("estimate", "methods", "examples", "--version"))
    about = run("estimate", "--help").out
    assert 'mine estimate example:breast-cancer --x "mean *" --y diagnosis' in about
    assert max(map(len, about.splitlines())) <= 80
    for flag in inspect.signature(estimate).parameters.keys() - {"file", "as_json"} | {"json", "no-progress"}:
        assert f"--{flag.replace('_', '-')}" in about


@pytest.mark.parametrize(
    "arguments",
    [["estimate"], ["estimate", "x.csv", "--x", "a"], ["estimat"], ["estimate", "x.csv", "--seed", "one"], ["--what"]],
)
def test_usage_errors_exit_with_2_and_plain_text(arguments: list[str], run: Run):
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: mine")
    assert "╭" not in result.err


def test_a_console_without_the_plus_minus_sign_is_no_reason_to_fail(csv: str, monkeypatch: pytest.MonkeyPatch):
    written = io.BytesIO()
    console = io.TextIOWrapper(written, encoding="cp866", write_through=True)
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "argv", ["mine", "estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert re.match(rb"Estimate: 0\.\d+ \? 0\.\d+ nats", written.getvalue())


def test_what_estimates_nothing_does_not_import_torch(tmp_path: Path):
    code = """
import sys
from mine.cli.app import app
for arguments in (["--help"], ["--version"], ["estimate", "--help"], ["examples"], ["methods"]):
    try:
        app(arguments, prog_name="mine")
    except SystemExit as stopped:
        print(stopped.code, *(m for m in ("torch", "sklearn", "scipy", "pyarrow") if m in sys.modules), file=sys.stderr)
"""
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert done.stderr.decode().split() == ["0"] * 5


def test_a_reader_that_leaves_is_no_error():
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    for arguments in (["methods"], ["--help"]):
        with subprocess.Popen(
            [sys.executable, "-m", "mine", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0

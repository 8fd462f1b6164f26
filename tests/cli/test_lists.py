"""``mine methods`` and ``mine examples``."""

from __future__ import annotations

import json
import shlex
import sys

import pytest

import mine
from mine.datasets import EXAMPLES

from .commands import Run


def test_methods_are_listed_one_a_line_and_aligned(run: Run):
    lines = run("methods").out.splitlines()
    width = lines[0].index("the default")
    assert {line[:width].strip(): line[width:] for line in lines} == mine.methods()
    assert all(line[width - 1] == " " for line in lines)


def test_methods_are_folded_to_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = run("methods").out.splitlines()
    assert max(map(len, lines)) <= 60
    text = " ".join(" ".join(lines).split())
    assert all(f"{name} {about}" in text for name, about in mine.methods().items())


@pytest.mark.slow
def test_examples_are_listed_with_commands_that_run(run: Run):
    out = run("examples").out
    for example in EXAMPLES.values():
        assert f"example:{example.name}   {example.rows} rows x {example.columns} columns\n" in out
        assert f"  {example.source}\n" in out
        assert f"  try: {example.command}\n" in out
        program, *arguments = shlex.split(example.command)
        assert program == "mine"
        result = run(*arguments, "--json")
        assert (result.code, result.err) == (0, "")
        found = json.loads(result.out)
        assert found["n"] == example.rows
        assert found["interval"][0] > 0.05  # each shows a dependence

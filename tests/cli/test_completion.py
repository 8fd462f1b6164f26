"""Tab completion: what a shell is offered, and how it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .commands import Run, program


def offered(*arguments: str) -> str:
    done = program(_MINE_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=" ".join(["mine", *arguments]))
    assert done.stderr == b"", done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "wanted", "unwanted"),
    [
        (["est"], ["estimate"], ["pairwise"]),
        (["estimate", "a.csv", "--method", "k"], ["ksg"], ["gaussian"]),
        (["estimate", "a.csv", "--effort", "t"], ["thorough"], ["fast"]),
        (["pairwise", "a.csv", "--unit", "b"], ["bits"], ["nats"]),
        (["describe", "example:b"], ["example:breast-cancer"], ["example:wine"]),
    ],
)
def test_names_are_offered(arguments: list[str], wanted: list[str], unwanted: list[str]):
    text = offered(*arguments).replace("\\", "")
    assert all(name in text for name in wanted) and not any(name in text for name in unwanted)


def test_files_that_can_be_read_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from mine.cli.completion import files

    for name in ("data.csv", "data.txt", ".hidden.csv", "Data.PARQUET"):
        (tmp_path / name).touch()
    (tmp_path / "days").mkdir()
    monkeypatch.chdir(tmp_path)
    assert files("da") == ["data.csv", "days/"]
    assert files(f"{tmp_path}/") == [f"{tmp_path}/{name}" for name in ("Data.PARQUET", "data.csv", "days/")]
    assert files("nowhere/da") == []


def test_the_help_says_how_to_install_it(run: Run):
    assert "--install-completion" in run("--help").out

"""From names and globs to the columns of an estimate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .commands import Run, check_refused, write_csv


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--x", "a,b", "--y", "c"], {"x": ["a", "b"], "y": ["c"], "groups": None, "discrete": None}),
        (["--x", "a", "--x", "b", "--y", "c"], {"x": ["a", "b"]}),
        (["--x", "[ab]", "--y", "c,k*"], {"x": ["a", "b"], "y": ["c", "kind"]}),
        (["--x", "a", "--y", '"d, in kg"'], {"y": ["d, in kg"]}),
        (["--x", "a", "--y", "c,code", "--discrete", "code"], {"discrete": ["code"]}),
        (["--x", "a", "--y", "c,code", "--discrete", "c*"], {"discrete": ["c", "code"]}),
        (["--x", "a", "--y", "code", "--discrete", "c*"], {"discrete": ["code"]}),  # c is not asked about
        (["--x", "*", "--y", "kind"], {"x": ["a", "b", "c", "id", "code", "d, in kg"], "y": ["kind"]}),
        (["--x", "c*", "--y", "*"], {"x": ["c", "code"], "y": ["a", "b", "id", "kind", "d, in kg"]}),
        (["--x", "*", "--y", "kind", "--groups", "id", "--given", "a"], {"x": ["b", "c", "code", "d, in kg"], "z": ["a"]}),
        (["--x", "*", "--y", "kind", "--order", "a"], {"x": ["b", "c", "id", "code", "d, in kg"]}),
    ],
)
def test_names_and_globs(arguments: list[str], expected: dict[str, Any], run: Run, csv: str, calls: list[dict[str, Any]]):
    assert run("estimate", csv, *arguments).code == 0
    assert {key: calls[0][key] for key in expected} == expected


def test_group_column_is_no_data_where_a_glob_catches_it(run: Run, csv: str, calls: list[dict[str, Any]]):
    result = run("estimate", csv, "--x", "[ab],i*", "--y", "c", "--groups", "id")
    assert calls[0]["x"] == ["a", "b"]
    assert calls[0]["groups"].column("id").to_pylist()[9:11] == ["p0", "p1"]
    assert "  groups: id\n" in result.out


def test_codes_with_commas_are_labels_where_the_command_says_so(run: Run, tmp_path: Path, data: dict[str, Any]):
    codes = [f'"{i + 1},{j % 9 + 1}"' for j, i in enumerate(data["code"])]
    file = str(write_csv(tmp_path / "codes.csv", answer=codes, kind=data["kind"]))
    arguments = ("estimate", file, "--x", "answer", "--y", "kind", "--method", "discrete")
    check_refused(
        run(*arguments), r"Column 'answer' holds .* with a decimal comma written as text, such as '\d,\d': .* --parse"
    )
    result = run(*arguments, "--discrete", "answer")
    assert result.code == 0
    assert "  read as labels: answer, kind\n" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x", "aa", "--y", "c"], r"Unknown --x column 'aa': did you mean 'a'\?"),
        (["--x", "a", "--y", "kin"], r"Unknown --y column 'kin': did you mean 'kind'\?"),
        (["--x", "a", "--y", "z*"], r"Unknown --y column 'z\*'"),
        (["--x", "", "--y", "c"], r"No --x column was named"),
        (["--x", "[abc]", "--y", "c"], r"Column 'c' is on both sides.*leave it out of --x or --y"),
        (["--x", "*", "--y", "*"], r"--x and --y cannot both be '\*'"),
        (["--x", "*", "--y", "?,kind,id,code,d*"], r"--x '\*' means all other columns, and there are none"),
        (["--x", "*", "--y", "kind", "--given", "kind"], r"Column 'kind' is given and in --x"),
        (["--x", "*,a", "--y", "kind"], r"Column 'kind' is on both sides"),
        (["--x", "a", "--y", "c", "--groups", "patient"], r"Unknown --groups column 'patient'"),
        (["--x", "a", "--y", "c", "--groups", "*d*"], r"--groups takes one column, '\*d\*' is 4"),
        (["--x", "a,id", "--y", "c", "--groups", "id"], r"Column 'id' is named in --x and in --groups"),
        (["--x", "i*", "--y", "c", "--groups", "id"], r"--x matches only the --groups column 'id'"),
        (["--x", "a", "--y", "c", "--discrete", "code"], r"Unknown --discrete column 'code'.* Valid: a, c\."),
        (["--x", "kind", "--y", "c", "--method", "ksg"], r"needs numbers.*kind.*Use method 'auto'"),
    ],
)
def test_columns_that_cannot_be_used(arguments: list[str], message: str, run: Run, csv: str):
    check_refused(run("estimate", csv, *arguments), message)

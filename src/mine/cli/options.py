"""The options of the commands, each declared once: its type, its flag and its help text.

An option whose type or default differs between commands takes its type from the command: ``seed: Seed[int] = 0``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mine.cli.completion import efforts, files, method_names, table_efforts, units

T = TypeVar("T")

# === The data ===

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="CSV, TSV, Parquet, Feather, ORC, JSON lines, Excel, SQLite, NPY or NPZ; '-' reads CSV from stdin; example:NAME "
        "is shipped data.",
        autocompletion=files,
    ),
]
TableName = Annotated[
    str | None, typer.Option("--table", metavar="NAME", help="Sheet of an Excel file (the first) or table of a SQLite file.")
]
X = Annotated[
    list[str],
    typer.Option("--x", metavar="COLUMNS", help="Columns of x: names or globs, comma-separated; '*' means all other columns."),
]
Y = Annotated[list[str], typer.Option("--y", metavar="COLUMNS", help="Columns of y, likewise.")]
Given = Annotated[list[str] | None, typer.Option("--given", metavar="COLUMNS", help="Columns to condition on.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="COLUMNS", help="Columns to use: names or globs, comma-separated; all by default."),
]
Target = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="COLUMNS", help="Pair every other column with these, instead of all pairs."),
]
Discrete = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMNS", help="Numeric columns to treat as labels; by default, their values decide."),
]
Groups = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Column that says which rows belong together (a patient, a session)."),
]
Order = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of times where rows are a series; 'time' where they come in that order and no column is called so.",
    ),
]
Lags = Annotated[
    str, typer.Option("--lags", metavar="N", help="All lags from -N to N; or several whole numbers, comma-separated.")
]
Lag = Annotated[int | None, typer.Option("--lag", metavar="N", help="Past values of the driver; 1 by default.")]
History = Annotated[
    str | None,
    typer.Option("--history", metavar="N", help="Past values of the driven series, as --lag by default; 'auto' chooses all."),
]
Longest = Annotated[int | None, typer.Option("--longest", metavar="N", help="The longest lag that --history auto may choose.")]
DropMissing = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out rows with a missing or infinite value, instead of an error.")
]
SkipMissing = Annotated[
    bool,
    typer.Option(
        "--drop-missing/--no-drop-missing", help="Leave out rows with a missing or infinite value, pair by pair; or an error."
    ),
]
Parse = Annotated[
    bool, typer.Option("--parse", help="Read numbers and dates written as text, such as '$1,200' or '12 %', as numbers.")
]
Cache = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Scratch folder for Parquet files larger than memory.")]

# === The method ===

Method = Annotated[str, typer.Option(metavar="NAME", help="See 'mine methods'.", autocompletion=method_names)]
Effort = Annotated[
    T,
    typer.Option(metavar="NAME", help="fast, default or thorough: how long training may take.", autocompletion=efforts),
]
TableEffort = Annotated[
    str,
    typer.Option(
        "--effort",
        metavar="NAME",
        help="screen (ranks, milliseconds per pair), or fast, default or thorough: critics, and how long they train.",
        autocompletion=table_efforts,
    ),
]
Conditional = Annotated[str | None, typer.Option(metavar="NAME", help="With --given: chain (default) or shuffle.")]
MethodOptions = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Option of the method, for example steps=2000; repeatable.")
]
Test = Annotated[bool, typer.Option("--test/--no-test", help="Permutation tests of independence: p-values.")]
Permutations = Annotated[T, typer.Option(metavar="N", help="Permutations of --test; with many pairs, the maximum per pair.")]
Seed = Annotated[T, typer.Option(metavar="N", help="The same seed gives the same digits.")]

# === The machine ===

Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, ...")]
Devices = Annotated[str | None, typer.Option(metavar="N", help="Processes that train this estimate together; needs Lightning.")]
Strategy = Annotated[str | None, typer.Option(metavar="NAME", help="Strategy of Lightning Fabric: ddp, ddp_spawn, ...")]
Jobs = Annotated[T, typer.Option(metavar="N", help="Worker processes.")]
Progress = Annotated[
    bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
]

# === The output ===

Unit = Annotated[str, typer.Option(metavar="UNIT", help="nats or bits.", autocompletion=units)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one line per estimate.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV, one line per row of the result.")]
Top = Annotated[int, typer.Option(metavar="N", help="Number of pairs to print, the strongest first.")]
Plot = Annotated[Path | None, typer.Option(metavar="PATH", help="Write a figure: .png, .pdf or .svg.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for results and figures; rerun the command to resume.")]
Page = Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The page to write, for example report.html.")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Title of the page; the file's name by default.")]
Checkpoint = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Checkpoint folder; rerun the command to resume.")
]

# === Many runs: benchmark and reproduce ===

Suite = Annotated[str, typer.Option(metavar="NAME", help="Suite of tasks; 'all' for every one.")]
Tasks = Annotated[
    str | None, typer.Option(metavar="GLOBS", help="Tasks of the suite, comma-separated; a full name may belong to any suite.")
]
Methods = Annotated[
    str,
    typer.Option(
        metavar="METHODS", help="Comma-separated: NAME, NAME[option=value,...], package.module:Estimator, file.py:function."
    ),
]
Efforts = Annotated[
    str | None,
    typer.Option("--effort", metavar="EFFORTS", help="One or more efforts, comma-separated, for the methods that have them."),
]
Rows = Annotated[str, typer.Option("--n", metavar="ROWS", help="Numbers of rows, comma-separated.")]
Experiment = Annotated[str | None, typer.Argument(metavar="NAME", help="An experiment, or 'all'; see --list.")]
Scale = Annotated[
    str, typer.Option(metavar="NAME", help="smoke: a quick check; default: sized for two CPU cores; paper: the paper's size.")
]
Arms = Annotated[
    str | None, typer.Option(metavar="ARMS", help="Some of the arms, comma-separated; quote a name that contains a comma.")
]
Repeats = Annotated[int, typer.Option(metavar="N", help="Number of repetitions, each with its own seed.")]
FirstSeed = Annotated[
    int, typer.Option("--seed", metavar="N", help="Seed of the first repetition; the others count up from it.")
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Run failed cells and diverged runs again.")]
List = Annotated[bool, typer.Option("--list", help="List the tasks or experiments, and exit.")]

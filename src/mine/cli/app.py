"""The command ``mine``: thin. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Annotated

import typer

from mine.cli.benchmark import benchmark
from mine.cli.describe import describe
from mine.cli.estimate import estimate
from mine.cli.lags import lags
from mine.cli.lists import examples, methods
from mine.cli.pairwise import pairwise
from mine.cli.renamed import RenamedOptions
from mine.cli.report import report
from mine.cli.reproduce import reproduce
from mine.cli.transfer import transfer
from mine.escapes import printable
from mine.storage.versions import __version__

__all__ = ["app", "main"]

app = typer.Typer(
    name="mine",
    help="Neural mutual information: how much knowing one set of columns tells you about another, with an honest error bar.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Entry point of the command ``mine``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without ± shows a question mark, not a traceback
    os.environ["PYTHONSAFEPATH"] = "1"  # processes started from here import nothing from the working directory
    warnings.formatwarning = _warning
    try:
        app(prog_name="mine")  # also by python -m mine: tab completion goes by the name
    except SystemExit as stopped:
        if isinstance(stopped.__context__, BrokenPipeError):  # `| head` has read what it wanted: typer would say 1
            raise SystemExit(0) from None
        raise


def _warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None) -> str:
    """One line without control characters, which the names of columns may hold."""
    return printable(f"{filename}:{lineno}: {category.__name__}: {message}\n")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mine {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version  # its callback has printed it


for _command in (describe, estimate, pairwise, report, lags, transfer, methods, examples, benchmark, reproduce):
    app.command(cls=RenamedOptions)(_command)

"""Everything the commands write: results, errors of one sentence, text that fits the terminal, figures."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mine.errors import InputError, MineError, NumberTextError
from mine.escapes import printable
from mine.storage.files import check_place

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "as_asked",
    "check_figures",
    "check_folder",
    "check_kept",
    "check_plot",
    "check_writable",
    "folded",
    "interruptible",
    "listed",
    "load_figures",
    "one_sentence",
    "print_text",
    "save_figure",
    "table_width",
]

EXIT_INPUT, EXIT_UNWRITTEN, EXIT_INTERRUPTED = 2, 74, 130
#: Columns of a printed table in a pipe, where nothing says how wide the page is.
PIPE_WIDTH = 150
_PLOT_FORMATS = (".png", ".pdf", ".svg")


@contextmanager
def one_sentence() -> Iterator[None]:
    """Errors that the user can mend end in one sentence: exit code 2, 74 for a full disk and the like, 130 for Ctrl-C."""
    try:
        yield
    except NumberTextError as error:
        sentence, code = f"error: {_one_line(error.for_command_line)}", EXIT_INPUT
    except MineError as error:
        sentence, code = f"error: {_one_line(str(error))}", EXIT_INPUT
    except BrokenPipeError:
        raise
    except OSError as error:  # a disk that is full while finished work is written
        where = "A file" if error.filename is None else str(error.filename)
        reason = error.strerror or type(error).__name__
        sentence, code = f"error: {where} cannot be read or written: {reason}. Finished results are kept.", EXIT_UNWRITTEN
    except KeyboardInterrupt:
        sentence, code = "interrupted", EXIT_INTERRUPTED
    else:
        return
    with suppress(OSError):  # nobody reads stderr: the exit code still tells
        typer.echo(printable(f"mine: {sentence}"), err=True)
    raise typer.Exit(code)


@contextmanager
def interruptible(kept: str) -> Iterator[None]:
    """Ctrl-C says in one line where the finished part is kept (``kept``, may be empty), and exits with code 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"mine: interrupted{f'; {kept}' if kept else ''}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def print_text(text: str) -> None:
    """Print to stdout, control characters spelt out.

    Raises:
        InputError: Standard output cannot be written, for example because the disk is full.
    """
    try:
        typer.echo(printable(text))
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError):  # what is left unwritten would be tried again, and fail loudly, when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise InputError(f"Standard output cannot be written: {error.strerror or error}.") from error


def as_asked(records: dict[str, list[Any]], as_json: bool, as_csv: bool, text: Callable[[], str]) -> str:
    """A result of many rows as ``--json`` or ``--csv`` ask for it, its columns by name, or else as ``text`` gives it."""
    from mine.tables.records import records_as_csv, records_as_json

    if as_json:
        return records_as_json(records)
    return records_as_csv(records).rstrip("\n") if as_csv else text()


def folded(text: str, indent: int = 4) -> str:
    """``text`` with its lines folded to the width of the terminal, and continued lines indented.

    In a pipe the text stays as it is, because there a line is a record.
    """
    if not _on_terminal():
        return text
    width = max(shutil.get_terminal_size().columns, indent + 30)
    lines = (
        textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join("\n".join(line) for line in lines)


def table_width(least: int = 0) -> int:
    """Columns of text that a printed table may take: the terminal's, but no fewer than ``least``; a fixed number in a pipe."""
    return max(shutil.get_terminal_size().columns, least) if _on_terminal() else PIPE_WIDTH


def listed(names: Sequence[str]) -> str:
    """The names of columns in one line: up to six of them, in quotes where they contain a comma."""
    shown = ", ".join(_one_line(f'"{name}"' if "," in name else name) for name in names[:6])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > 6 else shown


def check_plot(path: Path | None) -> None:
    """Refuse a ``--plot`` that cannot be written before the estimation, not after it.

    Raises:
        InputError: The name has another ending, or there is no such folder.
        MineError: matplotlib is not installed.
    """
    if path is not None:
        check_writable("--plot", path, _PLOT_FORMATS)
        check_figures()


def check_kept(out: Path | None, seed: int | None) -> str:
    """What Ctrl-C says of finished work in the folder ``--out``, empty without one.

    Raises:
        InputError: There is a folder and no ``--seed``.
    """
    if out is None:
        return ""
    if seed is None:
        raise InputError("--out needs --seed, for example --seed 0: a resumed command must draw the same numbers.")
    return f"finished work is kept in {out}; rerun the command to resume"


def check_folder(flag: str, folder: Path | None, names: Sequence[str]) -> None:
    """Refuse a folder whose files of these names could not be written, before anything is computed.

    Raises:
        InputError: The folder is a file, or one of the files is a folder or may not be written.
    """
    if folder is None or not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{flag} cannot write into {folder}: it is a file.")
    for name in names:
        check_writable(flag, folder / name, (Path(name).suffix,))


def check_writable(flag: str, path: Path, endings: Sequence[str], shown: str | None = None) -> None:
    """Refuse a file that could not be written.

    Arguments:
        flag: The option that named it, for messages.
        path: The file.
        endings: Endings that its name may have, in lower case.
        shown: How the message lists the endings.

    Raises:
        InputError: The name has another ending, the folder does not exist or takes no file, or the path is a folder.
    """
    if path.suffix.lower() not in endings:
        raise InputError(f"{flag} cannot write {path.name!r}: end the name in {shown or ', '.join(endings)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{flag} cannot write into {path.parent}: there is no such folder.")
    if path.is_dir():
        raise InputError(f"{flag} cannot write {path}: it is a folder.")
    try:
        check_place(path)
    except OSError as error:
        raise InputError(f"{flag} cannot write {path}: {error.strerror or error}.") from error


def check_figures() -> None:
    """Refuse to start work that ends in a figure if figures cannot be drawn.

    Raises:
        MineError: matplotlib is not installed.
    """
    load_figures()
    from mine.reporting.figures import new_figure

    new_figure(1, 1, (1, 1))


def load_figures() -> None:
    """Import matplotlib, if it is installed, where it finds no ``matplotlibrc`` of the working directory.

    Such a file may come with the data, and decides whether LaTeX runs.
    """
    home = find_spec("matplotlib")
    if home is not None and home.origin is not None and "matplotlib" not in sys.modules:
        with chdir(Path(home.origin).parent):
            import_module("matplotlib")


def save_figure(draw: Callable[[], Figure], path: Path, unharmed: str) -> None:
    """Draw a figure and write it to ``--plot``.

    Arguments:
        draw: Draws the figure.
        path: The file.
        unharmed: What has been printed all the same, for the message: ``"the estimate stands"``.

    Raises:
        InputError: The file cannot be written.
    """
    from mine.reporting.figures import write_figure

    try:
        write_figure(draw(), path)
    except OSError as error:
        raise InputError(f"--plot cannot write {path}: {error.strerror or error}; {unharmed}.") from error


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _one_line(text: str) -> str:
    return " ".join(text.split())  # a column's name may contain a line break

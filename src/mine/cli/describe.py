"""``mine describe``: what each column of a file is read as, and why."""

from __future__ import annotations

from contextlib import ExitStack

from mine.cli import options as opt
from mine.cli.columns import named_labels
from mine.cli.files import opened
from mine.cli.output import one_sentence, print_text, table_width
from mine.errors import InputError

__all__ = ["describe"]


def describe(
    file: opt.File,
    table: opt.TableName = None,
    columns: opt.Columns = None,
    discrete: opt.Discrete = None,
    parse: opt.Parse = False,
    as_json: opt.Json = False,
    as_csv: opt.Csv = False,
) -> None:
    """Say what each column of a table is read as, and why; nothing is estimated.

    Examples:

      mine describe example:breast-cancer

      mine describe data.csv --parse --json
    """
    with one_sentence(), ExitStack() as files:
        from mine.tables.describe import describe as describe_table

        found_in = opened(files, file, table=table)
        names = list(found_in.columns) if columns is None else found_in.names(",".join(columns), "--columns column")
        if not names:
            raise InputError(f"{file} holds arrays of three or more dimensions and no columns: nothing to describe.")
        labels = None if discrete is None else named_labels(found_in, discrete, names)
        found = describe_table(found_in.select(names), discrete=labels, parse=parse)
        if as_json:
            print_text(found.to_json())
        else:
            print_text(found.to_csv().rstrip("\n") if as_csv else found.to_text(table_width()))

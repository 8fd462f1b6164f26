"""Old names of options: they still work, and a line on standard error names the new ones."""

from __future__ import annotations

import typer
from typer.core import TyperCommand

from mine.errors import renamed_message

__all__ = ["RENAMED", "RenamedOptions"]

#: The new name of each old option, by command.
RENAMED: dict[str, dict[str, str]] = {
    "benchmark": {"--seeds": "--repeats", "--first-seed": "--seed"},
    "reproduce": {"--seeds": "--repeats", "--first-seed": "--seed"},
    "report": {"--keep": "--out"},
}


class RenamedOptions(TyperCommand):
    """A command that takes the old names of its options; its help shows the new ones alone."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        names = RENAMED.get(self.name or "", {})
        return super().parse_args(ctx, [_renamed(argument, names) for argument in args])


def _renamed(argument: str, names: dict[str, str]) -> str:
    """One word of the command line, its old option (``--old`` or ``--old=value``) under the new name."""
    option, equals, value = argument.partition("=")
    if option not in names:
        return argument
    typer.echo(f"mine: note: {renamed_message(option, names[option])}", err=True)
    return f"{names[option]}{equals}{value}"

"""From the names and globs of a command to the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mine.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    from mine.data.readers import Table

__all__ = ["Pairs", "Sides", "check_rows", "choose_pairs", "choose_sides", "named_labels"]


@dataclass(frozen=True)
class _Selection:
    """A table, the columns of its groups and of time, and the columns declared labels (None where the values decide)."""

    table: Table
    group: str | None
    time: str | None
    labels: list[str] | None

    def groups(self) -> Any:
        """The column of groups, or None."""
        return None if self.group is None else self.table.select([self.group])

    def order(self) -> Any:
        """The column of times, ``"time"`` for rows as they come, or None."""
        return self.time if self.time is None or self.time not in self.table.columns else self.table.select([self.time])

    def columns(self, names: list[str]) -> Any:
        """These columns, as :func:`mine.estimate` and :func:`mine.pairwise` take them."""
        return self.table.select(names)


@dataclass(frozen=True)
class Sides(_Selection):
    """The columns of one estimate, by name; ``z`` is empty without ``--given``."""

    x: list[str]
    y: list[str]
    z: list[str]

    def data(self) -> tuple[Any, Any, Any]:
        """The columns of x and y, and the columns of z or None."""
        return self.columns(self.x), self.columns(self.y), self.columns(self.z) if self.z else None


@dataclass(frozen=True)
class Pairs(_Selection):
    """The columns to pair, by name, and the targets if only pairs with these are wanted."""

    names: list[str]
    targets: list[str] | None


def choose_sides(
    table: Table,
    *,
    x: Sequence[str],
    y: Sequence[str],
    given: Sequence[str] | None,
    groups: str | None,
    order: str | None,
    discrete: Sequence[str] | None,
) -> Sides:
    """The columns that ``mine estimate`` was asked for.

    Arguments:
        table: The file.
        x: Lists of names and globs; several are joined. ``"*"`` means all columns without another role.
        y: As ``x``.
        given: As ``x``; None without ``--given``.
        groups: Name or glob of one column.
        order: Name or glob of one column, or ``"time"``.
        discrete: As ``x``; None where the values decide.

    Raises:
        UnknownNameError: A name or glob matches no column.
        InputError: A column has two roles, or a role has no column.
    """
    roles = _roles(table, groups, order)
    specs = {"--x": ",".join(x), "--y": ",".join(y)}
    rest = [flag for flag, spec in specs.items() if _is_rest(table, spec)]
    if len(rest) > 1:
        raise InputError("--x and --y cannot both be '*', which means all other columns: name the columns of one of them.")
    named = {flag: _side(table, flag, spec, roles) for flag, spec in specs.items() if flag not in rest}
    if not rest:
        _check_apart(named["--x"], named["--y"])
    names_z = [] if given is None else _given(table, ",".join(given), [name for side in named.values() for name in side], roles)
    for flag in rest:
        named[flag] = _rest(table, flag, {*roles.values(), *names_z, *(name for side in named.values() for name in side)})
    names_x, names_y = named["--x"], named["--y"]
    labels = None if discrete is None else named_labels(table, discrete, [*names_x, *names_y, *names_z])
    return Sides(table, roles.get("--groups"), roles.get("--order"), labels, names_x, names_y, names_z)


def choose_pairs(
    table: Table,
    *,
    columns: Sequence[str] | None,
    target: Sequence[str] | None,
    groups: str | None,
    order: str | None,
    discrete: Sequence[str] | None,
) -> Pairs:
    """The columns that ``mine pairwise`` or ``mine report`` was asked for.

    Arguments:
        table: The file.
        columns: Lists of names and globs, which are joined; None takes all columns.
        target: As ``columns``; None pairs all with all.
        groups: Name or glob of one column.
        order: Name or glob of one column, or ``"time"``.
        discrete: As ``columns``; None where the values decide.

    Raises:
        UnknownNameError: A name or glob matches no column.
        InputError: ``--groups`` is not one column.
    """
    roles = _roles(table, groups, order)
    names = list(table.columns) if columns is None else table.names(",".join(columns), "--columns column")
    targets = None if target is None else table.names(",".join(target), "--target column")
    names += [name for name in targets or () if name not in names]
    names = [name for name in names if name not in roles.values()]
    labels = None if discrete is None else named_labels(table, discrete, names)
    return Pairs(table, roles.get("--groups"), roles.get("--order"), labels, names, targets)


def check_rows(table: Table, file: str) -> None:
    """Refuse a table that is too short, by the name of its file.

    Raises:
        NotEnoughDataError: It has too few rows for an estimate.
    """
    from mine.data.rows import MIN_ROWS

    if table.n_rows < MIN_ROWS:
        raise NotEnoughDataError(f"{file} has {table.n_rows} rows: an honest estimate needs at least {MIN_ROWS}.")


def _roles(table: Table, groups: str | None, order: str | None) -> dict[str, str]:
    """The columns of ``--groups`` and ``--order`` by flag, of those that were given."""
    roles = {}
    if groups is not None:
        roles["--groups"] = _one(table, "--groups", groups, "name the column that identifies a group")
    if order == "time" and "time" not in table.columns:
        roles["--order"] = order
    elif order is not None:
        roles["--order"] = _one(table, "--order", order, "name the column of times")
    if len(set(roles.values())) < len(roles):
        raise InputError(f"Column {roles['--order']!r} is named in --groups and in --order: leave it out of one of them.")
    return roles


def _one(table: Table, flag: str, spec: str, remedy: str) -> str:
    names = table.names(spec, f"{flag} column")
    if len(names) != 1:
        raise InputError(f"{flag} takes one column, {spec!r} is {len(names)}: {remedy}.")
    return names[0]


def _side(table: Table, flag: str, spec: str, roles: dict[str, str]) -> list[str]:
    """Columns of one side, without the columns of ``roles`` if a glob matched them along with others."""
    from mine.data.readers import split_names

    names = table.names(spec, f"{flag} column")
    for other, column in roles.items():
        if column in split_names(spec):
            raise InputError(f"Column {column!r} is named in {flag} and in {other}: leave it out of one of them.")
        if names == [column]:
            raise InputError(f"{flag} matches only the {other} column {column!r}: name a column of data.")
    names = [name for name in names if name not in roles.values()]
    if not names:
        raise InputError(f"{flag} matches only the columns of {' and '.join(roles)}: name a column of data.")
    return names


def _is_rest(table: Table, spec: str) -> bool:
    """Whether a list of columns is ``*`` alone, which no column is called."""
    from mine.data.readers import split_names

    return split_names(spec) == ["*"] and "*" not in table.columns


def _rest(table: Table, flag: str, taken: set[str]) -> list[str]:
    """All columns but those with another role."""
    names = [name for name in table.columns if name not in taken]
    if not names:
        raise InputError(f"{flag} '*' means all other columns, and there are none: every column has another role.")
    return names


def _check_apart(x: list[str], y: list[str]) -> None:
    shared = [name for name in x if name in y]
    if shared:
        raise InputError(
            f"Column {shared[0]!r} is on both sides, and a column tells everything about itself: leave it out of --x or --y."
        )


def _given(table: Table, spec: str, sides: list[str], roles: dict[str, str]) -> list[str]:
    """Columns of ``--given``, none of which is in x or y; a glob stands for the others."""
    from mine.data.readers import split_names

    taken = {*sides, *roles.values()}
    named = [name for name in split_names(spec) if name in taken]
    names = [name for name in table.names(spec, "--given column") if name not in taken]
    if named or not names:
        *others, last = "--x", "--y", *roles
        roles_named = f"{', '.join(others)} or {last}"
        raise InputError(f"Column {(named or sorted(taken))[0]!r} is given and in {roles_named}: leave it out of one of them.")
    return names


def named_labels(table: Table, lists: Sequence[str], chosen: list[str]) -> list[str]:
    """Columns of ``--discrete``, which must be among the chosen ones; a glob stands for the chosen ones that it matches."""
    families = {name: columns for name, columns in table.families.items() if set(columns) <= set(chosen)}
    within = replace(table, columns=tuple(chosen), blocks={}, families=families)
    return within.names(",".join(lists), "--discrete column")

"""The imports that version 0.1's documentation showed still give the same objects, with one warning that names the new place."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import pytest

#: Old place, name, and the module where it is now.
MOVED = [
    ("mine.keeping", "load_critic", "mine.critics.storage"),
    ("mine.keeping", "save_critic", "mine.critics.storage"),
    ("mine.problem", "Problem", "mine.data.problem"),
    ("mine.statistics.pairwise", "measure", "mine.tables.pairwise"),
    ("mine.statistics.pairwise", "strength", "mine.tables.measured"),
    ("mine.tables.pairwise", "strength", "mine.tables.measured"),
    ("mine.tables", "Table", "mine.data.readers"),
    ("mine.tables", "read_table", "mine.data.readers"),
]


def run(statement: str) -> tuple[dict[str, Any], list[warnings.WarningMessage]]:
    """The names that a user's line defines, and every warning that it gives, repeated ones too."""
    names: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(statement, "user's script", "exec"), names)
    return names, seen


@pytest.mark.parametrize(("old", "name", "new"), MOVED)
@pytest.mark.parametrize("form", ["from {old} import {name}", "import {old}; {name} = {old}.{name}"])
def test_an_old_import_gives_the_object_and_one_warning(
    form: str, old: str, name: str, new: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delitem(vars(import_module(old)), name, raising=False)  # another test may have asked for it
    names, seen = run(form.format(old=old, name=name))
    assert names[name] is getattr(import_module(new), name)
    assert [(w.category, w.filename) for w in seen] == [(FutureWarning, "user's script")]
    assert str(seen[0].message) == (
        f"{old}.{name} has moved: use 'from {new} import {name}' (since 0.9; removed from {old} in 1.1)."
    )
    again, silent = run(form.format(old=old, name=name))
    assert again[name] is names[name]
    assert silent == []


@pytest.mark.parametrize("module", sorted({old for old, _, _ in MOVED}))
def test_a_name_that_never_was_there_is_an_error_without_a_warning(module: str):
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'strenght'"):
        run(f"import {module}; {module}.strenght")
    with pytest.raises(ImportError):
        run(f"from {module} import strenght")

"""A digest of code: the same from all versions of Python, and of what the code does alone."""

from __future__ import annotations

import ast
import sys

import pytest

from mine.benchmarking import versions
from mine.benchmarking.versions import environment, modules_version

CODE = '''
"""A module."""

class Kind:
    """A class."""

    def method(self, *rest, n: int = 3) -> str:
        """A method."""
        return f"{n:>4} {rest!r}"

def function():
    pass
'''
#: Of the above, as Python 3.11 writes it.
TREE = (
    "Module(body=[ClassDef(name='Kind', bases=[], keywords=[], body=[FunctionDef(name='method', args=arguments(posonlyargs=[], "
    "args=[arg(arg='self')], vararg=arg(arg='rest'), kwonlyargs=[arg(arg='n', annotation=Name(id='int', ctx=Load()))], "
    "kw_defaults=[Constant(value=3)], defaults=[]), body=[Return(value=JoinedStr(values=[FormattedValue(value=Name(id='n', "
    "ctx=Load()), conversion=-1, format_spec=JoinedStr(values=[Constant(value='>4')])), Constant(value=' '), "
    "FormattedValue(value=Name(id='rest', ctx=Load()), conversion=114)]))], decorator_list=[], returns=Name(id='str', "
    "ctx=Load()))], decorator_list=[]), FunctionDef(name='function', args=arguments(posonlyargs=[], args=[], kwonlyargs=[], "
    "kw_defaults=[], defaults=[]), body=[Pass()], decorator_list=[])], type_ignores=[])"
)


def test_the_tree_reads_the_same_in_every_version_of_python() -> None:
    assert versions._meaning(CODE) == TREE


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this version has them")
def test_type_parameters_that_later_versions_add_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python 3.12 would see it: every class and function with an empty list of type parameters."""
    parse = ast.parse

    def later(source: str) -> ast.Module:
        tree = parse(source)
        for node in ast.walk(tree):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                vars(node)["type_params"] = []
        return tree

    for kind in (ast.ClassDef, ast.FunctionDef):
        monkeypatch.setattr(kind, "_fields", (*kind._fields, "type_params"))
    monkeypatch.setattr(ast, "parse", later)
    assert "type_params=[]" in ast.dump(later(CODE))
    assert versions._meaning(CODE) == TREE


def test_comments_and_docstrings_do_not_count_and_numbers_do() -> None:
    same = CODE.replace("A method.", "Another text.") + "# a comment\n"
    assert versions._meaning(same) == TREE
    assert versions._meaning(CODE.replace("n: int = 3", "n: int = 4")) != TREE


def test_modules_are_named_with_the_packages_version() -> None:
    first, other = modules_version(["bounds"]), modules_version(["bounds", "critics"])
    assert first != other
    assert first.partition("+")[0] == other.partition("+")[0] == versions.mine.__version__


def test_the_environment_names_what_seconds_depend_on() -> None:
    import torch

    assert f"torch {torch.__version__.partition('+')[0]}" in environment()

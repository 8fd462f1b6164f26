"""Plain English: sentences of at most 25 words, none of the forms that were hard to read, titles that say what a page is about."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from mine.cli.app import app

sys.path.insert(0, str(Path(__file__).parent))

from words import MOST_WORDS, count_words, forbidden, paragraphs, sentences

ROOT = Path(__file__).parent.parent
#: Pages that are not held to the rules, and why.
EXCEPTIONS = {
    "docs/changelog.md": "a link to CHANGELOG.md, which is history",
    "docs/reproduction.md": "written from stored result files, whose notes are kept as they were",
}
#: Pages that other branches write at the moment: to be removed from here when those branches are merged.
PAGES = [
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "_build" not in path.parts and str(path.relative_to(ROOT)) not in {*EXCEPTIONS, "docs/results"}
    if "results" not in path.relative_to(ROOT).parts
]
#: Beginnings of a title that is a riddle, and of a first line that is a fragment. "Whether" begins a clause with a verb.
RIDDLE = re.compile(r"(What (?!kind\b)|How wrong|How long|Where|Which)", re.IGNORECASE)
FRAGMENT = re.compile(r"(Of|What|Where|Which|As|Likewise|That|So|For|How)\b")
MODULES = (
    "mine", "mine.benchmarking", "mine.bounds", "mine.critics", "mine.critics.storage", "mine.data.readers", "mine.datasets",
    "mine.errors", "mine.estimators.auto", "mine.estimators.discrete", "mine.estimators.gaussian", "mine.estimators.ksg",
    "mine.estimators.neural", "mine.estimators.ross", "mine.experiments", "mine.lightning", "mine.metrics", "mine.models.mine",
    "mine.reporting.matrix", "mine.reporting.page", "mine.sampling", "mine.tables.description", "mine.tables.measured",
    "mine.tables.pairwise", "mine.tasks", "mine.terms",
)  # fmt: skip


def titles(text: str) -> list[str]:
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)


def prose(page: Path) -> list[str]:
    """Paragraphs of a page, and the lines of its tables."""
    text = page.read_text(encoding="utf-8")
    cells = [re.sub(r"`[^`]*`", "X", line) for line in text.splitlines() if line.startswith("|")]
    return [*paragraphs(text), *cells]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_of_a_page_are_short_and_plain(page: Path):
    text = page.read_text(encoding="utf-8")
    long = [s for p in paragraphs(text) for s in sentences(p) if count_words(s) > MOST_WORDS]
    assert long == [], f"over {MOST_WORDS} words"
    assert [sentence for block in prose(page) for sentence in forbidden(block)] == []


@pytest.mark.parametrize("page", [*PAGES, *(ROOT / name for name in EXCEPTIONS)], ids=lambda page: str(page.relative_to(ROOT)))
def test_titles_are_no_riddles(page: Path):
    riddles = [title for title in titles(page.read_text(encoding="utf-8")) if RIDDLE.match(title)]
    assert (riddles if page.name != "faq.md" else [title for title in riddles if not title.endswith("?")]) == []


def docstrings() -> Iterator[tuple[str, str]]:
    """Every public module, class, function, method and property, and its docstring."""
    seen: set[int] = set()
    for place in MODULES:
        module = import_module(place)
        things: list[tuple[str, Any]] = [(place, module)]
        for name in module.__all__:
            thing = getattr(module, name)
            if getattr(thing, "__module__", "").startswith("mine"):
                things.append((f"{place}.{name}", thing))
                members = vars(thing).items() if inspect.isclass(thing) else ()
                things += [(f"{place}.{name}.{key}", getattr(m, "__func__", m)) for key, m in members if key[0] != "_"]
        for name, thing in things:
            text = inspect.getdoc(thing) if callable(thing) or isinstance(thing, property) or thing is module else None
            if text and id(thing) not in seen:
                seen.add(id(thing))
                yield name, text


DOCSTRINGS = dict(docstrings())


def test_docstrings_are_found():
    assert len(DOCSTRINGS) > 200
    assert {"mine.estimate", "mine.Estimate.pointwise", "mine.MaximizeMI.forward"} <= set(DOCSTRINGS)


def test_first_lines_of_docstrings_are_sentences():
    first = {name: text.split("\n\n")[0].strip() for name, text in DOCSTRINGS.items()}
    assert {name: line for name, line in first.items() if FRAGMENT.match(line) or line[-1] not in ".:"} == {}


def test_docstrings_have_no_forbidden_form():
    found = {}
    for name, text in DOCSTRINGS.items():
        plain = re.sub(r"^ *(>>>|\.\.\.) .*$", "", text, flags=re.MULTILINE)
        plain = " ".join(re.sub(r"``[^`]*``|:\w+:`[^`]*`", "X", plain).split())
        if forms := forbidden(plain):
            found[name] = forms
    assert found == {}


def test_help_texts_have_no_forbidden_form():
    commands = typer.main.get_command(app).commands
    texts = {name: command.help or "" for name, command in commands.items()}
    for name, command in commands.items():
        texts |= {f"{name} {option.name}": getattr(option, "help", None) or "" for option in command.params}
    assert len(texts) > 80
    assert {name: forbidden(text) for name, text in texts.items() if forbidden(text)} == {}
    assert [name for name, text in texts.items() if FRAGMENT.match(text)] == []


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string of five words or more that is no docstring; values in braces count as a word."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in ast.walk(node) if part is not node}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in skipped and len(text.split()) >= 5:
            yield node.lineno, re.sub(r"<[^>]*>", " ", text)


def test_messages_have_no_forbidden_form():
    files = sorted((ROOT / "src/mine").rglob("*.py"))
    texts = {
        f"{path.relative_to(ROOT)}:{line}": text
        for path in files
        for line, text in literals(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert len(texts) > 500
    assert {place: forbidden(text) for place, text in texts.items() if forbidden(text)} == {}


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The table has one line a row each.", "per"),
        ("It takes a minute a process.", "per"),
        ("Rows per step and a step and critic.", "per"),
        ("The interval holds zero.", "contains"),
        ("The bias is that of the bound.", "repeat the noun"),
        ("Training goes on from there.", "resumes"),
        ("Both are told apart by chance.", "distinguished"),
    ],
)
def test_a_forbidden_form_is_found(text: str, form: str):
    assert any(form in sentence for sentence in forbidden(text))


def test_plain_sentences_pass():
    assert forbidden("It takes one minute per process, and the interval contains zero. Repeat the command to resume.") == []


def test_a_long_sentence_is_found_and_code_is_not_read():
    page = (
        "# Title\n\n"
        + "word " * 26
        + "ends. Short one.\n\n```python\n"
        + "code " * 40
        + "\n```\n\n| a | "
        + "cell " * 40
        + "|\n"
    )
    (paragraph,) = paragraphs(page)
    assert [count_words(s) for s in sentences(paragraph)] == [27, 2]


def test_list_items_and_links_are_read_as_prose():
    page = "Text with a [link](page.md).\n\n- **First** item of `code`.\n- Second item, e.g. this one. And another.\n"
    assert list(paragraphs(page)) == ["Text with a link.", "First item of X.", "Second item, e.g. this one. And another."]
    assert sentences("Second item, e.g. this one. And another.") == ["Second item, e.g. this one.", "And another."]

"""What the README and the documentation print is what runs: every Python block, every ``mine`` command, and their output."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import mine
from mine.cli.app import app
from mine.datasets import example_path

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)]


@dataclass(frozen=True)
class Block:
    """A fenced block, and the ``text`` block that follows it at once: what it prints."""

    page: Path
    line: int
    language: str
    code: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    fence = r"^```(\w+)\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?"
    for found in re.finditer(fence, text, re.MULTILINE | re.DOTALL):
        yield Block(page, text.count("\n", 0, found.start()) + 2, found[1], found[2], found[3])


def commands(block: Block) -> list[str]:
    """The lines of a shell block that run ``mine``, without the installation in front of it."""
    lines = [line.split(" && ")[-1] for line in block.code.splitlines()]
    return [line for line in lines if re.search(r"(^|\| )mine ", line)]


BLOCKS = [block for page in PAGES for block in blocks(page)]
#: Words of a block that starts processes by running itself again: it runs as a script of its own, in the slow tests.
RELAUNCHED = ("fabric.launch()", "--devices")
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = [block for block in BLOCKS if block.language == "shell" and commands(block)]


#: Pages whose blocks train networks for long.
LONG = ("disentangle.md", "infogan.md", "objectives.md")


def relaunched(code: str) -> bool:
    return any(words in code for words in RELAUNCHED)


def parameters(found: list[Block]) -> list[Any]:
    slow = [relaunched(block.code) or block.page.name in LONG for block in found]
    return [
        pytest.param(block, id=str(block), marks=[*[pytest.mark.slow] * late, *lightning(block.code)])
        for block, late in zip(found, slow, strict=True)
    ]


def form(text: str) -> list[str]:
    """The words of an output, its numbers replaced: digits depend on the machine, wording and layout do not."""
    return re.sub(r"[-+]?\d[\d,]*(\.\d+)?", "#", text).split()


def lightning(code: str) -> list[pytest.MarkDecorator]:
    """The mark of a block that trains by Lightning, which has warnings of its own."""
    return [pytest.mark.runs_lightning] if "pl.Trainer(" in code else []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeded_torch: None) -> Iterator[Path]:
    """An empty folder with a ``data.csv``; the global generators are put back afterwards."""
    shutil.copy(example_path("diabetes"), tmp_path / "data.csv")
    monkeypatch.chdir(tmp_path)
    numpy_state, python_state = np.random.get_state(), random.getstate()
    np.random.seed(0)
    yield tmp_path
    np.random.set_state(numpy_state)
    random.setstate(python_state)


@pytest.mark.parametrize("block", parameters(PYTHON))
def test_python_block_runs(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch):
    code = compile("\n" * (block.line - 1) + block.code, str(block.page), "exec")
    module = ModuleType("__main__")  # a reader's script, which dataclasses look up and worker processes cannot import
    monkeypatch.setitem(sys.modules, module.__name__, module)
    printed = io.StringIO()
    if relaunched(block.code):
        (folder / "script.py").write_text(block.code, encoding="utf-8")
        printed.write(finished([sys.executable, "script.py"], folder))
    else:
        with contextlib.redirect_stdout(printed):
            exec(code, vars(module))
    if block.output is not None:
        assert form(printed.getvalue()) == form(block.output), printed.getvalue()


@pytest.mark.parametrize("block", parameters(SHELL))
def test_shell_block_runs(block: Block, folder: Path):
    printed = ""
    for line in commands(block):
        out = in_bash(line, folder) if "|" in line or relaunched(line) else in_process(line)
        assert out, line
        printed += out
    if block.output is not None:
        assert form(printed) == form(block.output), printed


def in_process(line: str) -> str:
    """Output of a command without the seconds that a new interpreter takes to import torch."""
    done = CliRunner().invoke(app, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    return done.stdout


def in_bash(line: str, folder: Path) -> str:
    """Output of a pipe. A function stands in for the installed command: the same interpreter, on the path or not."""
    script = f'set -eo pipefail\nmine() {{ "{sys.executable}" -m mine "$@"; }}\n{line}'
    return finished(["bash", "-c", script], folder)


def finished(command: list[str], folder: Path) -> str:
    """What a command prints; this interpreter's copy of the package is the one that it imports."""
    source = str(Path(mine.__file__).parents[1])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_something_to_run():
    pages = {block.page.name for block in PYTHON}
    assert {
        "README.md",
        "quickstart.md",
        "csv-to-report.md",
        "loss-from-zero.md",
        "loss.md",
        "critic.md",
        "groups.md",
        "infomax.md",
        "disentangle.md",
        "infogan.md",
        "coming-from-mine-pytorch.md",
    } <= pages
    assert any(block.page.name == "README.md" for block in SHELL)


def test_the_readme_is_short_and_has_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 130
    assert re.findall(r"^```shell\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) == [
        'pip install . && mine estimate example:breast-cancer --x "mean *" --y diagnosis --seed 0\n',
        'pip install -e ".[test]" && pytest\n',
    ]


@pytest.mark.parametrize("page", ["README.md", "docs/methods.md"])
def test_the_tables_of_methods_are_the_registry(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r'^\| `"([\w-]+)"` \|', text, re.MULTILINE) == list(mine.methods())


@pytest.mark.parametrize("method", mine.methods())
def test_every_diagnostic_is_explained(method: str):
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs/reading.md").read_text(encoding="utf-8").split("## Diagnostics")[1]))
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, size=(2, 60)).astype(str) if method == "discrete" else rng.normal(size=(2, 60))
    x = (x > 0).astype(str) if method == "ross" else x
    options = {} if method in ("ksg", "ross", "gaussian", "discrete") else {"steps": 2, "n_folds": 2}
    assert set(mine.estimate(x, y, method=method, random_state=0, **options).diagnostics) <= explained


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_absolute_links_of_the_readme_lead_to_files_of_this_repository():
    """An index page shows the README too, so its links are absolute."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\((https://[^)\s]+)\)", text)]
    pages = [link.removeprefix(SITE) for link in links if link.startswith(SITE)]
    assert len(pages) > 5
    for page in pages:
        folder = page.removesuffix("/index.html")
        built = folder == "gallery" and (ROOT / "docs/gallery_source").is_dir()  # its index comes from these programs
        assert page == "" or built or (ROOT / "docs" / page.replace(".html", ".md")).is_file(), page
    for link in links:
        for start in (f"{REPOSITORY}/blob/main/", f"{REPOSITORY.replace('github.com', 'raw.githubusercontent.com')}/main/"):
            if link.startswith(start):
                assert (ROOT / link.removeprefix(start)).is_file(), link


SITE = "https://torch-mine.github.io/torch-mine/"
REPOSITORY = "https://github.com/torch-mine/torch-mine"
PACKAGE = Path(mine.__file__).parent


def code_map() -> list[str]:
    """The first column of the code map in CONTRIBUTING.md, from top to bottom: ``folder/`` or ``file.py``."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Code map")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([\w.]+/?)`", cell)]


def test_the_code_map_names_every_module():
    folders = [path.name + "/" for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    files = [path.name for path in PACKAGE.glob("*.py") if path.name != "__init__.py"]
    assert sorted(code_map()) == sorted(folders + files)


def test_the_code_map_has_the_order_of_the_layers():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [c["layers"] for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    depth = {module: i for i, layer in enumerate(layers) for module in layer.split(" | ")}
    depths = [depth[name.removesuffix("/").removesuffix(".py")] for name in code_map()]
    assert depths == sorted(depths)


def test_imports_go_one_way():
    """The contracts in pyproject.toml, as ``lint-imports`` checks them."""
    check = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    assert re.search(r"[1-9]\d* kept, 0 broken", finished([sys.executable, "-c", check], ROOT))

"""The page of tasks: its tables come from the registry, and hold all of it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from mine import tasks

DOCS = Path(__file__).parents[1] / "docs"


def page() -> str:
    spec = importlib.util.spec_from_file_location("task_tables", DOCS / "task_tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.with_tables((DOCS / "tasks.md").read_text(encoding="utf-8"))


def test_every_task_has_a_row_in_its_suites_section() -> None:
    text = page()
    sections = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    assert sections[1::2] == tasks.suites()
    for suite, section in zip(sections[1::2], sections[2::2], strict=True):
        rows = re.findall(r"^\| `(.+?)` \| (\d+) × (\d+) \| ([\d.]+) \| (.+) \|$", section, re.MULTILINE)
        assert sorted(row[0] for row in rows) == sorted(tasks.names(suite))
        for name, dx, dy, nats, about in rows:
            task = tasks.get_task(name)
            assert (int(dx), int(dy)) == (task.dx, task.dy)
            assert abs(float(nats) - task.mutual_information) <= 5.1e-5
            assert about.replace("\\|", "|") == task.description
            assert task.source in section


def test_the_page_speaks_of_every_suite() -> None:
    spoken = (DOCS / "tasks.md").read_text(encoding="utf-8").split("## Suites")[1].split("## Adding")[0]
    assert set(re.findall(r"\*\*(.+?)\*\*", spoken)) == set(tasks.suites())
    assert re.findall(r"^\| \[(.+?)\]\(#", page(), re.MULTILINE) == tasks.suites()

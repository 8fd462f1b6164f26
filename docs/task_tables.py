"""The tables of ``tasks.md``: written from the registry when the documentation is built, so that they cannot be out of date."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from mine import tasks

#: Line of ``tasks.md`` that the tables replace.
MARK = "<!-- the tables of tasks stand here -->"


def suites_table() -> str:
    """A row a suite: how many tasks, and over what range of information."""
    rows = ["| suite | tasks | largest side | nats | with a log-ratio |", "|---|--:|--:|--:|--:|"]
    for suite in tasks.suites():
        suite_tasks = [tasks.get_task(name) for name in tasks.names(suite)]
        nats = [task.mutual_information for task in suite_tasks]
        side = max(max(task.dx, task.dy) for task in suite_tasks)
        rows.append(
            f"| [{suite}](#{suite}) | {len(suite_tasks)} | {side} | {min(nats):.2f} to {max(nats):.2f} "
            f"| {sum(t.has_log_ratio for t in suite_tasks)} |"
        )
    return "\n".join(rows)


def suite_table(suite: str) -> str:
    """A section: the sources, and a row a task."""
    lines = [f"### {suite}"]
    suite_tasks = [tasks.get_task(name) for name in tasks.names(suite)]
    for source, group in groupby(suite_tasks, key=lambda task: task.source):
        lines += ["", f"{source}:", "", "| task | x, y | nats | |", "|---|---|--:|---|"]
        lines += [
            f"| `{t.name}` | {t.dx} × {t.dy} | {t.mutual_information:.4f} | {t.description.replace('|', chr(92) + '|')} |"
            for t in group
        ]
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """A page with the tables in place of the mark."""
    return text.replace(MARK, "\n\n".join([suites_table(), *map(suite_table, tasks.suites())]))


def setup(app: Any) -> dict[str, bool]:
    """Sphinx extension."""

    def fill(app: Any, page: str, source: list[str]) -> None:
        source[0] = with_tables(source[0])

    app.connect("source-read", fill)
    return {"parallel_read_safe": True}

"""The grid: which cells there are, and what each derives from its own key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mine import tasks as registry
from mine.benchmarking.entrants import Entrant, parse_method
from mine.benchmarking.grid import Cell, chosen_tasks, derived_seed, has_ties, make_grid, task_version
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError, UnknownNameError
from mine.storage import versions
from mine.tasks import Task

#: Of the first task of each suite.
VERSIONS_OF_TASKS = {
    "normal-1d-mi-0": "b9678bdb",
    "holdout-sine-1d": "0d19fd7a",
    "labels-channel-2": "008c3124",
    "mixed-cubic-4d-mi-2": "30e98f2d",
    "mixture-normal-and-signs": "5ece3a1a",
    "1v1-normal-0.75": "5d655bdf",
    "shapes-volatility-3d": "ed2a1cf3",
    "staircase-normal-20d-mi-2": "bb7408de",
}


def normal(rho: float, name: str | None = None, suite: str = "published") -> Task:
    return Task(
        name or f"normal-{rho}", 1, 1, correlated_normal_mi(rho), "two correlated normals", "closed form", suite,
        lambda n, rng: correlated_normal(n, rho, 1, rng),
    )  # fmt: skip


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> dict[str, Task]:
    found = {t.name: t for t in (normal(0.3), normal(0.6), normal(0.9, "odd-0.9"), normal(0.5, "kept-0.5", "holdout"))}
    monkeypatch.setattr(registry, "_tasks", lambda: found)
    return found


def test_a_seed_is_a_fixed_function_of_its_parts() -> None:
    # SHA-256 of "sample", "a", "0" joined by the unit separator begins with these bytes (sha256sum)
    assert derived_seed("sample", "a", 0) == 0x45FB0C4E
    assert derived_seed("ab", "c") != derived_seed("a", "bc")


def test_all_methods_see_the_same_rows_and_draw_by_seeds_of_their_own() -> None:
    cells = make_grid([normal(0.3), normal(0.6)], [parse_method("ksg"), parse_method("ksg[n_neighbors=5]")], [50, 100], [0, 1])
    assert len(cells) == 2 * 2 * 2 * 2
    samples = {(c.task.name, c.seed, c.sample_seed) for c in cells}
    assert len(samples) == 4  # one a task and draw
    assert len({c.sample_seed for c in cells}) == 4
    assert len({c.estimate_seed for c in cells}) == len({c.key for c in cells}) == len(cells)


def test_a_draw_is_whole_before_the_next_begins() -> None:
    cells = make_grid([normal(0.3), normal(0.6)], [parse_method("ksg")], [50, 100], [3, 4])
    assert [c.seed for c in cells] == [3] * 4 + [4] * 4


def test_the_key_changes_with_task_code_and_place_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    (cell,) = make_grid([normal(0.3)], [parse_method("ksg")], [50], [0])
    (same,) = make_grid([normal(0.3)], [parse_method("ksg")], [50], [0])
    (other_task,) = make_grid([normal(0.31, "normal-0.3")], [parse_method("ksg")], [50], [0])
    other_release = replace(cell, entrant=replace(cell.entrant, version="0.0.1"))
    assert same.key == cell.key == other_release.key
    assert cell.place == other_task.place
    assert cell.key != other_task.key
    key, seed = cell.key, cell.estimate_seed
    monkeypatch.setattr(versions, "NUMERICS", versions.NUMERICS + 1)
    assert cell.key != key and cell.estimate_seed == seed


@pytest.mark.parametrize(("suite", "ties"), [("dial", False), ("published", False), ("labels", True)])
def test_tasks_with_labels_or_ties_are_known_by_their_columns(suite: str, ties: bool) -> None:
    assert {has_ties(task) for task in chosen_tasks(None, suite)} == {ties}


def test_the_version_of_other_peoples_code_is_part_of_the_key() -> None:
    cells = [Cell(normal(0.3), Entrant("rival:f", version=version), 50, 0, "t") for version in ("rival 1.0", "rival 1.1")]
    assert cells[0].place == cells[1].place and cells[0].key != cells[1].key


def test_the_versions_of_tasks_are_as_before() -> None:
    """Computed by the code of commit 721daf8: stored cells name them."""
    found = {name: task_version(registry.get_task(name)) for name in VERSIONS_OF_TASKS}
    assert found == VERSIONS_OF_TASKS


def test_the_version_of_a_task_sees_a_changed_sampler() -> None:
    task = normal(0.3)
    assert task_version(task) == task_version(normal(0.3))
    shifted = replace(task, sampler=lambda n, rng: tuple(side + 1 for side in correlated_normal(n, 0.3, 1, rng)))
    labels = replace(task, sampler=lambda n, rng: (np.array(["a"] * n), correlated_normal(n, 0.3, 1, rng)[1]))
    assert len({task_version(t) for t in (task, shifted, labels, replace(task, mutual_information=0.1))}) == 4


def test_tasks_by_suite_name_glob_and_object(catalogue: dict[str, Task]) -> None:
    def names(*arguments: Any) -> list[str]:
        return [task.name for task in chosen_tasks(*arguments)]

    assert names(None, "published") == ["normal-0.3", "normal-0.6", "odd-0.9"]
    assert names(None, None) == list(catalogue)
    assert names("normal-*", "published") == ["normal-0.3", "normal-0.6"]
    assert names("odd-0.9, normal-*,odd*", "published") == ["odd-0.9", "normal-0.3", "normal-0.6"]
    assert names("*", "holdout") == ["kept-0.5"]
    assert names("kept-0.5", "published") == ["kept-0.5"]  # a full name is known in any suite
    own = normal(0.2, "own")
    assert names([own, "odd*"], "published") == ["own", "odd-0.9"]
    assert names(own, "no such suite") == ["own"]


def test_what_matches_nothing_is_refused(catalogue: dict[str, Task]) -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown task 'normal-0\.2': did you mean"):
        chosen_tasks("normal-0.2", "published")
    with pytest.raises(InputError, match=r"No task of suite 'published' matches 'kept\*'. Suite 'holdout' has some."):
        chosen_tasks("kept*", "published")
    with pytest.raises(UnknownNameError, match="suite 'publishd': did you mean 'published'"):
        chosen_tasks(None, "publishd")
    with pytest.raises(InputError, match="No task"):
        chosen_tasks([], "published")
    with pytest.raises(InputError, match=r"Two tasks are called 'odd-0\.9'"):
        chosen_tasks([normal(0.1, "odd-0.9"), "odd-0.9"], "published")

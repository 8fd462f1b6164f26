"""Entrants: what the command line and the library accept, and what they refuse."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

from mine.benchmarking.calls import as_estimate, prepare
from mine.benchmarking.entrants import Entrant, as_entrants, parse_method, split_methods, with_effort
from mine.data.problem import Problem
from mine.errors import InputError, UnknownNameError
from mine.estimators import METHODS, Method
from mine.result import Estimate

X = np.arange(6.0).reshape(3, 2)
Y = np.ones((3, 1))


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("auto", "auto", {}),
        (" ksg[n_neighbors=5] ", "ksg", {"n_neighbors": 5}),
        ("auto[hidden=(64, 32), effort=fast]", "auto", {"hidden": (64, 32), "effort": "fast"}),
        ("a.b:C[names=['x,y', 'z']]", "a.b:C", {"names": ["x,y", "z"]}),
        ("some/file.py:make[text='5']", "some/file.py:make", {"text": "5"}),
        ("auto[]", "auto", {}),
    ],
)
def test_a_method_is_its_name_and_its_options(text: str, name: str, options: dict[str, object]) -> None:
    entrant = parse_method(text)
    assert (entrant.name, dict(entrant.options)) == (name, options)
    again = parse_method(entrant.label)
    assert (again.name, again.options) == (entrant.name, entrant.options)


def test_options_are_one_label_in_any_order() -> None:
    assert parse_method("auto[steps=5,bound=nwj]").label == parse_method("auto[bound='nwj', steps=5]").label


def test_commas_within_brackets_separate_no_methods() -> None:
    assert split_methods("auto[a=1,b=(2,3)], ksg,,m:f[x={1: 2}]") == ["auto[a=1,b=(2,3)]", "ksg", "m:f[x={1: 2}]"]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("", "No method to measure"),
        ("auto[steps=5", "brackets"),
        ("auto[steps]", "option=value"),
        ("auto[steps=5]x", "option=value"),
        ("[steps=5]", "has no name"),
        ("auto[random_state=1]", "decides itself"),
        ("auto,ksg,auto", "entered twice"),
        ([3], "must be a name"),
        ({"fast": "auto[steps=5]"}, "mapping names objects"),
    ],
)
def test_what_cannot_be_read_is_refused(methods: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_entrants(cast(Any, methods))


def test_objects_are_named_by_the_mapping_or_by_themselves() -> None:
    def zero(x: np.ndarray, y: np.ndarray) -> float:
        return 0.0

    assert [entrant.label for entrant in as_entrants([zero, "ksg"])] == ["zero", "ksg"]
    assert [entrant.label for entrant in as_entrants({"nothing": zero})] == ["nothing"]


# === Effort ===


@dataclass(frozen=True)
class TakesEffort:
    effort: str = "default"

    def run(self, problem: Problem) -> Estimate:
        return Estimate(float(len(self.effort)), None, 0.1, (0.0, 1.0), "stub", problem.n)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("module_of_this_test")
    vars(module)["TakesEffort"] = TakesEffort
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(METHODS, "stub", Method("stub", "", "", module.__name__, "TakesEffort"))


def test_effort_goes_to_those_that_take_it(stub: None) -> None:
    entrants = with_effort(as_entrants("stub,ksg,stub[effort=slow]"), ["fast", "thorough"])
    assert [e.label for e in entrants] == ["stub[effort=fast]", "stub[effort=thorough]", "ksg", "stub[effort=slow]"]


def test_effort_that_nobody_takes_is_refused(stub: None) -> None:
    with pytest.raises(InputError, match="No method here takes effort=fast"):
        with_effort(as_entrants("ksg"), ["fast"])


# === Calls ===


class Sum:
    """As in benchmark-mi: an object with ``estimate``."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def estimate(self, x: np.ndarray, y: np.ndarray) -> float:
        return self.factor * float(x.sum() + y.sum())


def make_sum(factor: float = 1.0) -> Sum:
    return Sum(factor)


def scaled_sum(x: np.ndarray, y: np.ndarray, factor: float = 1.0) -> float:
    return factor * float(x.sum() + y.sum())


def seed_itself(x: np.ndarray, y: np.ndarray, random_state: int = 0) -> int:
    return random_state


class SeedOfClass:
    def __init__(self, random_state: int) -> None:
        self.random_state = random_state

    def __call__(self, x: np.ndarray, y: np.ndarray) -> int:
        return self.random_state


@pytest.mark.parametrize(
    ("target", "options", "expected"),
    [
        (Sum, {}, 18.0),
        (Sum, {"factor": 2.0}, 36.0),
        (Sum(3.0), {}, 54.0),
        (make_sum, {"factor": 2.0}, 36.0),
        (scaled_sum, {"factor": 0.5}, 9.0),
        (seed_itself, {}, 7),
        (seed_itself, {"random_state": 5}, 5),
        (SeedOfClass, {}, 7),
    ],
)
def test_every_kind_of_rival_is_called_with_its_options(target: object, options: dict[str, object], expected: float) -> None:
    entrant = Entrant("rival", tuple(options.items()), "", target)
    assert prepare(entrant)(X, Y, 7) == expected


def test_a_named_method_is_mine_estimate() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    y = x + rng.normal(size=(200, 1))
    found = prepare(parse_method("gaussian"))(x, y, 0)
    # ln 2 / 2 is the information of y = x + noise of equal variance
    assert found.value == pytest.approx(0.5 * np.log(2), abs=0.15) and found.method == "gaussian"


def test_an_object_that_runs_problems_gets_one(stub: None) -> None:
    x = np.random.default_rng(0).normal(size=(30, 1))
    assert prepare(Entrant("stub", (), "", TakesEffort("four")))(x, x + 1, 0).value == 4.0
    assert prepare(Entrant("stub", (), "", TakesEffort))(x, x + 1, 0).value == 7.0


def test_a_rival_in_a_file_is_imported_with_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helper_beside_rival.py").write_text("SHIFT = 5.0\n")
    (tmp_path / "rival_in_a_file.py").write_text(
        "from helper_beside_rival import SHIFT\n"
        "class Shifted:\n    def __init__(self, more=0.0): self.more = more\n"
        "    def estimate(self, x, y): return SHIFT + self.more\n"
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("helper_beside_rival", "rival_in_a_file"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    try:
        assert prepare(parse_method(f"{tmp_path}/rival_in_a_file.py:Shifted[more=1]"))(X, Y, 0) == 6.0
    finally:
        for name in ("helper_beside_rival", "rival_in_a_file"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("method", "error", "message"),
    [
        ("kgs", UnknownNameError, "did you mean 'ksg'"),
        ("ksg[neighbours=3]", UnknownNameError, "neighbours"),
        ("no_such_package.x:y", InputError, "cannot be imported"),
        ("math:no_such_function", InputError, "has no 'no_such_function'"),
        ("nowhere.py:f", InputError, "no Python file nowhere.py"),
        ("math:pi", InputError, "neither a class, nor a function"),
    ],
)
def test_what_is_not_there_is_said_at_the_start(method: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        prepare(parse_method(method))


def test_bits_become_nats_and_what_is_no_number_is_refused() -> None:
    entrant = parse_method("ksg")
    in_bits = Estimate(1.0, None, 0.1, (0.5, 2.0), "rival", 3, unit="bits")
    assert as_estimate(in_bits, entrant, 3).value == pytest.approx(0.693147, abs=1e-6)
    assert as_estimate(np.float32(0.5), entrant, 3).value == 0.5
    with pytest.raises(InputError, match="gave a tuple"):
        as_estimate((1.0, 2.0), entrant, 3)
    with pytest.raises(InputError, match="gave nan"):
        as_estimate(float("nan"), entrant, 3)

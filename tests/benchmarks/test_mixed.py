"""The generator of random tables: its shares, its truths against closed forms, and its judgement."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Import a module of the benchmark as its script does, from its own folder."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


def test_any_hundred_tables_have_the_shares(load):
    kinds = load("mixed.kinds")
    assert sum(kinds.SHARES.values()) == 100 and set(kinds.SHARES) == set(kinds.GENERATORS)
    assert Counter(map(kinds.kind_of, range(37, 137))) == kinds.SHARES


def test_tables_are_reproducible_and_their_truths_possible(load):
    kinds = load("mixed.kinds")
    for index in range(0, 100, 3):
        case = kinds.draw_case(5, index)
        assert len(case.x) == len(case.y) == len(case.z) and not case.x.isna().any().any()
        for truth in (case.truth, case.truth_given):
            assert truth is None or 0 <= truth <= case.ceiling + 1e-9
        assert case.x.equals(kinds.draw_case(5, index).x)


def test_a_mixture_of_normals_against_closed_forms(load):
    normal_sum = load("mixed.case").normal_sum
    # one normal of sd 2 with noise 0.5
    assert normal_sum(np.zeros(1), np.ones(1), 2.0, 0.5) == pytest.approx(0.5 * math.log(1 + 16), abs=1e-6)
    # three points so far apart that each is recognised: their entropy
    p = np.array([0.5, 0.3, 0.2])
    assert normal_sum(np.array([0.0, 40.0, 90.0]), p, 0.0, 1.0) == pytest.approx(-(p * np.log(p)).sum(), abs=1e-6)


def test_truths_of_ties_against_the_normal_that_they_come_from(load, monkeypatch: pytest.MonkeyPatch):
    kinds = load("mixed.kinds")

    class Fixed:
        """A generator whose uniform numbers are these, in turn."""

        def __init__(self, *numbers: float) -> None:
            self.numbers, self.rng = list(numbers), np.random.default_rng(0)

        def uniform(self, low: float, high: float) -> float:
            return self.numbers.pop(0)

        def normal(self, size: int) -> np.ndarray:
            return self.rng.normal(size=size)

        def random(self) -> float:
            return 0.1

    whole = -0.5 * math.log(1 - 0.8**2)
    # cut so low that nothing is cut: the normal pair; cut in the middle: less
    assert kinds.ties_zeros(100, Fixed(0.8, -6.0)).truth == pytest.approx(whole, abs=1e-3)
    half = kinds.ties_zeros(100, Fixed(0.8, 0.0)).truth
    # P(both are 0) = 1/4 + asin(r) / 2 pi: what the two signs share is a part of it
    both = 0.25 + math.asin(0.8) / (2 * math.pi)
    signs = 2 * both * math.log(4 * both) + 2 * (0.5 - both) * math.log(4 * (0.5 - both))
    assert signs < half < whole
    # rounded finely: nearly all of it; to whole numbers: less
    fine, coarse = (kinds.ties_rounded(100, Fixed(0.8, math.log(step))).truth for step in (0.1, 1.0))
    assert fine == pytest.approx(whole, abs=0.01) and 0.75 * whole < coarse < fine


def test_what_is_right_and_what_is_wrong(load):
    judge = load("mixed_tables")
    line = {"value": 0.5, "low": 0.4, "high": 0.6, "truth": 0.55, "ceiling": 0.69, "warnings": ()}
    assert judge.finite(line) and judge.within(line) and judge.covers(line) and not judge.confidently_wrong(line)
    assert not judge.within({**line, "high": 1.1}) and not judge.within({**line, "value": -0.2})
    wrong = {**line, "truth": 2.0, "ceiling": math.inf}
    assert judge.covers(wrong) is False and judge.confidently_wrong(wrong)
    assert not judge.confidently_wrong({**wrong, "warnings": ("Mind this.",)})
    endless = {**wrong, "truth": math.inf}
    assert judge.confidently_wrong(endless) and judge.covers({**endless, "high": math.inf})
    assert judge.covers({**line, "truth": None}) is None and judge.covers({**line, "low": None}) is None
    assert not judge.finite({**line, "low": math.nan})
    old = [{**line, "index": 1, "call": "estimate"}, {**line, "index": 2, "call": "estimate", "truth": 3.0}]
    new = [{**one, "low": 0.3} for one in old]
    assert judge.width_ratio(new, old) == pytest.approx(1.5)  # the one that was right

"""Estimates stay what they were: a change of structure must not change a number.

``estimates.json`` holds what the cases gave when it was written. A change of the numbers that is meant raises NUMERICS and
writes the file anew.
"""

from __future__ import annotations

import math
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

import mine

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

FOLDER = Path(__file__).parent
CASES = runpy.run_path(str(FOLDER / "cases.py"))["CASES"]
RECORDS = runpy.run_path(str(FOLDER / "records.py"))
SURROUNDINGS = runpy.run_path(str(FOLDER / "surroundings.py"))
RECORDED = RECORDS["read"](FOLDER / "estimates.json")

#: Closed forms in float64: other orders of summation, and nothing else, move them.
CLOSED = 1e-8
#: Training in the recorded environment repeats itself to the last digit; this leaves room for where numbers lie in memory.
SAME_ENVIRONMENT = 1e-4
#: Elsewhere rounding turns into other weights, and now and then another best step: a fifth of the standard error ...
SHARE_OF_STDERR = 0.2
#: ... but for these. Measured with torch's kernels and its matrix products held to older instructions: networks on a pair of numbers,
#: whose learning rate is high, and ends of intervals, which hold the bias correction several times over, move most (by 0.52).
SENSITIVE_SHARE = 0.8
SENSITIVE = {
    "auto_columns",
    "auto_copied_rows_bits",
    "auto_groups",
    "auto_labels_numbers",
    "auto_number_strings",
    "auto_pair",
    "auto_pair_thorough",
}
#: Nothing says how far a number without a standard error may move: a test statistic, a p-value, a loss after some steps. All
#: are smooth in weights of a short training, which rounding moves by much less than this share of them ...
RELATIVE = 0.02
#: ... and near zero, where a share is nothing, by less than this: one permutation of 999, a thousandth of a nat.
NEAR_ZERO = 1e-3

REMEDY = (
    "If the change is meant, raise NUMERICS in mine.storage.versions (what was kept under the old numbers must not be mixed with "
    "the new) and write the file anew: python tests/golden/write.py"
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the file was written; other tests of this process get their threads back."""
    with SURROUNDINGS["one_thread"]():
        yield


@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_what_it_gave(name: str):
    assert name in RECORDED["cases"], f"{name} was never recorded: python tests/golden/write.py {name}"
    case, recorded = CASES[name], RECORDS["decoded"](RECORDED["cases"][name])
    new = RECORDS["decoded"](RECORDS["encoded"](case.run()))
    assert new.keys() == recorded.keys(), f"{name} has other numbers than recorded. {REMEDY}"
    same = SURROUNDINGS["alike"](SURROUNDINGS["environment"](), RECORDED["environment"])
    moved = []
    for number, was in recorded.items():
        share = SENSITIVE_SHARE if name in SENSITIVE else SHARE_OF_STDERR
        allowed = tolerance(case.kind, number, recorded, share, same=same)
        far = RECORDS["distance"](was, new[number])
        if far > allowed:
            moved.append(f"  {number}: recorded {was!r}, now {new[number]!r}, {far:.3g} apart, allowed {allowed:.3g}")
    where = "the recorded environment" if same else f"another environment than {RECORDED['environment']}"
    assert not moved, "\n".join([f"{name} ({case.kind}) has moved, in {where}:", *moved, REMEDY])


def tolerance(kind: str, number: str, recorded: dict[str, float | None], share: float, *, same: bool) -> float:
    """How far a number may move; one called "a~b value" has its standard error under "a~b stderr"."""
    was = recorded[number]
    if was is None or not math.isfinite(was):
        return 0.0  # none, open or not a number: so it stays
    if kind == "closed":
        return CLOSED
    if same:
        return SAME_ENVIRONMENT
    prefix, _, last = number.rpartition(" ")
    stderr = recorded.get(f"{prefix} stderr".strip())
    if last in ("value", "stderr", "lower_bound", "low", "high") and stderr is not None and math.isfinite(stderr):
        return max(share * stderr, SAME_ENVIRONMENT)
    return max(RELATIVE * abs(was), NEAR_ZERO)


def test_the_file_has_the_cases_and_no_others():
    assert sorted(RECORDED["cases"]) == sorted(CASES), f"cases.py and estimates.json have other names. {REMEDY}"
    kinds = {name: case["kind"] for name, case in RECORDED["cases"].items()}
    assert kinds == {name: case.kind for name, case in CASES.items()}, f"A case was recorded as of another kind. {REMEDY}"


def test_every_method_has_a_case():
    first_words = {method: re.sub(r"\W", "_", method) for method in mine.methods()}
    missing = [method for method, word in first_words.items() if not any(name.startswith(f"{word}_") for name in CASES)]
    assert not missing, f"No case is called after {', '.join(missing)}: add one to tests/golden/cases.py."


def test_the_numbers_are_those_of_this_version():
    assert RECORDED["numerics"] == SURROUNDINGS["numerics"](), (
        f"estimates.json was written with NUMERICS {RECORDED['numerics']}, now it is {SURROUNDINGS['numerics']()}: "
        "python tests/golden/write.py"
    )

"""Random data of every kind through every public function: a finite value or an error of the library's own, nothing else."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import strategies as st

import mine
from mine.errors import MineError

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

#: Rows: none, too few, and as many as a quick estimate takes.
SIZES = (0, 1, 2, 7, 8, 9, 13, 30, 60)
NUMBERS = ("gaussian", "ksg", "dv", "mine", "nwj", "infonce", "smile", "jensen-shannon")
METHODS = ("auto", "discrete", "ross", *NUMBERS, "no such method")


def column(kind: str, n: int, rng: np.random.Generator) -> Any:
    """A column of n values of one kind."""
    normal = rng.normal(size=n)
    match kind:
        case "numbers":
            return normal
        case "ties":
            return np.round(normal)
        case "mostly zero":
            return normal * (rng.random(n) < 0.3)
        case "huge":
            return normal.clip(-1.7, 1.7) * 1e308
        case "tiny":
            return normal * 1e-308
        case "wide range":
            return np.sign(normal) * 10.0 ** rng.uniform(-300, 300, n)
        case "constant":
            return np.full(n, 3.5)
        case "a jump":
            return np.where(np.arange(n) < n - 1, 0.0, 1e12)
        case "holes":
            return np.where(rng.random(n) < 0.1, np.nan, normal)
        case "infinite":
            return np.where(rng.random(n) < 0.1, np.inf, normal)
        case "labels":
            return rng.choice(["a", "b", "c"], n)
        case "names":
            return [f"id {i}" for i in rng.permutation(n)]
        case "booleans":
            return rng.random(n) < 0.5
        case "integers":
            return rng.integers(-(2**62), 2**62, n)
        case "few integers":
            return rng.integers(0, 3, n)
        case "dates":
            return np.datetime64("2020-01-01") + rng.integers(0, 4000, n)
        case "text and numbers":
            return [value if i % 5 else "n/a" for i, value in enumerate(normal.tolist())]
        case "nothing and labels":
            return [None if i % 4 == 0 else "yes" for i in range(n)]
        case "prices":
            return [f"${abs(value):,.2f}" for value in 1e4 * normal]
        case "odd objects":
            return [(datetime.date(2020, 1, 1), 3, "x", 2.5)[i % 4] for i in range(n)]
        case "several numbers":
            return rng.normal(size=(n, 3))
        case "images":
            return rng.normal(size=(n, 1, 3, 3))
        case "numbers and labels":
            return pd.DataFrame({"number": normal, "label": rng.choice(["u", "v"], n)})
        case "tensor":
            return torch.as_tensor(normal, dtype=torch.float32).requires_grad_()
        case "integer tensor":
            return torch.as_tensor(rng.integers(0, 4, n))
        case "polars":
            return pl.Series("p", normal)
        case "category":
            return pd.Series(rng.choice(["low", "high"], n), dtype="category")
        case _:  # complex
            return normal + 1j


KINDS = (
    "numbers", "ties", "mostly zero", "huge", "tiny", "wide range", "constant", "a jump", "holes", "infinite", "labels", "names",
    "booleans", "integers", "few integers", "dates", "text and numbers", "nothing and labels", "prices", "odd objects",
    "several numbers", "images", "numbers and labels", "tensor", "integer tensor", "polars", "category", "complex",
)  # fmt: skip
WIDE = ("several numbers", "images", "numbers and labels")
#: Calls that get a table of three columns.
ONE_COLUMN_EACH = ("mutual_info", "MutualInfoSelector", "pairwise", "pairwise, missing left out")


def is_right(estimate: mine.Estimate) -> None:
    """A finite value in an interval that is one, and words and a table that can be made of it."""
    low, high = estimate.interval
    assert math.isfinite(estimate.value) and math.isfinite(estimate.stderr) and estimate.stderr >= 0
    assert low <= high and low < math.inf and high > -math.inf
    assert low - 1e-9 <= estimate.value <= high + 1e-9
    assert estimate.lower_bound is None or math.isfinite(estimate.lower_bound)
    assert "nan" not in str(estimate).lower()


def all_right(estimates: Iterable[mine.Estimate]) -> None:
    for estimate in estimates:
        is_right(estimate)


def finite(values: Iterable[float]) -> None:
    assert all(math.isfinite(value) for value in values)


def table_is_right(found: Any) -> None:
    known = ~np.isnan(np.asarray(found["value"], dtype=float))
    notes = np.asarray(found["note"])
    assert all(note for note in notes[~known])  # a pair without a value says why
    assert (np.asarray(found["low"], dtype=float)[known] <= np.asarray(found["high"], dtype=float)[known]).all()


def frame(*columns: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {f"c{i}": values.detach().numpy() if isinstance(values, torch.Tensor) else values for i, values in enumerate(columns)}
    )


def short(method: str) -> dict[str, Any]:
    """Options that keep a training to a few steps."""
    trains = method not in ("discrete", "ross", "gaussian", "ksg", "no such method")
    return {"method": method, **({"steps": 4, "n_folds": 2} if trains else {}), "random_state": 0}


#: Name -> (x, y, z, method) -> what is checked about the result.
CALLS: dict[str, Callable[[Any, Any, Any, str], None]] = {
    "estimate": lambda x, y, z, m: is_right(mine.estimate(x, y, **short(m))),
    "estimate, missing left out": lambda x, y, z, m: is_right(mine.estimate(x, y, drop_missing=True, **short(m))),
    "estimate, parsed": lambda x, y, z, m: is_right(mine.estimate(x, y, parse=True, **short(m))),
    "estimate, groups": lambda x, y, z, m: is_right(mine.estimate(x, y, groups=z, **short(m))),
    "estimate, in order": lambda x, y, z, m: is_right(mine.estimate(x, y, order=z, **short(m))),
    "estimate given": lambda x, y, z, m: is_right(mine.estimate(x, y, z, **short(m))),
    "estimate given, by exchanging": lambda x, y, z, m: is_right(
        mine.estimate(x, y, z, conditional="shuffle", steps=4, n_folds=2, random_state=0)
    ),
    "independence_test": lambda x, y, z, m: finite([mine.independence_test(x, y, n_permutations=9, random_state=0).p_value]),
    "independence_test given": lambda x, y, z, m: finite(
        [mine.independence_test(x, y, z, n_permutations=9, random_state=0).p_value]
    ),
    "mutual_info": lambda x, y, z, m: finite(mine.mutual_info(frame(x, z), y)),
    "MutualInfoSelector": lambda x, y, z, m: finite(mine.MutualInfoSelector(1).fit(frame(x, z), y).scores_),
    "MutualInformation": lambda x, y, z, m: is_right(
        mine.MutualInformation(m, random_state=0, options={k: v for k, v in short(m).items() if k in ("steps", "n_folds")})
        .fit(x, y)
        .estimate_
    ),
    "pairwise": lambda x, y, z, m: table_is_right(
        mine.pairwise(frame(x, y, z), method="auto" if m in ("auto", "dv", "mine", "infonce") else m, random_state=0)
    ),
    "pairwise, missing left out": lambda x, y, z, m: table_is_right(
        mine.pairwise(frame(x, y, z), method="gaussian" if m == "auto" else "ksg", drop_missing=True, random_state=0)
    ),
    "transfer_entropy": lambda x, y, z, m: is_right(mine.transfer_entropy(x, y, **short(m))),
    "lagged_information": lambda x, y, z, m: all_right(mine.lagged_information(x, y, [0, 1], **short(m)).values()),
    "kl_divergence": lambda x, y, z, m: is_right(mine.kl_divergence(x, y, steps=4, random_state=0)),
    "total_correlation": lambda x, y, z, m: is_right(mine.total_correlation([x, y, z], **short(m))),
}

draws = hypothesis.given(
    call=st.sampled_from(sorted(CALLS)),
    kinds=st.tuples(*[st.sampled_from(KINDS)] * 3),
    method=st.sampled_from(METHODS),
    n=st.sampled_from(SIZES[:5]) | st.sampled_from(SIZES[5:]) | st.sampled_from(SIZES[-2:]),
    other=st.sampled_from([0, 0, 0, 0, 0, 1]),
    seed=st.integers(0, 2**32 - 1),
)


def answers(call: str, kinds: tuple[str, ...], method: str, n: int, other: int, seed: int) -> None:
    """The call gives what is right, or an error of the library's own with words in it."""
    if call in ONE_COLUMN_EACH:
        other, kinds = 0, tuple("numbers" if kind in WIDE else kind for kind in kinds)
    rng = np.random.default_rng(seed)
    x, y, z = (column(kind, size, rng) for kind, size in zip(kinds, (n, n + other, n), strict=True))
    try:
        CALLS[call](x, y, z, method)
    except MineError as error:
        assert len(str(error)) > 15 and "nan" not in str(error).lower().split()


@draws
@hypothesis.settings(max_examples=60, derandomize=True)
def test_a_finite_value_or_an_error_of_our_own(**drawn: Any) -> None:
    answers(**drawn)


@pytest.mark.slow
@draws
@hypothesis.settings(max_examples=1000)
def test_a_thousand_of_them(**drawn: Any) -> None:
    answers(**drawn)

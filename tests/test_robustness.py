"""Any finite input gives a finite estimate or a clear refusal: never NaN, never another exception, never a warning.

``python benchmarks/robustness.py`` runs a thousand of these.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import mine
from mine.errors import InputError

EXAMPLES = int(os.environ.get("MINE_ROBUSTNESS_EXAMPLES", "30"))

Side = Callable[[np.random.Generator, int, int, float], np.ndarray]

SIDES: dict[str, Side] = {
    "normal": lambda rng, n, d, scale: rng.normal(size=(n, d)) * scale,
    "heavy tails": lambda rng, n, d, scale: rng.standard_cauchy(size=(n, d)) * scale,
    "huge range": lambda rng, n, d, _: np.exp(rng.normal(size=(n, d)) * 30),
    "integers": lambda rng, n, d, _: rng.integers(-3, 40, size=(n, d)),
    "small integers": lambda rng, n, d, _: rng.integers(0, 4, size=(n, d)),
    "booleans": lambda rng, n, d, _: rng.random((n, d)) < 0.3,
    "rare booleans": lambda rng, n, d, _: rng.random((n, d)) < 0.03,
    "float16": lambda rng, n, d, _: rng.normal(size=(n, d)).astype(np.float16),
    "duplicates": lambda rng, n, d, scale: rng.normal(size=(n, d))[rng.integers(0, max(2, n // 3), size=n)] * scale,
    "mostly zero": lambda rng, n, d, scale: np.where(rng.random((n, d)) < 0.9, 0.0, rng.normal(size=(n, d)) * scale),
    "far from zero": lambda rng, n, d, scale: 1e6 * scale + rng.normal(size=(n, d)) * scale,
}


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(20, 500))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sides = []
    for _ in "xy":
        kind = draw(st.sampled_from(sorted(SIDES)))
        scale = 10.0 ** draw(st.floats(-30, 30))
        sides.append(SIDES[kind](rng, n, draw(st.integers(1, 3)), scale))
    relation = draw(st.sampled_from(["none", "none", "copy", "rows repeated"]))
    event(relation)
    if relation == "copy":
        sides[1] = sides[0][:, :1]
    elif relation == "rows repeated":
        again = rng.integers(0, n, size=n)
        sides = [side[again] for side in sides]
    return sides[0], sides[1]


def check(x: np.ndarray, y: np.ndarray, method: str) -> None:
    try:
        estimate = mine.estimate(x, y, method=method, random_state=0)
    except InputError as error:
        # What may be refused: nothing varies, KSG is left with a handful of distinct rows, or ranks with ties.
        tied = any(np.unique(c, return_counts=True)[1].max() > 2 for side in (x, y) for c in side.T)
        assert "constant" in str(error) or (
            (method == "ksg" and "distinct rows" in str(error))
            or (method in ("ksg", "gaussian") and tied and ("large ties" in str(error) or "repeated values" in str(error)))
        )
        return
    low, high = estimate.interval
    assert math.isfinite(estimate.value)
    assert math.isfinite(estimate.stderr)
    assert estimate.stderr >= 0
    assert low <= estimate.value <= high
    assert math.isfinite(low)
    assert estimate.lower_bound is None or math.isfinite(estimate.lower_bound)
    assert estimate.pointwise_values is None or np.isfinite(estimate.pointwise_values).all()


@pytest.mark.parametrize(
    ("method", "share"),
    [
        ("auto", 0.2),
        pytest.param("auto", 1.0, marks=pytest.mark.slow),
        ("ksg", 1.0),
        ("gaussian", 1.0),
        ("mine", 0.1),
        ("nwj", 0.1),
    ],
)
def test_any_finite_input(method: str, share: float) -> None:
    @settings(max_examples=max(3, round(EXAMPLES * share)), deadline=None, suppress_health_check=list(HealthCheck))
    @given(problems())
    def run(sides: tuple[np.ndarray, np.ndarray]) -> None:
        check(*sides, method)

    run()

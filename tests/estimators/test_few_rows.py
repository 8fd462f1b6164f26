"""Few rows in many columns: the closed form is taken where it sees more, and where it can be believed."""

import numpy as np
import pytest

from mine.data.problem import make_problem
from mine.estimators.few_rows import by_closed_form, looks_normal, wilks_stderr
from mine.estimators.gaussian import copula_information
from mine.result import Estimate
from mine.tasks import get_task


def estimate_of(value: float, n: int, *, saturated: bool = False) -> Estimate:
    return Estimate(
        value, value, 0.05, (value - 0.2, value + 0.6), "auto", n, diagnostics={"saturated": saturated, "warnings": []}
    )


def closed(x: np.ndarray, y: np.ndarray, value: float = 0.2, **options: bool) -> Estimate:
    problem, _ = make_problem(x, y, random_state=0)
    return by_closed_form(estimate_of(value, len(x), **options), problem)


def test_spread_under_independence_is_exact():
    rng = np.random.default_rng(0)
    found = [copula_information(*rng.normal(size=(2, 80, 6))) for _ in range(400)]
    assert np.std([value for value in found if value is not None]) == pytest.approx(wilks_stderr(80, 6, 6), rel=0.12)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_sparse_dependence_of_many_columns_is_not_shrunk_away(seed: int):
    task = get_task("multinormal-sparse-25-25-2-2.0")
    est = closed(*task.sample(200, seed))
    assert est.value == pytest.approx(task.mutual_information, abs=0.35)
    assert est.interval[0] <= 0.2 and est.interval[1] > task.mutual_information
    assert est.diagnostics["basis"] == "model-based: Gaussian copula"
    assert "So few rows" in est.warnings[0]


def test_independence_many_rows_and_saturation_change_nothing():
    rng = np.random.default_rng(1)
    x, y = rng.standard_t(1, size=(2, 200, 25))
    assert closed(x, y, 0.0).value == 0.0
    strong = get_task("multinormal-sparse-5-5-2-2.0").sample(2000, 0)
    assert closed(*strong).interval == estimate_of(0.2, 2000).interval
    wide = get_task("multinormal-sparse-25-25-2-2.0").sample(200, 0)
    assert closed(*wide, saturated=True).value == 0.2


def clusters(rng: np.random.Generator, n: int, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sides tell which of ``kinds`` clusters a row is in, at most log(kinds) nats; a copula finds far more."""
    centers = 3 * rng.normal(size=(2, kinds, 10))
    kind = rng.integers(0, kinds, n)
    return centers[0][kind] + rng.normal(size=(n, 10)), centers[1][kind] + rng.normal(size=(n, 10))


@pytest.mark.parametrize("kinds", [2, 3, 6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sides_that_are_not_normal_only_widen_the_interval(kinds: int, seed: int):
    x, y = clusters(np.random.default_rng(seed), 200, kinds)
    copula = copula_information(x, y)
    assert copula is not None and copula > np.log(kinds)  # more than there can be
    est = closed(x, y)
    assert est.value == 0.2
    assert est.interval[0] == estimate_of(0.2, 200).interval[0] and est.interval[1] > copula


def test_polynomials_of_few_numbers_are_not_normal():
    rng = np.random.default_rng(3)
    u = rng.normal(size=(200, 2))
    features = np.c_[u, u**2, u[:, :1] * u[:, 1:]]
    x, y = (features @ rng.normal(size=(5, 10)) + 0.3 * rng.normal(size=(200, 10)) for _ in range(2))
    assert closed(x, y).value == 0.2


def test_normal_samples_look_normal():
    rng = np.random.default_rng(4)
    mixing = rng.normal(size=(12, 12))
    samples = [rng.normal(size=(150, 12)) @ mixing for _ in range(20)]
    assert sum(looks_normal(sample, rng) for sample in samples) >= 19
    radial = [sample * rng.chisquare(3, (150, 1)) for sample in samples]
    assert not any(looks_normal(sample, rng) for sample in radial)

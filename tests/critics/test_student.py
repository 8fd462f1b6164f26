"""The Student copula's log-ratio against densities from scipy."""

import numpy as np
import pytest
import torch
from scipy import stats

from mine.critics import GaussianCritic
from mine.critics.student import StudentCritic, fit_student, student_scores


def _student_rows(n: int, dispersion: np.ndarray, dof: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    normal = rng.multivariate_normal(np.zeros(len(dispersion)), dispersion, size=n)
    return normal / np.sqrt(rng.chisquare(dof, size=(n, 1)) / dof)


DISPERSION = np.array([[1.0, 0.3, 0.5], [0.3, 1.0, -0.2], [0.5, -0.2, 1.0]])


@pytest.mark.parametrize("dof", [1.0, 3.0])
def test_log_ratio_is_that_of_the_densities(dof: float):
    rows = _student_rows(60_000, DISPERSION, dof)
    x, y = rows[:, :2], rows[:, 2:]
    scores = stats.norm.ppf(stats.t.cdf(rows, dof))
    critic = fit_student(x, y, dof)
    found = critic(torch.tensor(scores[:200, :2]), torch.tensor(scores[:200, 2:])).numpy()

    def density(a: np.ndarray, columns: list[int]) -> np.ndarray:
        return stats.multivariate_t(shape=DISPERSION[np.ix_(columns, columns)], df=dof).logpdf(a)

    truth = density(rows[:200], [0, 1, 2]) - density(x[:200], [0, 1]) - density(y[:200], [2])
    assert np.abs(found - truth).mean() < 0.03  # the dispersion is estimated from 60,000 rows


def test_quantiles_by_table_are_those_of_scipy():
    scores = np.linspace(-4, 4, 101)[:, None]
    for dof in (0.7, 2.0, 24.0):
        exact = stats.t.ppf(stats.norm.cdf(-np.abs(scores)), dof) * -np.sign(scores)
        np.testing.assert_allclose(student_scores(scores, dof), exact, rtol=1e-4, atol=1e-6)


def test_infinite_degrees_of_freedom_are_the_gaussian():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    y = np.c_[x[:, :1] + rng.normal(size=(500, 1)), rng.normal(size=(500, 2))]
    x, y = x - x.mean(0), y - y.mean(0)
    gaussian, student = GaussianCritic.fit(x, y), fit_student(x, y, np.inf)
    torch.testing.assert_close(student(torch.tensor(x), torch.tensor(y)), gaussian(torch.tensor(x), torch.tensor(y)))


@pytest.mark.parametrize("dof", [2.0, np.inf])
def test_every_pair_of_a_table_is_the_pair_itself(dof: float):
    rows = _student_rows(400, DISPERSION, 2.0)
    critics = [fit_student(rows[part, :2], rows[part, 2:], d) for part, d in ((slice(0, 200), dof), (slice(200, 400), 5.0))]
    critic = StudentCritic.stacked(critics)
    x, y = torch.tensor(rows[:7, :2]), torch.tensor(rows[:7, 2:])
    score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    assert score_matrix.shape == (2, 7, 7)
    for k in range(2):
        one = critic.select(k)
        for i in range(7):
            torch.testing.assert_close(score_matrix[k, i], one(x[i : i + 1].expand(7, 2), y))


def test_no_correlation_at_all_is_not_independence():
    rows = _student_rows(20_000, np.eye(2), 1.0)
    critic = fit_student(rows[:, :1], rows[:, 1:], 1.0)
    scores = torch.tensor(stats.norm.ppf(stats.t.cdf(rows, 1.0)))
    assert abs(critic(scores[:, :1], scores[:, 1:]).mean().item() - 0.2242) < 0.02  # closed form of the 1-1-1 task

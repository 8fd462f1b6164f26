"""Families with a dial: any information, closed forms by hand, independent computations of the rest."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from mine import tasks
from mine.errors import InputError
from mine.tasks import dial
from mine.tasks.families.additive_uniform import AdditiveUniform
from mine.tasks.families.log_gamma_exponential import LogGammaExponential
from mine.tasks.families.multinormal import JointNormal, dense_covariance, paired_covariance
from mine.tasks.families.multistudent import JointStudent, shared_scale_information
from mine.tasks.families.normal import CorrelatedNormal

FAMILIES = [dial.normal, dial.uniform, dial.student, dial.smoothed_uniform, dial.log_gamma_exponential]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("information", "dim"), [(0.73, 1), (3.21, 2), (5.5, 7), (9.9, 1)])
def test_any_information(family, information: float, dim: int) -> None:
    task = family(information, dim)
    assert task.mutual_information == information
    ratio = task.log_ratio(*task.sample(20_000, random_state=5))
    assert abs(ratio.mean() - information) < 4.5 * ratio.std() / np.sqrt(20_000) + 1e-9


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.51, 2.0, 10.0])
def test_the_dial_is_the_inverse_of_the_closed_form(share: float) -> None:
    epsilon = float(dial.smoothed_uniform(share).description.split("within ")[1].split(",")[0])
    formula = epsilon - math.log(2 * epsilon) if share > 0.5 else 1 / (4 * epsilon)
    assert formula == pytest.approx(share, abs=0.01)  # the description rounds to three figures
    shape = float(dial.log_gamma_exponential(share).description.split("shape ")[1].split(",")[0])
    assert special.digamma(shape) - math.log(shape) + 1 / shape == pytest.approx(share, rel=0.01)


def test_normal_by_the_correlation_of_its_rows() -> None:
    x, y = dial.normal(0.8, 2).sample(200_000, random_state=0)
    rho = math.sqrt(1 - math.exp(-0.8))
    assert np.corrcoef(x[:, 1], y[:, 1])[0, 1] == pytest.approx(rho, abs=0.004)
    assert np.corrcoef(x[:, 0], y[:, 1])[0, 1] == pytest.approx(0, abs=0.01)


def test_normal_log_ratio_against_scipy() -> None:
    cov = np.array([[1, 0.2, 0.5], [0.2, 2, 0.3], [0.5, 0.3, 1.5]])
    joint = JointNormal(cov, 2)
    x, y = joint.sampler(40, np.random.default_rng(0))
    expected = (
        stats.multivariate_normal(np.zeros(3), cov).logpdf(np.hstack([x, y]))
        - stats.multivariate_normal(np.zeros(2), cov[:2, :2]).logpdf(x)
        - stats.norm(0, math.sqrt(1.5)).logpdf(y[:, 0])
    )
    np.testing.assert_allclose(joint.ratio(x, y), expected, rtol=1e-9, atol=1e-12)
    one = CorrelatedNormal(1.3, 1)
    same = JointNormal(paired_covariance(1, 1, one.correlation), 1)
    u, v = one.sampler(40, np.random.default_rng(0))
    np.testing.assert_allclose(one.ratio(u, v), same.ratio(u, v), rtol=1e-9)


def test_student_log_ratio_against_scipy() -> None:
    cov = dense_covariance(5, 0.4)
    joint = JointStudent(JointNormal(cov, 2), 2.5)
    x, y = joint.sampler(40, np.random.default_rng(0))
    t = stats.multivariate_t
    expected = (
        t(shape=cov, df=2.5).logpdf(np.hstack([x, y]))
        - t(shape=cov[:2, :2], df=2.5).logpdf(x)
        - t(shape=cov[2:, 2:], df=2.5).logpdf(y)
    )
    np.testing.assert_allclose(joint.ratio(x, y), expected, rtol=1e-9, atol=1e-10)


def test_student_margins() -> None:
    x, y = dial.student(4.0, dim=2, dof=3).sample(20_000, random_state=2)
    assert stats.kstest(x[:, 1], "t", args=(3,)).pvalue > 1e-3
    assert stats.kstest(y[:, 0], "t", args=(3,)).pvalue > 1e-3


def test_shared_scale_by_quadrature() -> None:
    """Two variables of dof 2 with identity shape: density (1 + (a^2 + b^2) / 2)^-2 / (2 pi), margins in closed form."""

    def term(b: float, a: float) -> float:
        joint = (1 + (a * a + b * b) / 2) ** -2 / (2 * math.pi)
        margin = (2 + a * a) ** -1.5 * (2 + b * b) ** -1.5
        return joint * math.log(joint / margin)

    value, _ = integrate.dblquad(term, 0, np.inf, 0, np.inf, epsabs=1e-7)
    assert shared_scale_information(1, 1, 2) == pytest.approx(4 * value, abs=1e-5)


@pytest.mark.parametrize("epsilon", [0.05, 0.3, 0.5, 0.8, 3.0])
def test_additive_uniform_by_entropies(epsilon: float) -> None:
    """h(y) - h(y | x), y's density being the overlap of two intervals over 2 epsilon."""
    edges = sorted({-epsilon, epsilon, 1 - epsilon, 1 + epsilon})

    def term(v: float) -> float:
        density = max(0.0, min(1, v + epsilon) - max(0, v - epsilon)) / (2 * epsilon)
        return float(special.entr(density))

    entropy = sum(integrate.quad(term, a, b, epsabs=1e-11)[0] for a, b in itertools.pairwise(edges))
    assert AdditiveUniform(epsilon).mutual_information == pytest.approx(entropy - math.log(2 * epsilon), abs=1e-8)


def test_additive_uniform_off_the_support() -> None:
    ratio = AdditiveUniform(0.1).ratio(np.array([[0.5], [0.5]]), np.array([[0.55], [0.65]]))
    assert ratio[0] == pytest.approx(math.log(5))
    assert ratio[1] == -np.inf


def test_log_gamma_exponential_log_ratio_against_scipy() -> None:
    family = LogGammaExponential(0.7)
    x, y = family.sampler(50, np.random.default_rng(0))
    rate, value = np.exp(x), np.exp(y)
    expected = stats.expon.logpdf(value, scale=1 / rate) - stats.lomax.logpdf(value, 0.7)
    np.testing.assert_allclose(family.ratio(x, y), expected[:, 0], rtol=1e-9, atol=1e-9)
    assert stats.kstest(np.exp(family.sampler(20_000, np.random.default_rng(1))[0][:, 0]), "gamma", args=(0.7,)).pvalue > 1e-3


def test_zero_inflated_poisson_by_plain_sums() -> None:
    """H(y) - H(y | x) term by term, without the closed forms of the catalogue."""
    p, total = 0.15, 0.0
    for k in range(60):
        margin = (1 - p) * 2.0 ** -(k + 1) + (p if k == 0 else 0)

        def given(x: float, k: int = k) -> float:
            return (1 - p) * stats.poisson.pmf(k, x) + (p if k == 0 else 0)

        total += special.entr(margin) - integrate.quad(lambda x: math.exp(-x) * special.entr(given(x)), 0, 80, limit=200)[0]
    assert tasks.get_task("mixture-zero-inflated-poisson-0.15").mutual_information == pytest.approx(total, abs=1e-6)


def test_mixtures_by_hand() -> None:
    signs = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    normal = -0.5 * math.log(1 - 0.81)
    task = tasks.get_task("mixture-normal-and-signs")
    assert task.mutual_information == pytest.approx(math.log(2) + (signs + normal) / 2)
    assert tasks.get_task("mixture-steps-3").mutual_information == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    x, _ = task.sample(20_000, random_state=0)
    assert np.isin(x, (-1, 1)).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dial.normal(-1), "0 nats or more and finite, got -1"),
        (lambda: dial.normal(math.inf), "finite, got inf"),
        (lambda: dial.normal(1, 0), "dim must be 1 or more, got 0"),
        (lambda: dial.student(0.1, dof=1), r"at least 0\.2242 nats"),
        (lambda: dial.student(3, dof=0), "dof must be positive, got 0"),
        (lambda: dial.smoothed_uniform(0), "reaches 0 nats only in a limit"),
        (lambda: dial.log_gamma_exponential(0), "reaches 0 nats only in a limit"),
    ],
)
def test_impossible_settings_are_refused(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()

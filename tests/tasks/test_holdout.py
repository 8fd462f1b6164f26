"""Held-out tasks: stated information against quadratures twice as fine, other seeds and forms by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from mine import tasks
from mine.tasks.catalogue.holdout_channels import CHANNELS, INPUTS
from mine.tasks.catalogue.holdout_copulas import CLAYTON, FRANK, FRANK_INFORMATION, GUMBEL, GUMBEL_INFORMATION
from mine.tasks.catalogue.holdout_mixtures import MIXTURES
from mine.tasks.catalogue.holdout_others import RADIUS_INFORMATION, laplace_noise, radius_channel
from mine.tasks.families.channel import Channel, panels
from mine.tasks.families.copulas import Clayton, Frank, Gumbel, information


def stated(name: str) -> float:
    return tasks.get_task(f"holdout-{name}").mutual_information


def test_there_are_enough_and_of_every_size() -> None:
    found = [tasks.get_task(name) for name in tasks.names("holdout")]
    assert len(found) >= 20
    assert {task.dx for task in found} >= {1, 2, 3, 4, 10, 30}
    assert min(task.mutual_information for task in found) == 0


@pytest.mark.parametrize(("name", "build", "value"), [c[:3] for c in CHANNELS], ids=[c[0] for c in CHANNELS])
def test_channels_on_finer_grids(name: str, build, value: float) -> None:
    channel = build(3 * INPUTS // 2)
    assert channel.information() == pytest.approx(value, abs=1e-5)
    # the grid holds all of y's mass
    assert np.exp(channel.log_marginal(channel.outputs[0])) @ channel.outputs[1] == pytest.approx(1, abs=1e-5)


def test_a_channel_with_a_closed_form() -> None:
    """Normal input, normal noise: the quadrature has to give log(1 + 1 / s^2) / 2."""
    t, w = panels(-8, 8, 40)
    w = w * np.exp(-(t**2) / 2)
    channel = Channel(
        lambda size, rng: rng.normal(size=size),
        lambda t, rng: t + 0.5 * rng.normal(size=t.shape),
        lambda y, t: np.asarray(stats.norm.logpdf(y, t, 0.5)),
        (t, w / w.sum()),
        panels(-10, 10, 60),
        dim=2,
    )
    assert channel.information() == pytest.approx(math.log(5), abs=1e-9)
    x, y = channel.sampler(500, np.random.default_rng(0))
    expected = stats.norm.logpdf(y, x, 0.5) - stats.norm.logpdf(y, 0, math.sqrt(1.25))
    np.testing.assert_allclose(channel.ratio(x, y), expected.sum(axis=1), atol=1e-8)


def test_radius_and_laplace_on_finer_grids() -> None:
    assert radius_channel(100).information() == pytest.approx(RADIUS_INFORMATION, abs=1e-6)
    assert stated("laplace-noise-1d") == pytest.approx(laplace_noise(5000)[0], abs=1e-9)


def test_copulas_by_quadrature() -> None:
    assert information(CLAYTON, 120) == pytest.approx(stated("clayton-1d"), abs=1e-6)
    assert information(GUMBEL, 120) == pytest.approx(GUMBEL_INFORMATION, abs=1e-6)
    assert information(FRANK, 120) == pytest.approx(FRANK_INFORMATION, abs=1e-6)


@pytest.mark.parametrize(
    ("copula", "tau"), [(Clayton(2.0), 0.5), (Gumbel(2.5), 0.6), (Frank(-5.0), None)], ids=["clayton", "gumbel", "frank"]
)
def test_copulas_have_uniform_margins_and_their_rank_correlation(copula, tau: float | None) -> None:
    x, y = copula.sampler(20_000, np.random.default_rng(3))
    for side in (x, y):
        assert stats.kstest(side[:, 0], "uniform").pvalue > 1e-3
    if tau is None:  # Frank: 1 - 4 / theta (1 - D(theta)) with the first Debye function
        debye = integrate.quad(lambda t: t / math.expm1(t) if t else 1.0, 0, copula.theta)[0] / copula.theta
        tau = 1 - 4 / copula.theta * (1 - debye)
    assert stats.kendalltau(x[:, 0], y[:, 0]).statistic == pytest.approx(tau, abs=0.02)


def test_crossing_mixture_by_quadrature() -> None:
    _, mixture, value, _, _ = MIXTURES[0]
    points, weights = panels(-9, 9, 40)
    x, y = (side.reshape(-1, 1) for side in np.meshgrid(points, points, indexing="ij"))
    rows = np.hstack([x, y])
    density = sum(
        w * stats.multivariate_normal(m, c).pdf(rows)
        for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    )
    mass = np.outer(weights, weights).ravel() * density
    assert mass.sum() == pytest.approx(1, abs=1e-9)
    assert mass @ mixture.ratio(x, y) == pytest.approx(value, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("case", MIXTURES[1:], ids=[m[0] for m in MIXTURES[1:]])
def test_mixtures_from_other_seeds(case) -> None:
    _, mixture, value, stderr, _ = case
    runs = np.array([mixture.information(100_000, np.random.default_rng([7, i])) for i in range(20)])
    spread = math.hypot(stderr, math.sqrt(np.mean(runs[:, 1] ** 2) / 20))
    assert abs(runs[:, 0].mean() - value) < 4 * spread
    assert stderr < 0.0004


def test_normals_by_hand() -> None:
    # a pair of blocks: their means correlate by 3 across / (1 + 2 within), and nothing else does
    assert stated("blocks-30d") == pytest.approx(-5 * math.log(1 - 0.45**2))
    assert stated("sparse-15d") == pytest.approx(-1.5 * math.log(1 - 0.49))
    # every joint step of an AR(1) series costs log(1 - phi^2) / 2; x and y alone are AR(1) of phi^2
    assert stated("ar1-10d") == pytest.approx((2 * 9 * math.log(1 - 0.6**4) - 19 * math.log(1 - 0.36)) / 2)


def test_rotated_uniforms_by_quadrature() -> None:
    """The margin is the sum of two uniforms of widths cos 30 and sin 30 degrees."""
    a, b = math.cos(math.pi / 6), 0.5

    def margin(v: float) -> float:
        return max(0.0, min(a / 2, v + b / 2) - max(-a / 2, v - b / 2)) / (a * b)

    inner = (a - b) / 2
    entropy = 2 * sum(
        integrate.quad(lambda v: float(special.entr(margin(v))), lower, upper)[0]
        for lower, upper in ((0, inner), (inner, (a + b) / 2))
    )
    assert stated("rotated-uniforms-2d") == pytest.approx(2 * 2 * entropy, abs=1e-7)

"""Tasks that calibrate intervals: stated information against finer quadratures, other seeds and forms by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import special

from mine import tasks
from mine.tasks.catalogue.shapes import CHANNELS, MIXTURES, SCALES, SHELLS, common_scale, radii
from mine.tasks.families.channel import panels
from mine.tasks.families.normal_mixture import NormalMixture


@pytest.mark.parametrize(("name", "dim", "build", "value"), [c[:4] for c in CHANNELS], ids=[c[0] for c in CHANNELS])
def test_channels_on_finer_grids(name: str, dim: int, build, value: float) -> None:
    channel = build(dim, 60)
    assert channel.information() == pytest.approx(value, abs=1e-5)
    assert np.exp(channel.log_marginal(channel.outputs[0])) @ channel.outputs[1] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("d", "k", "value"), SHELLS)
def test_shells_by_quadrature_over_the_radii(d: int, k: int, value: float) -> None:
    """Each density written out as a sum of normals; the radius of the mixture is never below 0."""
    points, weights = panels(-0.5, 1.5 + 0.8 * k, 60)
    each = np.exp(-(((points[:, None] - 1 - 0.8 * np.arange(k)) / 0.15) ** 2) / 2) / (0.15 * math.sqrt(2 * math.pi))
    joint, margin = each @ each.T / k, each.mean(1)
    mass = np.outer(weights, weights)
    found = float((mass * (special.xlogy(joint, joint) - special.xlogy(joint, np.outer(margin, margin)))).sum())
    assert found == pytest.approx(value, abs=1e-6)
    x, y = tasks.get_task(f"shapes-shells-{d}d").sample(2000, 0)
    assert min(np.linalg.norm(side, axis=1).min() for side in (x, y)) > 0.2
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.1  # direction says nothing


@pytest.mark.slow
@pytest.mark.parametrize("case", MIXTURES, ids=[m[0] for m in MIXTURES])
def test_clusters_from_other_seeds(case: tuple[str, NormalMixture, float, float, str]) -> None:
    _, mixture, value, stderr, _ = case
    runs = np.array([mixture.information(100_000, np.random.default_rng([7, i]))[0] for i in range(10)])
    assert abs(runs.mean() - value) < 4 * math.hypot(stderr, runs.std(ddof=1) / math.sqrt(10))


@pytest.mark.parametrize(("d", "value", "stderr"), SCALES)
def test_a_common_scale_from_other_seeds(d: int, value: float, stderr: float) -> None:
    sampler, ratio = common_scale(d)
    found = ratio(*sampler(20_000, np.random.default_rng(99)))
    assert abs(found.mean() - value) < 4 * math.hypot(stderr, found.std() / math.sqrt(len(found)))
    assert stderr < 0.001


def test_signs_and_edges_by_hand() -> None:
    assert tasks.get_task("shapes-sign-2-1d").mutual_information == pytest.approx(
        math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    )
    assert tasks.get_task("shapes-wrapped-2d").mutual_information == pytest.approx(2 * math.log(2.5))


@pytest.mark.parametrize("name", ["shapes-sign-4-1d", "shapes-wrapped-1d", "shapes-shells-3d"])
def test_a_shuffled_row_has_mean_ratio_one(name: str) -> None:
    """``E exp(log-ratio)`` over independent pairs is 1 where it is bounded."""
    task = tasks.get_task(name)
    x, y = task.sample(40_000, 5)
    ratio: Callable[[np.ndarray, np.ndarray], np.ndarray] = task.log_ratio
    weights = np.exp(ratio(x, np.roll(y, 1, axis=0)))
    assert weights.mean() == pytest.approx(1, abs=4 * weights.std() / 200)


def test_radii_are_equally_likely() -> None:
    assert radii(4).weights == pytest.approx([0.25] * 4)

"""Bounds read row by row, against sums over pairs; their error bars, against derivatives, the delta method and redraws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mine.critics import Critic
from mine.critics.builders import tower_critic
from mine.data.problem import clustered_stderr
from mine.estimators.crossfit import not_far_below_nothing
from mine.estimators.evaluation import (
    MIN_EFFECTIVE,
    REPORTED_BOUND,
    ReportedBound,
    RowReport,
    effective_pairs,
    report_rows,
    rows_of_bound,
    selection_rows,
)
from mine.result import Estimate
from mine.training.pairs import Pairs

KINDS: list[ReportedBound] = ["dv", "nwj", "infonce", "smile"]


def scores(m: int, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """Scores (m, m) of every x against every y."""
    return scale * np.random.default_rng(seed).normal(size=(m, m)) + 2 * np.eye(m)


def shifted(table: np.ndarray, shifts: list[int]) -> tuple[Tensor, Tensor]:
    """Joint and shuffled scores of a table: ``marginal[i, k] = table[i, (i + shifts[k]) % m]``."""
    m = len(table)
    rows = np.arange(m)
    marginal = np.stack([table[rows, (rows + s) % m] for s in shifts], 1)
    return torch.as_tensor(np.diag(table).copy()), torch.as_tensor(marginal)


def bound(kind: ReportedBound, joint: np.ndarray, marginal: np.ndarray) -> float:
    """The bounds as their papers print them, in linear space."""
    if kind == "dv":
        return joint.mean() - math.log(np.exp(marginal).mean())
    if kind == "nwj":
        return joint.mean() - np.exp(marginal - 1).mean()
    if kind == "smile":
        return joint.mean() - math.log(np.exp(marginal).clip(math.exp(-5), math.exp(5)).mean())
    among = np.concatenate([joint[:, None], marginal], 1)
    return float(np.mean(np.log(np.exp(joint) / np.exp(among).mean(1))))


# === The rows ===


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scale", "shifts"), [(1.0, [1, 2, 5]), (4.0, [3]), (1.0, list(range(1, 30)))])
def test_the_mean_of_the_rows_is_the_bound(kind: ReportedBound, scale: float, shifts: list[int]):
    joint, marginal = shifted(scores(30, scale=scale), shifts)
    report = rows_of_bound(kind, joint, marginal, shifts)
    assert report.bound == pytest.approx(bound(kind, joint.numpy(), marginal.numpy()), abs=1e-9)
    assert report.bound == pytest.approx(float(report.rows.mean()), abs=1e-12)
    assert report.rows.shape == report.influence.shape == (30,)
    assert report.shuffles == len(shifts)
    # a row's own entry: its joint score, less what the partition term takes from it
    if kind != "infonce":
        np.testing.assert_allclose(np.ptp((report.rows - joint).numpy()), 0, atol=1e-12)
    else:
        own = np.exp(joint.numpy()) / np.concatenate([np.exp(joint.numpy())[:, None], np.exp(marginal.numpy())], 1).mean(1)
        np.testing.assert_allclose(report.rows, np.log(own), atol=1e-9)


def test_nwj_continues_linearly_above_80():
    joint, marginal = torch.zeros(2).double(), torch.tensor([[81.5], [0.0]]).double()
    expected = -0.5 * (math.exp(79) * (1 + 1.5) + math.exp(-1))  # e^(t - 1) and its tangent at t = 80
    assert rows_of_bound("nwj", joint, marginal, [1]).bound == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_ten_thousand_stay_finite(kind: ReportedBound):
    joint, marginal = shifted(scores(20, scale=1e4).astype(np.float32), [1, 2, 3])
    report = rows_of_bound(kind, joint, marginal, [1, 2, 3])
    for field in (report.rows, report.influence):
        assert field.dtype == torch.float64 and bool(torch.isfinite(field).all())
    assert math.isfinite(report.shuffle_noise) and report.effective >= 1


def test_infonce_cannot_exceed_the_log_of_its_choices():
    table = np.full((40, 40), -1e3) + 2e3 * np.eye(40)
    for shifts in ([1], [1, 2, 3, 4, 5, 6, 7], list(range(1, 40))):
        joint, marginal = shifted(table, shifts)
        assert rows_of_bound("infonce", joint, marginal, shifts).bound == pytest.approx(math.log(len(shifts) + 1), abs=1e-9)


# === The influence of a row ===


@pytest.mark.parametrize("kind", KINDS)
def test_influence_is_the_derivative_by_the_weight_of_a_row(kind: ReportedBound):
    """With every pair of different rows in the partition term, weights p_i on rows make weights p_i p_j on pairs.

    The influence of row i is the derivative of the bound when p moves from uniform towards row i (Hampel's definition),
    here by central differences.
    """
    m = 12
    table = scores(m, seed=3, scale=1.5)
    off = ~np.eye(m, dtype=bool)

    def weighted(p: np.ndarray) -> float:
        joint, pair = np.diag(table), np.outer(p, p) * off
        if kind == "infonce":  # each row has a denominator of its own: the others by their weight, itself once in m
            share = p / p.sum() * m
            among = np.exp(joint) + (np.exp(table) * off * share[None, :]).sum(1)
            return float(p @ (joint - np.log(among / m)))
        clipped = table.clip(-5, 5) if kind == "smile" else table
        partition = (pair * np.exp(clipped)).sum() / pair.sum()
        return float(p @ joint - (partition / math.e if kind == "nwj" else math.log(partition)))

    uniform, step = np.full(m, 1 / m), 1e-5
    derivative = [
        (weighted(uniform + step * (np.eye(m)[i] - uniform)) - weighted(uniform - step * (np.eye(m)[i] - uniform))) / (2 * step)
        for i in range(m)
    ]
    shifts = list(range(1, m))
    influence = rows_of_bound(kind, *shifted(table, shifts), shifts).influence.numpy()
    np.testing.assert_allclose(influence - influence.mean(), np.array(derivative) - np.mean(derivative), atol=1e-7)


def test_influence_in_any_order_of_shifts():
    table, shifts = scores(15, seed=1), [7, 2, 11]
    once = rows_of_bound("dv", *shifted(table, shifts), shifts)
    joint, marginal = shifted(table, shifts[::-1])
    again = rows_of_bound("dv", joint, marginal, shifts[::-1])
    torch.testing.assert_close(once.influence, again.influence)


# === Standard errors on a small discrete problem, where everything is known ===

#: p(x, y) on three values each, and a critic that is not the optimal one.
P = np.array([[0.30, 0.05, 0.05], [0.02, 0.20, 0.08], [0.03, 0.05, 0.22]])
T = np.array([[1.2, -0.8, -0.5], [-1.0, 0.9, 0.3], [-0.6, -0.9, 1.1]])


class TableCritic(Critic):
    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return torch.as_tensor(T)[hx.squeeze(-1).long(), hy.squeeze(-1).long()]


def draw(n: int, rng: np.random.Generator) -> Pairs:
    cells = rng.choice(9, size=n, p=P.ravel())
    return Pairs(torch.as_tensor(cells // 3).unsqueeze(-1), torch.as_tensor(cells % 3).unsqueeze(-1))


def read(kind: ReportedBound, pairs: Pairs, seed: int = 0):
    index = torch.arange(len(pairs.x))
    return report_rows(kind, TableCritic(), pairs, index, generator=torch.Generator().manual_seed(seed))


def test_variance_of_donsker_varadhan_by_the_delta_method():
    """n Var = Var[T(x, y) - E_y' w(x, y') - E_x' w(x', y)], w = e^T / Z; each of the three means is a finite sum."""
    p_x, p_y = P.sum(1), P.sum(0)
    w = np.exp(T) / (p_x @ np.exp(T) @ p_y)
    influence = T - (w @ p_y)[:, None] - (p_x @ w)[None, :]
    mean = (P * influence).sum()
    variance = (P * (influence - mean) ** 2).sum()
    kurtosis = (P * (influence - mean) ** 4).sum() / variance**2

    n, shifts = 20_000, list(range(1, 201))
    pairs = draw(n, np.random.default_rng(0))
    joint = TableCritic()(pairs.x, pairs.y)
    marginal = torch.stack([TableCritic()(pairs.x, pairs.y.roll(-s, 0)) for s in shifts], -1)
    estimated = float(rows_of_bound("dv", joint, marginal, shifts).influence.var())
    # The relative standard error of a sample variance is sqrt((kurtosis - 1) / n). Means over K shuffles stand in for those
    # over all rows and all columns; their noise adds the two variances of w given x and given y, over K.
    slack = 4 * variance * math.sqrt((kurtosis - 1) / n)
    given_x, given_y = (w - (w @ p_y)[:, None]) ** 2, (w - (p_x @ w)[None, :]) ** 2
    added = float(p_x @ (given_x + given_y) @ p_y) / len(shifts)
    assert variance - slack < estimated < variance + added + slack
    # without the partition term's share the number would be another one
    naive = (P * (T - (P * T).sum()) ** 2).sum()
    assert abs(naive - variance) > added + slack


@pytest.mark.parametrize("kind", KINDS)
def test_standard_error_is_the_spread_over_redraws(kind: ReportedBound):
    rng = np.random.default_rng(1)
    n, draws = 200, 300
    reports = [read(kind, draw(n, rng), seed) for seed in range(draws)]
    spread = np.std([r.bound for r in reports], ddof=1)
    said = np.mean([math.hypot(clustered_stderr(r.influence.numpy(), None), r.shuffle_noise) for r in reports])
    # a standard deviation from 300 draws is known to 1 / sqrt(600) = 4.1 %; four of these
    assert said / spread == pytest.approx(1, abs=4 / math.sqrt(2 * draws))


def test_shuffle_noise_is_the_spread_over_shuffles():
    pairs = draw(400, np.random.default_rng(2))
    joint = TableCritic()(pairs.x, pairs.y)
    values, said = [], []
    for seed in range(400):
        shifts = np.random.default_rng(seed).permutation(np.arange(1, 400))[:2].tolist()
        marginal = torch.stack([TableCritic()(pairs.x, pairs.y.roll(-s, 0)) for s in shifts], -1)
        report = rows_of_bound("dv", joint, marginal, shifts)
        values.append(report.bound)
        said.append(report.shuffle_noise)
    # 400 draws: 3.5 %, four of them 14 %. With K = 2 the row effects are fitted and take half of the variance off each
    # residual: the number is the smaller, by up to 1 / sqrt(2), which only matters where K is that small.
    ratio = np.mean(said) / np.std(values, ddof=1)
    assert 0.86 / math.sqrt(2) < ratio < 1.14


def test_more_shuffles_are_drawn_until_their_noise_is_under_a_tenth_of_the_variance():
    class Steep(Critic):
        def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
            return (3 * hx * hy).squeeze(-1)

    rng = np.random.default_rng(0)
    x = torch.as_tensor(rng.normal(size=(1000, 1)))
    pairs, index = Pairs(x, x + 0.1), torch.arange(1000)

    def drawn(budget: int):
        return report_rows("dv", Steep(), pairs, index, generator=torch.Generator().manual_seed(0), budget=budget)

    small, large = drawn(2000), drawn(1 << 20)
    assert small.shuffles == 2
    assert large.shuffles == 999  # e^(3 x y') has no variance: no number of shuffles is enough, all there are were taken
    assert read("dv", draw(1000, rng)).shuffles < 100
    assert read("infonce", draw(300, rng)).shuffles == 299


class Product(Critic):
    """Log-ratios whose exponential has a variance, so that some number of shuffles is enough."""

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (0.33 * hx * hy).squeeze(-1)


def noise_and_sampling(light: bool) -> tuple[RowReport, float]:
    """A report on 3,000 rows, and the noise of its shuffles as a share of the sampling variance."""
    x = torch.randn(3000, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    pairs, index = Pairs(x, x + x.roll(1, 0)), torch.arange(3000)
    report = report_rows("dv", Product(), pairs, index, generator=torch.Generator().manual_seed(0), light=light)
    return report, report.shuffle_noise**2 / (float(report.influence.var()) / 3000)


def test_as_many_shuffles_are_taken_as_their_noise_asks_for():
    full, noise = noise_and_sampling(light=False)
    light, light_noise = noise_and_sampling(light=True)
    assert 0.03 < noise <= 0.1  # not far more than are needed
    assert light_noise <= 0.2
    assert light.shuffles < full.shuffles
    assert light.bound == pytest.approx(full.bound, abs=3 * math.hypot(full.shuffle_noise, light.shuffle_noise))


# === Groups ===


class Outer(Critic):
    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (0.7 * hx * hy).squeeze(-1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_within_and_among_groups_does_not_matter(kind: ReportedBound):
    """Rows listed group by group, and the same rows interleaved: every row keeps its entry and its influence."""
    rng = np.random.default_rng(0)
    n = 60
    labels = np.repeat(np.arange(20), 3)
    x = rng.normal(size=(n, 1))
    y = x + rng.normal(size=(n, 1))
    order = rng.permutation(n)
    # the sort by group is stable: put each group's rows in the order the interleaved list has them
    blocked = np.concatenate([order[labels[order] == g] for g in range(20)])

    def reported(rows: np.ndarray) -> tuple[float, dict[int, float], dict[int, float]]:
        pairs = Pairs(torch.as_tensor(x[rows]), torch.as_tensor(y[rows]), torch.as_tensor(labels[rows]))
        report = report_rows(kind, Outer(), pairs, torch.arange(n), generator=torch.Generator().manual_seed(0))
        entries, influence = (dict(zip(rows.tolist(), t.tolist(), strict=True)) for t in (report.rows, report.influence))
        return report.bound, entries, influence

    for first, second in zip(reported(blocked), reported(order), strict=True):
        assert first == pytest.approx(second, abs=1e-12)


# === Which step, and how much a partition term rests on ===


def test_effective_pairs_by_hand():
    assert effective_pairs(torch.zeros(3, 4, 5), (-2, -1)).tolist() == pytest.approx([20.0] * 3)
    assert effective_pairs(torch.tensor([[0.0, -800.0], [-800.0, -800.0]]), (-2, -1)).item() == pytest.approx(1.0)
    # weights 1, 2, 3: (1 + 2 + 3)^2 / (1 + 4 + 9)
    assert effective_pairs(torch.log(torch.tensor([1.0, 2.0, 3.0])) + 1e4, -1).item() == pytest.approx(36 / 14, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_picked_by_the_reported_bound_where_its_partition_term_is_sound(kind: ReportedBound):
    joint, marginal = shifted(scores(40, scale=0.5), list(range(1, 20)))
    assert effective_pairs(marginal, (-2, -1)) > MIN_EFFECTIVE
    rows = selection_rows(kind, joint, marginal)
    assert float(rows.mean()) == pytest.approx(bound(kind, joint.numpy(), marginal.numpy()), abs=1e-9)


@pytest.mark.parametrize(("kind", "other"), [("dv", "infonce"), ("nwj", "infonce"), ("infonce", "infonce"), ("smile", "smile")])
def test_a_step_is_picked_by_infonce_where_a_handful_of_pairs_carry_the_partition_term(
    kind: ReportedBound, other: ReportedBound
):
    joint, marginal = shifted(scores(40, scale=0.5), list(range(1, 20)))
    marginal[3, 4] = marginal[17, 2] = 30.0
    rows = selection_rows(kind, joint, marginal)
    assert float(rows.mean()) == pytest.approx(bound(other, joint.numpy(), marginal.numpy()), abs=1e-9)


def test_critics_of_a_stack_are_judged_one_by_one():
    sound, broken = (shifted(scores(40, seed=s, scale=0.5), list(range(1, 20))) for s in (0, 1))
    broken[1][3, 4] = 30.0
    rows = selection_rows("dv", torch.stack([sound[0], broken[0]]), torch.stack([sound[1], broken[1]]))
    assert float(rows[0].mean()) == pytest.approx(bound("dv", *(t.numpy() for t in sound)), abs=1e-9)
    assert float(rows[1].mean()) == pytest.approx(bound("infonce", *(t.numpy() for t in broken)), abs=1e-9)


def test_jensen_shannon_is_reported_by_donsker_varadhan():
    assert REPORTED_BOUND["jensen-shannon"] == REPORTED_BOUND["mine"] == "dv"


@pytest.mark.parametrize(("value", "interval"), [(-3.5, (-4.8, 1.6)), (-0.4, (-0.6, -0.2))])
def test_a_bound_far_below_nothing_is_no_estimate(value: float, interval: tuple[float, float]) -> None:
    """Critics gone astray on rows that they had not seen: what is known is that information is no less than 0."""
    astray = Estimate(value, value - 0.5, 0.3, interval, "auto", 500, diagnostics={"warnings": ["first"]})
    found = not_far_below_nothing(astray)
    assert found.value == 0 and found.interval == (0, max(interval[1], -interval[0])) and found.lower_bound == value - 0.5
    assert f"{value:.2f} nats" in found.warnings[0] and found.warnings[1:] == ["first"]


def test_a_bound_a_little_below_nothing_is_not_clipped() -> None:
    near = Estimate(-0.03, -0.05, 0.02, (-0.07, 0.09), "auto", 500)
    assert not_far_below_nothing(near) is near


@pytest.mark.parametrize("groups", [None, torch.arange(60) // 3])
def test_a_critic_of_two_towers_encodes_each_row_once_and_reports_the_same(groups):
    generator = torch.Generator().manual_seed(0)
    critic = tower_critic("conv", (1, 6, 6), (1, 6, 6), generator=generator).eval()
    with torch.no_grad():
        for p in critic.parameters():
            p.mul_(2.0)
    x = torch.randn(60, 1, 6, 6, generator=generator)
    pairs = Pairs(x, x + 0.1 * torch.randn(60, 1, 6, 6, generator=generator), groups)
    seen: list[int] = []
    hook = critic.tower_x.register_forward_hook(lambda module, rows, out: seen.append(len(rows[0])))
    index = torch.randperm(60, generator=generator)[:45]
    found = report_rows("dv", critic, pairs, index, generator=torch.Generator().manual_seed(1))
    hook.remove()
    assert seen == [45, 45]  # one tower for both sides
    with torch.no_grad():
        matrix = critic.all_pairs(critic.encode_x(pairs.x[index]), critic.encode_y(pairs.y[index])).double()
    joint = matrix.diagonal()
    assert torch.allclose(found.rows - found.rows.mean(), joint - joint.mean(), atol=1e-5)
    labels = torch.arange(45) if groups is None else groups[index]
    apart = matrix[labels[:, None] != labels]
    assert abs(found.bound - (joint.mean() - torch.logsumexp(apart, 0) + math.log(len(apart)))) < 4 * found.shuffle_noise + 1e-4

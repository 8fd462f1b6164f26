"""Bounds against closed forms, hand-computed values and hand-derived gradients, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from mine import bounds
from mine.bounds import BOUNDS, Bound, get_bound
from mine.errors import UnknownNameError

ALL = pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS.keys())
LOG2, LOG3 = math.log(2), math.log(3)


def f64(values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def random_scores(seed: int, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def gradients(bound: Bound, joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Gradients of the summed loss with respect to the joint and the marginal scores."""
    joint, marginal = joint.detach().clone().requires_grad_(), marginal.detach().clone().requires_grad_()
    bound(joint, marginal, state).loss.sum().backward()
    assert joint.grad is not None and marginal.grad is not None
    return joint.grad, marginal.grad


# === log_mean_exp ===


def test_log_mean_exp_is_the_log_of_a_mean_over_the_given_dimensions():
    scores = f64([[[0.0, LOG3], [LOG2, LOG2]], [[0.0, 0.0], [math.log(6), 0.0]]])
    torch.testing.assert_close(bounds.log_mean_exp(scores, -1), f64([[LOG2, LOG2], [0.0, math.log(3.5)]]))
    torch.testing.assert_close(bounds.log_mean_exp(scores, (-2, -1)), f64([LOG2, math.log(9 / 4)]))


def test_log_mean_exp_keeps_scores_whose_exponential_overflows():
    assert bounds.log_mean_exp(torch.tensor([1e4, 1e4 - LOG3]), -1).item() == pytest.approx(1e4 + math.log(2 / 3))


# === Donsker-Varadhan ===


def test_dv_by_hand():
    # mean joint 2; mean exp over the four marginal scores (1 + 3 + 2 + 6) / 4 = 3
    result = bounds.donsker_varadhan(f64([1.0, 3.0]), f64([[0.0, LOG3], [LOG2, math.log(6)]]))
    assert result.value.item() == pytest.approx(2 - LOG3, abs=1e-14)
    assert result.loss.item() == pytest.approx(LOG3 - 2, abs=1e-14)
    assert result.state is None


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.8])
def test_dv_of_the_true_log_ratio_tends_to_the_mutual_information(rho: float):
    rng = np.random.default_rng(1)
    n = 200_000
    x, noise, y_other = rng.normal(size=(3, n))
    y = rho * x + math.sqrt(1 - rho**2) * noise

    def log_ratio(x: np.ndarray, y: np.ndarray) -> Tensor:  # of two standard normals, written out
        quadratic = (rho**2 * (x**2 + y**2) - 2 * rho * x * y) / (2 * (1 - rho**2))
        return torch.as_tensor(-0.5 * np.log(1 - rho**2) - quadratic)

    value = bounds.donsker_varadhan(log_ratio(x, y), log_ratio(x, y_other).unsqueeze(-1)).value.item()
    assert value == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.015)


def test_dv_gradient_is_uniform_on_joint_and_softmax_on_marginal_scores():
    joint, marginal = random_scores(0, 5), random_scores(1, 5, 3)
    on_joint, on_marginal = gradients(bounds.donsker_varadhan, joint, marginal)
    weights = np.exp(marginal.numpy()) / np.exp(marginal.numpy()).sum()
    np.testing.assert_allclose(on_joint.numpy(), -1 / 5, rtol=1e-12)
    np.testing.assert_allclose(on_marginal.numpy(), weights, rtol=1e-12)


def test_dv_does_not_change_when_a_constant_is_added_to_the_critic():
    joint, marginal = random_scores(0, 6), random_scores(1, 6, 2)
    before = bounds.donsker_varadhan(joint, marginal).value
    torch.testing.assert_close(bounds.donsker_varadhan(joint + 7.5, marginal + 7.5).value, before)


# === MINE ===


@pytest.mark.parametrize("alpha", [0.01, 0.3, 1.0])
def test_mine_gradient_divides_by_the_moving_average_over_many_steps(alpha: float):
    state: Tensor | None = None
    average = None  # in plain linear space, as eq. 12 of the paper has it
    for step in range(6):
        joint, marginal = random_scores(10 + step, 4), random_scores(20 + step, 4, 2)
        batch = float(np.exp(marginal.numpy()).mean())
        average = batch if average is None else (1 - alpha) * average + alpha * batch

        on_joint, on_marginal = gradients(
            lambda j, m, s: bounds.mine(j, m, s, alpha=alpha), joint, marginal, None if state is None else state.clone()
        )
        np.testing.assert_allclose(on_joint.numpy(), -1 / 4, rtol=1e-12)
        np.testing.assert_allclose(on_marginal.numpy(), np.exp(marginal.numpy()) / 8 / average, rtol=1e-11)

        result = bounds.mine(joint, marginal, state, alpha=alpha)
        state = result.state
        assert state is not None
        assert state.item() == pytest.approx(math.log(average), rel=1e-12)


def test_mine_value_and_loss_are_plain_donsker_varadhan_whatever_the_average():
    joint, marginal = random_scores(0, 4), random_scores(1, 4, 2)
    expected = joint.numpy().mean() - np.log(np.exp(marginal.numpy()).mean())
    result = bounds.mine(joint, marginal, f64(5.0))
    assert result.value.item() == pytest.approx(expected, rel=1e-12)
    assert result.loss.item() == pytest.approx(-expected, rel=1e-12)


def test_mine_average_of_scores_of_ten_thousand_stays_exact():
    first, second = torch.full((3, 2), 1e4, dtype=torch.float64), torch.full((3, 2), 1e4 - 1, dtype=torch.float64)
    joint = torch.zeros(3, dtype=torch.float64)
    state = bounds.mine(joint, first, alpha=0.1).state
    state = bounds.mine(joint, second, state, alpha=0.1).state
    assert state is not None
    assert state.item() == pytest.approx(1e4 + math.log(0.9 + 0.1 * math.exp(-1)), abs=1e-9)
    # ... in both directions: an average that was tiny does not divide the next batch to infinity
    _, on_marginal = gradients(lambda j, m, s: bounds.mine(j, m, s, alpha=0.1), joint, first, f64(-1e4))
    np.testing.assert_allclose(on_marginal.numpy(), 1 / 0.1 / 6, rtol=1e-9)


# === NWJ ===


def test_nwj_by_hand():
    # mean joint 2; mean exp(T - 1) = (1 + 3) / 2
    result = bounds.nwj(f64([1.0, 3.0]), f64([[1.0], [1 + LOG3]]))
    assert result.value.item() == pytest.approx(0.0, abs=1e-14)
    assert result.loss.item() == pytest.approx(0.0, abs=1e-14)


def test_nwj_gradient_is_the_exponential():
    joint, marginal = random_scores(0, 4), random_scores(1, 4, 3, scale=3.0)
    on_joint, on_marginal = gradients(bounds.nwj, joint, marginal)
    np.testing.assert_allclose(on_joint.numpy(), -1 / 4, rtol=1e-12)
    np.testing.assert_allclose(on_marginal.numpy(), np.exp(marginal.numpy() - 1) / 12, rtol=1e-11)


def nwj_partition(score: float) -> tuple[float, float]:
    """Value and slope of the partition term of one marginal score."""
    marginal = f64([[score]]).requires_grad_()
    value = -bounds.nwj(f64([0.0]), marginal).value
    (slope,) = torch.autograd.grad(value, marginal)
    return value.item(), slope.item()


@pytest.mark.parametrize("score", [-300.0, -5.0, 0.0, 1.0, 40.0, 79.0, 80.0])
def test_nwj_is_exact_up_to_80(score: float):
    value, slope = nwj_partition(score)
    assert value == pytest.approx(math.exp(score - 1), rel=1e-12)
    assert slope == pytest.approx(math.exp(score - 1), rel=1e-12)


@pytest.mark.parametrize("score", [80.0 + 1e-9, 80.5, 81.0, 200.0, 1e4])
def test_nwj_is_linear_above_80_with_the_value_and_slope_it_had_there(score: float):
    value, slope = nwj_partition(score)
    assert value == pytest.approx(math.exp(79) * (1 + score - 80), rel=1e-12)
    assert slope == pytest.approx(math.exp(79), rel=1e-12)


def test_nwj_counts_scores_above_80_over_the_calls():
    joint, marginal = torch.zeros(2), torch.tensor([[80.0, 80.5], [90.0, 1e4]])
    state = bounds.nwj(joint, marginal).state
    assert state is not None and state.item() == 3
    state = bounds.nwj(joint, torch.tensor([[81.0, 0.0], [0.0, 0.0]]), state).state
    assert state is not None and state.item() == 4


# === Jensen-Shannon ===


def test_jensen_shannon_by_hand():
    # softplus(-log 3) = log(4/3), softplus(log 2) = log 3
    value = bounds.jensen_shannon(f64([LOG3, LOG3]), f64([[LOG2], [LOG2]])).value
    assert value.item() == pytest.approx(math.log(4) - math.log(4 / 3) - LOG3, abs=1e-14)


def test_jensen_shannon_gradient_is_the_logistic_one():
    joint, marginal = random_scores(0, 4), random_scores(1, 4, 2)
    on_joint, on_marginal = gradients(bounds.jensen_shannon, joint, marginal)
    np.testing.assert_allclose(on_joint.numpy(), -1 / (1 + np.exp(joint.numpy())) / 4, rtol=1e-12)
    np.testing.assert_allclose(on_marginal.numpy(), 1 / (1 + np.exp(-marginal.numpy())) / 8, rtol=1e-12)


# === InfoNCE ===


def test_infonce_by_hand():
    # row 1: log 4 - log mean(4, 1, 1) = log 2; row 2: log 1 - log mean(1, 3, 5) = -log 3
    value = bounds.infonce(f64([math.log(4), 0.0]), f64([[0.0, 0.0], [LOG3, math.log(5)]])).value
    assert value.item() == pytest.approx((LOG2 - LOG3) / 2, abs=1e-14)


def test_infonce_gradient_is_softmax_minus_one_hot():
    joint, marginal = random_scores(0, 3), random_scores(1, 3, 2)
    on_joint, on_marginal = gradients(bounds.infonce, joint, marginal)
    exp = np.exp(np.concatenate([joint.numpy()[:, None], marginal.numpy()], 1))
    softmax = exp / exp.sum(1, keepdims=True)
    np.testing.assert_allclose(on_joint.numpy(), (softmax[:, 0] - 1) / 3, rtol=1e-11)
    np.testing.assert_allclose(on_marginal.numpy(), softmax[:, 1:] / 3, rtol=1e-11)


@given(
    hnp.arrays(np.float64, (4,), elements=st.floats(-50, 50)),
    hnp.arrays(np.float64, (4, 3), elements=st.floats(-50, 50)),
)
def test_infonce_cannot_exceed_the_log_of_the_candidates(joint: np.ndarray, marginal: np.ndarray):
    assert bounds.infonce(torch.as_tensor(joint), torch.as_tensor(marginal)).value.item() <= math.log(4) + 1e-12


# === SMILE ===


def test_smile_clips_by_hand():
    # clipped to [-1, 1]: exp gives 1/e, 1, e, e
    value = bounds.smile(f64([2.0, 4.0]), f64([[-9.0, 0.0], [1.0, 9.0]]), tau=1.0).value
    assert value.item() == pytest.approx(3 - math.log((math.exp(-1) + 1 + 2 * math.e) / 4), abs=1e-14)


def test_smile_without_clip_has_the_donsker_varadhan_value():
    joint, marginal = random_scores(0, 5, scale=9.0), random_scores(1, 5, 3, scale=9.0)
    expected = joint.numpy().mean() - np.log(np.exp(marginal.numpy()).mean())
    result = bounds.smile(joint, marginal, tau=math.inf)
    assert result.value.item() == pytest.approx(expected, rel=1e-12)
    assert result.loss.item() == pytest.approx(-expected, rel=1e-12)


def test_smile_trains_by_the_logistic_gradient():
    joint, marginal = random_scores(0, 4, scale=9.0), random_scores(1, 4, 2, scale=9.0)
    on_joint, on_marginal = gradients(bounds.smile, joint, marginal)
    np.testing.assert_allclose(on_joint.numpy(), -1 / (1 + np.exp(joint.numpy())) / 4, rtol=1e-11)
    np.testing.assert_allclose(on_marginal.numpy(), 1 / (1 + np.exp(-marginal.numpy())) / 8, rtol=1e-11)


# === What they bound: a distribution on 3 x 3 cells, expectations exact by repeating scores in proportion ===

#: Joint probabilities in 24ths; no row, column or cell is special.
COUNTS = np.array([[6, 1, 1], [1, 5, 2], [2, 1, 5]])
N = int(COUNTS.sum())
JOINT_P = COUNTS / N
PRODUCT_P = JOINT_P.sum(1, keepdims=True) * JOINT_P.sum(0, keepdims=True)
TRUE_MI = float((JOINT_P * np.log(JOINT_P / PRODUCT_P)).sum())
LOG_RATIO = np.log(JOINT_P / PRODUCT_P)
CELLS = np.array([(i, j) for i in range(3) for j in range(3) for _ in range(COUNTS[i, j])])


def population_scores(critic: np.ndarray) -> tuple[Tensor, Tensor]:
    """Joint scores (24,) and marginal scores (24, 24) whose plain means are expectations under p(x, y) and p(x) p(y)."""
    x, y = CELLS.T
    return torch.as_tensor(critic[x, y]), torch.as_tensor(critic[x[:, None], y[None, :]])


def population_infonce_scores(critic: np.ndarray) -> tuple[Tensor, Tensor]:
    """Every (x, y) with every pair of independent negatives: 24^3 rows, two negatives each."""
    joint, all_pairs = population_scores(critic)
    first, second = np.indices((N, N)).reshape(2, -1)
    marginal = torch.stack([all_pairs[:, first], all_pairs[:, second]], -1).reshape(-1, 2)
    return joint.repeat_interleave(N * N), marginal


critic_tables = hnp.arrays(np.float64, (3, 3), elements=st.floats(-20, 20))


@given(critic_tables)
def test_no_critic_takes_a_valid_bound_above_the_mutual_information(critic: np.ndarray):
    joint, marginal = population_scores(critic)
    for bound in (bounds.donsker_varadhan, bounds.mine, bounds.nwj):
        assert bound(joint, marginal).value.item() <= TRUE_MI + 1e-9
    assert bounds.infonce(*population_infonce_scores(critic)).value.item() <= TRUE_MI + 1e-9


def test_the_best_critic_reaches_the_mutual_information():
    joint, marginal = population_scores(LOG_RATIO)
    assert bounds.donsker_varadhan(joint, marginal).value.item() == pytest.approx(TRUE_MI, rel=1e-12)
    assert bounds.mine(joint + 3, marginal + 3).value.item() == pytest.approx(TRUE_MI, rel=1e-12)
    assert bounds.nwj(joint + 1, marginal + 1).value.item() == pytest.approx(TRUE_MI, rel=1e-12)


@given(critic_tables)
def test_jensen_shannon_is_below_twice_the_divergence_and_reaches_it_at_the_log_ratio(critic: np.ndarray):
    middle = (JOINT_P + PRODUCT_P) / 2
    twice_jsd = float((JOINT_P * np.log(JOINT_P / middle) + PRODUCT_P * np.log(PRODUCT_P / middle)).sum())
    assert bounds.jensen_shannon(*population_scores(LOG_RATIO)).value.item() == pytest.approx(twice_jsd, rel=1e-9)
    assert bounds.jensen_shannon(*population_scores(critic)).value.item() <= twice_jsd + 1e-9


def test_smile_is_no_bound():
    joint, marginal = population_scores(20 * np.eye(3))
    assert bounds.smile(joint, marginal).value.item() > TRUE_MI


# === What all of them share ===


@ALL
@given(
    hnp.arrays(np.float32, (3,), elements=st.floats(-1e4, 1e4, width=32)),
    hnp.arrays(np.float32, (3, 2), elements=st.floats(-1e4, 1e4, width=32)),
)
def test_finite_in_float32_for_scores_up_to_ten_thousand(bound: Bound, joint: np.ndarray, marginal: np.ndarray):
    states: list[Tensor | None] = [None]
    if bound is bounds.mine:
        states += [torch.tensor(-1e4), torch.tensor(1e4)]
    for state in states:
        result = bound(torch.tensor(joint), torch.tensor(marginal), state)
        assert result.value.isfinite() and result.loss.isfinite()
        assert result.state is None or result.state.isfinite()
        for gradient in gradients(bound, torch.tensor(joint), torch.tensor(marginal), state):
            assert gradient.isfinite().all()


@ALL
def test_half_precision_scores_are_computed_in_float32(bound: Bound):
    for dtype in (torch.bfloat16, torch.float16):
        joint, marginal = random_scores(0, 64).to(dtype), random_scores(1, 64, 64).to(dtype)
        result = bound(joint, marginal)
        assert result.value.dtype == result.loss.dtype == torch.float32
        # as the same numbers in float64 give it, to float32 rounding: a half-precision sum would be off by per cents
        expected = bound(joint.double(), marginal.double())
        assert result.value.item() == pytest.approx(expected.value.item(), abs=1e-5)
        assert all(g.dtype == dtype and g.isfinite().all() for g in gradients(bound, joint, marginal))


@ALL
def test_leading_dimensions_are_independent_critics(bound: Bound):
    joint, marginal = random_scores(0, 3, 5, scale=2.0), random_scores(1, 3, 5, 4, scale=2.0)
    state = f64([0.5, 1.0, 2.0]) if bound in (bounds.mine, bounds.nwj) else None
    stacked = bound(joint, marginal, state)
    on_joint, on_marginal = gradients(bound, joint, marginal, state)
    for k in range(3):
        one_state = None if state is None else state[k]
        alone = bound(joint[k], marginal[k], one_state)
        torch.testing.assert_close(stacked.loss[k], alone.loss)
        torch.testing.assert_close(stacked.value[k], alone.value)
        if stacked.state is not None and alone.state is not None:
            torch.testing.assert_close(stacked.state[k], alone.state)
        one_joint, one_marginal = gradients(bound, joint[k], marginal[k], one_state)
        torch.testing.assert_close(on_joint[k], one_joint)
        torch.testing.assert_close(on_marginal[k], one_marginal)
    nested = bound(joint.reshape(3, 1, 5), marginal.reshape(3, 1, 5, 4), None if state is None else state.reshape(3, 1))
    torch.testing.assert_close(nested.value, stacked.value.reshape(3, 1))


@ALL
def test_state_carries_no_gradient_from_batch_to_batch(bound: Bound):
    joint, marginal = random_scores(0, 4).requires_grad_(), random_scores(1, 4, 2).requires_grad_()
    result = bound(joint, marginal, None)
    assert result.state is None or not result.state.requires_grad
    assert result.loss.requires_grad


@ALL
def test_numbers_do_not_depend_on_the_order_of_the_rows(bound: Bound):
    joint, marginal = random_scores(0, 6), random_scores(1, 6, 3)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(bound(joint[order], marginal[order][:, [2, 0, 1]]).value, bound(joint, marginal).value)


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("dv", bounds.donsker_varadhan),
        ("donsker-varadhan", bounds.donsker_varadhan),
        ("mine_biased", bounds.donsker_varadhan),
        ("mine", bounds.mine),
        ("nwj", bounds.nwj),
        ("fdiv", bounds.nwj),
        ("mine-f", bounds.nwj),
        ("jensen-shannon", bounds.jensen_shannon),
        ("js", bounds.jensen_shannon),
        ("infonce", bounds.infonce),
        ("smile", bounds.smile),
    ],
)
def test_names(name: str, bound: Callable[..., object]):
    assert get_bound(name) is bound


def test_a_function_is_its_own_bound():
    assert get_bound(bounds.smile) is bounds.smile


def test_unknown_names_list_the_valid_ones_and_the_closest():
    with pytest.raises(UnknownNameError, match=r"Unknown bound 'infonc': did you mean 'infonce'\? Valid: dv, mine"):
        get_bound("infonc")

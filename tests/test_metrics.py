"""The torchmetrics metric: the estimate of all rows of an epoch, whatever the batches."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torchmetrics import MetricCollection

import mine
from mine.errors import InputError, UnknownNameError
from mine.metrics import MutualInformationMetric


def rows(n: int = 600) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 2, generator=generator)
    return x, x[:, :1] + torch.randn(n, 1, generator=generator)


def fed(metric: MutualInformationMetric, x: torch.Tensor, y: torch.Tensor, size: int) -> MutualInformationMetric:
    for a, b in zip(x.split(size), y.split(size), strict=True):
        metric.update(a, b)
    return metric


def test_it_is_the_estimate_of_all_rows_whatever_the_batches():
    x, y = rows()
    expected = mine.estimate(x, y, method="gaussian", random_state=0)
    for size in (600, 64, 7):
        metric = fed(MutualInformationMetric(method="gaussian"), x, y, size)
        assert metric.compute().item() == pytest.approx(expected.value, rel=1e-6)
        assert metric.estimate is not None
        assert metric.estimate.interval == expected.interval
    bits = fed(MutualInformationMetric(method="gaussian", unit="bits"), x, y, 64).compute().item()
    assert bits == pytest.approx(expected.value / math.log(2), rel=1e-6)


def test_an_epoch_ends_with_reset_and_keeps_the_first_rows():
    x, y = rows()
    metric = fed(MutualInformationMetric(method="gaussian", max_rows=100), x, y, 64)
    expected = mine.estimate(x[:100], y[:100], method="gaussian", random_state=0).value
    assert metric.compute().item() == pytest.approx(expected, rel=1e-6)
    metric.reset()
    with (
        pytest.raises(InputError, match="no rows"),
        pytest.warns(UserWarning, match="before the ``update``"),
    ):  # torchmetrics' own
        metric.compute()
    assert fed(metric, x, y, 600).compute().item() == pytest.approx(expected, rel=1e-6)


def test_it_leaves_the_model_alone(seeded_torch: None):
    layer = torch.nn.Linear(2, 1)
    x, y = rows()
    metric = MutualInformationMetric(method="ksg")
    metric.update(layer(x), y)
    assert not metric.x[0].requires_grad
    with torch.no_grad():
        value = metric.compute()
    assert value.dtype == torch.float32
    assert value.shape == ()
    assert layer.weight.grad is None


def test_the_rows_of_several_processes_are_one_sample():
    x, y = rows()
    one, other = MutualInformationMetric(method="gaussian"), MutualInformationMetric(method="gaussian")
    one.update(x[:300], y[:300])
    other.update(x[300:], y[300:])
    gathered = copy.deepcopy(one)
    for name in ("x", "y"):  # as torchmetrics does after gathering: its reduction is a concatenation
        setattr(gathered, name, torch.cat([getattr(one, name)[0], getattr(other, name)[0]]))
    gathered._computed = None
    assert gathered.compute().item() == pytest.approx(mine.estimate(x, y, method="gaussian", random_state=0).value, rel=1e-6)
    assert one._reductions["x"].__name__ == "dim_zero_cat"


def test_in_a_collection_beside_another():
    x, y = rows()
    both = MetricCollection({"mi": MutualInformationMetric(method="gaussian"), "ksg": MutualInformationMetric(method="ksg")})
    both.update(x, y)
    found = both.compute()
    assert set(found) == {"mi", "ksg"}
    assert abs(found["mi"] - found["ksg"]) < 0.15


def test_wrong_use_is_refused():
    with pytest.raises(UnknownNameError, match="unit"):
        MutualInformationMetric(unit="bans")
    with pytest.raises(InputError, match="max_rows"):
        MutualInformationMetric(max_rows=3)
    with pytest.raises(InputError, match="same rows"):
        MutualInformationMetric().update(torch.zeros(3, 1), torch.zeros(4, 1))

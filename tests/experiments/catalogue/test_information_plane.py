"""The information plane: exact values against closed forms, bins by hand, critics against exact values, runs that go on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import integrate

from mine.experiments import get_experiment, reproduce
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.plane.critics import CriticTraining, estimate_plane
from mine.experiments.plane.exact import binned, kernel_bound, noisy_information
from mine.experiments.plane.network import log_grid, train_and_watch


def silent(done: int, total: int, message: str) -> None:
    pass


def two_points(sigma: float) -> float:
    """I(X; T) in nats of a fair bit at -1 or 1 with normal noise, by an integral."""

    def normal(t: float, m: float) -> float:
        return math.exp(-0.5 * ((t - m) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))

    def term(t: float) -> float:
        return normal(t, 1) * math.log(2 * normal(t, 1) / (normal(t, 1) + normal(t, -1)))

    return integrate.quad(term, 1 - 8 * sigma, 1 + 8 * sigma)[0]


@pytest.mark.parametrize("sigma", [0.5, 1.0])
def test_the_exact_value_of_a_bit_with_noise(sigma: float) -> None:
    y = torch.arange(4_000) % 2
    h = 2.0 * y[:, None] - 1
    with_x, with_y = noisy_information(h, y, sigma, torch.Generator().manual_seed(0))
    assert with_x == pytest.approx(two_points(sigma), abs=0.03)
    assert with_y == pytest.approx(two_points(sigma), abs=0.03)


def test_the_exact_value_where_nothing_overlaps_and_where_all_does() -> None:
    h = 100.0 * torch.arange(64)[:, None]
    y = torch.arange(64) // 16 % 2
    with_x, with_y = noisy_information(h, y, 1.0, torch.Generator().manual_seed(0))
    assert (with_x, with_y) == (pytest.approx(math.log(64), abs=1e-3), pytest.approx(math.log(2), abs=1e-3))
    assert kernel_bound(h, y, 1.0) == (pytest.approx(math.log(64), abs=1e-4), pytest.approx(math.log(2), abs=1e-4))
    with_x, with_y = noisy_information(torch.zeros(64, 3), y, 1.0, torch.Generator().manual_seed(0))
    assert (with_x, with_y) == (pytest.approx(0, abs=1e-5), pytest.approx(0, abs=1e-5))


def test_kernels_bound_the_exact_value_from_above() -> None:
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(1_000, 3, generator=generator)
    y = torch.arange(1_000) % 2
    exact, _ = noisy_information(h, y, 0.5, generator)
    # |h_i - h_j|^2 of two fixed rows at distance d: -log((1 + exp(-d^2 / 2 s^2)) / 2)
    assert kernel_bound(torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1]), 0.5)[0] == pytest.approx(
        -math.log((1 + math.exp(-2)) / 2), abs=1e-6
    )
    assert exact < kernel_bound(h, y, 0.5)[0] < math.log(1_000)


def test_bins_by_hand() -> None:
    h = torch.tensor([[0.1, 0.9], [0.2, 0.8], [0.9, 0.8], [0.9, 0.1]])
    y = torch.tensor([0, 0, 0, 1])
    # two bins a unit: cells (0, 1) twice, (1, 1), (1, 0)
    assert binned(h, y, torch.tensor([0.5])) == (
        pytest.approx(1.5 * math.log(2)),
        pytest.approx(-0.75 * math.log(0.75) + 0.25 * math.log(4)),
    )
    # with edges of its own the first unit is in one bin: cells 1 three times, 0 once
    assert binned(h, y, torch.tensor([[2.0], [0.5]]))[0] == pytest.approx(-0.75 * math.log(0.75) + 0.25 * math.log(4))


def test_stacked_critics_find_the_exact_values(tmp_path: Path) -> None:
    bits = torch.tensor([[i >> k & 1 for k in range(4)] for i in range(16)], dtype=torch.float32)
    y = bits[:, 0].long()
    layers = [2 * bits[:, :1] - 1, 2 * bits[:, :2] - 1, torch.zeros(16, 1)]
    training = CriticTraining(steps=250, batch_size=128, hidden=(32,), embed=8, learning_rate=1e-2, reported=8_192)
    found = estimate_plane(bits, y, layers, [0.5, 1.0, 0.5], training, 0, Checkpoint(tmp_path / "critics.pt"), silent)
    expected = [(two_points(0.5), two_points(0.5)), (2 * two_points(1.0), two_points(1.0)), (0.0, 0.0)]
    for pair, wanted in zip(found, expected, strict=True):
        assert pair == pytest.approx(wanted, abs=0.05)


def test_critics_and_network_go_on_to_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    bits = torch.tensor([[i >> k & 1 for k in range(4)] for i in range(16)], dtype=torch.float32)
    y = bits[:, 0].long()
    training = CriticTraining(steps=20, batch_size=16, hidden=(8,), embed=4, reported=64)

    def critics(name: str, progress) -> list[tuple[float, float]]:
        return estimate_plane(bits, y, [bits], [0.5], training, 0, Checkpoint(tmp_path / name), progress)

    def network(name: str, progress):
        (tmp_path / name).mkdir(exist_ok=True)
        return train_and_watch(
            bits, y, (5, 3), "relu", [0, 1, 4, 9], batch_size=4, learning_rate=1e-2, seed=0, folder=tmp_path / name, progress=progress
        )  # fmt: skip

    def stop(at: int):
        def progress(done: int, total: int, message: str) -> None:
            if done == at:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(KeyboardInterrupt):
        critics("cut.pt", stop(20))
    saved = Checkpoint(tmp_path / "cut.pt").load()
    assert saved is not None and saved["step"] == 19
    assert critics("cut.pt", silent) == critics("whole.pt", silent)
    with pytest.raises(KeyboardInterrupt):
        network("cut", stop(4))
    layers, accuracy = network("cut", silent)
    fresh, fresh_accuracy = network("fresh", silent)
    assert accuracy == fresh_accuracy and len(layers) == 4
    for a, b in zip(layers, fresh, strict=True):
        assert [tuple(h.shape) for h in a] == [(16, 5), (16, 3), (16, 2)]
        assert all(torch.equal(u, v) for u, v in zip(a, b, strict=True))
    torch.testing.assert_close(layers[-1][-1].sum(1), torch.ones(16))


def test_the_grid_of_epochs() -> None:
    assert log_grid(8_000, 32)[:4] == [0, 1, 2, 3] and log_grid(8_000, 32)[-1] == 8_000
    assert 28 <= len(log_grid(8_000, 32)) <= 32


def test_the_experiment_from_end_to_end(tmp_path: Path) -> None:
    experiment = get_experiment("information-plane")
    small = replace(experiment.scales["smoke"], steps=2)
    found = reproduce(replace(experiment, scales={"smoke": small}), out=tmp_path, scale="smoke", arms=["ReLU, noise 0.1"])
    metrics = found.records[0].metrics
    assert {metric.key for metric in experiment.metrics} <= set(metrics)
    assert metrics["error_kernel"] > 0.3 and metrics["error_bins"] > 1  # noise of a tenth of the range overlaps many patterns
    assert metrics["compression_exact"] < 0.1
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000
    assert not list(tmp_path.glob("*/smoke/cells/*/*.pt"))

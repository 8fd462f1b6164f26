"""On a CUDA GPU: the same numbers as on the CPU up to rounding, and a run that moves between the two."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mine
from mine.critics import ConcatCritic, SeparableCritic
from mine.datasets.gaussian import correlated_normal, correlated_normal_mi
from mine.errors import InputError
from mine.estimators import methods
from mine.experiments import get_experiment, names, reproduce

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")

BOUNDS = ["dv", "mine", "nwj", "jensen-shannon", "infonce", "smile"]


def pair(n: int = 4_000, rho: float = 0.8, dim: int = 2) -> tuple[np.ndarray, np.ndarray]:
    return correlated_normal(n, rho, dim, random_state=0)


# === estimate ===


@pytest.mark.parametrize("method", [name for name in methods() if name not in ("ross", "discrete")])
def test_an_estimate_is_near_the_truth_and_near_the_cpus(method: str) -> None:
    x, y = pair()
    gpu, cpu = (mine.estimate(x, y, method=method, device=device, random_state=0, progress=False) for device in ("cuda", "cpu"))
    truth = correlated_normal_mi(0.8, 2)
    assert gpu.value == pytest.approx(truth, abs=0.12)
    assert gpu.value == pytest.approx(cpu.value, abs=0.06)


def test_a_gpu_is_taken_where_there_is_one() -> None:
    x, y = pair(1_000)
    auto, named = (
        mine.estimate(x, y, method="infonce", steps=50, device=device, random_state=0, progress=False)
        for device in ("auto", "cuda")
    )
    assert auto.value == named.value  # and a seed gives the same number again


def test_data_may_lie_on_the_gpu() -> None:
    x, y = pair(1_000)
    rows = [torch.as_tensor(part, dtype=torch.float32, device="cuda") for part in (x, y)]
    there, here = (
        mine.estimate(*data, method="mine", steps=50, random_state=0, progress=False)
        for data in (rows, [row.cpu() for row in rows])
    )
    assert there.value == here.value


def test_labels_and_mixed_columns() -> None:
    x, y = pair(2_000, dim=1)
    label = (y[:, 0] > 0).astype(int)
    found = mine.estimate(x, label, device="cuda", random_state=0, progress=False)
    assert found.value == pytest.approx(mine.estimate(x, label, device="cpu", random_state=0, progress=False).value, abs=0.03)


@pytest.mark.parametrize("kind", [ConcatCritic, SeparableCritic])
def test_a_critic_of_ones_own(kind: Any) -> None:
    x, y = pair(2_000)
    made = kind(2, 2, [32, 32], generator=torch.Generator().manual_seed(0))
    found = mine.estimate(x, y, method="mine", critic=made, steps=300, device="cuda", random_state=0, progress=False)
    assert found.value == pytest.approx(correlated_normal_mi(0.8, 2), abs=0.2)


def test_the_test_of_independence() -> None:
    x, y = pair(400, dim=1)
    found = mine.independence_test(
        x,
        y,
        critic=SeparableCritic(1, 1, [16], generator=torch.Generator().manual_seed(0)),
        n_permutations=19,
        random_state=0,
        device="cuda",
    )
    assert found.p_value == pytest.approx(1 / 20)


# === terms ===


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("make", [mine.MaximizeMI, mine.MinimizeMI])
def test_a_terms_loss_and_gradient_are_the_cpus(make: Any, bound: str) -> None:
    torch_rows = [torch.as_tensor(part, dtype=torch.float32) for part in pair(256)]
    found = []
    for device in ("cpu", "cuda"):
        term = make(ConcatCritic(2, 2, [16], generator=torch.Generator().manual_seed(0)), bound).to(device)
        x, y = (part.clone().to(device).requires_grad_() for part in torch_rows)
        for _ in range(3):
            term.critic_step(x, y)
        loss = term(x, y)
        loss.backward()
        found.append((loss.item(), torch.as_tensor(y.grad).cpu(), term.estimate))
    (loss_a, gradient_a, estimate_a), (loss_b, gradient_b, estimate_b) = found
    assert loss_b == pytest.approx(loss_a, abs=1e-4)
    assert estimate_b == pytest.approx(estimate_a, abs=1e-4)
    torch.testing.assert_close(gradient_b, gradient_a, atol=1e-5, rtol=1e-2)


@pytest.mark.parametrize("there", ["cpu", "cuda"])
def test_a_term_goes_on_on_another_device(there: str) -> None:
    here = "cuda" if there == "cpu" else "cpu"
    rows = [torch.as_tensor(part, dtype=torch.float32) for part in pair(256)]

    def made(device: str) -> Any:
        return mine.MinimizeMI(ConcatCritic(2, 2, [16], generator=torch.Generator().manual_seed(0))).to(device)

    term, stream = made(here), io.BytesIO()
    for _ in range(3):
        term.critic_step(*(part.to(here) for part in rows))
    torch.save(term.state_dict(), stream)
    stream.seek(0)
    other = made(there)
    other.load_state_dict(torch.load(stream, map_location="cpu", weights_only=True))
    assert other.estimate == pytest.approx(term.estimate, abs=1e-6)
    for one, device in ((term, here), (other, there)):
        one.critic_step(*(part.flip(0).to(device) for part in rows))
    assert other.estimate == pytest.approx(term.estimate, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_leaves_the_bound_in_float32(dtype: torch.dtype) -> None:
    x, y = (torch.as_tensor(part, dtype=torch.float32, device="cuda") for part in pair(256))
    term = mine.MaximizeMI(ConcatCritic(2, 2, [16], generator=torch.Generator().manual_seed(0))).to("cuda")
    with torch.autocast("cuda", dtype=dtype):
        term.critic_step(x, y)
        loss = term(x, y)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)


# === Lightning ===


@pytest.mark.runs_lightning
def test_layers_are_measured_while_a_network_trains_on_the_gpu(tmp_path: Path) -> None:
    pytest.importorskip("lightning.pytorch")
    found = reproduce("information-plane-mnist", out=tmp_path, scale="smoke", device="cuda", progress=False)
    assert not any(record.failed for record in found.records)


# === experiments ===


@pytest.mark.parametrize("name", [name for name in names() if name != "information-plane-mnist"])
def test_an_experiment_runs_on_the_gpu(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    arms = list(get_experiment(name).arms)[:2]
    found = reproduce(name, out=tmp_path, scale="smoke", arms=arms, device="cuda", progress=False)
    assert not any(record.failed for record in found.records)
    assert torch.cuda.get_device_name() in found.records[0].environment


@pytest.mark.parametrize(
    ("name", "arm"), [("bottleneck", "MINE, propagated"), ("gan-spiral", "GAN+MINE"), ("bigan-mnist", "BiGAN+MINE")]
)
def test_an_experiment_goes_on_on_another_device(name: str, arm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short on the CPU in the middle, and ended on the GPU."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("mine.experiments.checkpoint.Checkpoint.due", lambda self: True)
    experiment = get_experiment(name)
    run: Callable[..., Any] = experiment.run
    config = experiment.config(arm, "smoke")
    config = replace(config, epochs=12) if name == "bottleneck" else config

    def cut(done: int, total: int, message: str) -> None:
        if done >= 50 and "classifier" not in message:
            seen.append(done)
            if len(seen) == 2:
                raise KeyboardInterrupt

    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run(config, 0, tmp_path, cut, "cpu")
    assert (tmp_path / "checkpoint.pt").is_file()
    steps: list[int] = []
    numbers = run(config, 0, tmp_path, lambda done, total, message: steps.append(done), "cuda")
    assert all(map(np.isfinite, numbers.values()))
    assert min(steps, default=100) > 50


def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        reproduce("gan-spiral", out=tmp_path, scale="smoke", device="cuda:99", progress=False)

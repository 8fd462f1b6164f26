"""Two gloo processes of Lightning Fabric: the gradient of one, the estimate of one, the same on both; and what is refused."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from scipy.stats import norm

import mine
from mine.bounds import BOUNDS
from mine.critics import pair_scores
from mine.critics.metric import off_diagonal
from mine.data.sides import as_variable
from mine.datasets import correlated_normal_mi
from mine.errors import InputError
from mine.training.processes import ProcessGroup, _checksum

SCRIPT = Path(__file__).parent / "fabric_processes.py"
ENV = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1"}


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], env=ENV, cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """The script's names, to compute the same in this process."""
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    done = run(str(SCRIPT), str(folder), folder=folder)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)]


def gradients_alone(names: dict[str, Any]) -> dict[str, torch.Tensor]:
    """By autograd on the joined batch, in one process."""
    out: dict[str, torch.Tensor] = {}
    for name, (critic, bound, all_pairs, *shapes) in names["cases"]().items():
        state, value = None, None
        for x, y in names["batches"](critic.stack, *shapes):
            critic.zero_grad()
            if all_pairs:
                score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
                joint, marginal = score_matrix.diagonal(dim1=-2, dim2=-1), off_diagonal(score_matrix)
            else:
                joint, marginal = pair_scores(critic, x, y, names["SHIFTS"])
            loss, value, state = BOUNDS[bound](joint, marginal, state)
            loss.sum().backward()
        out |= {f"{name}: {key}": p.grad for key, p in critic.named_parameters() if p.requires_grad}
        out[f"{name}: value"] = value.detach()
    return out


@pytest.mark.slow
@pytest.mark.usefixtures("seeded_torch")
def test_two_processes_give_the_gradient_of_the_joined_batch(shared: list[dict[str, Any]], alone: dict[str, Any]):
    expected = gradients_alone(alone)
    for found in shared:
        assert found["gradients"].keys() == expected.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(found["gradients"][name], gradient, rtol=0, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")
    assert all(gradient.abs().max() > 1e-3 for name, gradient in expected.items() if "weight" in name)


def folded_normal_mi(rho: float) -> float:
    """I(x; |y|) of a correlated normal: h(|y|) - h(|y| | x), by a sum over a grid."""
    x, v = np.linspace(-7, 7, 701)[:, None], np.linspace(0.005, 9.995, 1000)
    s = (1 - rho**2) ** 0.5
    density = norm.pdf(v, rho * x, s) + norm.pdf(-v, rho * x, s)
    given = -(density * np.log(np.maximum(density, 1e-300))).sum(1) * 0.01
    return 0.5 * np.log(np.pi / 2) + 0.5 - (norm.pdf(x[:, 0]) * given).sum() * 0.02


@pytest.mark.slow
@pytest.mark.usefixtures("seeded_torch")
@pytest.mark.parametrize("name", ["auto", "folded", "mine", "groups", "user's critic", "given"])
def test_two_processes_give_the_estimate_of_one(name: str, shared: list[dict[str, Any]], alone: dict[str, Any]):
    first, second = (found[name] for found in shared)
    assert first == second
    assert first["diagnostics"]["processes"] == 2
    expected = mine.estimate(*alone["data"](name), **{"random_state": 0, **alone["ESTIMATES"][name]})
    assert abs(first["value"] - expected.value) < expected.stderr
    assert first["stderr"] == pytest.approx(expected.stderr, rel=0.1)
    truth = 2 * folded_normal_mi(0.8) if name == "folded" else correlated_normal_mi(0.8, 1)
    assert abs(first["value"] - truth) < 3 * first["stderr"] + 0.01
    assert first["interval"][0] < truth < first["interval"][1]


@pytest.mark.slow
def test_the_ranks_agree_on_the_seed_and_on_the_rows(shared: list[dict[str, Any]]):
    assert shared[0]["unseeded"] == shared[1]["unseeded"]
    assert all("different data" in found["other rows"] for found in shared)
    assert shared[0]["progress"] > 10
    assert shared[1]["progress"] == 0


def rows(n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=n)
    return x, np.abs(x)


def one_device() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


def test_one_device_gives_the_digits_without_fabric():
    plain = mine.estimate(*rows(), steps=20, random_state=0)
    found = mine.estimate(*rows(), steps=20, random_state=0, fabric=one_device())
    assert found.value == plain.value
    assert found.interval == plain.interval
    assert found.diagnostics["processes"] == 1
    assert "processes" not in plain.diagnostics


@pytest.mark.parametrize("method", ["ksg", "gaussian", "discrete", "ross"])
def test_a_method_that_trains_nothing_is_refused(method: str):
    with pytest.raises(InputError, match=f"'{method}' takes no part: drop it, or use 'auto'"):
        mine.estimate(*rows(), method=method, fabric=one_device())


def test_a_function_is_refused():
    with pytest.raises(InputError, match="fabric= shares the training of critics"):
        mine.estimate(*rows(), method=lambda x, y: 0.0, fabric=one_device())


@pytest.mark.parametrize("fabric", ["ddp", 2, object()])
def test_what_is_no_fabric_is_refused(fabric: Any):
    with pytest.raises(InputError, match=f"got {type(fabric).__name__}: pass for example"):
        mine.estimate(*rows(), fabric=fabric)


def test_a_fabric_that_is_not_launched_is_refused():
    with pytest.raises(InputError, match=r"call fabric.launch\(\) before"):
        mine.estimate(*rows(), fabric=Fabric(accelerator="cpu", devices=2, strategy="ddp"))


def test_a_second_device_is_refused():
    with pytest.raises(InputError, match="the device is Fabric's: drop device='cpu'"):
        mine.estimate(*rows(), device="cpu", fabric=one_device())


class ThreeRanks:
    """The second of three processes."""

    device, world_size, global_rank = torch.device("cpu"), 3, 1

    def launch(self) -> None: ...

    def barrier(self) -> None: ...

    def broadcast(self, value: Any) -> Any: ...

    def all_reduce(self, value: Any, reduce_op: str) -> Any: ...


def test_a_batch_is_shared_evenly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    ranks = ProcessGroup(ThreeRanks())
    assert ranks.even(512) == 510
    assert ranks.share(510) == slice(170, 340)
    with pytest.raises(InputError, match="A batch of 2 rows cannot be shared by 3 processes"):
        ranks.even(2)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: False)
    with pytest.raises(InputError, match=r"The 3 processes of fabric share no torch.distributed: make it with strategy='ddp'"):
        ProcessGroup(ThreeRanks())


def test_the_checksum_tells_labels_by_their_text():
    def checksum(*labels: str) -> int:
        return _checksum([as_variable([*labels] * 10, "x")], None)

    assert checksum("u", "v") == checksum("u", "v")
    assert len({checksum("u", "v"), checksum("v", "u"), checksum("u", "w"), checksum("u", "v\0")}) == 4

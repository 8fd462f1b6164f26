"""What every test is held to: it leaves the process and the working directory as it found them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

hypothesis.settings.register_profile(
    "mine", deadline=None, derandomize=bool(os.environ.get("CI")), max_examples=40, database=None
)
hypothesis.settings.load_profile("mine")

#: Warnings of Lightning on its own account, or about a toy: torch's new tree specs, loaders without workers, few batches.
LIGHTNING_WARNINGS = (
    "ignore:.*LeafSpec:FutureWarning",
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",
    "ignore:.*treespec:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests marked ``runs_lightning`` ignore Lightning's own warnings; all others are errors."""
    for item in items:
        if item.get_closest_marker("runs_lightning"):
            for warning in LIGHTNING_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(warning))


def _settings() -> dict[str, object]:
    """Switches of torch and numpy that a library must not touch."""
    return {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's number of inter-op threads": torch.get_num_interop_threads(),
        "torch's deterministic flag": torch.are_deterministic_algorithms_enabled(),
        "torch's anomaly detection": torch.is_anomaly_enabled(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's matmul precision": torch.get_float32_matmul_precision(),
        "numpy's error state": np.geterr(),
    }


def _numpy_state() -> tuple[bytes, int, int, float]:
    # numpy's type for the legacy state is a union of a tuple and a dict; without legacy=False it is the tuple
    _, key, position, has_gauss, cached = np.random.get_state()
    return np.asarray(key).tobytes(), int(position), int(has_gauss), float(cached)


def _files(folder: Path) -> set[str]:
    """Names in a folder, without the caches of the tools that run the tests."""
    return {name for name in os.listdir(folder) if not name.startswith(".") and name != "__pycache__"}


@pytest.fixture(autouse=True)
def nothing_global_changes() -> Iterator[None]:
    """Fail a test that moved a global random generator, changed a global switch or left files behind."""
    folder = Path.cwd()
    settings, files = _settings(), _files(folder)
    torch_state, numpy_state = torch.get_rng_state(), _numpy_state()
    cuda_state = torch.cuda.get_rng_state() if torch.cuda.is_available() else None

    yield

    after = _settings()
    changed = [name for name, value in settings.items() if after[name] != value]
    if cuda_state is not None and not torch.equal(cuda_state, torch.cuda.get_rng_state()):
        changed.append("torch's global generator on the GPU (pass a generator)")
    if not torch.equal(torch_state, torch.get_rng_state()):
        changed.append("torch's global generator (pass a generator, or ask for the fixture seeded_torch)")
    if numpy_state != _numpy_state():
        changed.append("numpy's global generator (use np.random.default_rng)")
    assert not changed, f"the test changed {', '.join(changed)}"
    left = sorted(_files(folder) - files)
    assert not left, f"the test left files in {folder}: {', '.join(left)} (use tmp_path)"


@pytest.fixture
def seeded_torch(nothing_global_changes: None) -> Iterator[None]:
    """Torch's global generator seeded with 0, put back afterwards: for modules that know no other source."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="session")
def autoregression() -> Callable[[int, float, np.random.Generator], np.ndarray]:
    """Makes a stationary AR(1) series of ``n`` rows and coefficient ``phi``, shape (n,), with unit variance."""
    from scipy.signal import lfilter

    def make(n: int, phi: float, rng: np.random.Generator) -> np.ndarray:
        return lfilter([(1 - phi**2) ** 0.5], [1.0, -phi], rng.normal(size=n + 1000))[1000:]

    return make

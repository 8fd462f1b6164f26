"""Estimates have the same digits in every mode of torch and numpy, and the caller's modes are back afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import mine
from mine.surroundings import plain_modes

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


class Functions(TorchFunctionMode):
    """A mode that sees every function of torch, as profilers do, and changes none."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


class Dispatch(TorchDispatchMode):
    """Likewise, of every kernel."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


MODES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "functions": Functions,
    "kernels": Dispatch,
    "anomalies": lambda: torch.autograd.set_detect_anomaly(True),
    "saved tensors": lambda: torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor),
    "printing": lambda: np.printoptions(precision=1),
    "default device": lambda: torch.device("meta"),
    "deterministic": deterministic,
    "errstate": lambda: np.errstate(all="raise"),
}


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    return x, x[:, :1] + rng.normal(size=(60, 1))


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))


def images(y: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(len(y), 1, 8, 8)) + y[:, :, None, None] * (np.arange(8) < 4)


def sequences(y: np.ndarray) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(len(y), 16, 2)) + y[:, :, None]


def table(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    noise = np.random.default_rng(3).normal(size=len(y))
    return pd.DataFrame(
        {"a": x[:, 0], "b": y[:, 0], "k": np.where(y[:, 0] > 0, "u", "v"), "l": np.where(x[:, 0] > noise, "s", "t")}
    )


def total(frame: pd.DataFrame) -> float:
    return float(frame.select_dtypes("number").sum().sum())


CALLS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "images": lambda x, y: mine.estimate(images(y), y, steps=2, random_state=0).value,
    "images and labels": lambda x, y: mine.estimate(images(y), y[:, 0] > 0, steps=2, random_state=0).value,
    "sequences": lambda x, y: mine.estimate(sequences(y), y, steps=2, random_state=0).value,
    "labels": lambda x, y: mine.estimate(table(x, y)["k"], table(x, y)["l"], random_state=0).value,
    "labels and numbers": lambda x, y: mine.estimate(table(x, y)["l"], y, steps=2, random_state=0).value,
    "numbers and labels of both": lambda x, y: (
        mine.estimate(table(x, y)[["a", "l"]], table(x, y)[["b", "k"]], steps=2, random_state=0).value
    ),
    "pairwise of all kinds": lambda x, y: total(mine.pairwise(table(x, y), test=True, n_permutations=130, random_state=0)),
    "lag_scan": lambda x, y: total(
        mine.lag_scan(x[:, 0], y, lags=1, method="gaussian", random_state=0, progress=False).to_frame()
    ),
    "transfer_table": lambda x, y: total(
        mine.transfer_table(np.repeat(np.c_[x, y], 2, 0), method="gaussian", random_state=0, progress=False).to_frame()
    ),
    "selector": lambda x, y: float(mine.MutualInfoSelector(1).fit(x, y[:, 0]).scores_.sum()),
    "report": lambda x, y: float(len(mine.report(table(x, y), test=False, random_state=0, progress=False).html)),
    "describe": lambda x, y: float(sum(map(ord, repr(mine.describe(table(x, y)))))),
    "estimate": lambda x, y: mine.estimate(x, y, effort="fast", steps=5, random_state=0).value,
    "critic": lambda x, y: mine.estimate(x, y, method="mine", critic=network, steps=5, random_state=0).value,
    "module": lambda x, y: mine.estimate(x, y, method="mine", critic=network(), steps=5, random_state=0).value,
    "gaussian": lambda x, y: mine.estimate(x, y, method="gaussian", random_state=0).value,
    "given z": lambda x, y: mine.estimate(x[:, 0], y, x[:, 1], method="mine", steps=5, random_state=0).value,
    "shuffle": lambda x, y: mine.estimate(x[:, 0], y, x[:, 1], conditional="shuffle", steps=5, random_state=0).value,
    "test": lambda x, y: mine.independence_test(x, y, n_permutations=50, random_state=0).p_value,
    "test by network": lambda x, y: (
        mine.independence_test(x, y, critic="network", steps=5, n_permutations=20, random_state=0).p_value
    ),
    "pairwise": lambda x, y: float(np.sum(mine.pairwise(np.c_[x, y], random_state=0)["value"])),
    "kl_divergence": lambda x, y: mine.kl_divergence(x, x + 1, steps=5, random_state=0).value,
    "total_correlation": lambda x, y: mine.total_correlation([x, y], method="mine", steps=5, random_state=0).value,
    "sample_size_check": lambda x, y: (
        mine.sample_size_check(np.tile(x, (4, 1)), np.tile(y, (4, 1)), levels=3, method="gaussian", random_state=0).value
    ),
    "shared_dimensions": lambda x, y: mine.shared_dimensions(x, y, steps=5, random_state=0).values[-1],
    "transfer_entropy": lambda x, y: (
        mine.transfer_entropy(np.repeat(x[:, 0], 5), np.tile(y, (5, 1)), method="gaussian", random_state=0).value
    ),
    "lagged_information": lambda x, y: (
        mine.lagged_information(np.repeat(x[:, 0], 5), np.tile(y, (5, 1)), [1], method="gaussian", random_state=0)[1].value
    ),
    "mutual_info": lambda x, y: float(mine.mutual_info(x, y[:, 0]).sum()),
    "MutualInformation": lambda x, y: (
        mine.MutualInformation(effort="fast", options={"steps": 5}, random_state=0).fit(x, y).score(x, y)
    ),
}


@pytest.mark.parametrize("name", MODES)
def test_a_trained_critic_has_the_same_digits_in_every_mode(data: tuple[np.ndarray, np.ndarray], name: str) -> None:
    alone = CALLS["critic"](*data)
    with MODES[name]():
        assert CALLS["critic"](*data) == alone


@pytest.mark.parametrize("name", CALLS)
def test_every_function_has_the_same_digits_in_all_modes_at_once(
    data: tuple[np.ndarray, np.ndarray], name: str, seeded_torch: None
) -> None:
    alone = CALLS[name](*data)
    with ExitStack() as modes:
        for mode, context in MODES.items():
            if name != "module" or mode != "default device":  # a module without values is no critic
                modes.enter_context(context())
        assert CALLS[name](*data) == alone


def test_mine_optimizes_without_gradients_outside(data: tuple[np.ndarray, np.ndarray], seeded_torch: None) -> None:
    def value(context: AbstractContextManager[object]) -> float:
        torch.manual_seed(0)
        model = mine.models.Mine(network(), loss="mine", method="concat")
        with context:
            return model.optimize(*data, iters=2)

    assert value(torch.no_grad()) == value(torch.inference_mode()) == value(torch.enable_grad())
    with torch.inference_mode():
        model = mine.models.Mine(network(), loss="mine", method="concat")
    with pytest.raises(mine.InputError, match=r"outside torch\.inference_mode"):
        model.optimize(*data, iters=2)


def test_threads_of_joblib_are_plain_too(data: tuple[np.ndarray, np.ndarray]) -> None:
    table = np.c_[data]
    alone = mine.pairwise(table, random_state=0)
    with default_dtype(torch.float64), joblib.parallel_config(backend="threading"):
        threads = mine.pairwise(table, random_state=0, n_jobs=2)
    assert list(threads["value"]) == list(alone["value"])


def test_other_threads_see_no_difference() -> None:
    inside, looked = threading.Event(), threading.Event()

    def work() -> None:
        with plain_modes():
            inside.set()
            looked.wait(10)

    with default_dtype(torch.float64):
        thread = threading.Thread(target=work)
        thread.start()
        inside.wait(10)
        assert torch.zeros(1).dtype == torch.get_default_dtype() == torch.float64
        looked.set()
        thread.join()


def test_the_modes_are_back_after_an_error() -> None:
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16), np.errstate(all="raise"), torch.device("meta"):
        with pytest.raises(mine.InputError):
            mine.estimate([1.0], [2.0, 3.0])
        assert torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu") and torch.zeros(1).is_meta
        assert np.geterr()["over"] == "raise" and not torch.is_grad_enabled()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_factories_make_what_they_would_make_without_a_default(dtype: torch.dtype) -> None:
    makers: list[Callable[[], torch.Tensor]] = [
        lambda: torch.tensor([0.1, 1e-30]),
        lambda: torch.tensor(3),
        lambda: torch.tensor([True]),
        lambda: torch.tensor(np.float64(0.1)),
        lambda: torch.as_tensor(np.array([0.1])),
        lambda: torch.as_tensor(torch.tensor([0.5], dtype=torch.bfloat16)),
        lambda: torch.full((2,), 0.1),
        lambda: torch.full((2,), 7),
        lambda: torch.arange(3),
        lambda: torch.arange(0, 1, 0.3),
        lambda: torch.eye(2),
        lambda: torch.zeros(2, dtype=torch.int32),
        lambda: torch.randn(2, generator=torch.Generator().manual_seed(1)),
        lambda: torch.randperm(4, generator=torch.Generator().manual_seed(1)),
        lambda: torch.normal(torch.zeros(2), torch.ones(2), generator=torch.Generator().manual_seed(1)),
        lambda: torch.linspace(0, 1, 3),
    ]
    if dtype == torch.float64:
        makers.append(lambda: torch.tensor(1j))  # of half precision it warns
    for make in makers:
        alone = make()
        with default_dtype(dtype), torch.device("meta"), plain_modes():
            inside = make()
        assert inside.dtype == alone.dtype and inside.device == alone.device and torch.equal(inside, alone)

"""Calls around the estimates, by objects that nobody plans for: a result, or an error of the library's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from torch import nn

import mine
from mine.errors import MineError
from mine.models.mine import Mine

N = 60
RNG = np.random.default_rng(0)
X = RNG.permutation(N).astype(float)
Y = X + 20 * RNG.normal(size=N)
TABLE = np.stack([X, RNG.normal(size=N)], 1)


class Odd:
    """Compares with nothing and prints as nothing."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        raise RuntimeError("no text")


class NoArray:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("no array")


class NamesOnly:
    """A table of an engine that is not read."""

    columns = ("a", "b")

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, key: object) -> object:
        raise TypeError("a column is not iterable")


def without_warnings(make: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


ODD: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "a number": lambda: 3,
    "a type": lambda: int,
    "a module": lambda: np,
    "text": lambda: "abc",
    "bytes": lambda: b"abc" * 20,
    "mapping": lambda: {"a": X},
    "names only": NamesOnly,
    "odd objects": lambda: [Odd()] * N,
    "no array": NoArray,
    "generator that raises": lambda: (1 / int(value * 0) for value in X),
    "masked": lambda: np.ma.array(TABLE, mask=TABLE > 50),
    "masked constant in a list": lambda: [np.ma.masked, *X[1:]],
    "complex": lambda: TABLE + 1j,
    "text where numbers were": lambda: ["u", "v"] * (N // 2),
    "images": lambda: RNG.normal(size=(N, 2, 4, 4)),
    "wider": lambda: RNG.normal(size=(N, 5)),
    "no columns": lambda: np.zeros((N, 0)),
    "no rows": lambda: np.zeros((0, 2)),
    "one row": lambda: [[1.0, 2.0]],
    "ragged": lambda: [[1.0], [2.0, 3.0]] * (N // 2),
    "two-dimensional memory": lambda: memoryview(np.ascontiguousarray(TABLE)),
    "sparse": lambda: scipy.sparse.dok_array(TABLE),
    "sparse tensor": lambda: torch.tensor(TABLE).to_sparse(),
    "nested tensor": lambda: without_warnings(lambda: torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])),
    "tensor without values": lambda: torch.empty(N, device="meta"),
    "a part of a graph": lambda: torch.tensor(X, dtype=torch.float32, requires_grad=True) * 2,
    "names that are no texts": lambda: pd.DataFrame(TABLE, columns=pd.Index([None, "a"], dtype=object)),
    "names that are tuples": lambda: pd.DataFrame({("a", 1): X, "b": Y}),
    "twice the same name": lambda: pd.DataFrame(TABLE, columns=["a", "a"]),
    "dates": lambda: np.datetime64("2020-01-01") + np.arange(N),
}


@pytest.fixture(scope="module")
def fitted() -> tuple[mine.MutualInfoSelector, mine.MutualInformation]:
    options = {"steps": 2, "n_folds": 2}
    return (
        mine.MutualInfoSelector(1).fit(TABLE, Y),
        mine.MutualInformation("dv", options=options, random_state=0).fit(X, Y),
    )


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "estimate, missing left out": lambda data, _: mine.estimate(data, Y, method="gaussian", drop_missing=True),
    "estimate, discrete=": lambda data, _: mine.estimate(X, Y, method="gaussian", discrete=data),
    "estimate, groups=": lambda data, _: mine.estimate(X, Y, method="gaussian", groups=data),
    "estimate, order=": lambda data, _: mine.estimate(X, Y, method="gaussian", order=data),
    "pairwise": lambda data, _: mine.pairwise(data, random_state=0, progress=False),
    "pairwise, target=": lambda data, _: mine.pairwise(Y[:, None], data, random_state=0, progress=False),
    "describe": lambda data, _: repr(mine.describe(data)),
    "total_correlation": lambda data, _: mine.total_correlation(data, method="gaussian"),
    "windows": lambda data, _: mine.windows(data, 2),
    "selector, fit": lambda data, _: mine.MutualInfoSelector(1).fit(data, Y),
    "selector, transform": lambda data, fitted: fitted[0].transform(data),
    "MutualInformation, fit": lambda data, _: mine.MutualInformation("gaussian").fit(data, Y),
    "MutualInformation, score": lambda data, fitted: fitted[1].score(data, Y),
    "Mine.optimize": lambda data, _: Mine(network(), method="concat").optimize(data, Y, iters=1),
    "benchmark, tasks=": lambda data, _: mine.benchmark(data if data is not None else 0, "gaussian", n=20, n_repeats=1),
    "benchmark, n=": lambda data, _: mine.benchmark("1v1-normal-0.75", "no such method", n=data, n_repeats=1),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore:X has feature names")  # scikit-learn's own, of every estimator
def test_a_result_or_an_error_of_our_own(call: str, fitted: Any, seeded_torch: None) -> None:
    for name, make in ODD.items():
        try:
            CALLS[call](make(), fitted)
        except MineError as error:
            assert len(str(error)) > 15, name


def test_what_is_masked_stays_hidden_in_chosen_columns(fitted: Any) -> None:
    masked = np.ma.array(np.full((N, 2), 1e9), mask=np.arange(2 * N).reshape(N, 2) < 2)
    assert fitted[0].transform(masked)[0].tolist() == [None]


def test_the_same_columns_are_chosen_from_a_tensor_and_a_list(fitted: Any) -> None:
    wanted = fitted[0].transform(TABLE)
    for data in (TABLE.tolist(), torch.tensor(TABLE), (row for row in TABLE.tolist())):
        assert fitted[0].transform(data).tolist() == wanted.tolist()


def test_a_period_that_divides_the_distance_of_rows() -> None:
    """Every second row of a column that alternates is the same: rows of other distances tell more."""
    alternating, slow = np.tile([1.0, 2.0], 200), np.repeat(RNG.normal(size=40), 10) + 0.01 * RNG.normal(size=400)
    found = mine.estimate(alternating, slow, order="time", method="ksg", discrete=False, random_state=0)
    assert 0 < found.stderr < 0.1 and abs(found.value) < 4 * found.stderr  # every part was constant: 0, without any doubt
    with pytest.raises(MineError, match="needs numbers without large ties"):
        mine.estimate(alternating, slow, order="time", method="gaussian", discrete=False, random_state=0)

"""A screen finds the pairs of columns that depend on each other, whatever the form, and nothing among independent ones."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mine.data.preprocessing import rank_gaussianize
from mine.estimators.wide.screen import screen


def normal_scores(values: np.ndarray) -> Tensor:
    return torch.as_tensor(rank_gaussianize(values), dtype=torch.float32)


FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: 0.5 * x[:, 3],
    "even": lambda x: np.abs(x[:, 3]),
    "waves": lambda x: np.cos(2.5 * x[:, 3]),
    "product": lambda x: x[:, 3] * x[:, 5],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_pair_among_many_is_found(form: str):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(1500, 120)), rng.normal(size=(1500, 90))
    y[:, 8] = FORMS[form](x) + 0.4 * y[:, 8]
    found = screen(normal_scores(x), normal_scores(y))
    strong_x, strong_y = (set(torch.nonzero(side > found.chance).ravel().tolist()) for side in (found.x, found.y))
    assert strong_y == {8}
    assert 3 in strong_x <= {3, 5}
    assert (5 in strong_x) == (form == "product")


def test_independent_columns_seldom_pass():
    passing = []
    for seed in range(20):
        x, y = np.random.default_rng(seed).standard_cauchy(size=(2, 1000, 60))
        found = screen(normal_scores(x), normal_scores(y))
        passing.append(bool((found.x > found.chance).any()))
    assert sum(passing) <= 4  # 1 expected in 20; 5 or more by chance in 3 of 1,000 draws


def test_chunks_of_columns_and_labels_change_nothing(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    x = normal_scores(rng.normal(size=(400, 30)))
    label = torch.as_tensor(rng.integers(0, 2, size=(400, 1)), dtype=torch.float32) - 0.5
    y = torch.cat([normal_scores(rng.normal(size=(400, 5))), label], 1)
    x[:, 17] += 3 * label[:, 0]
    whole = screen(x, y)
    monkeypatch.setattr("mine.estimators.wide.screen.CHUNK", 7)
    parts = screen(x, y)
    assert torch.allclose(whole.x, parts.x, atol=1e-5) and torch.allclose(whole.y, parts.y, atol=1e-5)
    assert whole.x.argmax() == 17 and whole.y.argmax() == 5
    u = np.cos(np.pi * torch.special.ndtr(x[:, 17].double()).numpy())
    assert float(whole.x[17]) >= abs(np.corrcoef(u, label[:, 0].numpy())[0, 1]) - 1e-5  # the correlation by hand

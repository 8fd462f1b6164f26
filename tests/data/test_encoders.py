"""encoder=: applied once, in batches, without gradient, in evaluation mode; checked; everything as it was afterwards."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import mine
from mine.data.encoders import BATCH, encoded_side
from mine.errors import InputError

ROWS = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)


class Noted(nn.Module):
    """Doubles its rows, and notes how it was called."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.inner = nn.Dropout(0.5)
        self.calls = []

    def forward(self, x):
        self.calls.append((len(x), self.training, self.inner.training, torch.is_grad_enabled(), x.dtype))
        return self.inner(self.scale * x)


def test_a_module_sees_batches_without_gradient_and_comes_back_as_it_was():
    net = Noted().double()
    net.inner.eval()  # one part in evaluation mode already: it stays so
    codes = encoded_side(ROWS, net, "x", "cpu")
    assert np.array_equal(codes, 2.0 * ROWS.astype(np.float64))
    assert [call[0] for call in net.calls] == [BATCH, BATCH, len(ROWS) - 2 * BATCH]
    assert {call[1:] for call in net.calls} == {(False, False, False, torch.float64)}
    assert net.training and not net.inner.training
    assert net.scale.requires_grad and net.scale.grad is None


def test_a_module_is_restored_when_it_fails(seeded_torch):
    net = nn.Sequential(nn.Linear(4, 2), nn.Dropout())
    with pytest.raises(InputError, match=r"The encoder of y failed on 256 rows of shape \(256, 3\), from row 0 on"):
        encoded_side(ROWS, net, "y", "cpu")
    assert net.training and net[1].training


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ROWS.astype(np.float64), torch.float32),
        (torch.as_tensor(ROWS), torch.float32),
        ((ROWS > 0).astype(np.uint8), torch.float32),
        ((ROWS > 0).astype(np.int32), torch.int64),
        (pd.DataFrame(ROWS), torch.float32),
        (ROWS.tolist(), torch.float32),
    ],
    ids=["float64", "tensor", "bytes", "integers", "frame", "lists"],
)
def test_what_a_module_gets(data, kind):
    net = Noted()
    assert encoded_side(data, net, "x", "cpu").shape == ROWS.shape
    assert {call[-1] for call in net.calls} == {kind}


@pytest.mark.parametrize("data", [ROWS, torch.as_tensor(ROWS), pd.DataFrame(ROWS), ["a", "bb", "ccc"] * 200])
def test_a_function_gets_rows_of_the_type_that_was_passed(data):
    seen = []

    def function(rows):
        seen.append(type(rows))
        return np.array([len(row) for row in rows]) if isinstance(rows, list) else np.asarray(rows)[:, 0]

    codes = encoded_side(data, function, "x", "cpu")
    assert set(seen) == {type(data)} and codes.shape == (600,)
    expected = [1.0, 2.0, 3.0] * 200 if isinstance(data, list) else ROWS[:, 0]
    assert np.array_equal(codes, expected)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (lambda rows: rows[:-1], "256 rows went in, 255 rows came out"),
        (lambda rows: rows.mean(), "256 rows went in, a single number came out"),
        (lambda rows: rows * np.nan, "missing or infinite numbers for 600 rows, first row 0"),
        (lambda rows: rows + 1j, "real numbers, got complex numbers"),
        (lambda rows: {"codes": rows}, "real numbers, got dict"),
        (lambda rows: ["a"] * len(rows), "real numbers, got list"),
        (lambda rows: rows[:, : 1 + (len(rows) < 256)], r"different shapes: \[\(1,\), \(2,\)\]"),
        (nn.Linear, "got the class Linear: pass an object of it"),
        ("resnet", "got 'resnet'"),
        ((np.abs, np.abs, None), "got 3 of them"),
    ],
)
def test_what_cannot_be_used_is_explained(encoder, message):
    with pytest.raises(InputError, match=message):
        mine.estimate(ROWS, ROWS[:, 0], encoder=encoder, method="gaussian")


def test_one_encoder_is_for_both_sides_and_a_pair_for_each():
    x, y = ROWS[:, :1], ROWS[:, :1] + ROWS[:, 1:2]
    plain = mine.estimate(x**3, y, method="ksg").value

    def cubed(rows):
        return rows**3

    assert mine.estimate(x, y, encoder=(cubed, None), method="ksg").value == pytest.approx(plain, abs=1e-9)
    assert mine.estimate(x, y, encoder=(None, cubed), method="ksg").value == pytest.approx(
        mine.estimate(x, y**3, method="ksg").value, abs=1e-9
    )
    both = mine.estimate(x**3, y**3, method="ksg").value
    assert mine.estimate(x, y, encoder=cubed, method="ksg").value == pytest.approx(both, abs=1e-9)


def test_every_entry_point_encodes_before_anything_else():
    x = ["word " * (1 + i % 7) for i in range(300)]
    y = np.array([len(text) for text in x]) + np.random.default_rng(0).normal(size=300)

    def length(texts):
        return np.array([[len(text) + 0.01 * i] for i, text in enumerate(texts)])

    direct = mine.estimate(np.concatenate([length(x[:256]), length(x[256:])]), y, method="gaussian")
    assert mine.estimate(x, y, encoder=(length, None), method="gaussian").value == direct.value
    model = mine.MutualInformation("gaussian", encoder=(length, None)).fit(x, y)
    assert model.value_ == direct.value
    assert model.score(x[:256], y[:256]) > 0
    assert mine.independence_test(x, y, encoder=(length, None), n_permutations=19, random_state=0).p_value == 0.05


def test_a_network_trained_on_other_rows_makes_hard_data_easy(seeded_torch):
    """One number hides in the phase of 24 noisy columns: a small network finds it on rows of its own, then is frozen."""
    rng = np.random.default_rng(1)

    def draw(n):
        z = rng.normal(size=(n, 1))
        rows = np.sin(z + np.linspace(0, 2 * np.pi, 24)) + 0.1 * rng.normal(size=(n, 24))
        return rows.astype(np.float32), z

    net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 1))
    rows, z = (torch.as_tensor(part, dtype=torch.float32) for part in draw(2000))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(rows), z).backward()
        optimizer.step()
    x, z = draw(1000)
    y = z + 0.5 * rng.normal(size=z.shape)
    truth = 0.5 * np.log(1 + 4)  # of z itself
    found = mine.estimate(x, y, encoder=(net, None), method="ksg")
    assert truth - 0.12 < found.value < truth + 0.06

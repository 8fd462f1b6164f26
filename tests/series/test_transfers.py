"""The directed table: the chain is found and nothing else, against the estimates pair by pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, UnknownNameError
from mine.information.surrogates import Copies
from mine.reporting.transfers import transfer_matrix


def chain(n: int, seed: int = 0) -> pd.DataFrame:
    """a drives b, b drives c."""
    a, b, c = np.random.default_rng(seed).normal(size=(3, n))
    b[1:] += 0.8 * a[:-1]
    c[1:] += 0.8 * b[:-1]
    return pd.DataFrame({"a": a, "b": b, "c": c})


def test_a_chain_is_found_and_its_values_are_those_of_transfer_entropy() -> None:
    table = mine.transfer_table(chain(800), method="gaussian", random_state=0, n_permutations=39)
    assert set(table.found) == {("a", "b"), ("b", "c")}
    assert [(p["source"], p["target"]) for p in table.pairs] == [(a, b) for a in "abc" for b in "abc" if a != b]
    by_hand = mine.transfer_entropy(chain(800)["a"], chain(800)["b"], method="gaussian", test=True, n_permutations=39)
    pair = table.pairs[0]
    assert pair["value"] == pytest.approx(by_hand.value, abs=1e-9) and pair["n"] == by_hand.n
    assert all(p["q"] >= p["p"] for p in table.pairs) and "a -> b" in str(table)
    assert list(table.to_frame())[:3] == ["source", "target", "value"] and len(table.to_frame()) == 6


@pytest.mark.slow
def test_unrelated_series_have_no_transfer() -> None:
    found = [
        len(mine.transfer_table(np.random.default_rng(s).normal(size=(300, 3)), method="gaussian", random_state=0).found)
        for s in range(4)
    ]
    assert sum(found) <= 1


def test_neighbours_labels_and_lags_of_its_own() -> None:
    data = chain(700)
    data["state"] = np.where(np.roll(data["a"], 1) > 0, "up", "down")
    table = mine.transfer_table(data, ["a", "b"], random_state=0, n_permutations=19)
    assert (
        table.names == ("a", "b") and table.pairs[0]["method"] == "ksg, conditional, effective" and table.found == [("a", "b")]
    )
    states = pd.DataFrame({"u": data["a"] > 0, "state": data["state"]})
    assert mine.transfer_table(states, random_state=0).found == [("u", "state")]
    chosen = mine.transfer_table(
        data, ["b", "c"], history="auto", longest=2, method="gaussian", random_state=0, n_permutations=19
    )
    assert chosen.pairs[0]["source_lags"] == [1] and chosen.to_frame()["source_lags"][0] == "1"


def test_it_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"method": "gaussian", "random_state": 1, "n_permutations": 19, "out": tmp_path}
    first = mine.transfer_table(chain(300), **options)
    monkeypatch.setattr("mine.series.transfers._work", None)
    assert mine.transfer_table(chain(300), **options).pairs == first.pairs
    with pytest.raises(InputError, match="integer random_state"):
        mine.transfer_table(chain(300), out=tmp_path)


def test_a_pair_that_cannot_be_estimated_says_why() -> None:
    data = chain(300)
    data["flat"] = 1.0
    table = mine.transfer_table(data, ["a", "flat"], method="gaussian", random_state=0, n_permutations=19)
    assert all(np.isnan(p["value"]) and "flat" not in p["method"] and p["note"] for p in table.pairs) and table.found == []


def test_the_tail_of_the_copies_keeps_its_level() -> None:
    """Chi-square values of one degree of freedom, the most skewed that occur: at 1 % at most 2 % of 2,000 draws."""
    rng = np.random.default_rng(0)
    copies = Copies(1000, 1, 99)
    p = np.array([copies.tail_p(rng.chisquare(1, 99), rng.chisquare(1)) for _ in range(2000)])
    assert (p <= 0.01).mean() < 0.02 and (p <= 0.001).mean() < 0.005 and 0.02 < (p <= 0.05).mean() < 0.07
    assert copies.tail_p(rng.normal(size=99), 8.0) < 1e-5


def test_the_matrix_and_its_figure() -> None:
    table = mine.transfer_table(chain(500), method="gaussian", random_state=0, n_permutations=19)
    matrix = transfer_matrix(table)
    assert matrix[0, 1] == table.pairs[0]["value"] and np.isnan(matrix.diagonal()).all()
    axis = table.plot().axes[0]
    assert axis.get_ylabel() == "source: drives" and [t.get_text() for t in axis.get_xticklabels()] == ["a", "b", "c"]
    assert len(axis.texts) == 2


def test_what_it_refuses() -> None:
    with pytest.raises(UnknownNameError, match="column 'd'"):
        mine.transfer_table(chain(100), ["a", "d"])
    with pytest.raises(InputError, match="at least two columns"):
        mine.transfer_table(chain(100), ["a"])
    with pytest.raises(InputError, match="n_permutations"):
        mine.transfer_table(chain(100), n_permutations=3)
    with pytest.raises(InputError, match="z= is for"):
        mine.transfer_table(chain(100), z=np.zeros(100))


def test_rows_are_sorted_by_a_column_of_times() -> None:
    options = {"method": "gaussian", "random_state": 0, "n_permutations": 19}
    data = chain(400)
    mixed = data.assign(hour=np.arange(400)).sample(frac=1.0, random_state=1)
    table = mine.transfer_table(mixed, order="hour", **options)
    assert table.names == ("a", "b", "c") and table.pairs == mine.transfer_table(data, **options).pairs
    assert mine.transfer_table(mixed.drop(columns="hour"), order=mixed["hour"], **options).pairs == table.pairs
    with pytest.raises(InputError, match="1 gap"):
        mine.transfer_table(data.assign(time=np.where(np.arange(400) < 200, 0, 9) + np.arange(400)), order="time", **options)


def test_the_past_reaches_across_no_gap_of_the_times() -> None:
    data = chain(400)
    hour = np.arange(400) + np.where(np.arange(400) < 205, 0, 9)
    mixed = np.random.default_rng(2).permutation(400)
    a, b = data["a"].to_numpy(), data["b"].to_numpy()
    found = mine.transfer_entropy(a[mixed], b[mixed], order=hour[mixed], method="gaussian")
    index = pd.to_timedelta(hour, unit="h")
    by_index = mine.transfer_entropy(data["a"].set_axis(index), data["b"].set_axis(index), method="gaussian")
    whole = mine.transfer_entropy(a, b, method="gaussian")
    assert found.value == by_index.value and found.n == by_index.n == whole.n - 1

"""Many label columns as numbers: counts, ratings and texts, and rows with levels that were not there before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mine.data.components import WideEncoder, is_wide
from mine.data.label_table import LabelTable
from mine.data.sides import as_variable
from mine.data.variable import Variable


def labels(values: np.ndarray) -> Variable:
    return as_variable(values, "x", True)


def counts(n: int, words: int, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(rng.dirichlet(np.full(words, 0.3)) * 0.2 * words, size=(n, words))


def test_counts_are_residuals_of_independence():
    """Of a table in which rows and columns are independent up to rounding, every residual is nearly nothing."""
    totals, shares = np.array([10, 20, 40, 30]), np.array([0.6, 0.2, 0.2])
    independent = np.round(np.outer(totals, shares)).astype(int)
    values = np.concatenate([independent, np.eye(4, dtype=int), np.eye(4, dtype=int)[::-1]], 1)
    found = LabelTable().fit(labels(values))
    assert found.counts_
    table = found.transform(labels(values))
    assert np.abs(table[:, :3]).max() < 0.5 and np.diag(table[:, 3:7]).min() > 0.7


def test_one_rare_word_of_a_short_text_is_no_direction_of_its_own():
    rng = np.random.default_rng(0)
    values = counts(500, 80, rng)
    values[3], values[:, 9] = 0, 0
    values[3, 9] = 1
    table = LabelTable().fit(labels(values)).transform(labels(values))
    assert np.abs(table[3, 9]) < 12  # without what is added under the root it would be 22


def test_ratings_are_numbers_and_texts_have_an_indicator_each():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"rating": rng.integers(1, 6, 300), "town": rng.choice(["a", "b", "c"], 300)}).astype(str)
    table = LabelTable().fit(as_variable(frame, "x"))
    assert not table.counts_
    found = table.transform(as_variable(frame, "x"))
    assert found.shape == (300, 4)
    assert found[:, 0] == pytest.approx((frame["rating"].astype(int) - frame["rating"].astype(int).mean()) / found_scale(frame))
    assert found[:, 1:].mean(0) == pytest.approx(np.zeros(3), abs=1e-9)


def found_scale(frame: pd.DataFrame) -> float:
    return float(frame["rating"].astype(int).std(ddof=0))


def test_levels_that_the_fit_did_not_have_are_the_mean():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"n": rng.integers(3, 7, 200).astype(str), "town": rng.choice(["a", "b", "c"], 200)})
    table = LabelTable().fit(as_variable(frame, "x", True))
    new = as_variable(pd.DataFrame({"n": ["4", "many", "9"], "town": ["b", "elsewhere", "a"]}), "x", True)
    found = table.transform(new)
    assert np.isfinite(found).all() and found[1, 0] == 0 and found[2, 0] > found[0, 0]


@pytest.mark.parametrize("other", ["number", "label", "counts"])
def test_a_side_of_many_labels_is_wide(other: str):
    rng = np.random.default_rng(3)
    x = labels(counts(300, 100, rng))
    y = {
        "number": as_variable(rng.normal(size=300), "y"),
        "label": as_variable(rng.choice(["a", "b"], 300), "y"),
        "counts": labels(counts(300, 100, rng)),
    }[other]
    assert is_wide(x, y)
    encoder = WideEncoder().fit(x)
    features = encoder.transform(x)
    assert encoder.layout.of_labels and not encoder.layout.is_label
    assert features.shape == (300, encoder.layout.columns + encoder.layout.labels + 2 * encoder.layout.components)
    assert features[:, -encoder.layout.components :].std(0)[:3] == pytest.approx(1, abs=0.05)
    assert WideEncoder().fit(as_variable(rng.choice(["a", "b"], 300), "y")).layout.is_label


def test_few_label_columns_are_not():
    rng = np.random.default_rng(4)
    assert not is_wide(labels(counts(300, 30, rng)), as_variable(rng.normal(size=300), "y"))

"""Tables of labels: texts as counts of words, purchases, questionnaires. What they share is found, and nothing where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.tasks.families.words import TopicWords


def estimate(x: np.ndarray, y: np.ndarray) -> mine.Estimate:
    return mine.estimate(x, y, effort="fast", random_state=0)


def texts(family: TopicWords) -> tuple[np.ndarray, np.ndarray, float]:
    """1,500 pairs of texts, and the information that they share."""
    x, y = family.sampler(1500, np.random.default_rng(0))
    return x, y, family.information(20_000, np.random.default_rng(1))[0]


def purchases(c: np.ndarray, items: int, seed: int) -> np.ndarray:
    """Rows of 0 and 1, whose chances belong to the customer's kind."""
    chances = 0.05 + 0.5 * (np.random.default_rng(77).random((c.max() + 1, items)) < 0.2)
    return (np.random.default_rng(seed).random((len(c), items)) < chances[c]).astype(int)


@pytest.mark.slow
def test_texts_on_the_same_topic():
    """300 words, 5 a text: read as indicators of 500 levels, the bound was .28 of 1.30 nats."""
    x, y, truth = texts(TopicWords(8, 250, 6.0, seed=21))
    est = estimate(x, y)
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.lower_bound is not None and est.lower_bound > 0.45 * truth
    assert "levels" in est.diagnostics["inputs"]


@pytest.mark.slow
def test_more_topics_than_components_are_said_to_hide_more():
    x, y, truth = texts(TopicWords(50, 300, 10.0, seed=22))
    est = estimate(x, y)
    assert any("components" in warning and "too low" in warning for warning in est.warnings)
    assert est.value < truth <= est.interval[1]


@pytest.mark.slow
def test_one_pair_of_purchases_among_a_hundred():
    rng = np.random.default_rng(3)
    x, y = (rng.random((2, 1200, 70)) < 0.4).astype(int)
    y[:, 11] = np.where(rng.random(1200) < 0.1, 1 - x[:, 5], x[:, 5])
    share = 0.4 * 0.9 + 0.6 * 0.1
    truth = -sum(p * math.log(p) for p in (share, 1 - share)) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    est = estimate(x, y)
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.lower_bound is not None and est.lower_bound > 0.6 * truth


def test_unrelated_tables_have_no_information():
    c = np.random.default_rng(4).integers(5, size=(2, 800))
    est = estimate(purchases(c[0], 80, 1), purchases(c[1], 80, 2))
    assert est.interval[0] <= 0 <= est.interval[1] and est.value < 0.05


def test_new_rows_may_have_new_levels():
    rng = np.random.default_rng(5)
    c = rng.integers(4, size=900)
    x, y = purchases(c, 70, 3), c + 0.3 * rng.normal(size=900)
    fitted = mine.MutualInformation(effort="fast", random_state=0, options={"steps": 60}).fit(x[:600], y[:600])
    assert fitted.interval_[1] > 0.5
    new = x[600:].copy()
    new[:5, 0] = 7  # no customer of the fit bought seven
    assert abs(fitted.score(new, y[600:]) - fitted.score(x[600:], y[600:])) < 0.2

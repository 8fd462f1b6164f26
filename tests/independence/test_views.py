"""Views of a side against kernels computed directly, and what they make of labels, ties and outliers."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from mine.data.kernels import coordinates
from mine.data.sides import as_variable
from mine.independence.views import FINE, FINEST, LINEAR, MOST_LINEAR, RADIUS, SMOOTH, SQUARES, Views, principal


def views(side: object, **options: object) -> Views:
    return Views.of(as_variable(side, "x", **options), np.random.default_rng(0))


def centred(gram: np.ndarray) -> np.ndarray:
    gram = gram - gram.mean(0) - gram.mean(1)[:, None] + gram.mean()
    return gram * len(gram) / np.trace(gram)


def same(features: np.ndarray, gram: np.ndarray, within: float = 1e-4) -> bool:
    features = features.astype(float)
    return float(np.linalg.norm(features @ features.T - centred(gram)) / np.linalg.norm(centred(gram))) < within


def test_each_view_spans_the_kernel_it_is_named_after():
    x = np.random.default_rng(0).normal(size=(90, 3)) * [1, 20, 0.1]
    found = views(x).features
    scores = coordinates(as_variable(x, "x"))
    places = x - np.median(x, 0)  # no row is far enough out to be cut off
    places = places / places.std(0) - (places / places.std(0)).mean(0)
    radius = np.linalg.norm(places, axis=1)
    assert same(found[LINEAR], scores @ scores.T)
    assert same(found[RADIUS], np.outer(radius, radius))
    assert same(found[SQUARES], (places @ places.T) ** 2)
    far = cdist(scores, scores)
    median = np.median(far[far > 0])
    assert same(found[SMOOTH], np.exp(-(far**2) / (2 * median**2)), 0.06)  # its features are those of 99 % of the variance
    assert all(np.isclose(values.var(0).sum(), 1, rtol=1e-5) for values in found.values())


def test_squares_of_many_columns_are_their_principal_part():
    x = np.random.default_rng(1).normal(size=(80, 12)) * 0.5 ** np.arange(12)
    x /= x.std(0)
    few, many = views(x[:, :9]).features[SQUARES], views(x).features[SQUARES]
    assert few.shape == (80, 45) and many.shape == (80, 48)


def test_principal_axes_are_those_of_the_singular_values():
    values = np.random.default_rng(2).normal(size=(40, 200))
    values -= values.mean(0)
    lengths = np.linalg.svd(values, compute_uv=False)
    assert np.allclose(np.linalg.norm(principal(values, 10, 1.0), axis=0), lengths[:10])
    assert principal(values, 100, 1.0).shape[1] in (39, 40)  # centred rows span 39 dimensions
    share = np.cumsum(lengths**2) / np.sum(lengths**2)
    assert principal(values, 100, 0.5).shape[1] == np.searchsorted(share, 0.5) + 1


def test_a_label_looks_the_same_at_every_scale_and_rare_levels_share_one():
    found = views(["a", "b", "c"] * 20)
    assert found.places is None and set(found.features) == {LINEAR, SMOOTH, FINE}
    assert found.features[LINEAR].shape == (60, 3)
    assert views([f"level {k % 400}" for k in range(900)]).features[LINEAR].shape == (900, MOST_LINEAR)


def test_a_view_that_does_not_vary_is_zero():
    signs = np.repeat([-1.0, 1.0], 30)
    found = views(signs, discrete=False).features
    assert not found[RADIUS].any() and not found[SQUARES].any() and found[LINEAR].any() and found[FINEST].any()


def test_one_row_far_out_does_not_decide_the_radius():
    x = np.random.default_rng(3).normal(size=(100, 2))
    x[0] = 1e9
    radius = views(x).features[RADIUS].ravel()
    assert abs(radius[0]) < 6 and np.ptp(radius[1:]) > 2

"""Critics in closed form against the Gram matrices they stand for."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from mine.data.kernels import KernelFeatures, coordinates, kernel_statistics, strongest
from mine.data.sides import as_variable


def test_features_reproduce_the_centred_gaussian_kernel() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    features = KernelFeatures.fit([x], seed=0)
    ours = features.values[:, features.kernel == 0].astype(float)  # the widest kernel: a few features hold all of it
    far = cdist(x, x, "sqeuclidean")
    gram = np.exp(-far / (2 * 3.0**2 * np.median(far[far > 0])))
    centre = np.eye(100) - 1 / 100
    gram = centre @ gram @ centre
    gram *= 100 / np.trace(gram)
    error = np.linalg.norm(ours @ ours.T - gram) / np.linalg.norm(gram)
    assert error < 0.05


def test_the_statistic_is_the_hilbert_schmidt_criterion_of_the_permuted_rows() -> None:
    rng = np.random.default_rng(1)
    x, y = (KernelFeatures.fit([rng.normal(size=(60, 1))], seed=0) for _ in range(2))
    orders = np.stack([np.arange(60), rng.permutation(60)])
    found = kernel_statistics(x, y, [orders])
    assert found.shape == (2, x.n_kernels, y.n_kernels)
    for k, order in enumerate(orders):
        for i, j in ((0, 0), (1, 2), (3, 3)):
            a, b = x.values[:, x.kernel == i], y.values[order][:, y.kernel == j]
            direct = ((a @ a.T) * (b @ b.T)).sum() / 60
            assert np.isclose(found[k, i, j], direct, rtol=1e-4)


def test_two_labels_have_one_kernel_and_numbers_four() -> None:
    labels = coordinates(as_variable(["a", "b"] * 20, "x"))
    assert labels.shape == (40, 2) and KernelFeatures.fit([labels], 0).n_kernels == 1
    assert KernelFeatures.fit([np.arange(40.0)[:, None]], 0).n_kernels == 4


def test_the_combination_does_not_care_which_row_is_the_true_one() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=(50, 3, 2))
    weights = np.arange(1.0, 7).reshape(3, 2)
    order = np.random.default_rng(1).permutation(50)
    assert np.allclose(strongest(values[order], weights), strongest(values, weights)[order])
    raised = values.copy()
    raised[7, 1, 1] = 30.0
    assert strongest(raised, weights).argmax() == 7

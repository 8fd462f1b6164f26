"""Measures of reconstructed images against their definitions written out."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from mine.datasets import digits
from mine.errors import InputError, MineError
from mine.experiments.games.image_metrics import euclidean_error, ms_ssim


def ssim_parts(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Mean structural similarity, over images reflected at their border, and its structure part, inside only: Wang et al."""
    t = np.arange(11) - 5
    window = np.exp(-(t**2) / (2 * 1.5**2))
    kernel = np.outer(window, window) / window.sum() ** 2

    def smooth(x: np.ndarray) -> np.ndarray:
        return convolve2d(x, kernel, mode="valid")

    a, b = (np.pad(x, 5, mode="reflect") for x in (a, b))
    mean_a, mean_b = smooth(a), smooth(b)
    var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    c1, c2 = 0.01**2, 0.03**2
    structure = (2 * (smooth(a * b) - mean_a * mean_b) + c2) / (var_a + var_b + c2)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return float((luminance * structure).mean()), float(structure[5:-5, 5:-5].mean())


def reference(a: np.ndarray, b: np.ndarray) -> float:
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363])
    weights /= weights.sum()
    out = 1.0
    for k, weight in enumerate(weights):
        similarity, structure = ssim_parts(a, b)
        out *= max(0.0, similarity if k == 3 else structure) ** weight
        a, b = (x.reshape(len(x) // 2, 2, len(x) // 2, 2).mean((1, 3)) for x in (a, b))
    return out


def enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    """Bilinear, pixel centres as corners of the interpolation, edges held."""
    at = np.clip((np.arange(factor * len(image)) + 0.5) / factor - 0.5, 0, len(image) - 1)
    along = np.array([np.interp(at, np.arange(len(image)), column) for column in image.T]).T
    return np.array([np.interp(at, np.arange(len(image)), row) for row in along])


def test_ms_ssim_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    images = digits().test[0][:3] / 16.0
    others = np.clip(images + 0.15 * rng.normal(size=images.shape), 0, 1)
    expected = np.mean([reference(enlarged(a, 14), enlarged(b, 14)) for a, b in zip(images, others, strict=True)])  # 8 to 112
    assert 0.5 < expected < 0.99
    assert ms_ssim(torch.as_tensor(images), torch.as_tensor(others)) == pytest.approx(expected, abs=1e-4)


def test_ms_ssim_of_equal_and_of_other_images_of_mnists_size() -> None:
    images = torch.as_tensor(np.kron(digits().test[0][:6] / 16.0, np.ones((1, 3, 3))))  # 24 x 24
    images = torch.nn.functional.pad(images, (2, 2, 2, 2))
    assert images.shape == (6, 28, 28)
    assert ms_ssim(images, images) == pytest.approx(1, abs=1e-5)
    assert ms_ssim(images, images.roll(1, 0)) < 0.6


def test_the_distance_by_hand() -> None:
    a = torch.tensor([[[0.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    b = torch.tensor([[[4.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    assert euclidean_error(a, b) == 3.0  # of 5 and 1


def test_shapes_and_the_missing_extra_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"equal shape .* got \(2, 4, 4\) and \(3, 4, 4\)"):
        euclidean_error(torch.zeros(2, 4, 4), torch.zeros(3, 4, 4))
    monkeypatch.setitem(sys.modules, "torchmetrics.functional.image", None)
    with pytest.raises(MineError, match=r"pip install \"torch-mine\[reproduce\]\""):
        ms_ssim(torch.zeros(2, 28, 28), torch.zeros(2, 28, 28))

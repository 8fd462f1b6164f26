"""Structured tasks: each stated information against an independent computation, and rows in the promised shapes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from mine import tasks
from mine.errors import InputError
from mine.tasks.catalogue.structured import EMBEDDINGS, FOLD, WORDS
from mine.tasks.families.digits import PixelDigits, known_images
from mine.tasks.families.embedding import Embedding
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.families.pictures import Blobs, Bumps, Rectangles
from mine.tasks.families.sequence import Sequences
from mine.tasks.families.words import TopicWords
from mine.tasks.task import Task


def normal_information(x: np.ndarray, y: np.ndarray) -> float:
    """Of the normal distribution with the sample's correlations."""
    whole, k = np.corrcoef(x.T, y.T), x.shape[1]
    both, left, right = (np.linalg.slogdet(block)[1] for block in (whole, whole[:k, :k], whole[k:, k:]))
    return float(left + right - both) / 2


def get(name: str) -> Task:
    return tasks.get_task(f"structured-{name}")


def test_the_suite_is_of_many_kinds() -> None:
    names = tasks.names("structured")
    assert len(names) >= 14
    shapes = {task.x_shape for task in map(tasks.get_task, names)}
    assert {None, (1, 16, 16), (1, 28, 28), (64, 4)} <= shapes


# === Pictures: the numbers behind them, computed from the pixels, have the stated information ===


@pytest.mark.parametrize(
    ("name", "picture", "k"),
    [
        ("bumps-0.9", Bumps(), 1),
        ("bumps-0.995", Bumps(), 1),
        ("blobs-flat", Blobs(), 2),
        ("blobs-images", Blobs(), 2),
        ("rectangles-images", Rectangles(), 4),
    ],
)
def test_pictures_hold_normal_numbers_of_that_information(name: str, picture: Bumps | Blobs | Rectangles, k: int) -> None:
    task = get(name)
    u, v = (picture.read(side.reshape(len(side), -1)) for side in task.sample(10_000, 8))
    assert u.shape == (10_000, k)
    for side in (*u.T, *v.T):
        assert stats.kstest(side, "norm").pvalue > 1e-4
    error = math.sqrt(k * -math.expm1(-2 * task.mutual_information / k) / 10_000)  # of the estimate: rho^2 / n per pair
    assert normal_information(u, v) == pytest.approx(task.mutual_information, abs=4 * error)


@pytest.mark.parametrize("picture", [Bumps(), Blobs(), Rectangles()])
def test_pictures_can_be_read(picture: Bumps | Blobs | Rectangles) -> None:
    k = {Bumps: 1, Blobs: 2, Rectangles: 4}[type(picture)]
    t = np.random.default_rng(2).uniform(-3, 3, size=(2000, k))
    np.testing.assert_allclose(picture.read(picture.draw(t)), t, atol=1e-3)


def test_flat_rows_and_images_are_the_same_pictures() -> None:
    flat, images = (get(name).sample(20, 3) for name in ("blobs-flat", "blobs-images"))
    assert images[0].shape == (20, 1, 16, 16)
    np.testing.assert_array_equal(images[1].reshape(20, -1), flat[1])


# === Embeddings ===


@pytest.mark.parametrize(("latent", "width", "information"), EMBEDDINGS)
def test_the_noise_of_an_embedding_costs_nothing(latent: int, width: int, information: float) -> None:
    """Numbers read back from x and from y have, pair by pair of rows, the information of those that went in."""
    x, y = get(f"embedding-{width}-mi-{information:g}").sample(1500, 6)
    z, w = CorrelatedNormal(information, latent).sampler(1500, np.random.default_rng(6))  # the draw begins with them
    u, v = Embedding(latent, width, 21).read(x), Embedding(latent, width, 22).read(y)
    assert np.abs(u - z).max() < 0.06
    assert normal_information(u, v) == pytest.approx(normal_information(z, w), abs=0.001)


# === Hidden columns and directions ===


def test_the_fold_by_adaptive_quadrature() -> None:
    """``h(y) - h(noise)``; y = |x| + 0.3 e is skew normal, folded: density 2 N(y; 0, 1.09) Phi(y / (0.3 sqrt 1.09))."""
    s = math.sqrt(1 + 0.3**2)

    def surprise(y: float) -> float:
        log_p = math.log(2) + stats.norm.logpdf(y, scale=s) + stats.norm.logcdf(y / (0.3 * s))
        return -math.exp(log_p) * log_p

    entropy = integrate.quad(surprise, -3, 9, limit=200, epsabs=1e-9)[0]
    assert entropy - 0.5 * math.log(2 * math.pi * math.e * 0.3**2) == pytest.approx(FOLD, abs=1e-5)


@pytest.mark.parametrize(("name", "pairs", "strongest"), [("hidden-linear", 1, 1.0), ("hidden-sparse", 5, 0.4)])
def test_hidden_pairs_are_the_only_correlated_columns(name: str, pairs: int, strongest: float) -> None:
    x, y = get(name).sample(4000, 4)
    r = np.sort(np.abs(np.corrcoef(x.T, y.T)[:500, 500:]).ravel())[::-1]
    expected = math.sqrt(-math.expm1(-2 * strongest))
    assert r[:pairs] == pytest.approx([expected] * pairs, abs=0.05)
    assert r[pairs] < 0.1  # the largest of 250,000 correlations of 4,000 independent rows


def test_a_rotated_pair_shows_in_no_column() -> None:
    task = get("rotated-linear")
    x, y = task.sample(20_000, 4)
    cross = x.T @ y / len(x)
    assert np.abs(cross).max() < 0.05
    left, values, right = np.linalg.svd(cross)
    assert values[0] == pytest.approx(math.sqrt(-math.expm1(-2.0)), abs=0.1)
    assert np.corrcoef(x @ left[:, 0], y @ right[0])[0, 1] > 0.85
    assert np.linalg.svd(np.cov(x.T))[1].max() < 1.5  # each side alone is round


def test_the_even_pair_is_uncorrelated_and_dependent() -> None:
    x, y = get("hidden-even").sample(4000, 4)
    assert np.abs(np.corrcoef(x.T, y.T)[:500, 500:]).max() < 0.1
    squares = np.corrcoef((x**2).T, y.T)[:500, 500:]
    assert np.sort(np.abs(squares).ravel())[-2:] == pytest.approx([0.1, 0.9], abs=0.08)


# === Sequences ===


def test_sequences_by_the_determinants_of_all_columns() -> None:
    """Not along the shared direction alone, as the task does it, but with all 2 x 256 columns."""
    pair = Sequences()
    signal, noise = pair.covariances
    u, v = pair.directions

    def block(a: np.ndarray, b: np.ndarray, own: float) -> np.ndarray:
        return pair.amplitude**2 * np.kron(signal, np.outer(a, b)) + own * np.kron(noise, np.eye(pair.channels))

    xx, yy, xy = block(u, u, 1.0), block(v, v, 1.0), block(u, v, 0.0)
    left, right, whole = (np.linalg.slogdet(m)[1] for m in (xx, yy, np.block([[xx, xy], [xy.T, yy]])))
    assert (left + right - whole) / 2 == pytest.approx(get("sequences").mutual_information, abs=1e-8)


def test_bent_channels_can_be_straightened() -> None:
    pair = Sequences()
    x, y = pair.sampler(4000, np.random.default_rng(1))
    for side, direction in zip((x, y), pair.directions, strict=True):
        straight = pair.straight(side.reshape(len(side), -1))
        expected = pair.amplitude**2 * np.outer(direction, direction) + np.eye(pair.channels)
        np.testing.assert_allclose(np.einsum("ntc,ntd->cd", straight, straight) / straight[:, :, 0].size, expected, atol=0.05)
    assert not np.allclose(pair.straight(x.reshape(len(x), -1)), x)


# === Words ===


@pytest.mark.parametrize(("texts", "value", "stderr"), WORDS)
def test_words_from_other_seeds(texts: TopicWords, value: float, stderr: float) -> None:
    found, error = texts.information(20_000, np.random.default_rng(99))
    assert abs(found - value) < 4 * math.hypot(stderr, error)
    assert stderr < 0.005


def test_words_by_enumerating_all_texts() -> None:
    """Two words and three topics: the sum over all counts that occur."""
    texts = TopicWords(3, 2, 8.0, seed=4)
    counts = np.stack(np.meshgrid(np.arange(40), np.arange(40)), -1).reshape(-1, 2)
    given = [stats.poisson.pmf(counts[:, None], np.exp(rates)).prod(2) for rates in texts.log_rates]  # (1600, 3) each
    assert given[0].sum(0) == pytest.approx(1, abs=1e-6)
    joint = given[0] @ given[1].T / 3
    independent = np.outer(given[0].mean(1), given[1].mean(1))
    exact = float((joint * np.log(joint / independent)).sum())
    found, error = texts.information(100_000, np.random.default_rng(5))
    assert found == pytest.approx(exact, abs=4 * error)
    assert exact > 0.05


# === Digits ===


def test_digits_by_their_table_of_labels() -> None:
    for digits in (PixelDigits(), PixelDigits(flip=0.3), PixelDigits(flip=0.3, labels_only=True)):
        joint = np.where(np.eye(10) == 1, 1 - digits.flip, digits.flip / 9) / 10
        kept = joint[joint > 0]
        assert float((kept * np.log(kept * 100)).sum()) == pytest.approx(digits.mutual_information, abs=1e-12)
    assert PixelDigits(pairs=2).mutual_information == pytest.approx(2 * math.log(10))


def test_noise_never_makes_one_digit_another() -> None:
    """Half the distance of the closest images with different labels is far beyond the noise."""
    images, labels = known_images()
    squares = (images**2).sum(1)
    distance = np.sqrt((squares[:, None] + squares - 2 * images @ images.T)[labels[:, None] != labels].min())
    assert distance / 2 / PixelDigits().noise > 10


def test_digits_follow_their_labels() -> None:
    digits = PixelDigits(flip=0.3, pairs=2)
    x, y = digits.sampler(10_000, np.random.default_rng(3))
    left, right = digits.read(x), digits.read(y)
    assert left.shape == (10_000, 2)
    assert (left == right).mean() == pytest.approx(0.7, abs=0.015)
    assert np.bincount(left[:, 0], minlength=10) / 10_000 == pytest.approx([0.1] * 10, abs=0.015)
    assert np.corrcoef(left.T)[0, 1] == pytest.approx(0, abs=0.04)


# === Shapes of tasks ===


def test_a_shape_must_fit_and_is_lost_under_a_map() -> None:
    images = get("blobs-images")
    with pytest.raises(InputError, match=r"x_shape \(3, 5\) has 15 numbers, but dx is 1"):
        Task("t", 1, 1, 0.0, "d", "s", "mine", lambda n, rng: (np.zeros(n), np.zeros(n)), x_shape=(3, 5))
    negative = images.transformed("negative", "x as a negative", x=tasks.Map(lambda rows: 1 - rows, lambda rows: 1 - rows))
    x, y = negative.sample(5, 0)
    assert x.shape == (5, 256) and y.shape == (5, 1, 16, 16)
    np.testing.assert_allclose(negative.log_ratio(x, y), images.log_ratio(*images.sample(5, 0)), atol=1e-3)

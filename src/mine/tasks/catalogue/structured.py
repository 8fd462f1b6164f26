"""Data for which neural estimators exist: images, embeddings, sequences, hundreds of columns, counts of words.

Each task is a few numbers whose information is known, seen through an invertible map or hidden among columns of noise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from mine.tasks.catalogue.shapes import fold
from mine.tasks.families.digits import PixelDigits
from mine.tasks.families.embedding import Embedding
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.families.pictures import Blobs, Bumps, Rectangles
from mine.tasks.families.sequence import Sequences
from mine.tasks.families.words import TopicWords
from mine.tasks.task import LogRatio, Map, Sampler, Task

__all__ = ["EMBEDDINGS", "FOLD", "TASKS", "WORDS"]

#: Information of one pair of :func:`mine.tasks.catalogue.shapes.fold` in nats, by quadrature (error below 1e-5).
FOLD = 0.760358


def _task(
    name: str, size: tuple[int, int], information: float, words: str, sampler: Sampler, ratio: LogRatio | None,
    *, source: str = "this project",
) -> Task:  # fmt: skip
    return Task(
        name=f"structured-{name}", dx=size[0], dy=size[1], mutual_information=information, description=words, source=source,
        suite="structured", sampler=sampler, ratio=ratio,
    )  # fmt: skip


def _shaped(task: Task, shape: tuple[int, ...], name: str, words: str) -> Task:
    """The same rows as images or sequences of that shape."""
    return replace(task, name=f"structured-{name}", description=words, x_shape=shape, y_shape=shape)


def _normal(information: float, dim: int) -> Task:
    pair = CorrelatedNormal(information, dim)
    return _task("latents", (dim, dim), information, "correlated normal", pair.sampler, pair.ratio)


# === A few numbers, drawn as pictures ===


class _Picture(Protocol):
    def draw(self, t: np.ndarray) -> np.ndarray: ...
    def read(self, rows: np.ndarray) -> np.ndarray: ...


def _drawn(picture: _Picture, latents: Task, name: str, size: int, words: str) -> Task:
    """Each side the picture of its numbers, as a row of pixels."""
    through = Map(picture.draw, picture.read)
    return latents.transformed(f"structured-{name}", words, x=through, y=through, dx=size, dy=size)


def _bumps(correlation: float) -> Task:
    words = f"eight bumps of one number per side, correlation {correlation:g}: curves in 8 dimensions"
    return _drawn(Bumps(), _normal(-0.5 * math.log1p(-(correlation**2)), 1), f"bumps-{correlation:g}", 8, words)


def _blobs() -> tuple[Task, Task]:
    flat = _drawn(Blobs(), _normal(3.0, 2), "blobs-flat", 256, "a blob at two correlated places, 16 x 16 pixels in a row")
    return flat, _shaped(flat, (1, 16, 16), "blobs-images", "the same blobs as images, 1 x 16 x 16")


def _rectangles() -> Task:
    words = "a soft rectangle, centre and sides correlated, images of 1 x 28 x 28"
    return _shaped(_drawn(Rectangles(), _normal(3.0, 4), "rectangles", 784, words), (1, 28, 28), "rectangles-images", words)


# === Embeddings ===

#: latent numbers, width, information in nats
EMBEDDINGS = ((10, 512, 1.0), (10, 512, 3.0), (10, 512, 5.0), (4, 320, 3.0))


def _embedding(latent: int, width: int, information: float) -> Task:
    pair = CorrelatedNormal(information, latent)
    left, right = Embedding(latent, width, seed=21), Embedding(latent, width, seed=22)

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        z, w = pair.sampler(n, rng)
        return left.draw(z, rng), right.draw(w, rng)

    words = f"{latent} correlated numbers through a tanh network into {width} columns, with noise of 0.01"
    return _task(f"embedding-{width}-mi-{information:g}", (width, width), information, words, sampler, None)


# === A few informative directions among hundreds of columns ===

#: Columns per side.
WIDTH = 500


def _hidden(base: Task, name: str, words: str, *, seed: int, rotated: bool = False) -> Task:
    """The columns of ``base`` in a space of independent standard normal columns.

    They are columns at places that follow from ``seed``, or with ``rotated`` orthogonal directions.
    """
    rng = np.random.default_rng(seed)
    left, right = _directions(base.dx, rng, rotated), _directions(base.dy, rng, rotated)

    def sampler(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        u, v = base.sampler(n, rng)
        x, y = rng.normal(size=(2, n, WIDTH))
        return x + (u - x @ left) @ left.T, y + (v - y @ right) @ right.T

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return base.log_ratio(x @ left, y @ right)

    return _task(name, (WIDTH, WIDTH), base.mutual_information, words, sampler, ratio)


def _directions(k: int, rng: np.random.Generator, rotated: bool) -> np.ndarray:
    """``k`` orthogonal directions, (WIDTH, k): columns, or random ones."""
    if rotated:
        return np.linalg.qr(rng.normal(size=(WIDTH, k)))[0]
    return np.eye(WIDTH)[:, rng.permutation(WIDTH)[:k]]


def _fold() -> Task:
    """Normal x, ``y = |x| + 0.3 normal``: no correlation."""
    channel = fold(1)
    return _task("fold", (1, 1), FOLD, "fold", channel.sampler, channel.ratio)


def _hidden_tasks() -> tuple[Task, ...]:
    among = f"among {WIDTH} independent normal columns a side"
    return (
        _hidden(_normal(1.0, 1), "hidden-linear", f"one correlated pair of columns {among}", seed=31),
        _hidden(_fold(), "hidden-even", f"one pair, y = |x| + 0.3 normal, {among}; by quadrature", seed=32),
        _hidden(_normal(2.0, 5), "hidden-sparse", f"five correlated pairs of columns {among}", seed=33),
        _hidden(
            _normal(1.0, 1), "rotated-linear", f"one correlated pair of directions, of all {WIDTH} normal columns a side",
            seed=34, rotated=True,
        ),
    )  # fmt: skip


# === Sequences, counts, digits ===


def _sequences() -> Task:
    pair = Sequences()
    size = pair.steps * pair.channels
    words = "two bent series with a slow signal in common, 64 steps x 4 channels"
    task = _task("sequences", (size, size), pair.mutual_information, words, pair.sampler, pair.ratio)
    return _shaped(task, (pair.steps, pair.channels), "sequences", words)


#: texts, information in nats, its standard error: the mean of ``texts.information(20_000, np.random.default_rng([2026, i]))``
#: over i of 0 .. 49
WORDS = ((TopicWords(10, 300, 5.0), 1.297637, 0.0012), (TopicWords(40, 300, 8.0), 2.681082, 0.0015))


def _words(texts: TopicWords, information: float) -> Task:
    words = (
        f"counts of {texts.words} words in two texts on one of {texts.topics} topics, {texts.length:g} words per text; "
        "by Monte Carlo"
    )
    name = f"words-{texts.topics}-topics"
    return _task(name, (texts.words, texts.words), information, words, texts.sampler, texts.ratio)


PIXELS = "this project; images of Alpaydin & Kaynak, 1998, Optical Recognition of Handwritten Digits (as in scikit-learn)"


def _digits(digits: PixelDigits, name: str, words: str, *, flat: bool = False) -> Task:
    size = math.prod(digits.shape)
    task = _task(
        name, (size, 1 if digits.labels_only else size), digits.mutual_information, words, digits.sampler, digits.ratio,
        source=PIXELS,
    )  # fmt: skip
    if flat:
        return task
    return replace(task, x_shape=digits.shape, y_shape=None if digits.labels_only else digits.shape)


def _digit_tasks() -> tuple[Task, ...]:
    return (
        _digits(PixelDigits(), "digits-flat", "two images of the same digit, 8 x 8 pixels in a row", flat=True),
        _digits(PixelDigits(), "digits-images", "two images of the same digit, 1 x 8 x 8"),
        _digits(PixelDigits(flip=0.3), "digits-flipped", "images of two digits, the same with probability 0.7, 1 x 8 x 8"),
        _digits(
            PixelDigits(flip=0.3, labels_only=True), "digits-noisy-labels",
            "an image of a digit, 1 x 8 x 8, and its label, right with probability 0.7",
        ),
        _digits(PixelDigits(pairs=2), "two-digits", "images of the same two digits side by side, 1 x 8 x 16"),
    )  # fmt: skip


TASKS = (
    _bumps(0.9),
    _bumps(0.995),
    *_blobs(),
    _rectangles(),
    *(_embedding(*case) for case in EMBEDDINGS),
    *_hidden_tasks(),
    _sequences(),
    *(_words(texts, information) for texts, information, _ in WORDS),
    *_digit_tasks(),
)

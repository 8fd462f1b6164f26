"""Labels as integer codes with their levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mine.data.sources import EXACT_INTEGERS

__all__ = ["Labels", "codes_among", "labels_of", "level_numbers", "number_text"]


@dataclass(frozen=True)
class Labels:
    """A column of labels: ``codes`` (n,) in int64 from 0, and ``levels``, the text of each, in the order of the text."""

    codes: np.ndarray
    levels: tuple[str, ...]


def labels_of(settled: np.ndarray, values: np.ndarray | None = None) -> Labels:
    """The labels of a settled column (n,); ``values`` are its distinct values, sorted, if they are known.

    >>> labels_of(np.array([2, 10, 2])).levels, labels_of(np.array([2, 10, 2])).codes
    (('10.0', '2.0'), array([1, 0, 1]))
    """
    if settled.dtype == object:
        levels = tuple(sorted(set(settled)))
        code = {text: i for i, text in enumerate(levels)}
        return Labels(np.fromiter((code[text] for text in settled), np.int64, len(settled)), levels)
    if values is None:
        values, places = np.unique(settled, return_inverse=True)
    else:
        places = np.searchsorted(values, settled)
    texts = [number_text(value) for value in values.tolist()]
    order = np.array(sorted(range(len(texts)), key=texts.__getitem__), np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Labels(rank[places.ravel()], tuple(texts[i] for i in order))


def number_text(value: bool | float) -> str:
    """The text of a number in float64, or of an integer that float64 does not hold."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int) and abs(value) > EXACT_INTEGERS and (value.bit_length() > 1023 or int(float(value)) != value):
        return str(value)
    return str(float(value) + 0.0)  # -0.0 and 0.0 are one value


def level_numbers(levels: tuple[str, ...]) -> np.ndarray | None:
    """The numbers that the texts of levels are, (levels,); None where one of them is no finite number.

    >>> level_numbers(("1.0", "10.0", "2.0")), level_numbers(("1.0", "low"))
    (array([ 1., 10.,  2.]), None)
    """
    try:
        numbers = np.array([float(level) for level in levels])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def codes_among(codes: np.ndarray, levels: tuple[str, ...], known: tuple[str, ...]) -> np.ndarray:
    """``codes`` (n,) of ``levels`` as the codes that their texts have among the ``known`` ones, -1 for a text that is new.

    >>> codes_among(np.array([0, 1, 1]), ("b", "c"), ("a", "b"))
    array([ 1, -1, -1])
    """
    code = {text: i for i, text in enumerate(known)}
    return np.array([code.get(text, -1) for text in levels])[codes]

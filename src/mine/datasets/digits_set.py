"""scikit-learn's 8 x 8 digits: a stand-in for MNIST that is always there."""

from __future__ import annotations

from typing import Any

import numpy as np

from mine.datasets.images import Images

__all__ = ["digits"]

#: The rows stand in the order of writers, so that most of those tested on wrote nothing that was trained on.
N_TRAIN = 1_437


def digits() -> Images:
    """1,797 handwritten digits of 8 x 8 pixels from 0 to 16, four fifths of them to train on.

    References:
        Alpaydin & Kaynak, 1998, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (its test set), as
        it comes with scikit-learn.

    Example:
        >>> digits()
        Images(1,437 to train and 360 to test, 8 x 8, from scikit-learn)
    """
    from sklearn.datasets import load_digits

    dataset: Any = load_digits()
    images, labels = np.asarray(dataset["images"]), np.asarray(dataset["target"])
    return Images(images.astype(np.uint8), labels.astype(np.uint8), N_TRAIN, 16, "scikit-learn")

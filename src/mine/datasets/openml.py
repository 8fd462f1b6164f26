"""MNIST from OpenML, through scikit-learn's loader, with a bar that follows the file as it grows."""

from __future__ import annotations

import importlib.util
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mine.progress import Callback, progress_callback

__all__ = ["fetch_mnist"]

#: Size of the compressed file on OpenML, for the bar.
_MEGABYTES = 15.5
_SECONDS_BETWEEN_LOOKS = 0.2

T = TypeVar("T")


def fetch_mnist(folder: Path, progress: bool | Callback | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 of shape (n, 28, 28), and labels of OpenML's ``mnist_784``, in its order: training rows first.

    Arguments:
        folder: Folder of the download until it is complete.
        progress: As in :func:`mine.estimate`.

    Raises:
        Exception: Whatever scikit-learn raises without a connection.
    """
    from sklearn.datasets import fetch_openml

    # pandas parses the file in seconds; without it scikit-learn's own parser takes about a minute
    parser = "pandas" if importlib.util.find_spec("pandas") else "liac-arff"
    with (
        tempfile.TemporaryDirectory(prefix=".openml-", dir=folder) as home,
        progress_callback(progress) as on_progress,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # one for each time it tries again; what matters comes as an error
        dataset: Any = _watched(
            lambda: fetch_openml(
                "mnist_784",
                version=1,
                as_frame=False,
                parser=parser,
                data_home=home,
                # scikit-learn 1.9 asks pandas 3 for categories, gets whole numbers, and fails on them as no strings
                read_csv_kwargs={"dtype": {784: str}},
            ),
            Path(home),
            on_progress,
        )
    images = np.asarray(dataset["data"]).astype(np.uint8).reshape(-1, 28, 28)
    labels = np.char.strip(np.asarray(dataset["target"]).astype(str), "'")  # quoted or not, depending on the parser
    return images, labels.astype(np.uint8)


def _watched(fetch: Callable[[], T], folder: Path, on_progress: Callback | None) -> T:
    """Run ``fetch`` next to a loop that reports how many bytes lie in ``folder``; Ctrl-C ends the loop and leaves."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(fetch())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_SECONDS_BETWEEN_LOOKS)
        if on_progress is not None:
            megabytes = _size(folder) / 1e6
            message = "fetching MNIST from OpenML" if megabytes < _MEGABYTES else "reading what came from OpenML"
            on_progress(round(min(megabytes, _MEGABYTES) * 10), round(_MEGABYTES * 10), message)
    if failure:
        raise failure[0]
    return outcome[0]


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # scikit-learn renames its files while we look
            continue
    return total

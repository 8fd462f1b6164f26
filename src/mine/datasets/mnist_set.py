"""MNIST: from files on this machine, else from OpenML."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from mine.datasets.idx import read_idx, write_idx
from mine.datasets.images import Images
from mine.datasets.openml import fetch_mnist
from mine.errors import InputError, MineError
from mine.progress import Callback
from mine.storage.files import cache_folder

__all__ = ["mnist"]

#: SHA-256 of all pixels and then all labels, training rows first, whatever file they came in.
SHA256 = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"
N_TRAIN = 60_000

#: Names of the four files, without ``.gz``.
_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def mnist(
    folder: str | os.PathLike[str] | None = None, *, download: bool = True, progress: bool | Callback | None = None
) -> Images:
    """The 70,000 handwritten digits of MNIST, 28 x 28 pixels from 0 to 255, the first 60,000 to train on.

    Reads the four IDX files, gzipped or not, from ``folder``, ``$MINE_DATA/mnist`` or the cache (``~/.cache/torch-mine/mnist``,
    or below ``$XDG_CACHE_HOME``), the first of these that has them. Otherwise fetches them from OpenML (data set
    ``mnist_784``, 15 MB) through scikit-learn and keeps them in the cache. Either way a checksum is compared.

    References:
        LeCun, Cortes & Burges, The MNIST database of handwritten digits.

    Arguments:
        folder: Where the files are; None looks in the places above.
        download: Whether OpenML may be asked.
        progress: A bar for the download, as in :func:`mine.estimate`.

    Returns:
        Images of shape (70000, 28, 28) and labels of shape (70000,), uint8.

    Raises:
        InputError: A folder was named and has no MNIST, or files are damaged or not MNIST's.
        MineError: Not on this machine, and it cannot be fetched.
    """
    places = _places() if folder is None else [Path(folder)]
    for place in places:
        paths = [_find(place, name) for name in _FILES]
        if all(paths):
            return _checked(*_read([path for path in paths if path is not None]), source=str(place))
    if folder is not None:
        missing = ", ".join(name for name in _FILES if _find(Path(folder), name) is None)
        raise InputError(f"{folder} lacks {missing} (each may end in .gz): name the folder that has the four files of MNIST.")

    cache = cache_folder("mnist")
    if not download:
        raise MineError(f"MNIST is not on this machine, and download=False forbids to fetch it. {_remedy(places)}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        images, labels = fetch_mnist(cache, progress)
    except Exception as error:  # scikit-learn passes on whatever urllib, the server's answer or the parser raises
        reason = f"{type(error).__name__}: {error}".rstrip(".")
        raise MineError(
            f"MNIST is not on this machine and could not be fetched from OpenML ({reason}). {_remedy(places)}"
        ) from error
    dataset = _checked(images, labels, source="OpenML")
    for name, array in zip(_FILES, (*dataset.train, *dataset.test), strict=True):
        write_idx(cache / f"{name}.gz", array)
    return dataset


def _places() -> list[Path]:
    data = os.environ.get("MINE_DATA")
    return [*([Path(data) / "mnist"] if data else []), cache_folder("mnist")]


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _remedy(places: list[Path]) -> str:
    looked = " or ".join(map(str, places))
    return (
        f"Two ways: put {', '.join(_FILES)} (each may end in .gz) into {looked}, or into the folder mnist of one that the "
        "environment variable MINE_DATA names; or call mine.datasets.mnist() once with a connection to openml.org."
    )


def _read(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    images, labels, more_images, more_labels = map(read_idx, paths)
    if images.ndim != 3 or images.shape[1:] != more_images.shape[1:] or labels.ndim != 1 or more_labels.ndim != 1:
        shapes = ", ".join(str(a.shape) for a in (images, labels, more_images, more_labels))
        raise InputError(f"The files in {paths[0].parent} are not MNIST's: their shapes are {shapes}.")
    return np.concatenate([images, more_images]), np.concatenate([labels, more_labels])


def _checked(images: np.ndarray, labels: np.ndarray, source: str) -> Images:
    digest = hashlib.sha256(np.ascontiguousarray(images).data)
    digest.update(np.ascontiguousarray(labels).data)
    if digest.hexdigest() != SHA256:
        raise InputError(
            f"What {source} holds is not MNIST: {len(images):,} images of checksum {digest.hexdigest()[:12]}, expected "
            f"{SHA256[:12]}. Remove the files there, and fetch them again."
        )
    return Images(images, labels, N_TRAIN, 255, source)

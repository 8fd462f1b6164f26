"""How well images are reconstructed."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from mine.errors import InputError, MineError

__all__ = ["euclidean_error", "ms_ssim"]

#: Weights of the five scales of Wang et al., of which the last is left out here, divided by their sum.
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363)
#: Small images are enlarged to at least this many pixels a side: the coarsest scale, an eighth of it, has to hold the window.
_SIDE = 112
_WINDOW = 11


def _pair(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape or a.ndim != 3 or not len(a):
        raise InputError(
            f"Two sets of images of equal shape (n, height, width) are compared, got {tuple(a.shape)} and {tuple(b.shape)}."
        )


def euclidean_error(images: Tensor, rebuilt: Tensor) -> float:
    """Mean over images of the Euclidean distance of their pixels, at the pixels' scale.

    Arguments:
        images: Shape (n, height, width).
        rebuilt: Of the same shape.

    Example:
        >>> euclidean_error(torch.zeros(2, 2, 2), torch.ones(2, 2, 2))
        2.0
    """
    _pair(images, rebuilt)
    return float((images - rebuilt).double().flatten(1).norm(dim=1).mean())


def ms_ssim(images: Tensor, rebuilt: Tensor) -> float:
    """Multi-scale structural similarity, 1 for equal images, by torchmetrics.

    The usual five scales with a window of 11 pixels need 161 pixels a side. Images of a digit are enlarged four-fold (28 to 112
    pixels; by whole numbers, bilinearly) and compared on the first four scales.

    References:
        Wang, Simoncelli & Bovik, 2003 (doi 10.1109/ACSSC.2003.1292216).

    Arguments:
        images: Brightness from 0 to 1, shape (n, height, width).
        rebuilt: Of the same shape.

    Raises:
        InputError: Shapes differ, or there are no images.
        MineError: torchmetrics is not installed.
    """
    _pair(images, rebuilt)
    try:
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as measure
    except ImportError:
        raise MineError('MS-SSIM needs torchmetrics: pip install "torch-mine[reproduce]".') from None
    factor = math.ceil(_SIDE / min(images.shape[1:]))
    weights = tuple(weight / sum(_WEIGHTS) for weight in _WEIGHTS)
    total = 0.0
    for one, other in zip(images.float().split(100), rebuilt.float().split(100), strict=True):
        large, target = (F.interpolate(part[:, None], scale_factor=factor, mode="bilinear") for part in (other, one))
        similarity = measure(large, target, kernel_size=_WINDOW, data_range=(0.0, 1.0), betas=weights)
        assert isinstance(similarity, Tensor)
        total += float(similarity) * len(one)
    return total / len(images)

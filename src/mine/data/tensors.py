"""Tensors as arrays: those without readable values are refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import numpy as np

from mine.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["array_of_tensor", "check_tensor"]


def array_of_tensor(tensor: Tensor, name: str) -> np.ndarray:
    """The values of a tensor on the CPU; numpy has no bfloat16 nor 8-bit floats, which become float32.

    Raises:
        InputError: As :func:`check_tensor`.
    """
    check_tensor(tensor, name)
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.dtype.itemsize < 4:
        tensor = tensor.float()
    return cast(np.ndarray, tensor.numpy())


def check_tensor(tensor: Tensor, name: str) -> None:
    """Raise InputError unless every element of the tensor has a value that can be read.

    >>> import torch
    >>> check_tensor(torch.empty(3, device="meta"), "x")
    Traceback (most recent call last):
        ...
    mine.errors.InputError: x is on the device 'meta' and holds no values: pass a tensor with values.
    """
    torch = sys.modules["torch"]
    if type(tensor).__name__ == "MaskedTensor":
        raise InputError(
            f"{name} is a masked tensor: pass {name}.to_tensor(float('nan')), in which masked entries are missing."
        )
    if tensor.is_nested:
        raise InputError(f"{name} is a nested tensor, whose rows differ in shape: pass rows of one shape.")
    if tensor.layout != torch.strided:
        raise InputError(f"{name} is sparse, and sparse input is not supported: pass {name}.to_dense().")
    if tensor.is_quantized:
        raise InputError(f"{name} is quantised: pass {name}.dequantize().")
    if tensor.is_meta:
        raise InputError(f"{name} is on the device 'meta' and holds no values: pass a tensor with values.")
    if type(tensor).__name__ == "FakeTensor":
        raise InputError(f"{name} is a fake tensor and holds no values: pass a tensor with values.")

"""The features that critics read: as tensors on the device where they fit, else encoded batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from mine.data import outofcore
from mine.data.preprocessing import SideEncoder
from mine.data.variable import Variable

__all__ = ["EncodedRows", "Features", "features"]


@dataclass(frozen=True)
class EncodedRows:
    """Features of shape ``shape`` that exist only for the rows asked for; indexed by a tensor of row numbers."""

    variable: Variable
    encoder: SideEncoder
    shape: tuple[int, ...]
    device: torch.device

    def __getitem__(self, index: Tensor) -> Tensor:
        """The rows ``index`` (...), shape ``(..., *shape[1:])``."""
        rows = index.reshape(-1).cpu().numpy()
        # Sorted, a file is read forwards, and a row that several critics share only once.
        distinct, inverse = np.unique(rows, return_inverse=True)
        width = max(self.variable.n_continuous + self.variable.n_discrete, 1)
        parts = [self.encoder.transform(self.variable.take(distinct[part])) for part in outofcore.chunks(len(distinct), width)]
        encoded = torch.as_tensor(np.concatenate(parts) if len(parts) > 1 else parts[0])
        out = encoded[torch.as_tensor(inverse.reshape(-1))].to(self.device)
        return out.reshape(*index.shape, *self.shape[1:])


Features: TypeAlias = "Tensor | EncodedRows"


def features(x: Variable, y: Variable, encoders: tuple[SideEncoder, SideEncoder], device: str) -> tuple[Features, Features]:
    """Float32 features of both sides; tensors up to ``outofcore.RESIDENT_BYTES`` in all.

    Arguments:
        x: The first side.
        y: The second side.
        encoders: Their fitted encoders.
        device: Where critics read them.
    """
    sides = ((x, encoders[0]), (y, encoders[1]))
    shapes = [(len(side), *encoder.transform(side.take(slice(0, 1))).shape[1:]) for side, encoder in sides]
    if 4 * sum(int(np.prod(shape)) for shape in shapes) > outofcore.RESIDENT_BYTES:
        lazy = [EncodedRows(v, encoder, shape, torch.device(device)) for (v, encoder), shape in zip(sides, shapes, strict=True)]
        return lazy[0], lazy[1]
    resident = [_encode(v, encoder, shape, device) for (v, encoder), shape in zip(sides, shapes, strict=True)]
    return resident[0], resident[1]


def _encode(variable: Variable, encoder: SideEncoder, shape: tuple[int, ...], device: str) -> Tensor:
    out = torch.empty(shape, dtype=torch.float32, device=device)
    for part in outofcore.chunks(len(variable), int(np.prod(shape[1:]))):
        out[part] = torch.as_tensor(encoder.transform(variable.take(part)))
    return out

"""Compute in the plain modes of torch and numpy, whatever modes the caller is in.

Autocast, ``no_grad``, ``inference_mode``, a default dtype or device and ``np.errstate`` belong to the caller's own computation.
An estimate must have the same digits inside them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch.overrides import TorchFunctionMode

__all__ = ["plain_modes"]

#: Kinds of device that autocast knows and that estimates may run on.
_AUTOCAST = ("cpu", "cuda", "mps", "xpu")
#: Functions that make a tensor of the default dtype on the default device, unless told otherwise.
_FLOATS = (
    "bartlett_window", "blackman_window", "empty", "eye", "hamming_window", "hann_window", "kaiser_window", "linspace",
    "logspace", "normal", "ones", "rand", "randn", "scalar_tensor", "zeros",
)  # fmt: skip
#: Likewise, except that integers stay integers.
_BY_VALUES = ("arange", "full", "range")
#: Likewise, except that tensors and arrays keep their dtype and their device.
_FROM_DATA = ("as_tensor", "asarray", "tensor")
#: Functions that make whole numbers on the default device.
_INTEGERS = ("randint", "randperm", "tril_indices", "triu_indices")


@contextmanager
def plain_modes() -> Iterator[None]:
    """Context and decorator: torch and numpy compute as in a fresh process, in this thread only.

    Off are autocast, ``no_grad``, ``inference_mode``, default dtypes and devices, and the settings of ``np.errstate``. The
    caller's modes are back afterwards, and no other thread sees a difference: nothing global is changed. Deterministic
    algorithms stay as the caller has set them.

    >>> with np.errstate(all="raise"), plain_modes():
    ...     np.geterr()["under"]
    'ignore'
    """
    with ExitStack() as modes:
        modes.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        torch = sys.modules.get("torch")  # who has not imported torch has set none of its modes
        if torch is not None:
            modes.enter_context(torch.inference_mode(False))
            modes.enter_context(torch.enable_grad())
            for kind in _AUTOCAST:
                if torch.is_autocast_enabled(kind):
                    modes.enter_context(torch.autocast(kind, enabled=False))
            if torch.get_default_dtype() != torch.float32 or torch.get_default_device() != torch.device("cpu"):
                modes.enter_context(_plain_factories()())
        yield


@lru_cache(1)
def _plain_factories() -> type[TorchFunctionMode]:
    """The class of the mode in which tensors are made as if no default had been set; it waits for torch to be imported.

    A mode and not ``set_default_dtype``, which would change the caller's other threads too.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    floats, by_values, from_data, integers = (
        frozenset(getattr(torch, name) for name in names) for names in (_FLOATS, _BY_VALUES, _FROM_DATA, _INTEGERS)
    )

    class PlainFactories(TorchFunctionMode):
        def __torch_function__(
            self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            options = dict(kwargs or {})
            if func not in floats and func not in by_values and func not in from_data and func not in integers:
                return func(*args, **options)
            data = args[0] if args else options.get("data", options.get("obj"))
            if func in from_data and isinstance(data, (torch.Tensor, np.ndarray, np.generic)):
                if options.get("device") is None:
                    options["device"] = data.device if isinstance(data, torch.Tensor) else "cpu"
                return func(*args, **options)
            tensors = any(isinstance(a, torch.Tensor) for a in (*args, *options.values()))  # out=, or the mean of a normal
            if not tensors and options.get("device") is None:
                options["device"] = "cpu"
            if tensors or options.get("dtype") is not None or func in integers:
                return func(*args, **options)
            if func in floats:
                return func(*args, **{**options, "dtype": torch.float32})
            made = func(*args, **options)
            if not (made.is_floating_point() or made.is_complex()):
                return made
            return func(*args, **{**options, "dtype": torch.complex64 if made.is_complex() else torch.float32})

    return PlainFactories

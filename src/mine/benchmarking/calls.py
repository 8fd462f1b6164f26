"""From an entrant to something that estimates: ``(x, y, seed) -> a number or an Estimate``."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mine.api import estimate
from mine.benchmarking.entrants import Entrant, required_arguments
from mine.errors import InputError
from mine.estimators import Estimator, get_estimator
from mine.result import Estimate

__all__ = ["Call", "as_estimate", "prepare", "warm_up"]

Call: TypeAlias = Callable[[np.ndarray, np.ndarray, int], Any]


def prepare(entrant: Entrant) -> Call:
    """What one cell calls. Strangers are made anew for each, so that nothing is carried from cell to cell.

    Raises:
        InputError: No such module, attribute, method or option.
    """
    options = dict(entrant.options)
    if entrant.target is None and not entrant.is_external:
        arguments = inspect.signature(estimate).parameters  # device=, discrete=, ... go to mine.estimate itself
        get_estimator(entrant.name, {key: value for key, value in options.items() if key not in arguments})
        return _by_estimate(entrant.name, options)
    return _as_call(_load(entrant.name) if entrant.target is None else entrant.target, options, entrant.name)


def _by_estimate(method: Any, options: dict[str, Any]) -> Call:
    return lambda x, y, seed: estimate(x, y, method=method, random_state=seed, progress=False, **options)


def _as_call(target: Any, options: dict[str, Any], name: str) -> Call:
    if isinstance(target, type) or (inspect.isroutine(target) and required_arguments(target) == 0):
        return lambda x, y, seed: _as_call(target(**_seeded(target, options, seed)), {}, name)(x, y, seed)
    method = getattr(target, "estimate", None)
    if isinstance(target, Estimator) or callable(method):
        if options:
            raise InputError(f"{name} is an object, which takes its options itself; got {', '.join(options)}.")
        return _by_estimate(target, {}) if isinstance(target, Estimator) or method is None else _seeing_rows(method, {})
    if callable(target):
        return _seeing_rows(target, options)
    raise InputError(
        f"{name} is neither a class, nor a function (x, y), nor has it estimate(x, y) or run(problem): it is {target!r}."
    )


def _seeing_rows(function: Callable[..., Any], options: dict[str, Any]) -> Call:
    return lambda x, y, seed: function(x, y, **_seeded(function, options, seed))


def _seeded(function: Callable[..., Any], options: dict[str, Any], seed: int) -> dict[str, Any]:
    """The options, and ``random_state`` where the function has it; others draw from the global generators."""
    try:
        takes = "random_state" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        takes = False
    return {**options, "random_state": seed} if takes and "random_state" not in options else options


def _load(name: str) -> Any:
    place, _, attribute = name.rpartition(":")
    try:
        module: Any = _module_of_file(Path(place)) if place.endswith(".py") else import_module(place)
    except ImportError as error:
        raise InputError(f"Method {name!r} cannot be imported ({error}): install it, or name a .py file.") from error
    for part in attribute.split("."):
        if not hasattr(module, part):
            raise InputError(f"Method {name!r}: {place} has no {attribute!r}.")
        module = getattr(module, part)
    return module


@cache
def _module_of_file(path: Path) -> Any:
    """The module in a file, imported once per process; modules next to it can be imported, as by ``python file.py``."""
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise InputError(f"There is no Python file {path}.")
    sys.path.append(str(path.absolute().parent))
    module = module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickle look their module up
    spec.loader.exec_module(module)
    return module


def as_estimate(value: Any, entrant: Entrant, n: int) -> Estimate:
    """What a call gave, in nats; a bare number has neither error bar nor interval.

    Raises:
        InputError: Not a finite number.
    """
    if isinstance(value, Estimate):
        value = value.to("nats")
    else:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(
                f"{entrant.label} gave a {type(value).__name__}: an estimator gives a number in nats or a mine.Estimate."
            ) from None
        value = Estimate(number, None, math.nan, (-math.inf, math.inf), entrant.label, n)
    if not math.isfinite(value.value):
        raise InputError(f"{entrant.label} gave {value.value}, which is no estimate.")
    return value


#: Rows of the warm-up estimate: enough for every method, and few.
_WARM_ROWS = 64


def warm_up(call: Call) -> None:
    """One tiny estimate, so that imports and first-call costs are not timed; whether it succeeds does not matter."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(_WARM_ROWS, 1))
    try:
        call(x, x + rng.normal(size=x.shape), 0)
    except Exception:  # the cells themselves will say
        return

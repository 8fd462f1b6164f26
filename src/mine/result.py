"""The one result type: what was estimated, how sure it is, and how it came about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.errors import InputError, UnknownNameError, warn_renamed
from mine.formats import bracket, fixed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mine.comparison import Paired

__all__ = ["UNITS", "Estimate"]

#: Nats a unit.
UNITS = {"nats": 1.0, "bits": math.log(2)}


#: Fields with a number for each row, and their names in a saved file.
_ARRAYS = {"pointwise_values": "rows", "influence": "influence", "groups": "groups"}
#: Fields that files of the first releases lack.
_LATER = {"sides", "p_value"}


class _History(dict[str, list[float]]):
    """A training history; the validation bounds were called ``"stop"`` once."""

    def __missing__(self, key: str) -> list[float]:
        if key != "stop" or "validation" not in self:
            raise KeyError(key)
        warn_renamed('history["stop"]', 'history["validation"]')
        return self["validation"]


def _rows_accepted(cls: type[Estimate]) -> type[Estimate]:
    """``cls`` that takes ``rows=``, the old name of ``pointwise_values=``, with a warning."""
    init = cls.__init__

    @wraps(init)
    def construct(self: Estimate, *args: Any, **named: Any) -> None:
        if "rows" in named:
            warn_renamed("Estimate(rows=...)", "Estimate(pointwise_values=...)")
            named["pointwise_values"] = named.pop("rows")
        init(self, *args, **named)

    type.__setattr__(cls, "__init__", construct)
    return cls


@_rows_accepted
@dataclass(frozen=True, repr=False, eq=False)
class Estimate:
    """An estimate of mutual information, with its error bar. Plain data.

    Attributes:
        value: The best estimate, in ``unit``. Never clipped: near independence it may be slightly negative.
        lower_bound: The held-out variational bound, from rows that no critic saw; None where a method has none.
        stderr: Standard error of ``value`` from sampling.
        interval: 95 % interval of the true value; holds besides ``stderr`` the uncertainty of the bias correction and of
            misfit. Its upper end is infinite where the data cannot bound the information from above.
        unit: ``"nats"`` or ``"bits"``.
        method: The name of the estimator.
        n: Number of rows used.
        history: Training history, one list per quantity (``step``, ``train``, ``validation``), empty where nothing was trained.
            Its bounds are in ``unit``.
        pointwise_values: Held-out contribution of each row, shape (n,), in ``unit``; see :meth:`pointwise`. None where a method
            has none.
        diagnostics: What was chosen and why, and what to be careful about; ``diagnostics["warnings"]`` lists sentences.
            Values called ``*_nats`` stay in nats.
        influence: Contribution of each row to ``value`` for methods without ``pointwise_values``, shape (n,), in ``unit``:
            its log-ratio, up to a constant. None where a method has none.
        groups: Integer label of the unit that each row belongs to, shape (n,), or None if rows are independent.
        sides: A fingerprint of the rows of each side: estimates that share one come from the same rows.
        p_value: For a difference (see :meth:`difference`), the two-sided p-value of no difference. For
            :func:`mine.transfer_entropy` with a test, the p-value of no transfer. None otherwise.

    Example:
        >>> Estimate(value=0.5, lower_bound=0.49, stderr=0.01, interval=(0.48, 0.52), method="gaussian", n=1000)
        Estimate: 0.500 ± 0.010 nats   95 % interval [0.480, 0.520]
          method gaussian, n = 1,000, held-out lower bound 0.490
    """

    value: float
    lower_bound: float | None
    stderr: float
    interval: tuple[float, float]
    method: str
    n: int
    unit: str = "nats"
    history: dict[str, list[float]] = field(default_factory=dict)
    diagnostics: dict[str, Any] = field(default_factory=dict)
    pointwise_values: np.ndarray | None = None
    influence: np.ndarray | None = None
    groups: np.ndarray | None = None
    sides: tuple[str, ...] = ()
    p_value: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "stderr"):  # numpy's scalars would show in reprs and JSON
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "interval", (float(self.interval[0]), float(self.interval[1])))
        object.__setattr__(self, "sides", tuple(self.sides))
        history = {"validation" if key == "stop" else key: bounds for key, bounds in self.history.items()}
        object.__setattr__(self, "history", _History(history))

    def __float__(self) -> float:
        return self.value

    @property
    def rows(self) -> np.ndarray | None:
        """The old name of ``pointwise_values``."""
        warn_renamed("Estimate.rows", "Estimate.pointwise_values")
        return self.pointwise_values

    def pointwise(self) -> np.ndarray:
        """Held-out contribution of each row, shape (n,), in ``unit``; their mean is ``lower_bound``.

        Row i's entry estimates ``log p(x_i, y_i) / (p(x_i) p(y_i))`` by a critic that never saw row i.

        Raises:
            InputError: If the method has no pointwise estimate.
        """
        if self.pointwise_values is None:
            raise InputError(
                f"Method {self.method!r} has no pointwise estimate: use 'auto' or another method with a lower bound."
            )
        return self.pointwise_values.copy()

    @property
    def contributions(self) -> np.ndarray | None:
        """Contribution of each row to ``value`` up to a constant, shape (n,), in ``unit``; None where a method has none.

        Unlike :meth:`pointwise` it may come from the rows that a model was fitted to. Two estimates are compared by it.
        """
        return self.pointwise_values if self.influence is None else self.influence

    def difference(self, other: Estimate, *, paired: Paired = "auto") -> Estimate:
        """``self - other`` with its standard error, 95 % interval and ``p_value``.

        Estimates on the same rows share sampling error, which cancels: I(x1; y) and I(x2; y) of one table are compared by the
        contributions of its rows. The interval also contains what either interval does beyond sampling error, and
        ``p_value`` is at most 0.05 exactly if it does not contain 0.

        Arguments:
            other: The estimate to subtract; one in another unit is converted, with a warning.
            paired: Whether both come from the same rows in the same order. ``"auto"`` takes estimates that share the values of
                a side (the same y) to be of the same rows. If it finds none, the standard error is the largest that any
                dependence between the two allows, with a warning. ``False`` is for estimates without a row in common.

        Raises:
            InputError: ``other`` is no estimate, or ``paired=True`` for different numbers of rows.

        Example:
            >>> import mine
            >>> rng = np.random.default_rng(0)
            >>> y = rng.normal(size=1000); x1 = y + 0.5 * rng.normal(size=1000); x2 = y + rng.normal(size=1000)
            >>> better = mine.estimate(x1, y, method="gaussian").difference(mine.estimate(x2, y, method="gaussian"))
            >>> better.value > 0.3 and better.p_value < 0.001
            True
        """
        from mine.comparison import compare  # loads scipy

        if not isinstance(other, Estimate):
            raise InputError(f"difference() takes another Estimate, got {type(other).__name__}.")
        found = compare(self, other.to(self.unit), paired)
        diagnostics = found.diagnostics
        if other.unit != self.unit:
            converted = f"The second estimate was converted from {other.unit} to {self.unit}."
            diagnostics = {**diagnostics, "warnings": [converted, *diagnostics["warnings"]]}
        return Estimate(
            found.value, None, found.stderr, found.interval, f"{self.method} - {other.method}", found.n, self.unit,
            diagnostics=diagnostics, influence=found.contributions, groups=found.groups,
            sides=(*self.sides, *other.sides), p_value=found.p_value,
        )  # fmt: skip

    def to(self, unit: str) -> Estimate:
        """The same estimate in another unit.

        >>> est = Estimate(value=1.0, lower_bound=None, stderr=0.0, interval=(1.0, 1.0), method="ksg", n=9)
        >>> round(est.to("bits").value, 4)
        1.4427
        """
        if unit not in UNITS:
            raise UnknownNameError("unit", unit, UNITS)
        factor = UNITS[self.unit] / UNITS[unit]
        low, high = self.interval
        return replace(
            self,
            value=self.value * factor,
            lower_bound=None if self.lower_bound is None else self.lower_bound * factor,
            stderr=self.stderr * factor,
            interval=(low * factor, high * factor),
            unit=unit,
            pointwise_values=None if self.pointwise_values is None else self.pointwise_values * factor,
            influence=None if self.influence is None else self.influence * factor,
            history={k: v if k == "step" else [b * factor for b in v] for k, v in self.history.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values: a number that is not finite is None, arrays are left out."""
        tested = {} if self.p_value is None else {"p_value": _finite(self.p_value)}
        return {
            "value": _finite(self.value),
            "lower_bound": None if self.lower_bound is None else _finite(self.lower_bound),
            "stderr": _finite(self.stderr),
            "interval": [_finite(end) for end in self.interval],
            **tested,
            "unit": self.unit,
            "method": self.method,
            "n": int(self.n),
            "diagnostics": _jsonable(self.diagnostics),
        }

    def to_frame(self) -> Any:
        """One row as a frame of pandas (or of polars or pyarrow where that is missing), to be stacked with others.

        Columns: ``value``, ``lower_bound`` (NaN without one), ``stderr``, ``low`` and ``high`` (the interval; infinite if it
        is open), ``p_value`` if there is one, ``unit``, ``method``, ``n``, and ``warnings`` as one text.

        >>> est = Estimate(value=0.5, lower_bound=0.49, stderr=0.01, interval=(0.48, 0.52), method="gaussian", n=1000)
        >>> est.to_frame()[["value", "low", "high", "n"]].values.tolist()
        [[0.5, 0.48, 0.52, 1000.0]]
        """
        from mine.data.frames import as_frame

        low, high = self.interval
        tested = {} if self.p_value is None else {"p_value": [self.p_value]}
        records: dict[str, list[Any]] = {
            "value": [self.value],
            "lower_bound": [math.nan if self.lower_bound is None else self.lower_bound],
            "stderr": [self.stderr],
            "low": [low],
            "high": [high],
            **tested,
            "unit": [self.unit],
            "method": [self.method],
            "n": [int(self.n)],
            "warnings": [" ".join(self.warnings)],
        }
        return as_frame(records, None)

    def save(self, path: str | Path) -> None:
        """Write everything to one file, JSON with a checksum, whole or not at all.

        Raises:
            InputError: The file cannot be written.
        """
        from torch import as_tensor

        from mine.storage.archive import write_archive

        arrays = {name: getattr(self, field) for field, name in _ARRAYS.items()}
        content = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _ARRAYS}
        write_archive(path, "estimate", content, {name: as_tensor(rows) for name, rows in arrays.items() if rows is not None})

    @classmethod
    def load(cls, path: str | Path) -> Estimate:
        """The estimate that :meth:`save` wrote; diagnostics that JSON has no kind for come back as text or lists.

        Raises:
            InputError: No such file, a damaged one, or one from a newer version.

        >>> est = Estimate(value=0.5, lower_bound=0.49, stderr=0.01, interval=(0.48, math.inf), method="auto", n=1000)
        >>> est.save("estimate.json")
        >>> Estimate.load("estimate.json").interval
        (0.48, inf)
        """
        from mine.storage.archive import read_archive

        content, arrays = read_archive(path, "estimate")
        names = {f.name for f in fields(cls)} - set(_ARRAYS)
        missing = sorted(names - _LATER - set(content))
        if missing:
            raise InputError(f"{path} is damaged: {', '.join(missing)} missing.")
        kept: dict[str, Any] = {name: content[name] for name in names & set(content)}
        rows: dict[str, Any] = {field: arrays[name].numpy() for field, name in _ARRAYS.items() if name in arrays}
        wrong = [name for name, value in kept.items() if not _fits(name, value)]
        wrong += [field for field, values in rows.items() if values.shape != (kept["n"],)]
        if wrong:
            raise InputError(f"{path} is damaged: {', '.join(sorted(wrong))} of the wrong kind.")
        return cls(**{**kept, "interval": tuple(kept["interval"])}, **rows)

    def plot(self) -> Figure:
        """The estimate with its interval, the training history and the pointwise values, as a matplotlib figure.

        Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.
        """
        from mine.reporting.figures import plot_estimate

        return plot_estimate(self)

    @property
    def warnings(self) -> list[str]:
        """Sentences to read before quoting the number."""
        return list(self.diagnostics.get("warnings", []))

    def __repr__(self) -> str:
        low, high = self.interval
        digits = 3 if max(abs(self.value), self.stderr if math.isfinite(self.stderr) else 0) < 100 else 1
        what = "Difference" if " - " in self.method else "Estimate"
        tested = "" if self.p_value is None else f"   p = {self.p_value:.3g}"
        lines = [
            (
                f"{what}: {fixed(self.value, digits)} ± {fixed(self.stderr, digits)} {self.unit}"
                f"   95 % interval {bracket(low, high, digits)}{tested}"
            )
        ]
        about = f"  method {self.method}, n = {self.n:,}"
        if self.lower_bound is not None:
            about += f", held-out lower bound {fixed(self.lower_bound, digits)}"
        lines.append(about)
        lines += [f"  ! {warning}" for warning in self.warnings]
        return "\n".join(lines)


def _fits(name: str, value: Any) -> bool:
    """Whether a field of a file is of the kind that an estimate has."""
    if name in ("value", "stderr"):
        return _is_number(value)
    if name in ("lower_bound", "p_value"):
        return value is None or _is_number(value)
    if name == "sides":
        return isinstance(value, list) and all(isinstance(side, str) for side in value)
    if name == "interval":
        return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
    if name == "n":
        return type(value) is int and value >= 0
    if name == "unit":
        return isinstance(value, str) and value in UNITS
    if name == "method":
        return isinstance(value, str)
    if name == "history":
        bounds = value.values() if isinstance(value, dict) else [None]
        return all(isinstance(numbers, list) and all(map(_is_number, numbers)) for numbers in bounds)
    warned = value.get("warnings", []) if isinstance(value, dict) else None
    return isinstance(warned, list) and all(isinstance(sentence, str) for sentence in warned)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(v) for v in value]
    if isinstance(value, np.ndarray):
        return _jsonable(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _finite(float(value))
    return value if value is None or isinstance(value, str) else str(value)

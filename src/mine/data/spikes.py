"""``mine.spikes``: spike times as a table with a row for each window of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.data.frames import as_frame
from mine.data.sources import plain_array
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

__all__ = ["SpikeWindows", "spikes"]

#: The features of a window.
FEATURES = ("counts", "since", "intervals")
#: Windows that a call may ask for: more is a unit taken for another, milliseconds for seconds.
MOST_WINDOWS = 50_000_000


@dataclass(frozen=True)
class SpikeWindows:
    """Spike trains in windows of time, a row per window; what :func:`mine.spikes` returns.

    It goes into :func:`mine.estimate` and its kind as it is, like an array, and ``windows["name"]`` is one train of it. Pass
    ``order=windows.starts`` along: neighbouring windows of a recording resemble each other.

    Attributes:
        values: The features, shape (n, f), in float64: counts, and seconds. NaN where a train had too few spikes before.
        columns: Name of each feature, train after train.
        starts: Start of each window in seconds, shape (n,).
        window: Length of each window in seconds.
        trains: Names of the trains.
    """

    values: np.ndarray
    columns: tuple[str, ...]
    starts: np.ndarray
    window: float
    trains: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype, copy=copy)

    def __getitem__(self, train: str) -> np.ndarray:
        """The features of one train, shape (n, features of a train).

        Raises:
            UnknownNameError: No train has that name.
        """
        if train not in self.trains:
            raise UnknownNameError("train", train, self.trains)
        each = self.values.shape[1] // len(self.trains)
        first = each * self.trains.index(train)
        return self.values[:, first : first + each]

    @property
    def stops(self) -> np.ndarray:
        """End of each window in seconds, shape (n,); a spike at that time belongs to the next one."""
        return self.starts + self.window

    def mean_of(self, signal: Any, times: Any) -> np.ndarray:
        """Mean of a sampled signal over each window, shape (n,); NaN where no sample lies in it.

        Arguments:
            signal: Samples, shape (m,).
            times: Time of each sample in seconds, shape (m,), rising.

        Raises:
            InputError: Samples and times that do not belong together.

        >>> spikes([0.5, 1.5], window=1.0, start=0.0, stop=2.0).mean_of([1.0, 3.0, 5.0], [0.0, 0.5, 1.0])
        array([2., 5.])
        """
        values, at = np.asarray(plain_array(signal, "signal"), np.float64), _times(times, "times")
        if values.shape != at.shape:
            raise InputError(f"signal has shape {values.shape} and times has {at.shape}: pass one time per sample.")
        total = np.append(0.0, np.cumsum(values))
        first, last = np.searchsorted(at, self.starts), np.searchsorted(at, self.stops)
        count = last - first
        return np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), np.nan)

    def to_frame(self) -> Any:
        """A frame of pandas (or of polars or pyarrow where that is missing): ``start``, then a column per feature."""
        columns = {name: self.values[:, i].tolist() for i, name in enumerate(self.columns)}
        return as_frame({"start": self.starts.tolist(), **columns}, None)

    def __repr__(self) -> str:
        trains = f"{len(self.trains)} train{'s' * (len(self.trains) != 1)}"
        return f"SpikeWindows: {len(self):,} windows of {self.window:g} s, {trains}, columns {', '.join(self.columns[:6])}" + (
            ", ..." if len(self.columns) > 6 else ""
        )


def spikes(
    times: Any,
    window: float,
    *,
    step: float | None = None,
    at: Any = None,
    start: float | None = None,
    stop: float | None = None,
    bins: int = 1,
    features: str | tuple[str, ...] | list[str] = "counts",
    n_intervals: int = 2,
) -> SpikeWindows:
    """Spike times as rows for :func:`mine.estimate`: one row per window of time.

    The windows lie side by side, or every ``step`` seconds, or begin at the times ``at``, such as stimulus onsets. A window
    holds the spikes from its start up to its end, without the end.

    Arguments:
        times: Spike times in seconds, sorted, shape (m,); a list of trains; or a mapping from names to trains. A train may be
            empty.
        window: Length of a window in seconds.
        step: Seconds from one window to the next; None takes ``window``. Shorter steps make windows that share spikes.
        at: Start of each window in seconds, shape (n,), instead of regular windows.
        start: Start of the recording; None takes 0, or the first spike if that is earlier. Regular windows begin here.
        stop: End of the recording. Only windows that end by then are kept. None takes the last spike, and for ``at`` no end.
        bins: Counts per window: 1 is the rate, more keep the timing.
        features: ``"counts"``, ``"since"`` (seconds from the last spike to the end of the window) and ``"intervals"`` (the last
            ``n_intervals`` seconds between spikes), or several of these. None of them sees spikes after the window.
        n_intervals: Number of intervals, the latest first.

    Returns:
        A :class:`~mine.SpikeWindows`, which is read like an array.

    Raises:
        InputError: Times that are not sorted or not finite, or arguments that cannot be used.
        NotEnoughDataError: No window fits.

    Example:
        >>> import mine
        >>> windows = mine.spikes([0.1, 0.3, 1.2, 2.9], window=1.0, start=0.0, stop=3.0)
        >>> windows.values.ravel(), windows.starts
        (array([2., 1., 1.]), array([0., 1., 2.]))
        >>> mine.spikes({"a": [0.1, 0.3, 1.2], "b": [0.8]}, 1.0, stop=2.0, features=["counts", "since"]).columns
        ('a count', 'a since', 'b count', 'b since')
    """
    trains = _trains(times)
    wanted = _wanted(features)
    _check_positive(window=window, step=window if step is None else step)
    _check_counts(bins=bins, n_intervals=n_intervals)
    if at is not None and step is not None:
        raise InputError("at= says where each window begins: leave step out.")
    if at is not None:
        edges = _event_edges(at, window, start, stop, bins)
    else:
        edges = _regular_edges(trains, window, step, start, stop, bins)
    columns: list[np.ndarray] = []
    names: list[str] = []
    for name, train in trains.items():
        for kind in wanted:
            found = _feature(kind, train, edges, n_intervals)
            columns.append(found)
            names += _column_names(name, kind, found.shape[1])
    return SpikeWindows(np.concatenate(columns, 1), tuple(names), edges[:, 0].copy(), float(window), tuple(trains))


def _feature(kind: str, train: np.ndarray, edges: np.ndarray, n_intervals: int) -> np.ndarray:
    """One kind of feature of a train in windows with ``edges`` (n, bins + 1), shape (n, columns)."""
    places = np.searchsorted(train, edges)
    if kind == "counts":
        return np.diff(places, axis=1).astype(np.float64)
    before = np.concatenate([np.full(n_intervals + 1, np.nan), train])  # the spikes before each window's end, from the last
    last = before[places[:, -1:] + n_intervals - np.arange(n_intervals + 1)]
    return edges[:, -1:] - last[:, :1] if kind == "since" else last[:, :-1] - last[:, 1:]


def _column_names(train: str, kind: str, count: int) -> list[str]:
    word = {"counts": "count", "since": "since", "intervals": "interval"}[kind]
    return [f"{train} {word}"] if count == 1 else [f"{train} {word} {i}" for i in range(count)]


def _event_edges(at: Any, window: float, start: float | None, stop: float | None, bins: int) -> np.ndarray:
    """Edges of the bins of each window that begins at an event, shape (n, bins + 1)."""
    starts = _finite(at, "at")
    kept = np.ones(len(starts), bool)
    if start is not None:
        kept &= starts >= start
    if stop is not None:
        kept &= starts + window <= stop
    return _some(starts[kept], window)[:, None] + window * np.arange(bins + 1) / bins


def _regular_edges(
    trains: dict[str, np.ndarray], window: float, step: float | None, start: float | None, stop: float | None, bins: int
) -> np.ndarray:
    """Edges of the bins of each window from ``start`` to ``stop``, shape (n, bins + 1)."""
    spiking = [train for train in trains.values() if len(train)]
    if stop is None and not spiking:
        raise InputError("times has no spikes: pass stop=, the end of the recording.")
    first = min([0.0, *(train[0] for train in spiking)]) if start is None else start
    last = max(train[-1] for train in spiking) if stop is None else stop
    count = max(0, int(np.floor((last - first - window) / (step or window) + 1e-9)) + 1)
    if count > MOST_WINDOWS:
        raise InputError(f"{count:,} windows of {window:g} s: times, window and step must be in one unit, seconds.")
    if step is not None:
        return _some(first + step * np.arange(count), window)[:, None] + window * np.arange(bins + 1) / bins
    # Windows side by side share their edges to the last digit, so that no spike is counted twice or not at all.
    shared = first + window * np.arange(count * bins + 1) / bins
    return shared[bins * np.arange(len(_some(shared[:-1:bins], window)))[:, None] + np.arange(bins + 1)]


def _some(starts: np.ndarray, window: float) -> np.ndarray:
    if not len(starts):
        raise NotEnoughDataError(f"No window of {window:g} s fits into the recording: pass a shorter window, or stop=.")
    return starts


def _trains(times: Any) -> dict[str, np.ndarray]:
    if isinstance(times, Mapping):
        named = {str(name): train for name, train in times.items()}
    else:
        several = isinstance(times, (list, tuple)) and any(hasattr(train, "__len__") for train in times)
        named = {f"train {i}": train for i, train in enumerate(times)} if several else {"train": times}
    if not named:
        raise InputError("times has no trains.")
    return {name: _times(train, f"times of {name!r}" if len(named) > 1 else "times") for name, train in named.items()}


def _times(data: Any, name: str) -> np.ndarray:
    out = _finite(data, name)
    if (np.diff(out) < 0).any():
        raise InputError(f"{name} must rise: pass them sorted, for example np.sort(times).")
    return out


def _finite(data: Any, name: str) -> np.ndarray:
    out = plain_array(data, name)
    if out.ndim != 1 or (out.dtype.kind not in "iuf" and len(out)):
        raise InputError(f"{name} must be numbers in one dimension, in seconds; got shape {out.shape} of {out.dtype}.")
    out = out.astype(np.float64)
    if not np.isfinite(out).all():
        raise InputError(f"{name} has missing or infinite values: leave them out.")
    return out


def _wanted(features: Any) -> list[str]:
    wanted = [features] if isinstance(features, str) else list(features)
    for feature in wanted:
        if feature not in FEATURES:
            raise UnknownNameError("feature", feature, FEATURES)
    if not wanted or len(set(wanted)) < len(wanted):
        raise InputError(f"features must be one or several of {', '.join(FEATURES)}, each once; got {features!r}.")
    return wanted


def _check_positive(**seconds: Any) -> None:
    for name, length in seconds.items():
        if isinstance(length, bool) or not isinstance(length, (int, float, np.number)) or not 0 < length < np.inf:
            raise InputError(f"{name} must be a positive number of seconds, got {length!r}.")


def _check_counts(**counts: Any) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise InputError(f"{name} must be an integer of at least 1, got {count!r}.")

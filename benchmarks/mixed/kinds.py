"""The kinds of tables, the share of each, and one generator for each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import ndtr

from mixed.case import (
    Case,
    columns,
    independent_third,
    log_uniform,
    margin,
    names_of,
    normal_sum,
    reshaped,
    table_information,
)

__all__ = ["GENERATORS", "SHARES", "draw_case", "kind_of"]

#: How many of 100 tables are of each kind.
SHARES = {
    "labels: noisy copy": 8,
    "labels: independent": 6,
    "labels: function": 5,
    "labels: rates": 3,
    "label and number": 8,
    "hundreds of levels and number": 4,
    "label and number together": 5,
    "numbers: normal, reshaped": 7,
    "numbers: curve": 5,
    "numbers: independent": 4,
    "numbers: rounded": 4,
    "numbers: mostly zero": 3,
    "numbers: near copies": 4,
    "numbers: functions": 4,
    "numbers: collinear": 5,
    "numbers: wide": 3,
    "numbers as text": 2,
    "constant parts": 4,
    "identifiers": 4,
    "free text": 3,
    "dates": 3,
    "given numbers": 3,
    "given labels": 3,
}
#: Sizes of tables, and how often each is drawn.
SIZES, SIZE_SHARES = (60, 120, 250, 500, 1000, 2000), (0.15, 0.2, 0.25, 0.2, 0.12, 0.08)
Generator = Callable[[int, np.random.Generator], Case]
GENERATORS: dict[str, Generator] = {}


def draws(kind: str) -> Callable[[Generator], Generator]:
    """Registers the generator of ``kind``: it takes the number of rows and a generator of random numbers."""

    def register(generator: Generator) -> Generator:
        GENERATORS[kind] = generator
        return generator

    return register


def _levels(n: int, rng: np.random.Generator) -> int:
    """From 2 to n, as often below the square root of n as above."""
    return int(np.clip(round(log_uniform(1.7, n + 0.5, rng)), 2, n))


def _independent(x: pd.DataFrame, y: pd.DataFrame, truth: float | None, n: int, rng: np.random.Generator, **more) -> Case:
    """With a third variable that changes nothing."""
    return Case(x, y, independent_third(n, rng), truth, truth, **more)


# === labels ===


@draws("labels: noisy copy")
def labels_noisy_copy(n: int, rng: np.random.Generator) -> Case:
    k, noise = _levels(n, rng), rng.choice([0.05, 0.3, 0.6])
    p = margin(k, rng)
    a = rng.choice(k, n, p=p)
    b = np.where(rng.random(n) < noise, rng.choice(k, n, p=p), a)
    same = (1 - noise) * p + noise * p**2
    truth = float((same * np.log(same / p**2)).sum() + noise * (1 - (p**2).sum()) * math.log(noise))
    return _independent(columns("x", names_of(a, "a")), columns("y", names_of(b, "b")), truth, n, rng, ceiling=math.log(k))


@draws("labels: independent")
def labels_independent(n: int, rng: np.random.Generator) -> Case:
    k, m = _levels(n, rng), _levels(n, rng) if rng.random() < 0.5 else 2
    a, b = (rng.choice(size, n, p=margin(size, rng)) for size in (k, m))
    return _independent(
        columns("x", names_of(a, "a")), columns("y", names_of(b, "b")), 0.0, n, rng, ceiling=math.log(min(k, m))
    )


@draws("labels: function")
def labels_function(n: int, rng: np.random.Generator) -> Case:
    k = _levels(n, rng)
    images = k if rng.random() < 0.4 else max(2, math.isqrt(k))
    p = margin(k, rng)
    a = rng.choice(k, n, p=p)
    share = np.bincount(np.arange(k) % images, p)
    truth = -float((share * np.log(share)).sum())
    return _independent(
        columns("x", names_of(a, "a")), columns("y", names_of(a % images, "b")), truth, n, rng, ceiling=math.log(images)
    )


@draws("labels: rates")
def labels_rates(n: int, rng: np.random.Generator) -> Case:
    """A yes or no whose rate depends on the level."""
    k = _levels(n // 2, rng)
    p, rate = margin(k, rng), rng.beta(1, 1.5, k)
    a = rng.choice(k, n, p=p)
    b = rng.random(n) < rate[a]
    truth = table_information(np.stack([p * rate, p * (1 - rate)], 1))
    return _independent(columns("x", names_of(a, "a")), columns("y", b), truth, n, rng, ceiling=math.log(2))


# === a label and numbers ===


def _label_and_number(n: int, k: int, rng: np.random.Generator) -> Case:
    p, means = margin(k, rng), log_uniform(0.3, 4, rng) * rng.normal(size=k)
    a = rng.choice(k, n, p=p)
    x = reshaped_within(means[a] + rng.normal(size=n), rng)
    sides = columns("x", x), columns("y", names_of(a, "b"))
    if rng.random() < 0.5:
        sides = columns("x", names_of(a, "a")), columns("y", x)
    return _independent(*sides, normal_sum(means, p, 0.0, 1.0), n, rng, ceiling=math.log(k))


@draws("label and number")
def label_and_number(n: int, rng: np.random.Generator) -> Case:
    return _label_and_number(n, int(rng.integers(2, 21)), rng)


@draws("hundreds of levels and number")
def hundreds_of_levels_and_number(n: int, rng: np.random.Generator) -> Case:
    return _label_and_number(n, int(log_uniform(21, n / 2, rng)), rng)


@draws("label and number together")
def label_and_number_together(n: int, rng: np.random.Generator) -> Case:
    """A side of a label and a number, and a number that depends on both."""
    k, slope = int(rng.integers(2, 9)), rng.uniform(0, 1.5)
    p, means = margin(k, rng), rng.uniform(0, 2) * rng.normal(size=k)
    a, v = rng.choice(k, n, p=p), rng.normal(size=n)
    y = means[a] + slope * v + rng.normal(size=n)
    truth = normal_sum(means, p, slope, 1.0)
    return _independent(columns("x", names_of(a, "a"), reshaped(v, rng)), columns("y", reshaped_within(y, rng)), truth, n, rng)


def reshaped_within(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """:func:`reshaped` after scaling to unit spread, so that an exponential does not overflow."""
    return reshaped((values - values.mean()) / values.std(), rng)


# === numbers ===


@draws("numbers: normal, reshaped")
def numbers_normal(n: int, rng: np.random.Generator) -> Case:
    r = rng.uniform(-0.98, 0.98)
    x = rng.normal(size=n)
    y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
    truth = -0.5 * math.log(1 - r * r)
    return _independent(columns("x", reshaped(x, rng)), columns("y", reshaped(y, rng)), truth, n, rng)


@draws("numbers: curve")
def numbers_curve(n: int, rng: np.random.Generator) -> Case:
    curve = (np.cos, np.abs, np.square, lambda v: np.sin(2 * v))[rng.integers(4)]
    noise = log_uniform(0.1, 1.5, rng)
    grid = np.linspace(-math.pi, math.pi, 4001)
    x = rng.uniform(-math.pi, math.pi, n)
    y = curve(x) + noise * rng.normal(size=n)
    truth = normal_sum(curve(grid), np.full(len(grid), 1 / len(grid)), 0.0, noise)
    return _independent(columns("x", x), columns("y", reshaped_within(y, rng)), truth, n, rng)


@draws("numbers: independent")
def numbers_independent(n: int, rng: np.random.Generator) -> Case:
    """Heavy tails, lumps and skew that have nothing to do with each other."""
    draws: tuple[Callable[[], np.ndarray], ...] = (
        lambda: rng.standard_cauchy(n),
        lambda: rng.lognormal(0, 2, n),
        lambda: rng.normal(size=n) + 20 * rng.integers(0, 3, n),
        lambda: rng.uniform(size=n),
    )
    x, y = (draws[rng.integers(4)]() for _ in range(2))
    return _independent(columns("x", x), columns("y", y), 0.0, n, rng)


@draws("numbers: rounded")
def ties_rounded(n: int, rng: np.random.Generator) -> Case:
    r, step = rng.uniform(0, 0.95), log_uniform(0.1, 1.5, rng)
    x = rng.normal(size=n)
    y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
    fine = step / 50
    grid = np.arange(-7 * 50 // step, 7 * 50 // step + 1) * fine
    weight = np.exp(-0.5 * grid**2)
    weight /= weight.sum()
    edges = (np.arange(math.floor(-8 / step), math.ceil(8 / step) + 2) - 0.5) * step
    below = ndtr((edges[None] - r * grid[:, None]) / math.sqrt(1 - r * r))
    cell = np.rint(grid / step).astype(int)
    joint = np.zeros((int(cell.max() - cell.min()) + 1, len(edges) - 1))
    np.add.at(joint, cell - cell.min(), weight[:, None] * np.diff(below, axis=1))
    sides = columns("x", np.rint(x / step) * step), columns("y", np.rint(y / step) * step)
    return _independent(*sides, table_information(joint), n, rng)


@draws("numbers: mostly zero")
def ties_zeros(n: int, rng: np.random.Generator) -> Case:
    """Amounts that are zero for most rows: two correlated normals, cut off from below."""
    r, cut = rng.uniform(0.2, 0.95), rng.uniform(-0.5, 0.8)
    x = rng.normal(size=n)
    y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
    s = math.sqrt(1 - r * r)
    grid = np.linspace(cut, 7, 1201)[:-1] + (7 - cut) / 2400
    cell = grid[1] - grid[0]
    density = np.exp(-0.5 * grid**2) / math.sqrt(2 * math.pi)
    zero = ndtr(cut)
    zero_given = ndtr((cut - r * grid) / s)
    both = zero - float((density * zero_given).sum()) * cell
    joint = density[:, None] * np.exp(-0.5 * ((grid[None] - r * grid[:, None]) / s) ** 2) / (s * math.sqrt(2 * math.pi))
    truth = both * math.log(both / zero**2)
    truth += 2 * float((density * zero_given * np.log(np.maximum(zero_given, 1e-300) / zero)).sum()) * cell
    ratio = np.log(np.maximum(joint, 1e-300) / (density[:, None] * density[None]))
    truth += float((joint * ratio).sum()) * cell**2
    amounts = (np.expm1(np.maximum(v - cut, 0)).round(6) for v in (x, y))
    return _independent(*(columns(name, v) for name, v in zip("xy", amounts, strict=True)), truth, n, rng)


@draws("numbers: near copies")
def near_copies(n: int, rng: np.random.Generator) -> Case:
    eps = log_uniform(1e-4, 0.3, rng)
    x = rng.normal(size=n)
    y = x + eps * rng.normal(size=n)
    return _independent(columns("x", reshaped(x, rng)), columns("y", reshaped(y, rng)), 0.5 * math.log1p(eps**-2), n, rng)


@draws("numbers: functions")
def functions(n: int, rng: np.random.Generator) -> Case:
    """A number that others determine: infinite information."""
    x = rng.normal(size=(n, int(rng.integers(1, 6))))
    mapped = (
        lambda: np.maximum(x @ rng.normal(size=(x.shape[1], 3)), 0),
        lambda: np.abs(x).sum(1),
        lambda: np.sin(2 * x[:, 0]),
        lambda: np.tanh(3 * x @ rng.normal(size=(x.shape[1], 2))),
        lambda: x[:, 0] ** 2,
    )[rng.integers(5)]()
    return Case(columns("x", x), columns("y", mapped), independent_third(n, rng), math.inf, math.inf)


@draws("numbers: collinear")
def collinear(n: int, rng: np.random.Generator) -> Case:
    """Nearly the same column twice in a side, or a column that is nearly the sum of others."""
    eps = log_uniform(1e-4, 0.05, rng)
    c = rng.normal(size=n)
    if rng.random() < 0.5:
        x, y = c + eps * rng.normal(size=n), c + eps * rng.normal(size=n)
        return _independent(columns("x", x), columns("y", y, c), 0.5 * math.log1p(eps**-2), n, rng)
    parts = rng.normal(size=(n, int(rng.integers(2, 6))))
    total, noise = parts.sum(1) + eps * rng.normal(size=n), log_uniform(0.2, 3, rng)
    y = parts[:, 0] + noise * rng.normal(size=n)
    return _independent(columns("x", parts, total), columns("y", y), 0.5 * math.log1p(noise**-2), n, rng)


@draws("numbers: wide")
def wide(n: int, rng: np.random.Generator) -> Case:
    """Many columns, of which a few are dependent."""
    n, d = min(n, 250), int(rng.integers(5, 16))
    r = np.where(rng.random(d) < 0.3, rng.uniform(0.3, 0.9, d), 0.0)
    x = rng.normal(size=(n, d))
    y = r * x + np.sqrt(1 - r**2) * rng.normal(size=(n, d))
    return _independent(columns("x", x), columns("y", y), -0.5 * float(np.log1p(-(r**2)).sum()), n, rng)


# === columns that are neither ===


@draws("constant parts")
def constant_parts(n: int, rng: np.random.Generator) -> Case:
    """A rare event, or a constant column beside a real one."""
    if rng.random() < 0.5:
        case = numbers_normal(n, rng)
        return Case(case.x.assign(constant=3.0), case.y, case.z, case.truth, case.truth_given)
    rate, missed = rng.uniform(0.02, 0.1), rng.uniform(0.05, 0.4)
    a = rng.random(n) < rate
    a[:2] = True, False
    b = np.where(rng.random(n) < missed, rng.random(n) < rate, a)
    b[:2] = True, False
    p = np.array([1 - rate, rate])
    joint = (1 - missed) * np.diag(p) + missed * np.outer(p, p)
    return _independent(columns("x", a), columns("y", b), table_information(joint), n, rng, ceiling=math.log(2))


@draws("identifiers")
def identifiers(n: int, rng: np.random.Generator) -> Case:
    """A name for each row: what it says about the other side cannot be known."""
    names = names_of(rng.permutation(n), "id")
    k = int(rng.integers(2, 6))
    other, ceiling = (
        (names_of(rng.integers(0, k, n), "b"), math.log(k)) if rng.random() < 0.6 else (rng.normal(size=n), math.inf)
    )
    sides = columns("x", names), columns("y", other)
    return _independent(
        *(sides if rng.random() < 0.7 else (columns("x", other), columns("y", names))), None, n, rng, ceiling=ceiling
    )


WORDS = """
    late early good bad broken lost paid sent again never always maybe order parcel refund call mail thanks wrong size
""".split()  # noqa: SIM905


@draws("free text")
def free_text(n: int, rng: np.random.Generator) -> Case:
    """Sentences that differ in every row, or a few that repeat."""
    k = 4
    b = rng.integers(0, k, n)
    if rng.random() < 0.5:
        text = np.array([f"{' '.join(rng.choice(WORDS, 8))}, no. {i}" for i in range(n)], dtype=object)
        truth = None
    else:
        phrases = np.array([" ".join(rng.choice(WORDS, 6)) + f" {i}" for i in range(3 * k)], dtype=object)
        # The phrase names the level but for a share of the rows, in which it is any phrase.
        noise = rng.choice([0.1, 0.5])
        code = np.where(rng.random(n) < noise, rng.integers(0, 3 * k, n), 3 * b + rng.integers(0, 3, n))
        text = phrases[code]
        joint = np.full((3 * k, k), noise / (3 * k * k))
        joint[np.arange(3 * k), np.arange(3 * k) // 3] += (1 - noise) / (3 * k)
        truth = table_information(joint)
    return _independent(columns("x", text), columns("y", names_of(b, "b")), truth, n, rng, ceiling=math.log(k))


@draws("dates")
def dates(n: int, rng: np.random.Generator) -> Case:
    """A trend in time."""
    days = rng.integers(0, 1000, n)
    slope = rng.uniform(0, 3)
    y = slope * days / 300 + rng.normal(size=n)
    truth = normal_sum(slope * np.arange(1000) / 300, np.full(1000, 1e-3), 0.0, 1.0)
    stamps = np.datetime64("2021-03-01") + days.astype("timedelta64[D]")
    return _independent(columns("x", stamps.astype("datetime64[s]")), columns("y", y), truth, n, rng)


@draws("numbers as text")
def numbers_as_text(n: int, rng: np.random.Generator) -> Case:
    """Amounts of money and shares as text, read by ``parse=True``."""
    r = rng.uniform(0, 0.95)
    x = rng.normal(size=n)
    y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
    money = np.array([f"${v:,.2f}" for v in np.exp(9 + x)], dtype=object)
    other = np.array([f"{v:.4f} %" for v in y], dtype=object) if rng.random() < 0.5 else y
    case = _independent(columns("x", money), columns("y", other), -0.5 * math.log(1 - r * r), n, rng)
    return Case(case.x, case.y, case.z, case.truth, case.truth_given, settings={"parse": True})


# === given a third ===


@draws("given numbers")
def given_numbers(n: int, rng: np.random.Generator) -> Case:
    """A common cause, a chain, or a z that is nearly x."""
    z = rng.normal(size=n)
    match rng.integers(3):
        case 0:  # common cause
            a, b = (log_uniform(0.2, 2, rng) for _ in range(2))
            x, y = z + a * rng.normal(size=n), z + b * rng.normal(size=n)
            r = 1 / math.sqrt((1 + a * a) * (1 + b * b))
            truth, given = -0.5 * math.log(1 - r * r), 0.0
        case 1:  # z is nearly x, y has nothing to do with either
            x, y = z + log_uniform(1e-3, 0.3, rng) * rng.normal(size=n), rng.normal(size=n)
            truth, given = 0.0, 0.0
        case _:  # z is a noisy measurement of x, and y is another
            a, b = (log_uniform(0.05, 2, rng) for _ in range(2))
            x, z = z, z + a * rng.normal(size=n)
            y = x + b * rng.normal(size=n)
            left = a * a / (1 + a * a)  # variance of x given z
            truth, given = 0.5 * math.log1p(b**-2), 0.5 * math.log1p(left / b**2)
    return Case(columns("x", x), columns("y", y), columns("z", z), truth, given)


@draws("given labels")
def given_labels(n: int, rng: np.random.Generator) -> Case:
    """A common cause with k levels, or a sum modulo 2."""
    if rng.random() < 0.5:
        k, noise = int(rng.integers(2, 8)), rng.uniform(0.1, 0.7)
        c = rng.integers(0, k, n)
        x, y = (np.where(rng.random(n) < noise, rng.integers(0, k, n), c) for _ in range(2))
        channel = (1 - noise) * np.eye(k) + noise / k
        truth, given, ceiling = table_information(channel @ channel / k), 0.0, math.log(k)
    else:
        x, c, e = rng.integers(0, 2, n), rng.integers(0, 2, n), rng.uniform(0.01, 0.3)
        y = x ^ c ^ (rng.random(n) < e)
        truth, given, ceiling = 0.0, table_information(np.array([[1 - e, e], [e, 1 - e]]) / 2), math.log(2)
    sides = (columns(name, names_of(v, name)) for name, v in zip("xyz", (x, y, c), strict=True))
    return Case(*sides, truth, given, ceiling)


_ORDER = np.random.default_rng(0).permutation(np.repeat(np.arange(len(SHARES)), list(SHARES.values())))


def kind_of(index: int) -> str:
    """The kind of table ``index``: any hundred consecutive tables have the shares of :data:`SHARES`."""
    return list(SHARES)[_ORDER[index % len(_ORDER)]]


def draw_case(seed: int, index: int) -> Case:
    """Table ``index`` of ``seed``."""
    rng = np.random.default_rng([seed, index])
    n = int(rng.choice(SIZES, p=SIZE_SHARES))
    return GENERATORS[kind_of(index)](n, rng)

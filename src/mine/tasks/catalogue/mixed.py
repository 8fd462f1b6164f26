"""Mixed coordinates: a correlated normal, each side rotated and bent so that no coordinate alone is what it was."""

from __future__ import annotations

from mine.tasks import maps
from mine.tasks import mixing_maps as mixing
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.task import Map, Task


def _task(name: str, words: str, information: float, d: int, x: Map, y: Map) -> Task:
    normal = CorrelatedNormal(information, d)
    base = Task(
        name="", dx=d, dy=d, mutual_information=information, description="", suite="mixed",
        source="this project; information is invariant under invertible maps (Kraskov et al., 2004, appendix)",
        sampler=normal.sampler, ratio=normal.ratio,
    )  # fmt: skip
    side = f"normal, {d} x {d}, {information:g} nats; each side"
    return base.transformed(f"mixed-{name}-{d}d-mi-{information:g}", f"{side} {words}", x=x, y=y)


def _cubic(d: int, seed: int) -> Map:
    return mixing.between_rotations(d, seed, maps.CUBIC, maps.ASINH)


def _waves(d: int, seed: int) -> Map:
    return mixing.between_rotations(d, seed, mixing.coupling(d, seed + 5))


def _henon(d: int, seed: int) -> Map:
    return mixing.between_rotations(d, seed, mixing.henon(0.4), mixing.henon(0.4))


def _asinh(d: int, seed: int) -> Map:
    steep = maps.chain(maps.scale(3.0), maps.ASINH)
    return mixing.between_rotations(d, seed, steep, steep)


def _both(name: str, words: str, information: float, d: int, seed: int) -> Task:
    make = {"cubic": _cubic, "coupling": _waves, "henon": _henon, "asinh": _asinh}[name]
    return _task(name, f"rotated, {words}, rotated", information, d, make(d, seed), make(d, seed + 10))


TASKS = (
    _both("cubic", "u + u^3 / 3, rotated, asinh", 2, 4, 10),
    _both("cubic", "u + u^3 / 3, rotated, asinh", 3, 8, 30),
    _both("coupling", "two coupling layers of sine waves", 2, 4, 50),
    _both("coupling", "two coupling layers of sine waves", 3, 8, 70),
    _both("henon", "Henon map, rotated, Henon map", 2, 4, 90),
    _both("henon", "Henon map, rotated, Henon map", 2.5, 6, 110),
    _both("asinh", "asinh(3 u), rotated, asinh(3 u)", 2, 5, 130),
    _both("asinh", "asinh(3 u), rotated, asinh(3 u)", 3, 8, 150),
)

"""Song & Ermon's staircase: 20-d normal vectors of 2 to 10 nats, plain and cubed."""

from __future__ import annotations

from mine.tasks import maps
from mine.tasks import mixing_maps as mixing
from mine.tasks.families.normal import CorrelatedNormal
from mine.tasks.task import Map, Task

SOURCE = "Song & Ermon, 2020, Understanding the Limitations of Variational Mutual Information Estimators (arXiv 1910.06222)"

CUBE = maps.power(3.0)


def _task(name: str, words: str, information: int, y: Map | None = None) -> Task:
    normal = CorrelatedNormal(information, 20)
    plain = Task(
        name=f"staircase-{name}-20d-mi-{information}", dx=20, dy=20, mutual_information=information,
        description=f"normal, 20 x 20, {information} nats{words}", source=SOURCE, suite="staircase",
        sampler=normal.sampler, ratio=normal.ratio,
    )  # fmt: skip
    return plain.transformed(plain.name, plain.description, y=y)


TASKS = tuple(
    _task(name, words, information, y)
    for name, words, y in (
        ("normal", "", None),
        ("cubic", "; every coordinate of y cubed", CUBE),
        ("rotated-cubic", "; y rotated, then every coordinate cubed", maps.chain(mixing.rotation(20, 200), CUBE)),
    )
    for information in (2, 4, 6, 8, 10)
)

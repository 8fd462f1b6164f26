"""Held-out tasks: copulas under margins of their own. Not for tuning."""

from __future__ import annotations

from scipy import special

from mine.tasks import maps
from mine.tasks.families.copulas import Clayton, Frank, Gumbel
from mine.tasks.task import Map, Task

SOURCE = "Nelsen, An Introduction to Copulas; information in closed form (Clayton) or by quadrature"

NORMAL = Map(special.ndtri, special.ndtr)
LOGIT = Map(special.logit, special.expit)


def _task(name: str, copula: Clayton | Gumbel | Frank, information: float, words: str, x: Map, y: Map) -> Task:
    base = Task(
        name="", dx=1, dy=1, mutual_information=information, description="", source=SOURCE, suite="holdout",
        sampler=copula.sampler, ratio=copula.ratio,
    )  # fmt: skip
    return base.transformed(f"holdout-{name}", words, x=x, y=y)


CLAYTON = Clayton(6.0)
GUMBEL, GUMBEL_INFORMATION = Gumbel(2.5), 0.561983
FRANK, FRANK_INFORMATION = Frank(-5.0), 0.257951

TASKS = (
    _task("clayton-1d", CLAYTON, CLAYTON.mutual_information, "Clayton copula, theta 6, normal margins", NORMAL, NORMAL),
    _task("gumbel-1d", GUMBEL, GUMBEL_INFORMATION, "Gumbel copula, theta 2.5, normal and logistic margins", NORMAL, LOGIT),
    _task(
        "frank-1d", FRANK, FRANK_INFORMATION, "Frank copula, theta -5, logistic and square-root margins", LOGIT, maps.power(0.5)
    ),
)

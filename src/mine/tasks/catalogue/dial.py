"""Fixed settings of the families with a dial."""

from __future__ import annotations

from mine.tasks.dial import log_gamma_exponential, normal, smoothed_uniform, student, uniform

TASKS = (
    *(normal(mi, d) for d in (1, 5) for mi in (0, 1, 2, 4, 6, 8, 10)),
    normal(6, 2),
    *(student(mi, 2, 3) for mi in (1, 2, 4, 6, 8, 10)),
    *(student(6, d, dof) for d, dof in ((1, 3), (3, 3), (5, 3), (1, 1), (2, 1), (5, 2))),
    *(family(mi, 1) for family in (uniform, smoothed_uniform, log_gamma_exponential) for mi in (1, 2, 4, 6, 8, 10)),
    *(family(6, d) for family in (uniform, smoothed_uniform, log_gamma_exponential) for d in (2, 5)),
)

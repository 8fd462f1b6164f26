"""The modules behind ``mine.estimate``: a change in one of them makes old cells of an experiment other cells."""

from __future__ import annotations

__all__ = ["ESTIMATE_CODE"]

ESTIMATE_CODE = (
    "api",
    "bounds",
    "critics",
    "fused",
    "guided",
    "metric",
    "preprocessing",
    "reporting",
    "sampling",
    "splits",
    "student",
    "training",
    *(f"estimators/{name}" for name in ("auto", "base", "crossfit", "ksg", "neural", "residual", "strong")),
)

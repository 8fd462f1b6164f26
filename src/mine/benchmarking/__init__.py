"""Measure estimators on distributions whose mutual information is known.

    results = mine.benchmark("1v1-*", "auto,ksg,package.module:Estimator", n=[1000], seeds=3, out="results")

A cell is one estimate: task x method x n x draw. ``grid`` lists them, ``pool`` runs them in worker processes, ``store`` keeps
each as it is finished, ``summary`` and ``figures`` say what came out; ``entrants`` and ``calls`` turn names into estimators.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

if _TYPE_CHECKING:
    from mine.benchmarking.run import BenchmarkResult as BenchmarkResult
    from mine.benchmarking.run import benchmark as benchmark

__all__ = ["BenchmarkResult", "benchmark"]


def __getattr__(name: str) -> _Any:
    # Imported when used: a worker process sets its number of threads before anything numerical is loaded.
    if name in __all__:
        from mine.benchmarking import run

        return getattr(run, name)
    raise AttributeError(f"module 'mine.benchmarking' has no attribute {name!r}")

"""All entry points on some of the tables, one JSON line per number: run by ``mixed_tables.py``, once for each checkout.

PYTHONPATH=src:benchmarks python -m mixed.measure --seed 0 --tables 0:25 --output lines.jsonl
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import mine
from mixed.case import Case
from mixed.kinds import draw_case, kind_of


def of_estimate(found: mine.Estimate) -> dict[str, Any]:
    low, high = found.interval
    return {"value": found.value, "low": low, "high": high, "warnings": found.warnings}


def calls(case: Case, seed: int) -> Iterator[tuple[str, float | None, Callable[[], list[dict[str, Any]]]]]:
    """The name of each entry point, the truth of its first number, and the call."""
    settings = {"random_state": seed, **case.settings}
    yield "estimate", case.truth, lambda: [of_estimate(mine.estimate(case.x, case.y, effort="fast", **settings))]
    yield (
        "conditional",
        case.truth_given,
        lambda: [of_estimate(mine.estimate(case.x, case.y, case.z, effort="fast", **settings))],
    )
    # Of wide sides a few columns do: the number of pairs grows as their product.
    table, target = pd.concat([case.x.iloc[:, :4], case.y.iloc[:, :2], case.z], axis=1), list(case.y)[:2]
    one_each = case.x.shape[1] == case.y.shape[1] == 1
    truth = case.truth if one_each else None
    yield "pairwise", truth, lambda: of_pairs(mine.pairwise(table, target=target, **accepted(mine.pairwise, settings)))
    if case.y.shape[1] == 1:
        features = pd.concat([case.x, case.z], axis=1)
        yield (
            "mutual_info",
            truth,
            lambda: of_scores(mine.mutual_info(features, case.y[target[0]], **accepted(mine.mutual_info, settings))),
        )


def accepted(function: Callable[..., Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Those of ``settings`` that ``function`` takes: older versions read text by ``mine.estimate`` only."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in settings.items() if name in known}


def of_pairs(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """The pair of x0 and y0 first."""
    rows = sorted(pairs.to_dict("records"), key=lambda row: (row["x"] != "x0", row["y"] != "y0"))
    return [
        {**{key: row[key] for key in ("value", "low", "high")}, "warnings": [row["note"]] * bool(row["note"])} for row in rows
    ]


def of_scores(scores: np.ndarray) -> list[dict[str, Any]]:
    """Scores have no interval."""
    return [{"value": float(score), "low": None, "high": None, "warnings": []} for score in scores]


def measured(case: Case, kind: str, index: int, seed: int) -> Iterator[dict[str, Any]]:
    for name, truth, call in calls(case, seed):
        about = {"index": index, "kind": kind, "n": len(case.x), "call": name, "ceiling": encoded(case.ceiling)}
        started = time.process_time()
        try:
            results, error = call(), None
        except mine.InputError as refused:
            results, error = [], f"refused: {refused}"
        except Exception as crashed:
            results, error = [], f"crashed: {type(crashed).__name__}: {crashed}"
        about["seconds"] = round(time.process_time() - started, 3)
        if error is not None:
            yield {**about, "truth": encoded(truth), "error": error}
        for place, result in enumerate(results):
            known = truth if place == 0 else None
            # The ceiling is that of x and y: other pairs of the table have others.
            ceiling = about["ceiling"] if place == 0 else None
            numbers = {key: encoded(result[key]) for key in ("value", "low", "high")}
            seconds = about["seconds"] if place == 0 else 0.0
            yield {
                **about,
                "seconds": seconds,
                "ceiling": ceiling,
                "truth": encoded(known),
                **numbers,
                "warnings": result["warnings"],
            }


def encoded(number: float | None) -> float | str | None:
    """A number as JSON has it: those that are not finite as text."""
    if number is None:
        return None
    return float(number) if math.isfinite(number) else str(float(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tables", required=True, help="first and one after the last, as in 0:25")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    first, last = map(int, options.tables.split(":"))
    for index in range(first, last):
        lines = list(measured(draw_case(options.seed, index), kind_of(index), index, options.seed + index))
        with options.output.open("a", encoding="utf-8") as stream:  # a table's lines together, so that a kill loses one table
            stream.write("".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))


if __name__ == "__main__":
    main()

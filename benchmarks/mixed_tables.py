"""Random tables of every kind through all entry points: finite, within the entropies, and covering the truth?

    python benchmarks/mixed_tables.py [--tables 2000] [--seed 0] [--against OTHER/src] [--store build/mixed_tables]
                                      [--output benchmarks/results/mixed_tables.txt] [--only-summary] [--show INDEX]

Of every hundred tables each kind has the share that ``mixed/kinds.py`` lists. Each table goes through ``estimate`` (effort
fast), the same given a third column, ``pairwise`` and ``mutual_info``. With ``--against`` another checkout takes the same
tables in turn, so that times and widths compare. Finished tables are kept in the store: the same command resumes. ``--show``
prints one table and everything that was found for it.

Columns of the result: numbers that came out; errors; share that is finite; share within the entropies (value from -0.1 to the
ceiling, the log of the levels of a side of labels, and a finite interval that ends within 0.35 of it; of numbers only above
-0.3); share of intervals that contain the truth, if it is known; median width of the finite ones; share open above; share of
confidently wrong ones (off by more than 0.25 nats and a quarter of the truth, outside of the interval if there is one, and
without a warning); processor seconds per table. With ``--against`` the same of the other checkout, and the ratio of the median
widths on the tables whose interval is right there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
OWN = HERE.parent / "src"
#: Tables per process: a process imports the library once, and the checkouts take turns.
CHUNK = 20
#: What sampling may add to a value at 0 or at its ceiling, and what the entropy's upper limit may add to an interval.
SLACK, INTERVAL_SLACK = 0.1, 0.35

Line = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", type=Path, help="the src folder of another checkout")
    parser.add_argument("--store", type=Path, default=HERE.parent / "build" / "mixed_tables")
    parser.add_argument("--output", type=Path, help="write the result to this file, too")
    parser.add_argument("--only-summary", action="store_true", help="measure nothing more")
    parser.add_argument("--show", type=int, help="print this table and its estimates instead")
    options = parser.parse_args()
    sources = {"here": OWN} | ({"against": options.against.resolve()} if options.against else {})
    options.store.mkdir(parents=True, exist_ok=True)
    files = {name: options.store / f"{name}_seed{options.seed}.jsonl" for name in sources}
    if options.show is not None:
        show(options.seed, options.show, files)
        return
    if not options.only_summary:
        for first in range(0, options.tables, CHUNK):
            for name, source in sources.items():
                measure(source, options.seed, range(first, min(first + CHUNK, options.tables)), files[name])
    text = report({name: [line for line in read(path) if line["index"] < options.tables] for name, path in files.items()})
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


def measure(source: Path, seed: int, tables: range, output: Path) -> None:
    """Those of ``tables`` that ``output`` lacks, by the library in ``source``."""
    finished = {line["index"] for line in read(output)}
    missing = [index for index in tables if index not in finished]
    if not missing:
        return
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{HERE}"}
    command = [sys.executable, "-m", "mixed.measure", "--seed", str(seed), "--output", str(output)]
    subprocess.run([*command, "--tables", f"{missing[0]}:{tables.stop}"], env=environment, check=True)


def read(path: Path) -> list[Line]:
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [{key: float(v) if v in ("inf", "-inf", "nan") else v for key, v in _hashable(line)} for line in lines]


def _hashable(line: Line) -> Iterable[tuple[str, Any]]:
    return ((key, value if not isinstance(value, list) else tuple(value)) for key, value in line.items())


# === judging ===


def finite(line: Line) -> bool:
    return math.isfinite(line["value"]) and not any(line[end] is not None and math.isnan(line[end]) for end in ("low", "high"))


def within(line: Line) -> bool:
    ceiling = line["ceiling"]
    if ceiling is None or math.isinf(ceiling):
        return line["value"] > -3 * SLACK  # numbers: only that information is not negative
    high = line["high"] is None or line["high"] <= ceiling + INTERVAL_SLACK
    return -SLACK <= line["value"] <= ceiling + 0.02 and high


def covers(line: Line) -> bool | None:
    """None without a truth or an interval."""
    if line["truth"] is None or line["low"] is None:
        return None
    if math.isinf(line["truth"]):
        return math.isinf(line["high"])
    return line["low"] - 1e-9 <= line["truth"] <= line["high"] + 1e-9


def confidently_wrong(line: Line) -> bool:
    """Far off, outside of the interval if there is one, and without a warning."""
    truth = line["truth"]
    if truth is None or covers(line) or line["warnings"]:
        return False
    if math.isinf(truth):
        return line["low"] is not None  # an interval that excludes infinity
    return abs(line["value"] - truth) > max(0.25, 0.25 * truth)


# === the result ===


def report(lines: dict[str, list[Line]]) -> str:
    parts = [shares(lines["here"])]
    for call in ("estimate", "conditional", "pairwise", "mutual_info"):
        parts.append(f"\n{call}\n{head('against' in lines)}")
        groups = {name: by_kind(found, call) for name, found in lines.items()}
        for kind in [*groups["here"], "all"]:
            other = groups.get("against")
            parts.append(row(kind, groups["here"], other))
    parts.append("\n" + worst(lines["here"]))
    return "\n".join(parts)


def shares(lines: list[Line]) -> str:
    kinds: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        kinds[line["kind"]].add(line["index"])
    total = sum(map(len, kinds.values()))
    return "\n".join(
        [
            f"{total:,} tables",
            *(f"{kind:<31} {len(found):>5} {len(found) / total:>6.1%}" for kind, found in sorted(kinds.items())),
        ]
    )


def by_kind(lines: list[Line], call: str) -> dict[str, list[Line]]:
    out: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line["call"] == call:
            out[line["kind"]].append(line)
    return dict(sorted(out.items()))


def head(compared: bool) -> str:
    names = (
        f"{'kind':<31} {'n':>5} {'error':>5} {'finite':>6} {'within':>6} {'cover':>6} {'width':>6} {'open':>5} {'wrong':>5} "
        f"{'s':>6}"
    )
    return names + (f" | {'cover':>6} {'width':>6} {'ratio':>6} {'wrong':>5} {'s':>6}" if compared else "")


def row(kind: str, own: dict[str, list[Line]], other: dict[str, list[Line]] | None) -> str:
    found, theirs = (
        None if source is None else [line for name, lines in source.items() if kind in (name, "all") for line in lines]
        for source in (own, other)
    )
    assert found is not None
    numbers = [line for line in found if "error" not in line]
    text = (
        f"{kind:<31} {len(numbers):>5} {len(found) - len(numbers):>5} {share(map(finite, numbers))} "
        f"{share(map(within, numbers))} {share(map(covers, numbers))} {width(numbers):>6.3f} "
        f"{share(map(open_above, numbers), 5)} {share(map(confidently_wrong, numbers), 5)} {seconds(found):>6.2f}"
    )
    if theirs is None:
        return text
    old = [line for line in theirs if "error" not in line]
    return (
        f"{text} | {share(map(covers, old))} {width(old):>6.3f} {width_ratio(numbers, old):>6.2f} "
        f"{share(map(confidently_wrong, old), 5)} {seconds(theirs):>6.2f}"
    )


def share(flags: Iterable[bool | None], digits: int = 6) -> str:
    known = [flag for flag in flags if flag is not None]
    return f"{np.mean(known):>{digits}.3f}" if known else f"{'-':>{digits}}"


def open_above(line: Line) -> bool | None:
    return None if line["high"] is None else math.isinf(line["high"])


def widths(lines: list[Line]) -> dict[tuple[int, str], float]:
    """Widths of the finite intervals of numbers with a known truth, by table."""
    return {
        (line["index"], line["call"]): line["high"] - line["low"]
        for line in lines
        if line["truth"] is not None and line["high"] is not None and math.isfinite(line["high"])
    }


def width(lines: list[Line]) -> float:
    found = widths(lines)
    return float(np.median(list(found.values()))) if found else math.nan


def width_ratio(lines: list[Line], old: list[Line]) -> float:
    """Median width over that of the other checkout, on tables whose interval was right there and is finite in both."""
    ours, theirs = widths(lines), widths([line for line in old if covers(line)])
    both = ours.keys() & theirs.keys()
    return float(np.median([ours[key] for key in both]) / np.median([theirs[key] for key in both])) if both else math.nan


def seconds(lines: list[Line]) -> float:
    tables = {line["index"] for line in lines}
    return sum(line["seconds"] for line in lines) / max(len(tables), 1)


def worst(lines: list[Line], each: int = 2) -> str:
    """The errors, and the worst misses of each kind: ``--show INDEX`` gives the whole table."""
    out = ["What to look at (--show INDEX)"]
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for line in sorted(lines, key=_badness, reverse=True):
        key = line["kind"], line["call"]
        if seen[key] >= each or _badness(line) <= 0:
            continue
        seen[key] += 1
        if "error" in line:
            out.append(f"{line['index']:>5} {line['kind']}, {line['call']}, n = {line['n']}: {line['error'][:160]}")
        else:
            low, high = (math.nan if line[end] is None else line[end] for end in ("low", "high"))
            truth = math.nan if line["truth"] is None else line["truth"]
            ceiling = "" if not line["ceiling"] else f", ceiling {line['ceiling']:.3f}"
            warned = f", warns: {line['warnings'][0][:60]}" if line["warnings"] else ""
            which = f"{line['index']:>5} {line['kind']}, {line['call']}, n = {line['n']}"
            out.append(f"{which}: {line['value']:.3f} [{low:.3f}, {high:.3f}] for {truth:.3f}{ceiling}{warned}")
    return "\n".join(out)


def _badness(line: Line) -> float:
    """0 for what is right; how far off, in nats, else."""
    if "error" in line:
        return 1e3 if line["error"].startswith("crashed") else 1e2
    if not finite(line):
        return 1e3
    out = 0.0 if within(line) else 0.5
    if confidently_wrong(line) or covers(line) is False:
        ends = [line[end] for end in ("low", "high") if line[end] is not None] or [line["value"]]
        miss = 10.0 if math.isinf(line["truth"]) else min(abs(line["truth"] - end) for end in ends)
        out = max(out, miss * (2 if confidently_wrong(line) else 1))
    return out


def show(seed: int, index: int, files: dict[str, Path]) -> None:
    from mixed.kinds import draw_case, kind_of

    case = draw_case(seed, index)
    print(f"{kind_of(index)}: truth {case.truth}, given z {case.truth_given}, ceiling {case.ceiling}, {case.settings}")
    for side in (case.x, case.y, case.z):
        print(side.head(5).to_string(), f"\n{side.nunique().to_dict()} distinct values of {len(side)}\n")
    for name, path in files.items():
        for line in read(path):
            if line["index"] == index:
                print(name, {key: value for key, value in line.items() if key not in ("index", "kind", "n")})


if __name__ == "__main__":
    main()

"""Write the golden values anew, or compare two files of them.

    python tests/golden/write.py                        # all cases, into tests/golden/estimates.json
    python tests/golden/write.py ksg_pair --out FILE    # some cases; the others of FILE stay as they are
    python tests/golden/write.py --compare A B          # what differs by more than 1e-12; exits with 1 if anything does

A change of the numbers that is meant raises NUMERICS: what was computed and kept before must not be mixed with it.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import time
from pathlib import Path
from typing import Any

# By path: as a script this file is in no package, as a file that pytest looks through for doctests it is in one.
FOLDER = Path(__file__).parent
CASES = runpy.run_path(str(FOLDER / "cases.py"))["CASES"]
RECORDS = runpy.run_path(str(FOLDER / "records.py"))
SURROUNDINGS = runpy.run_path(str(FOLDER / "surroundings.py"))

#: Beyond this two numbers differ.
SAME = 1e-12


def run(names: list[str]) -> dict[str, Any]:
    """The content of a file with these cases."""
    with SURROUNDINGS["one_thread"]():
        cases = {}
        for name in names:
            started = time.perf_counter()
            cases[name] = {RECORDS["KIND"]: CASES[name].kind, **RECORDS["encoded"](CASES[name].run())}
            _say(f"{time.perf_counter() - started:6.2f} s  {name}")
        return {"environment": SURROUNDINGS["environment"](), "numerics": SURROUNDINGS["numerics"](), "cases": cases}


def write(path: Path, names: list[str]) -> int:
    """Run the cases and write the file; some of them go into the file that is there."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        _say(f"No such case: {', '.join(unknown)}. There are: {', '.join(CASES)}.")
        return 2
    started = time.perf_counter()
    content = run(names or list(CASES))
    if names and path.exists():
        there = RECORDS["read"](path)
        if content["numerics"] != there["numerics"] or not SURROUNDINGS["alike"](content["environment"], there["environment"]):
            _say(f"{path} was written in another environment or with other NUMERICS: write all cases, or pass --out.")
            return 2
        content["cases"] = {**there["cases"], **content["cases"]}
    RECORDS["write"](path, content)
    _say(f"{time.perf_counter() - started:6.1f} s  {path}")
    return 0


def compare(one: Path, other: Path) -> int:
    """Print the largest difference of two files, and every number that differs."""
    found = RECORDS["distances"](RECORDS["read"](one), RECORDS["read"](other))
    _say(f"{len(found):,} numbers, largest difference {max(found.values(), default=0.0):.3g}")
    differ = {name: far for name, far in found.items() if far > SAME}
    for name, far in differ.items():
        _say(f"{far:9.3g}  {name}")
    return 1 if differ else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="cases to run; all without any")
    parser.add_argument("--out", type=Path, default=FOLDER / "estimates.json", help="file to write")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"), help="files to compare instead")
    chosen = parser.parse_args()
    return compare(*chosen.compare) if chosen.compare else write(chosen.out, chosen.names)


if __name__ == "__main__":
    sys.exit(main())

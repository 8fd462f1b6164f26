"""A thousand random finite inputs for the default method (and KSG, the Gaussian copula, a share for others).

    python benchmarks/robustness.py [EXAMPLES]

Scales from 1e-30 to 1e30, heavy tails, duplicates, integers, booleans, float16, 20 to 500 rows: never NaN, never an
uncaught exception. The strategy is that of tests/test_robustness.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

examples = sys.argv[1] if len(sys.argv) > 1 else "1000"
tests = Path(__file__).parent.parent / "tests" / "test_robustness.py"
started = time.perf_counter()
done = subprocess.run(
    [sys.executable, "-m", "pytest", str(tests), "--hypothesis-show-statistics", "--durations=5"],
    env={**os.environ, "MINE_ROBUSTNESS_EXAMPLES": examples},
    cwd=tests.parent.parent,
)
print(f"{examples} inputs a method in {time.perf_counter() - started:.0f} s, exit code {done.returncode}")
sys.exit(done.returncode)

"""(a) Steps a second of every contender, measured in turns so that a busy machine favours none."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.environments import BENCHMARK_MI, TORCH_MIST, NotInstalledError, interpreter, reason
from benchmarks.speed.race import Race

ROOT = Path(__file__).parent.parent.parent
OURS = "torch-mine"


@dataclass(frozen=True)
class Contender:
    """A name, and the command that runs its race; ``problem`` says why there is none."""

    name: str
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    problem: str = ""


@dataclass
class Result:
    """Seconds a step, one for each round; ``problem`` where the contender did not run."""

    seconds: list[float]
    problem: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def contenders(envs: Path, *, rivals: bool = True, tell: Callable[[str], None] = print) -> list[Contender]:
    """Every contender; a rival that cannot be installed is listed with the reason."""
    module = "benchmarks.speed.contenders."
    out = [
        Contender(OURS, (sys.executable, "-m", module + "torch_mine")),
        Contender("DataLoader loop", (sys.executable, "-m", module + "plain_loop")),
        Contender("same loop, batches indexed", (sys.executable, "-m", module + "plain_loop", "--memory")),
    ]
    for rival in (TORCH_MIST, BENCHMARK_MI) if rivals else ():
        tell(f"environment of {rival.name} in {envs} ...")
        try:
            python = interpreter(rival, envs)
        except NotInstalledError as error:
            out.append(Contender(rival.name, problem=f"not installed: {error}"))
        else:
            command = (str(python), "-m", module + rival.module)
            out.append(Contender(rival.name, command, tuple(rival.environment.items())))
    return out


def run(contender: Contender, race: Race, timeout: float = 600.0) -> float:
    """Seconds a step, as the contender's own process measures them.

    Raises:
        RuntimeError: With the reason, if it failed.
    """
    path = os.pathsep.join([str(ROOT), *([str(ROOT / "src")] if contender.command[0] == sys.executable else [])])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [*contender.command[:3], race.to_json(), *contender.command[3:]]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=timeout,
            env=environment | dict(contender.environment),
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took more than {timeout:.0f} s") from None
    if done.returncode:
        raise RuntimeError(reason(done.stderr))
    return float(json.loads(done.stdout.splitlines()[-1])["seconds_per_step"])


def measure(field: Sequence[Contender], race: Race, rounds: int) -> dict[str, Result]:
    """Let every contender run once a round, for ``rounds`` rounds."""
    results = {c.name: Result([], c.problem) for c in field}
    for _ in range(rounds):
        for contender in field:
            result = results[contender.name]
            if result.problem:
                continue
            try:
                result.seconds.append(run(contender, race))
            except RuntimeError as error:
                result.problem = f"failed: {error}"
    return results

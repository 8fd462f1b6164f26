"""Where a number comes from: other people's code by its version or a digest, and the machine."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import version
from pathlib import Path

import torch

from mine.benchmarking.entrants import parse_method
from mine.benchmarking.provenance import environment, external_version, object_version


class Rival:
    def estimate(self, x: object, y: object) -> float:
        return 0.0


def test_other_peoples_code_is_named_by_its_distribution() -> None:
    assert external_version("scipy.stats:entropy") == f"scipy {version('scipy')}"
    assert parse_method("scipy.stats:entropy[base=2]").version == f"scipy {version('scipy')}"


def test_a_file_is_named_by_what_it_holds(tmp_path: Path) -> None:
    rival = tmp_path / "rival.py"
    rival.write_text("def f(x, y): return 0.0\n")
    first = external_version(f"{rival}:f")
    assert first == hashlib.sha256(rival.read_bytes()).hexdigest()[:8]
    rival.write_text("def f(x, y): return 1.0\n")
    assert external_version(f"{rival}:f") != first
    assert external_version(f"{tmp_path}/nowhere.py:f") == external_version("no_such_package.x:y") == "unknown"


def test_an_object_is_named_by_the_source_of_its_class() -> None:
    digest = hashlib.sha256(inspect.getsource(Rival).encode()).hexdigest()[:8]
    assert object_version(Rival()) == object_version(Rival) == digest
    assert object_version(Rival.estimate) != digest
    assert object_version(len) == "unknown"


def test_only_this_packages_own_methods_have_numerics() -> None:
    assert parse_method("ksg").own
    assert not parse_method("scipy.stats:entropy").own


def test_the_environment_names_what_seconds_depend_on() -> None:
    assert f"torch {torch.__version__.partition('+')[0]}" in environment()

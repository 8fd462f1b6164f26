"""Importing is quiet, cheap and free of side effects, and no module leans on another being imported first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mine

PACKAGE = Path(mine.__file__).parent
MODULES = sorted(
    ".".join(("mine", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)

#: What `import mine` must leave to those who use it.
HEAVY = ("torch", "numpy", "scipy", "sklearn", "matplotlib", "pandas", "polars", "pyarrow", "narwhals", "rich", "typer")


def python(code: str, folder: Path) -> str:
    """Standard output of a fresh interpreter that runs ``code`` in an empty folder, warnings being errors."""
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    env |= {"HOME": str(folder), "USERPROFILE": str(folder), "XDG_CACHE_HOME": str(folder), "MPLCONFIGDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def loaded(statement: str, folder: Path) -> set[str]:
    """Heavy packages that a fresh interpreter has imported after ``statement``."""
    names = python(f"{statement}\nimport sys\nprint(*(n for n in {HEAVY!r} if n in sys.modules))", folder)
    return set(names.split())


def test_importing_is_silent_and_imports_nothing_heavy(tmp_path: Path):
    assert loaded("import mine; dir(mine); mine.__version__", tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("from mine import MineError, UnknownNameError", set()),
        ("from mine import Estimate", {"numpy"}),
        ("import mine; mine.methods()", {"numpy"}),
        ("from mine import bounds", {"torch", "numpy"}),
    ],
)
def test_names_import_only_what_they_need(statement: str, allowed: set[str], tmp_path: Path):
    assert loaded(statement, tmp_path) <= allowed


def test_a_first_estimate_does_not_wait_for_what_it_does_not_use(tmp_path: Path):
    """Two columns of numbers need neither scikit-learn nor scipy.stats, whose imports take as long as the estimate."""
    code = """
import numpy as np, mine, sys
x, y = np.random.default_rng(0).normal(size=(2, 200))
for method in ({}, {"method": "gaussian"}, {"method": "ksg"}):
    mine.estimate(x, x + y, random_state=0, device="cpu", **(method or {"effort": "fast", "steps": 3}))
print(*(name for name in ("sklearn", "scipy.stats", "scipy.optimize", "pandas", "joblib", "matplotlib") if name in sys.modules))
"""
    assert python(code, tmp_path).split() == []


@pytest.mark.slow  # the import contracts, which a quick test checks, leave little room for it to fail
def test_every_module_can_be_the_first_one_imported(tmp_path: Path):
    # One interpreter, in which mine is forgotten before each import: a circular import shows as it would in a fresh one.
    code = f"""
import importlib, sys
for name in {MODULES!r}:
    for known in [m for m in sys.modules if m == "mine" or m.startswith("mine.")]:
        del sys.modules[known]
    importlib.import_module(name)
    print(name)
"""
    assert python(code, tmp_path).split() == MODULES


def test_importing_everything_changes_no_global_state(tmp_path: Path):
    code = """
import importlib, os, random, sys, warnings, logging, locale, signal
import numpy, scipy.spatial, scipy.stats, sklearn.base, sklearn.model_selection, sklearn.preprocessing, torch, narwhals

def state():
    return {
        "torch generator": torch.get_rng_state().tolist(),
        "numpy generator": str(numpy.random.get_state()),
        "random": random.getstate(),
        "dtype": torch.get_default_dtype(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "gradient": torch.is_grad_enabled(),
        "numpy errors": numpy.geterr(),
        "numpy printing": str(numpy.get_printoptions()),
        "warnings": list(warnings.filters),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "interrupt": signal.getsignal(signal.SIGINT),
        "excepthook": sys.excepthook,
    }

before = state()
for name in ("mine.api", "mine.models.mine", "mine.mutual_information", "mine.estimators.auto", "mine.estimators.ksg"):
    importlib.import_module(name)
after = state()
print(*(key for key in before if before[key] != after[key]))
"""
    assert python(code, tmp_path).split() == []
    assert list(tmp_path.iterdir()) == []


def test_every_public_name_exists():
    for name in dir(mine):
        assert getattr(mine, name) is not None
    assert set(mine.__all__) == set(dir(mine))


def test_an_unknown_name_is_an_attribute_error():
    name = "estimat"
    with pytest.raises(AttributeError, match="module 'mine' has no attribute 'estimat'"):
        getattr(mine, name)


def test_names_of_mine_pytorch_say_where_they_are():
    with pytest.raises(ImportError, match=r"write 'from mine.models.mine import Mine'"):
        from mine import Mine  # noqa: F401
    with pytest.raises(ImportError, match="cannot import name 'Mien'"):
        from mine import Mien  # noqa: F401

"""One name per meaning, in every public signature and every option: the table of 'One argument vocabulary', walked."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from typer.core import TyperOption
from typer.testing import CliRunner

import mine
from mine.cli.app import app
from mine.cli.renamed import RENAMED
from mine.errors import InputError, NotEnoughDataError, UnknownNameError, renamed_arguments
from mine.tasks import Task

MODULES = (
    "mine",
    "mine.benchmarking",
    "mine.bounds",
    "mine.critics",
    "mine.critics.storage",
    "mine.data.readers",
    "mine.datasets",
    "mine.experiments",
    "mine.lightning",
    "mine.metrics",
    "mine.reporting.matrix",
    "mine.reporting.page",
    "mine.sampling",
    "mine.tables.description",
    "mine.tables.pairwise",
    "mine.tasks",
    "mine.terms",
)
#: Names that other libraries use, or that this one used, and the name of the same thing here.
OTHER_NAMES = {
    "seed": "random_state", "seeds": "n_repeats", "rng": "random_state",
    "repeats": "n_repeats", "repetitions": "n_repeats",
    "jobs": "n_jobs", "workers": "n_jobs", "n_workers": "n_jobs",
    "permutations": "n_permutations", "n_perm": "n_permutations",
    "given": "z", "condition": "z", "conditioning": "z",
    "cols": "columns", "out_dir": "out", "output": "out", "keep": "out",
    "group": "groups", "lag": "lags", "time": "order", "drop_na": "drop_missing", "dropna": "drop_missing",
    "verbose": "progress", "units": "unit", "pvalue": "p_value", "members": "ensemble_size",
}  # fmt: skip
#: Of options of commands.
OTHER_OPTIONS = {
    "--seeds": "--repeats", "--first-seed": "--seed", "--random-state": "--seed", "--n-repeats": "--repeats",
    "--n-jobs": "--jobs", "--workers": "--jobs", "--n-permutations": "--permutations", "--z": "--given",
    "--condition": "--given", "--keep": "--out", "--folder": "--out", "--lag": "--lags", "--time": "--order",
    "--group": "--groups", "--units": "--unit", "--path": "--output",
}  # fmt: skip
#: The placeholder that an option has in the help of every command.
PLACEHOLDERS = {
    "--seed": "N", "--repeats": "N", "--jobs": "N", "--permutations": "N", "--groups": "COLUMN", "--order": "COLUMN",
    "--columns": "COLUMNS", "--target": "COLUMNS", "--discrete": "COLUMNS", "--given": "COLUMNS", "--unit": "UNIT",
    "--device": "NAME", "--out": "DIR", "--output": "PATH", "--plot": "PATH",
}  # fmt: skip
#: Where another name is right, and why.
EXCEPTIONS = {
    ("mine.transfer_entropy", "lag"): "one length of the past, not a list of lags",
    ("mine.transfer_table", "lag"): "as in mine.transfer_entropy",
    ("mine.critics.MeanCritic", "members"): "the critics themselves, not how many there are",
}
#: A default of ``random_state`` that is not None, and why.
FIXED_SEEDS = {
    "mine.MaximizeMI": "a resumed run, and every process of a parallel one, must draw the same shuffles",
    "mine.MinimizeMI": "likewise",
    "mine.MinimizeTC": "likewise",
    "mine.lightning.InfoMax": "likewise",
    "mine.lightning.MutualInformationCallback": "likewise",
    "mine.lightning.VariationalBottleneck": "likewise",
    "mine.metrics.MutualInformationMetric": "the same rows of an epoch must give the same number",
}
#: Functions that take data and rows of which some may be missing, and the arguments that have a meaning there.
ON_DATA = {
    "mine.estimate": {"drop_missing", "unit", "progress", "device", "random_state", "groups", "order", "parse", "discrete"},
    "mine.pairwise": {"drop_missing", "unit", "progress", "random_state", "groups", "order", "parse", "discrete", "n_jobs"},
    "mine.independence_test": {"drop_missing", "progress", "device", "random_state", "groups", "order", "parse", "discrete"},
    "mine.sample_size_check": {"drop_missing", "unit", "progress", "random_state", "groups", "order", "parse", "discrete"},
    "mine.MutualInformation": {"drop_missing", "unit", "progress", "device", "random_state", "parse", "discrete"},
    "mine.total_correlation": {
        "drop_missing",
        "unit",
        "progress",
        "device",
        "random_state",
        "groups",
        "order",
        "parse",
        "discrete",
    },
    "mine.kl_divergence": {"drop_missing", "unit", "progress", "device", "random_state", "parse"},
}


def public() -> Iterator[tuple[str, inspect.Signature]]:
    """Every public function, class and method by its full name, with its signature; each object once."""
    seen: set[int] = set()
    for place in MODULES:
        module = import_module(place)
        for name in module.__all__:
            thing = getattr(module, name)
            ours = callable(thing) and getattr(thing, "__module__", "").startswith("mine")
            if not ours or id(thing) in seen or (inspect.isclass(thing) and issubclass(thing, Exception)):
                continue
            seen.add(id(thing))
            yield f"{place}.{name}", inspect.signature(thing)
            for key, member in vars(thing).items() if inspect.isclass(thing) else ():
                member = getattr(member, "__func__", member)
                if not key.startswith("_") and inspect.isfunction(member):
                    yield f"{place}.{name}.{key}", inspect.signature(member)


PUBLIC = dict(public())
COMMANDS = typer.main.get_command(app).commands


def test_there_is_something_to_walk():
    assert {*ON_DATA, "mine.MutualInfoSelector.fit", "mine.Estimate.save", "mine.experiments.reproduce"} <= set(PUBLIC)
    measuring = {"estimate", "pairwise", "report", "lags", "transfer"}
    assert set(COMMANDS) == {*measuring, "describe", "methods", "examples", "benchmark", "reproduce"}


def wrong_names(name: str, signature: inspect.Signature) -> list[str]:
    return [
        f"{name}({argument}=): the name here is {OTHER_NAMES[argument]}"
        for argument in signature.parameters
        if argument in OTHER_NAMES and (name, argument) not in EXCEPTIONS
    ]


def test_no_argument_has_another_name():
    assert [sentence for name, signature in PUBLIC.items() for sentence in wrong_names(name, signature)] == []


def test_the_walk_finds_a_wrong_name():
    def measure(x: Any, *, seeds: int = 1, n_jobs: int = 1) -> None: ...

    assert wrong_names("measure", inspect.signature(measure)) == ["measure(seeds=): the name here is n_repeats"]


@pytest.mark.parametrize("name", ON_DATA)
def test_functions_of_data_take_the_arguments_that_have_a_meaning(name: str):
    assert ON_DATA[name] <= set(PUBLIC[name].parameters)


def test_the_seed_is_none_by_default():
    seeds = {name: s.parameters["random_state"].default for name, s in PUBLIC.items() if "random_state" in s.parameters}
    fixed = {name for name, default in seeds.items() if default not in (None, inspect.Parameter.empty)}
    assert fixed == set(FIXED_SEEDS)


def test_files_are_paths_and_folders_are_out():
    for name, signature in PUBLIC.items():
        assert not {"file", "filename", "fname", "folder", "directory"} & set(signature.parameters) or name in (
            "mine.datasets.mnist",  # reads from a folder
        ), name


def test_groups_are_of_rows():
    """In the selector, whose features may come in groups, the argument has another name."""
    assert "feature_groups" in PUBLIC["mine.MutualInfoSelector"].parameters
    assert "groups" not in PUBLIC["mine.MutualInfoSelector"].parameters


def options() -> Iterator[tuple[str, str, TyperOption]]:
    for name, command in COMMANDS.items():
        for option in command.params:
            if isinstance(option, TyperOption):
                for flag in option.opts:
                    yield name, flag, option


def test_no_option_has_another_name():
    others = {(name, flag) for name, flag, _ in options() if flag in OTHER_OPTIONS}
    assert others == {("transfer", "--lag")}  # one length of the past, as lag= of mine.transfer_entropy


def test_an_option_has_one_placeholder_in_all_commands():
    shown = {(name, flag): option.metavar for name, flag, option in options() if flag in PLACEHOLDERS}
    assert {flag for _, flag in shown} == set(PLACEHOLDERS)
    assert {key: metavar for key, metavar in shown.items() if metavar != PLACEHOLDERS[key[1]]} == {}


def test_tests_and_gaps_are_switched_by_the_same_flags():
    flags = {(name, flag): option.secondary_opts for name, flag, option in options()}
    assert {flags[name, "--test"][0] for name in ("estimate", "pairwise", "report")} == {"--no-test"}
    assert [o.opts for _, flag, o in options() if flag == "--output"] == [["--output", "-o"]]
    assert {name for name, flag, _ in options() if flag == "--drop-missing"} == {
        "estimate", "pairwise", "report", "lags", "transfer",
    }  # fmt: skip


# === Old names ===


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.normal(size=100)
    return pd.DataFrame({"a": a, "b": a + rng.normal(size=100), "c": rng.normal(size=100)})


def normals() -> Task:
    return Task(
        "normals", 1, 1, 0.0, "two independent normals", "closed form", "toy", lambda n, rng: rng.normal(size=(2, n, 1))
    )


def old_pairwise() -> None:
    pairs = mine.pairwise(table(), y="a", method="gaussian", random_state=0)
    assert pairs.equals(mine.pairwise(table(), "a", method="gaussian", random_state=0))


def old_repeats() -> None:
    assert len(mine.benchmark(normals(), "gaussian", n=50, seeds=2).records) == 2


def old_jobs() -> None:
    assert len(mine.benchmark(normals(), "gaussian", n=50, n_repeats=1, jobs=1).records) == 1


def old_selector() -> None:
    assert mine.MutualInfoSelector(groups=["a", "b"]).feature_groups == ["a", "b"]


def old_parameter() -> None:
    assert mine.MutualInfoSelector().set_params(groups=["a", "b"]).feature_groups == ["a", "b"]


def old_attribute() -> None:
    assert mine.MutualInfoSelector(feature_groups=["a", "b"]).groups == ["a", "b"]


@pytest.mark.parametrize(
    ("call", "old", "new"),
    [
        (old_pairwise, "pairwise(y=...)", "pairwise(target=...)"),
        (old_repeats, "benchmark(seeds=...)", "benchmark(n_repeats=...)"),
        (old_jobs, "benchmark(jobs=...)", "benchmark(n_jobs=...)"),
        (old_selector, "MutualInfoSelector(groups=...)", "MutualInfoSelector(feature_groups=...)"),
        (old_parameter, "MutualInfoSelector.set_params(groups=...)", "MutualInfoSelector.set_params(feature_groups=...)"),
        (old_attribute, "MutualInfoSelector.groups", "MutualInfoSelector.feature_groups"),
    ],
)
def test_an_old_name_works_and_warns_at_the_line_that_used_it(call: Callable[[], None], old: str, new: str):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call()
    assert [(w.category, w.filename) for w in seen] == [(FutureWarning, __file__)]
    assert (
        str(seen[0].message) == f"{old} is called {new} since version 0.9 (November 2026); the old name goes with version 1.1."
    )


def test_an_old_name_next_to_its_new_one_is_an_error():
    with pytest.raises(InputError, match="got both target= and y=, its old name"):
        mine.pairwise(table(), target="a", y="b")


def test_a_clone_of_a_selector_has_no_old_parameter():
    from sklearn.base import clone

    selector = mine.MutualInfoSelector(feature_groups=["a", "b"])
    assert "groups" not in selector.get_params()
    assert clone(selector).feature_groups == ["a", "b"]


@pytest.mark.parametrize(("command", "old"), [(command, old) for command, names in RENAMED.items() for old in names])
def test_an_old_option_is_hidden_and_its_new_name_there(command: str, old: str):
    flags = {flag for name, flag, _ in options() if name == command}
    assert old not in flags
    assert RENAMED[command][old] in flags


@pytest.mark.parametrize("form", [["--seeds", "3", "--first-seed", "2"], ["--seeds=3", "--first-seed=2"]])
def test_an_old_option_works_and_a_line_on_standard_error_names_the_new_one(form: list[str]):
    done = CliRunner().invoke(app, ["reproduce", "--list", *form])
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "mine: note: --seeds is called --repeats since version 0.9 (November 2026); the old name goes with version 1.1.",
        "mine: note: --first-seed is called --seed since version 0.9 (November 2026); the old name goes with version 1.1.",
    ]
    assert "--seeds" not in CliRunner().invoke(app, ["reproduce", "--help"]).stdout


def test_the_page_on_deprecation_lists_every_old_option():
    page = (Path(__file__).parent.parent / "docs/deprecation.md").read_text(encoding="utf-8")
    for command, names in RENAMED.items():
        for old, new in names.items():
            assert f"`mine {command} {old}`" in page
            assert f"`{new}`" in page


def test_old_arms_are_separated_by_semicolons(capsys: pytest.CaptureFixture[str]):
    from mine.cli.values import arm_names

    assert arm_names("GAN; GAN, normal code") == ["GAN", "GAN, normal code"]
    assert "the separator ; of --arms is called a comma since version 0.9" in capsys.readouterr().err


# === seed=, and too few rows ===

X = np.random.default_rng(0).normal(size=(600, 2))
A, B = X[:, :1], X[:, 1:]


@pytest.mark.parametrize(
    "call",
    [
        lambda: mine.estimate(A, B, seed=0),
        lambda: mine.total_correlation([A, B], seed=0),
        lambda: mine.transfer_entropy(A, B, seed=0),
        lambda: mine.lag_scan(A, B, 3, seed=0),
        lambda: mine.sample_size_check(A, B, seed=0),
        lambda: mine.independence_test(A, B, seed=0),
        lambda: mine.kl_divergence(A, B, seed=0),
        lambda: mine.pairwise(X, seed=0),
        lambda: mine.mutual_info(X, B[:, 0], seed=0),
        lambda: mine.MutualInfoSelector(seed=0),
        lambda: mine.benchmark(normals(), seed=0),
    ],
)
def test_seed_gets_the_hint(call: Callable[[], Any]):
    with pytest.raises(InputError, match=r"Pass random_state= in place of seed=\."):
        call()


def test_a_column_called_seed_gets_no_hint():
    with pytest.raises(UnknownNameError) as raised:
        mine.pairwise(table(), "seed")
    assert "random_state" not in str(raised.value)


FEW = slice(0, 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mine.estimate(A[FEW], B[FEW]),
        lambda: mine.estimate(A[FEW], B[FEW], A[FEW]),
        *(lambda method=method: mine.estimate(A[FEW], B[FEW], method=method) for method in ("ksg", "gaussian", "mine")),
        lambda: mine.estimate(["a", "b", "a", "b"], ["c", "d", "c", "d"], method="discrete"),
        lambda: mine.estimate(["a", "b", "a", "b"], A[:4], method="ross"),
        lambda: mine.estimate(A[:30], B[:30], groups=np.arange(30) // 15),
        lambda: mine.estimate(A[FEW], B[FEW], order="time"),
        lambda: mine.independence_test(A[FEW], B[FEW]),
        lambda: mine.independence_test(A[FEW], B[FEW], order="time"),
        lambda: mine.pairwise(X[FEW]),
        lambda: mine.pairwise(X[FEW], B[FEW, 0]),
        lambda: mine.total_correlation([A[FEW], B[FEW]]),
        lambda: mine.kl_divergence(A[FEW], B[FEW]),
        lambda: mine.transfer_entropy(A[FEW], B[FEW]),
        lambda: mine.lag_scan(A[FEW], B[FEW], 3),
        lambda: mine.sample_size_check(A[FEW], B[FEW]),
        lambda: mine.MutualInformation().fit(A[FEW], B[FEW]),
        lambda: mine.estimate(np.where(np.arange(100)[:, None] < 90, np.nan, A[:100]), B[:100], drop_missing=True),
    ],
)
def test_too_few_rows_is_one_error_everywhere(call: Callable[[], Any]):
    with pytest.raises(NotEnoughDataError, match=r"row|group|series"):
        call()


def test_renamed_arguments_take_both_names_but_show_one():
    @renamed_arguments(old="new")
    def twice(new: int) -> int:
        return 2 * new

    assert list(inspect.signature(twice).parameters) == ["new"]
    assert twice(3) == twice(new=3) == 6
    with pytest.warns(FutureWarning, match="old name goes with version"):
        assert twice(old=3) == 6

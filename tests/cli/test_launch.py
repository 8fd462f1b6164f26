"""``mine estimate --devices``: several processes print once, and what they cannot share is refused before any starts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning.fabric import Fabric

import mine
from mine.datasets import correlated_normal

from .commands import Run, check_refused, program


def fail(*_: Any, **__: Any) -> None:
    pytest.fail("Lightning was asked for processes")


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "ddp_spawn"])
def test_two_processes_train_and_print_once(strategy: str, tmp_path: Path):
    x, y = correlated_normal(2000, 0.8, random_state=0)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    options = ("--method", "mine", "--option", "steps=100", "--option", "batch_size=128", "--option", "n_folds=2")
    arguments = ("estimate", str(tmp_path / "data.npz"), "--x", "x", "--y", "y", "--seed", "0", *options)
    done = program(*arguments, "--json", "--devices", "2", "--strategy", strategy)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = mine.estimate(x, y, method="mine", steps=100, batch_size=128, n_folds=2, random_state=0)
    assert found["diagnostics"]["processes"] == 2
    assert abs(found["value"] - expected.value) < expected.stderr
    if strategy == "ddp":  # Lightning's workers of the other announce themselves
        assert done.stderr == b""


@pytest.mark.slow
def test_an_error_of_all_processes_is_told_once():
    arguments = ("estimate", "example:diabetes", "--x", "bmi", "--y", "progression", "--unit", "bit")
    done = program(*arguments, "--devices", "2", "--strategy", "ddp")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == ["mine: error: Unknown unit 'bit': did you mean 'bits'? Valid: nats, bits."]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "ksg", "--devices", "2"], r"--devices shares the training of critics, and 'ksg' takes no part: drop it"),
        (["--method", "gaussian", "--strategy", "ddp"], r"--strategy shares the training of critics, and 'gaussian' takes no"),
        (
            ["--method", "discrete", "--devices", "2", "--strategy", "ddp_spawn"],
            r"--devices shares .* 'discrete' takes no part",
        ),
        (["--method", "ross", "--devices", "auto"], r"--devices shares .* 'ross' takes no part"),
        (["--method", "ksg", "--given", "age", "--devices", "2"], r"--devices shares .* 'ksg' takes no part"),
        (["--given", "age", "--conditional", "shuffle", "--devices", "2"], r"'conditional shuffle' takes no part"),
        (["--conditional", "shuffle", "--devices", "2"], r"pass z, or leave conditional out"),
        (["--method", "kgs", "--devices", "2"], r"Unknown method 'kgs': did you mean 'ksg'\?"),
        (["--option", "stepps=2", "--devices", "2"], r"'stepps': did you mean 'steps'\?"),
        (["--effort", "fsat", "--devices", "2"], r"Unknown effort 'fsat': did you mean 'fast'\?"),
    ],
)
def test_a_method_that_cannot_be_shared_is_refused_before_lightning_is_asked(
    arguments: list[str], message: str, run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lightning.fabric.Fabric", fail)
    check_refused(run("estimate", "example:diabetes", "--x", "bmi", "--y", "progression", *arguments), message)


@pytest.mark.parametrize("method", ["auto", "mine"])
def test_lightning_is_asked_for_a_method_that_can_be_shared(method: str, run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lightning.fabric.Fabric", fail)
    with pytest.raises(pytest.fail.Exception, match="Lightning was asked for processes"):
        run("estimate", "example:diabetes", "--x", "bmi", "--y", "progression", "--method", method, "--devices", "2")


def test_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "lightning.fabric", None)
    result = run("estimate", "example:diabetes", "--x", "bmi", "--y", "progression", "--devices", "2")
    check_refused(result, r'need Lightning: pip install "torch-mine\[lightning\]"')


@pytest.mark.parametrize("options", [("--devices", "none"), ("--strategy", "nope"), ("--devices", "2", "--device", "nope")])
def test_what_lightning_does_not_know_is_one_sentence_and_starts_nothing(
    options: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Fabric, "launch", fail)
    result = run("estimate", "example:diabetes", "--x", "bmi", "--y", "progression", *options)
    check_refused(result, r"^mine: error: Lightning cannot start --devices")


def test_standard_input_is_refused(run: Run):
    assert run("estimate", "-", "--x", "bmi", "--y", "progression", "--devices", "2") == (
        2, "", "mine: error: Several processes cannot read one standard input: write it to a file, and name that.\n",
    )  # fmt: skip

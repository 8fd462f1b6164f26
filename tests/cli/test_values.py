"""The values of the options of ``mine estimate``: how they reach the estimator, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from .commands import Run, check_refused


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"method": "auto", "unit": "nats", "device": "auto", "random_state": None}),
        ([], {"drop_missing": False, "progress": None}),
        (["--drop-missing", "--no-progress"], {"drop_missing": True, "progress": False}),
        (["--seed", "3", "--device", "cpu"], {"random_state": 3, "device": "cpu"}),
        (
            ["--option", "steps=2000", "--option", "hidden=(64, 64)", "--option", "bound=nwj"],
            {"steps": 2000, "hidden": (64, 64), "bound": "nwj"},
        ),
        (["--option", "preprocess=None"], {"preprocess": None}),
    ],
)
def test_arguments(arguments: list[str], expected: dict[str, Any], run: Run, csv: str, calls: list[dict[str, Any]]):
    assert run("estimate", csv, "--x", "a", "--y", "c", *arguments).code == 0
    assert {key: calls[0][key] for key in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "kgs"], r"Unknown method 'kgs': did you mean 'ksg'\?"),
        (["--unit", "bit"], r"Unknown unit 'bit': did you mean 'bits'\?"),
        (["--method", "gaussian", "--device", "gpu"], r"Unknown device 'gpu'"),
        (
            ["--method", "gaussian", "--device", "meta"],
            r"device 'meta' cannot be used .*'cpu' or 'auto'",
        ),
        (["--seed", "-1"], r"--seed must be 0 or more, got -1"),
        (["--option", "steps"], r"--option takes KEY=VALUE.*got 'steps'"),
        (["--option", "1=2"], r"--option takes KEY=VALUE"),
        (["--option", "steps={[1]: 2}"], r"steps must be an integer of at least 1, got '\{\[1\]: 2\}'"),
        (["--option", "stepps=2"], r"'stepps': did you mean 'steps'\?"),
        (["--option", "steps=many"], r"steps must be an integer of at least 1, got 'many'"),
        (["--option", "method='ksg'"], r"--option cannot set method"),
        (["--option", "drop_missing=True"], r"--option cannot set drop_missing"),
        (["--option", "discrete=True"], r"--option cannot set discrete"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: list[str], message: str, run: Run, csv: str):
    check_refused(run("estimate", csv, "--x", "a", "--y", "c", *arguments), message)

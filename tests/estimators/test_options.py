"""Option checks that several estimators share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mine
from mine.errors import InputError

ROWS = np.random.default_rng(0).normal(size=(3, 60))


def chain(**options: Any) -> None:
    mine.estimate(ROWS[0], ROWS[1], method="mine", **options)


def shuffle(**options: Any) -> None:
    mine.estimate(ROWS[0], ROWS[1], ROWS[2], conditional="shuffle", **options)


def divergence(**options: Any) -> None:
    mine.kl_divergence(ROWS[0], ROWS[1], **options)


@pytest.mark.parametrize("run", [chain, shuffle, divergence])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps must be an integer of at least 1, got 0"),
        ({"steps": 1.5}, "steps must be an integer of at least 1, got 1.5"),
        ({"steps": True}, "steps must be an integer of at least 1, got True"),
        ({"batch_size": 0}, "batch_size must be an integer of at least"),
        ({"n_folds": 1}, "n_folds must be an integer of at least 2, got 1"),
        ({"hidden": ()}, "hidden needs at least one layer"),
        ({"hidden": (0,)}, r"hidden must list the widths of the layers, for example \(64, 64\); got \(0,\)"),
        ({"hidden": 64}, "hidden must list the widths of the layers"),
    ],
)
def test_every_training_estimator_checks_alike(run: Any, options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        run(**options)

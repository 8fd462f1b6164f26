"""The experiments by name: every module of ``catalogue`` has one in ``EXPERIMENT``."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mine.errors import UnknownNameError
from mine.experiments import catalogue
from mine.experiments.experiment import Experiment

__all__ = ["get_experiment", "names"]


def get_experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        UnknownNameError: No such experiment.
    """
    experiments = _experiments()
    if name not in experiments:
        raise UnknownNameError("experiment", name, experiments)
    return experiments[name]


def names() -> list[str]:
    """Names of all experiments."""
    return list(_experiments())


@cache
def _experiments() -> dict[str, Experiment]:
    modules = sorted(module.name for module in pkgutil.iter_modules(catalogue.__path__))
    experiments = [import_module(f"mine.experiments.catalogue.{module}").EXPERIMENT for module in modules]
    return {experiment.name: experiment for experiment in experiments}

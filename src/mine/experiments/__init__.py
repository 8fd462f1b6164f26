"""Figures and tables of papers, run again: ``mine reproduce``.

An experiment is one small file in ``catalogue/``: a frozen config for each scale, what is compared, ``run`` and ``plot``.
"""

from mine.experiments.checkpoint import Checkpoint as Checkpoint
from mine.experiments.experiment import DivergedError as DivergedError
from mine.experiments.experiment import Experiment as Experiment
from mine.experiments.experiment import Metric as Metric
from mine.experiments.page import write_pages as write_pages
from mine.experiments.registry import get_experiment as get_experiment
from mine.experiments.registry import names as names
from mine.experiments.run import Reproduction as Reproduction
from mine.experiments.run import reproduce as reproduce
from mine.experiments.summary import as_listing as as_listing
from mine.experiments.targets import Target as Target

__all__ = [
    "Checkpoint",
    "DivergedError",
    "Experiment",
    "Metric",
    "Reproduction",
    "Target",
    "as_listing",
    "get_experiment",
    "names",
    "reproduce",
    "write_pages",
]

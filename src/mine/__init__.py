"""torch-mine: neural mutual information for PyTorch.

    import mine
    mine.estimate(x, y)             # one call, an honest error bar

Names are imported when first used, so that ``import mine`` costs nothing.
"""

from importlib import import_module as _import_module

from mine.storage.versions import __version__

# Not from typing: under ``python -m mine`` its imports would be looked for in the working directory first.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as _Any

    from mine import bounds as bounds
    from mine import critics as critics
    from mine import datasets as datasets
    from mine import lightning as lightning
    from mine import metrics as metrics
    from mine import models as models
    from mine import sampling as sampling
    from mine import tasks as tasks
    from mine import terms as terms
    from mine.api import estimate as estimate
    from mine.benchmarking.run import benchmark as benchmark
    from mine.data.spikes import SpikeWindows as SpikeWindows
    from mine.data.spikes import spikes as spikes
    from mine.errors import InputError as InputError
    from mine.errors import MineError as MineError
    from mine.errors import NotEnoughDataError as NotEnoughDataError
    from mine.errors import StaleCriticError as StaleCriticError
    from mine.errors import UnknownNameError as UnknownNameError
    from mine.estimators import methods as methods
    from mine.independence.test import IndependenceTest as IndependenceTest
    from mine.independence.test import independence_test as independence_test
    from mine.information.dimensions import shared_dimensions as shared_dimensions
    from mine.information.divergence import kl_divergence as kl_divergence
    from mine.information.extrapolation import SampleSizeCheck as SampleSizeCheck
    from mine.information.flattening import SharedDimensions as SharedDimensions
    from mine.information.sample_size import sample_size_check as sample_size_check
    from mine.information.series import lagged_information as lagged_information
    from mine.information.several import total_correlation as total_correlation
    from mine.information.transfer import transfer_entropy as transfer_entropy
    from mine.mutual_information import MutualInformation as MutualInformation
    from mine.reporting.report import Report as Report
    from mine.reporting.report import report as report
    from mine.result import Estimate as Estimate
    from mine.series.lag_result import LagScan as LagScan
    from mine.series.lags import lag_scan as lag_scan
    from mine.series.transfers import TransferTable as TransferTable
    from mine.series.transfers import transfer_table as transfer_table
    from mine.series.windows import windows as windows
    from mine.tables.describe import describe as describe
    from mine.tables.pairwise import pairwise as pairwise
    from mine.tables.selection import MutualInfoSelector as MutualInfoSelector
    from mine.tables.selection import mutual_info as mutual_info
    from mine.terms import MaximizeMI as MaximizeMI
    from mine.terms import MinimizeMI as MinimizeMI
    from mine.terms import MinimizeTC as MinimizeTC
    from mine.terms import clipped_backward as clipped_backward

_HOME = {
    "Estimate": "mine.result",
    "IndependenceTest": "mine.independence.test",
    "InputError": "mine.errors",
    "LagScan": "mine.series.lag_result",
    "MaximizeMI": "mine.terms",
    "MineError": "mine.errors",
    "MinimizeMI": "mine.terms",
    "MinimizeTC": "mine.terms",
    "MutualInfoSelector": "mine.tables.selection",
    "MutualInformation": "mine.mutual_information",
    "NotEnoughDataError": "mine.errors",
    "Report": "mine.reporting.report",
    "SampleSizeCheck": "mine.information.extrapolation",
    "SharedDimensions": "mine.information.flattening",
    "SpikeWindows": "mine.data.spikes",
    "StaleCriticError": "mine.errors",
    "TransferTable": "mine.series.transfers",
    "UnknownNameError": "mine.errors",
    "benchmark": "mine.benchmarking.run",
    "clipped_backward": "mine.terms",
    "describe": "mine.tables.describe",
    "estimate": "mine.api",
    "independence_test": "mine.independence.test",
    "transfer_entropy": "mine.information.transfer",
    "total_correlation": "mine.information.several",
    "lag_scan": "mine.series.lags",
    "lagged_information": "mine.information.series",
    "kl_divergence": "mine.information.divergence",
    "methods": "mine.estimators",
    "mutual_info": "mine.tables.selection",
    "pairwise": "mine.tables.pairwise",
    "report": "mine.reporting.report",
    "sample_size_check": "mine.information.sample_size",
    "shared_dimensions": "mine.information.dimensions",
    "spikes": "mine.data.spikes",
    "transfer_table": "mine.series.transfers",
    "windows": "mine.series.windows",
}
#: Where people coming from mine-pytorch look for its names.
_ELSEWHERE = {
    "Mine": "write 'from mine.models.mine import Mine'.",
    "MutualInformationEstimator": "use mine.estimate(x, y, method='mine') or mine.MutualInformation.",
    "T": "use mine.critics.ConcatCritic(dx, dy), or any nn.Module taking (x, y).",
}
_SUBMODULES = ("bounds", "critics", "datasets", "models", "sampling", "tasks", "terms")
_EXTRAS = ("lightning", "metrics")  # submodules that need a package of an extra: reachable, but not in __all__

__all__ = [
    "Estimate",
    "IndependenceTest",
    "InputError",
    "LagScan",
    "MaximizeMI",
    "MineError",
    "MinimizeMI",
    "MinimizeTC",
    "MutualInfoSelector",
    "MutualInformation",
    "NotEnoughDataError",
    "Report",
    "SampleSizeCheck",
    "SharedDimensions",
    "SpikeWindows",
    "StaleCriticError",
    "TransferTable",
    "UnknownNameError",
    "__version__",
    "benchmark",
    "bounds",
    "clipped_backward",
    "critics",
    "datasets",
    "describe",
    "estimate",
    "independence_test",
    "kl_divergence",
    "lag_scan",
    "lagged_information",
    "methods",
    "models",
    "mutual_info",
    "pairwise",
    "report",
    "sample_size_check",
    "sampling",
    "shared_dimensions",
    "spikes",
    "tasks",
    "terms",
    "total_correlation",
    "transfer_entropy",
    "transfer_table",
    "windows",
]


def __getattr__(name: str) -> "_Any":
    if name in _HOME:
        value = getattr(_import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES or name in _EXTRAS:
        return _import_module(f"mine.{name}")
    if name in _ELSEWHERE:  # an ImportError, since `from mine import ...` hides the message of an AttributeError
        raise ImportError(f"mine.{name} is not a name of torch-mine: {_ELSEWHERE[name]}", name=__name__)
    raise AttributeError(f"module 'mine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

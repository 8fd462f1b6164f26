"""Information while a network trains under Lightning: a callback that logs it, and two models that train by it.

Needs the extra ``lightning``: ``pip install "torch-mine[lightning]"``. Nothing else in torch-mine does.
"""

try:
    import lightning.pytorch as _lightning  # noqa: F401  (the parts below import from it)
except ImportError as missing:  # an ImportError, so that try/except around the import works as everywhere
    raise ImportError('mine.lightning needs Lightning: pip install "torch-mine[lightning]".') from missing

from mine.lightning.bottleneck import VariationalBottleneck
from mine.lightning.callback import LayerInformation, MutualInformationCallback
from mine.lightning.infomax import InfoMax

__all__ = ["InfoMax", "LayerInformation", "MutualInformationCallback", "VariationalBottleneck"]

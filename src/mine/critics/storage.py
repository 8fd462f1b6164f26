"""Critics on disk: their structure as JSON, their weights inside the same file."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mine.critics.critic import Critic
from mine.errors import InputError
from mine.storage.archive import read_archive, write_archive

__all__ = ["load_critic", "save_critic"]

#: The classes that a file may name, the module of ``mine.critics`` that each is in, and the attributes that it may set.
_HOMES: dict[str, tuple[str, frozenset[str]]] = {
    "ConcatCritic": ("networks", frozenset({"stack", "takes"})),
    "Convolution": ("towers", frozenset({"stride"})),
    "CopulaMetricCritic": ("copula_metric", frozenset({"sides", "stack"})),
    "DenseHead": ("towers", frozenset({"embed", "work"})),
    "DropoutMetricCritic": ("wide", frozenset({"draws", "dropout", "embed", "seed", "stack", "takes"})),
    "FlatTower": ("towers", frozenset({"activation", "dropout", "n_features", "work"})),
    "GaussianCritic": ("gaussian", frozenset({"stack"})),
    "ImageTower": ("towers", frozenset({"activation", "channels", "dropout", "n_features", "patch", "shift", "work"})),
    "LabelCritic": ("label", frozenset({"labels", "stack"})),
    "Linear": ("networks", frozenset({"bias"})),
    "MLP": ("networks", frozenset({"activate_first", "activation"})),
    "MeanCritic": ("combined", frozenset({"stack", "weights"})),
    "MetricCritic": ("metric", frozenset({"embed", "stack", "takes"})),
    "ResidualCritic": ("combined", frozenset({"base_dx", "base_dy", "stack"})),
    "SeparableCritic": ("networks", frozenset({"stack", "takes"})),
    "SequenceHead": ("towers", frozenset({"activation", "aligned", "embed", "work"})),
    "SequenceTower": ("towers", frozenset({"activation", "dropout", "steps", "work"})),
    "SideLayout": ("copula_metric", frozenset()),
    "StudentCritic": ("student", frozenset({"stack"})),
    "TimeConvolution": ("towers", frozenset({"beside", "n_out", "stride"})),
    "TowerCritic": ("two_towers", frozenset()),
    "ViewCritic": ("wide", frozenset({"mapped", "name", "share", "stack"})),
    "WideCritic": ("wide", frozenset({"dims", "stack"})),
}
#: What files of version 0.1 called them, attributes of theirs likewise.
_FORMER_NAMES: dict[str, str] = {"GuidedCritic": "CopulaMetricCritic", "_Linear": "Linear", "lengths": "norms"}

_PLAIN = (bool, int, float, str, type(None))
_OF_MODULES = frozenset(nn.Module().__dict__)


def save_critic(critic: Critic, path: str | Path) -> None:
    """Write a critic of this library, such as one of ``MutualInformation.critics_``, to ``path`` (JSON).

    Arguments:
        critic: The critic, trained or not, stacked or single.
        path: The file, whose name usually ends in ``.json``.

    Raises:
        InputError: A module that is not of this library: keep the ``state_dict()`` of your own.

    Example:
        >>> from mine.critics import ConcatCritic
        >>> critic = ConcatCritic(2, 3, hidden=(8,))
        >>> save_critic(critic, "critic.json")
        >>> x, y = torch.randn(5, 2), torch.randn(5, 3)
        >>> bool((load_critic("critic.json")(x, y) == critic(x, y)).all())
        True
    """
    weights = {name: value.clone() for name, value in critic.state_dict().items()}  # two towers may be one
    write_archive(path, "critic", {"module": _structure(critic)}, weights)


def load_critic(path: str | Path) -> Critic:
    """The critic that :func:`save_critic` wrote, on the CPU and in evaluation mode.

    Raises:
        InputError: No such file, a damaged one, one of a newer version, or one that names a module not of this library.
    """
    content, arrays = read_archive(path, "critic")
    try:
        critic = _built(content["module"], arrays, "")
    except (KeyError, TypeError, AttributeError, ImportError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged, or from another version of torch-mine: {error!r} is missing or wrong.") from error
    if critic.state_dict().keys() != arrays.keys():
        raise InputError(f"{path} is damaged: its weights do not belong to its modules.")
    if not isinstance(critic, Critic):
        raise InputError(f"{path} holds a {type(critic).__name__}, which is no critic.")
    return critic.eval()


def _structure(module: nn.Module) -> dict[str, Any]:
    """Class, plain attributes, names of the tensors and the modules inside."""
    kind = type(module)
    name = _name(kind)
    if name is None:
        raise InputError(
            f"{kind.__module__}.{kind.__name__} is not a module of this library and cannot be rebuilt from a file: "
            "keep its state_dict() yourself."
        )
    attributes = {k: _plain(v) for k, v in vars(module).items() if k not in _OF_MODULES}
    return {
        "class": name,
        "attributes": attributes,
        "parameters": {k: None if p is None else p.requires_grad for k, p in module._parameters.items()},
        "buffers": [k for k, b in module._buffers.items() if b is not None],
        "modules": {k: None if m is None else _structure(m) for k, m in module._modules.items()},
    }


def _built(structure: dict[str, Any], arrays: dict[str, Tensor], prefix: str) -> nn.Module:
    kind = _class(structure["class"])
    module: nn.Module = kind.__new__(kind)
    nn.Module.__init__(module)
    for name, value in structure["attributes"].items():
        if _former(name) not in _HOMES.get(kind.__name__, ("", ()))[1]:
            raise InputError(f"The file sets {name!r} of {kind.__name__}, which is no attribute of it.")
        setattr(module, _former(name), _rich(value))
    for name, trained in structure["parameters"].items():
        module.register_parameter(name, None if trained is None else nn.Parameter(arrays[prefix + name], trained))
    for name in structure["buffers"]:
        module.register_buffer(name, arrays[prefix + name])
    for name, inner in structure["modules"].items():
        module.add_module(name, None if inner is None else _built(inner, arrays, f"{prefix}{name}."))
    lacking = [name for name in _HOMES.get(kind.__name__, ("", ()))[1] if not hasattr(module, name)]
    if lacking:
        raise InputError(f"The file is damaged: its {kind.__name__} lacks {', '.join(sorted(lacking))}.")
    return module


def _former(name: str) -> str:
    return str(_FORMER_NAMES.get(name, name))


def _class(name: str) -> Any:
    """The listed class of that name; an older file names its module as well, which does not matter.

    Raises:
        InputError: No such class is listed: a file cannot make anything else run.
    """
    if name == f"{nn.ModuleList.__module__}:ModuleList":
        return nn.ModuleList
    module, _, own = name.rpartition(":")
    own = _former(own)
    if own not in _HOMES or (module and module.partition(".")[0] != "mine"):
        raise InputError(f"The file names {name}, which is no class of this library to build a critic from.")
    return getattr(import_module(f"mine.critics.{_HOMES[own][0]}"), own)


def _name(kind: type) -> str | None:
    """The name under which a class is listed; None for any other."""
    if kind is nn.ModuleList:
        return f"{kind.__module__}:ModuleList"
    home = _HOMES.get(kind.__name__)
    return kind.__name__ if home is not None and kind.__module__ == f"mine.critics.{home[0]}" else None


def _plain(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if type(value) in (tuple, list):
        return {"$tuple" if isinstance(value, tuple) else "$list": [_plain(item) for item in value]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and _name(type(value)) is not None:
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"$record": _name(type(value)), "fields": fields}
    raise InputError(f"A critic with {type(value).__name__} among its attributes cannot be kept in a file.")


def _rich(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "$record" in value:
        fields = {_former(name): _rich(item) for name, item in value["fields"].items()}
        return _class(value["$record"])(**fields)
    if "$tuple" in value:
        return tuple(_rich(item) for item in value["$tuple"])
    return [_rich(item) for item in value["$list"]]

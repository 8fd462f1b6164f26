"""Who enters a benchmark: a method by name, a stranger's estimator by import path, or an object, each with options."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from mine.benchmarking.provenance import external_version, object_version
from mine.errors import InputError
from mine.estimators import METHODS
from mine.storage import versions

__all__ = ["Entrant", "as_entrants", "parse_method", "split_methods", "with_effort"]

#: Arguments of :func:`mine.estimate` that the grid itself decides.
_RESERVED = {"method", "progress", "random_state", "unit", "x", "y"}


@dataclass(frozen=True)
class Entrant:
    """One method of a benchmark.

    Attributes:
        name: A name of :func:`mine.methods`, ``package.module:attribute``, ``path/to/file.py:attribute``, or what the caller
            calls an object.
        options: Its options, sorted by name.
        version: Version of the code behind it: this package's for its own methods, otherwise a distribution's or a digest.
        target: The object itself where the caller passed one.
        own: Whether it is a method of this package.
    """

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    version: str = ""
    target: Any = None
    own: bool = False

    @property
    def label(self) -> str:
        """The name with its options, which the command line reads back.

        >>> Entrant("ksg", (("n_neighbors", 5),)).label
        'ksg[n_neighbors=5]'
        """
        if not self.options:
            return self.name
        return f"{self.name}[{','.join(f'{key}={_shown(value)}' for key, value in self.options)}]"

    @property
    def is_external(self) -> bool:
        return self.target is None and ":" in self.name

    def with_options(self, **options: Any) -> Entrant:
        return replace(self, options=tuple(sorted({**dict(self.options), **options}.items())))


def as_entrants(methods: str | Sequence[Any] | Mapping[str, Any]) -> list[Entrant]:
    """Entrants from what a caller passes: a comma-separated text, texts and objects, or a mapping from names to objects.

    Raises:
        InputError: None at all, a text that cannot be read, or two entrants of one name.
    """
    if isinstance(methods, str):
        entrants = [parse_method(text) for text in split_methods(methods)]
    elif isinstance(methods, Mapping):
        entrants = [_from_object(target, name) for name, target in methods.items()]
    else:
        entrants = [parse_method(m) if isinstance(m, str) else _from_object(m) for m in methods]
    if not entrants:
        raise InputError("No method to measure: name one, for example 'auto'.")
    labels = [entrant.label for entrant in entrants]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise InputError(f"Method {twice!r} is entered twice: leave one out, or pass a mapping with two names.")
    return entrants


def split_methods(text: str) -> list[str]:
    """Split at commas, not at those between brackets.

    >>> split_methods("auto[hidden=(64, 64),steps=200],ksg")
    ['auto[hidden=(64, 64),steps=200]', 'ksg']
    """
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth:
        raise InputError(f"The brackets of {text!r} do not match: write options as name[option=value,...].")
    return [part.strip() for part in parts if part.strip()]


def parse_method(text: str) -> Entrant:
    """An entrant from ``name``, ``name[option=value,...]``, ``package.module:attribute[...]`` or ``file.py:attribute[...]``.

    A value is read as Python where it is a literal, and is text otherwise.

    Raises:
        InputError: Options that cannot be read, or that the grid decides itself.

    Example:
        >>> parse_method("auto[steps=200, bound=nwj]").options
        (('bound', 'nwj'), ('steps', 200))
    """
    name, bracket, rest = text.strip().partition("[")
    if bracket and not rest.endswith("]"):
        raise InputError(f"Method {text!r} cannot be read: write options as name[option=value,...].")
    options: dict[str, Any] = {}
    for pair in split_methods(rest[:-1]):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not key.isidentifier():
            raise InputError(f"Method {text!r} has an option {pair!r}: write option=value, for example steps=200.")
        if key in _RESERVED:
            raise InputError(f"Method {text!r} sets {key!r}, which the benchmark decides itself: leave it out.")
        options[key] = _literal(value)
    name = name.strip()
    if not name:
        raise InputError(f"Method {text!r} has no name: see 'mine methods'.")
    given = tuple(sorted(options.items()))
    if ":" in name:
        return Entrant(name, given, external_version(name))
    return Entrant(name, given, versions.__version__, own=True)


def with_effort(entrants: Iterable[Entrant], efforts: Sequence[str]) -> list[Entrant]:
    """Each entrant once an effort where it takes that option and does not set it, and as it is otherwise.

    Raises:
        InputError: No entrant takes ``effort``.
    """
    out: list[Entrant] = []
    used = False
    for entrant in entrants:
        if "effort" in dict(entrant.options) or not _takes_effort(entrant):
            out.append(entrant)
            continue
        used = True
        out += [entrant.with_options(effort=effort) for effort in efforts]
    if not used:
        raise InputError(f"No method here takes effort={','.join(efforts)}: leave it out, or enter 'auto'.")
    return out


def _takes_effort(entrant: Entrant) -> bool:
    """Whether a method of this library has the option; strangers say it in their brackets."""
    spec = METHODS.get(entrant.name)
    if spec is None or entrant.target is not None:
        return False
    factory = getattr(import_module(spec.module), spec.factory)
    return "effort" in {field.name for field in dataclasses.fields(factory)}


def _from_object(target: Any, name: str | None = None) -> Entrant:
    if isinstance(target, str):
        entrant = parse_method(target)
        if name is None or name == entrant.label:
            return entrant
        raise InputError(f"Method {name!r} is the text {target!r}: enter texts in a list; a mapping names objects.")
    name = str(getattr(target, "__name__", type(target).__name__)) if name is None else name
    if not (callable(target) or callable(getattr(target, "estimate", None)) or callable(getattr(target, "run", None))):
        raise InputError(f"Method {name!r} must be a name, a function (x, y) or have estimate(x, y); got {target!r}.")
    return Entrant(name, (), object_version(target), target)


def required_arguments(function: Callable[..., Any]) -> int | None:
    """Number of positional arguments without a default; None where Python cannot tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # all that literal_eval may raise
        return text


def _shown(value: Any) -> str:
    """As :func:`_literal` reads it back: text stands bare where that reads as text again."""
    if isinstance(value, str) and _literal(value) == value and not set(value) & set("[](){},="):
        return value
    return repr(value)

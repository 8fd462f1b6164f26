"""The values of options that need more than their type: seeds, KEY=VALUE, lists of numbers."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from typing import Any

import typer

from mine.errors import InputError, renamed_message

__all__ = ["arm_names", "checked_seed", "method_options", "seed_numbers", "whole_numbers"]


def arm_names(text: str) -> list[str]:
    """The names of ``--arms``, comma-separated; a name that contains a comma stands in double quotes.

    >>> arm_names('GAN, "GAN, normal code"')
    ['GAN', 'GAN, normal code']
    """
    from mine.data.readers import split_names

    if ";" not in text:
        return split_names(text)
    typer.echo(f"mine: note: {renamed_message('the separator ; of --arms', 'a comma')}", err=True)
    return [name.strip() for name in text.split(";")]


def checked_seed(seed: int | None) -> int | None:
    """The value of ``--seed``.

    Raises:
        InputError: It is negative.
    """
    if seed is not None and seed < 0:
        raise InputError(f"--seed must be 0 or more, got {seed}.")
    return seed


def method_options(pairs: Sequence[str]) -> dict[str, Any]:
    """The options of the method from the KEY=VALUE of every ``--option``; a value that is no Python literal is text.

    Raises:
        InputError: There is no key, or the key is an argument of :func:`mine.estimate` that is no option of the method.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip().isidentifier():
            raise InputError(f"--option takes KEY=VALUE, for example steps=2000; got {pair!r}.")
        try:
            options[key.strip()] = ast.literal_eval(value.strip())
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # all that literal_eval may raise
            options[key.strip()] = value.strip()  # a bare word is text: bound=nwj
    from mine.api import estimate

    reserved = [key for key in options if key in inspect.signature(estimate).parameters]
    if reserved:
        raise InputError(f"--option cannot set {reserved[0]}: it has a flag of its own, or needs Python.")
    return options


def seed_numbers(count: int, first: int) -> range:
    """The seeds of ``--repeats`` repetitions, counted up from ``--seed``.

    Raises:
        InputError: There are none, or the first is negative.
    """
    if count < 1 or first < 0:
        raise InputError(f"--repeats must be 1 or more and --seed 0 or more, got {count} and {first}.")
    return range(first, first + count)


def whole_numbers(flag: str, text: str) -> list[int]:
    """The numbers of a comma-separated list; underscores may separate their digits.

    Raises:
        InputError: An entry is no whole number.
    """
    try:
        return [int(part.strip().replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{flag} takes whole numbers, comma-separated, for example 1000,5000; got {text!r}.") from None

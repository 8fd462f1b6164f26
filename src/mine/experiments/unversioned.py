"""Results from before records named NUMERICS: a digest of the experiment's code stood in the place of its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["with_versions"]

#: Digests whose numbers are version 1 of the experiment and NUMERICS 1, all after ``0.1.0+``: of each experiment the one of
#: commit 721daf8, then those that the results kept in ``docs/results`` named at that commit.
_FIRST_VERSION = {
    "bigan-25-gaussians": ("4edc91f9",),
    "bigan-mnist": ("75b33b81",),
    "bottleneck": ("f60c5696", "40ad75e7", "a32aba89"),
    "functions": ("6396de63", "6c0c5f85"),
    "gan-25-gaussians": ("8007452e", "b5757b0b"),
    "gan-spiral": ("8007452e", "b5757b0b"),
    "gaussians": ("fc6399d5", "a1bd8e2a"),
    "information-plane": ("a83e558a", "4b3e0f75", "e793d050"),
    "information-plane-mnist": ("28cd8e56", "bf668386"),
    "self-consistency": ("15e52124", "a5a70f75"),
    "stacked-mnist": ("360b65ab", "65b72cff"),
}


def with_versions(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A stored record with the versions that it counts as, which one of today names already, and with the fields of today.

    An old record with a known digest counts as version 1 and NUMERICS 1. Any other is of version 0, which counts for nothing.
    The package's version keeps the digest behind its ``+``, as a record of what gave the numbers.

    Arguments:
        entry: A record as in a result file.

    Raises:
        AttributeError: It is no mapping.
    """
    stored = _with_refinements(dict(entry.items()))
    if "numerics" in stored:
        return stored
    package = str(stored.get("version"))
    known = {f"0.1.0+{digest}" for digest in _FIRST_VERSION.get(str(stored.get("experiment")), ())}
    number = 1 if package in known else 0
    return _with_one_average({**stored, "version": number, "numerics": number, "package": package})


def _with_one_average(stored: dict[str, Any]) -> dict[str, Any]:
    """The record with one field for the average of a bidirectional GAN; it had two, of which one ruled the other out."""
    config = stored.get("config")
    if not isinstance(config, dict) or not {"averaging", "averaged_share"} <= config.keys():
        return stored
    config = dict(config)
    share = config.pop("averaged_share")
    config["averaging"] = ["late", share] if share > 0 else ["moving", config["averaging"]]
    return {**stored, "config": config}


#: Refinements of a GAN of points that had none, as they are stored; the fade comes from the record.
_NO_REFINEMENTS = {
    "octaves": 0, "code_octaves": 0, "encoder_noise": 0, "paired": False, "penalty": 0.0, "penalty_end": 0.0,
    "penalty_held": 1.0, "penalty_every": 1, "discriminator_rate": 1.0, "rate_held": 0.5,
}  # fmt: skip


def _with_refinements(stored: dict[str, Any]) -> dict[str, Any]:
    """The record of a GAN of points whose fading weight was a field of its own, with the refinements that it is part of now."""
    config = stored.get("config")
    if not isinstance(config, dict) or "fade" not in config or "refinements" in config:
        return stored
    config = dict(config)
    refinements = {**_NO_REFINEMENTS, "fade": config.pop("fade")}
    return {**stored, "config": {**config, "refinements": refinements}}

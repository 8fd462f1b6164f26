"""``mine estimate``: the mutual information between columns of a file."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mine.cli import options as opt
from mine.cli.columns import Sides, check_rows, choose_sides
from mine.cli.files import opened
from mine.cli.output import check_plot, folded, listed, one_sentence, print_text, save_figure
from mine.cli.values import checked_seed, method_options
from mine.errors import InputError

if TYPE_CHECKING:
    from mine.independence.test import IndependenceTest
    from mine.result import Estimate

__all__ = ["estimate"]


def estimate(
    file: opt.File,
    x: opt.X,
    y: opt.Y,
    given: opt.Given = None,
    table: opt.TableName = None,
    conditional: opt.Conditional = None,
    method: opt.Method = "auto",
    effort: opt.Effort[str | None] = None,
    unit: opt.Unit = "nats",
    as_json: opt.Json = False,
    plot: opt.Plot = None,
    device: opt.Device = "auto",
    seed: opt.Seed[int | None] = None,
    discrete: opt.Discrete = None,
    groups: opt.Groups = None,
    order: opt.Order = None,
    drop_missing: opt.DropMissing = False,
    parse: opt.Parse = False,
    test: opt.Test = False,
    permutations: opt.Permutations[int] = 999,
    option: opt.MethodOptions = None,
    cache: opt.Cache = None,
    devices: opt.Devices = None,
    strategy: opt.Strategy = None,
    progress: opt.Progress = None,
) -> None:
    """Estimate the mutual information between columns of a table.

    Examples:

      mine estimate example:breast-cancer --x "mean *" --y diagnosis

      mine estimate data.parquet --x age,income --y churned --unit bits --json

      cut -d, -f2,7 data.csv | mine estimate - --x height --y weight
    """
    with one_sentence(), ExitStack() as files:
        check_plot(plot)
        _check_shareable(file, devices, strategy)

        data_file = opened(files, file, table=table, cache=cache)
        sides = choose_sides(data_file, x=x, y=y, given=given, groups=groups, order=order, discrete=discrete)
        check_rows(data_file, file)
        data = sides.data()
        how = {"method": method, "effort": effort, "conditional": conditional, "unit": unit, "progress": progress}
        rows = {
            "discrete": sides.labels, "groups": sides.groups(), "order": sides.order(), "drop_missing": drop_missing,
            "parse": parse,
        }  # fmt: skip
        draws = {"random_state": checked_seed(seed)}
        options = method_options(option or ())
        result = _estimated(data, {**how, **rows, **draws}, options, device=device, devices=devices, strategy=strategy)
        if result is None:
            return  # another process prints it
        how_to_test = {"n_permutations": permutations, "device": device, "progress": progress}
        tested = _tested(data, {**rows, **draws, **how_to_test}) if test else None
        print_text(_as_json(result, tested) if as_json else folded(_as_text(result, tested, sides)))
        if plot is not None:
            save_figure(result.plot, plot, "the estimate stands")


def _check_shareable(file: str, devices: str | None, strategy: str | None) -> None:
    """Refuse several processes that would all have to read standard input."""
    if file == "-" and (devices or strategy):
        raise InputError("Several processes cannot read one standard input: write it to a file, and name that.")


def _estimated(
    data: tuple[Any, Any, Any],
    settings: dict[str, Any],
    options: dict[str, Any],
    *,
    device: str,
    devices: str | None,
    strategy: str | None,
) -> Estimate | None:
    """The estimate: made in this process, or by several; None in those of them that have nothing to print."""
    if devices is None and strategy is None:
        from mine.api import estimate as estimate_here

        return estimate_here(*data, device=device, **settings, **options)
    from mine.cli.launch import estimate_on_processes

    return estimate_on_processes(data, settings, options, devices=devices, strategy=strategy, device=device)


def _tested(data: tuple[Any, Any, Any], settings: dict[str, Any]) -> IndependenceTest:
    from mine.independence.test import independence_test

    return independence_test(*data, **settings)


def _as_json(result: Estimate, tested: IndependenceTest | None) -> str:
    more = {} if tested is None else {"test": tested.to_dict()}
    return json.dumps({**result.to_dict(), **more}, allow_nan=False)


def _as_text(result: Estimate, tested: IndependenceTest | None, sides: Sides) -> str:
    lines = [repr(result), f"  x: {listed(sides.x)}", f"  y: {listed(sides.y)}"]
    diagnostics = result.diagnostics
    if diagnostics.get("discrete_columns"):
        lines.append(f"  read as labels: {listed(diagnostics['discrete_columns'])}")
    if sides.group is not None:
        lines.append(f"  groups: {sides.group}")
    if sides.time is not None:
        worth = diagnostics.get("independent_rows")
        lines.append(f"  order: {sides.time}" + ("" if worth is None else f" (worth {worth:,} independent rows)"))
    if diagnostics.get("dropped_missing_rows"):
        lines.append(f"  rows left out for missing or infinite values: {diagnostics['dropped_missing_rows']:,}")
    if sides.z:
        lines.append(f"  given: {listed(sides.z)}")
    if tested is not None:
        new = [warning for warning in tested.warnings if warning not in result.warnings]
        lines.append(f"  test of independence: {replace(tested, warnings=new)}")
    return "\n".join(lines)

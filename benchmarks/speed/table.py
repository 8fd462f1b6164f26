"""The table: what was measured, as Markdown."""

from __future__ import annotations

from typing import Any


def render(results: dict[str, Any]) -> str:
    """The results of a run as Markdown tables."""
    lines = [results["machine"], ""]
    lines += ["| critic, batch | contender | steps per second | torch-mine is faster by |", "|---|---|---|---|"]
    for race in results["races"]:
        ours = race["contenders"][0]["seconds"]
        for row in race["contenders"]:
            setting = f"2 × {race['width']}, {race['batch']}"
            if row["problem"] or not ours:
                lines.append(f"| {setting} | {row['name']} | {row['problem']} | |")
            else:
                lines.append(f"| {setting} | {row['name']} | {1 / row['seconds']:,.0f} | {row['seconds'] / ours:.1f} × |")
    share = results["share"]
    setting = f"{share['layers']} × {share['width']}, {share['batch']:,}"
    rates = f"{share['achieved'] / 1e9:.0f} of {share['rate'] / 1e9:.0f} Gflop/s"
    lines += ["", "| critic, batch | rate of a step, of a matrix product | share |", "|---|---|---|"]
    lines += [f"| {setting} | {rates} | {share['achieved'] / share['rate']:.0%} |", ""]
    if "by_hand" in results:  # an earlier file has none
        lines += ["| critics of three folds | a step by autograd | by hand | faster by |", "|---|---|---|---|"]
        for row in results["by_hand"]:
            autograd, ours = row["autograd"], row["by_hand"]
            lines.append(f"| {row['name']} | {1e3 * autograd:.2f} ms | {1e3 * ours:.2f} ms | {autograd / ours:.2f} × |")
        lines.append("")
    lines += ["| against | size: time |", "|---|---|"]
    scaling = results["scaling"]
    for key, label in (("rows", "rows"), ("dim", "coordinates per side"), ("critics", "stacked critics")):
        lines.append(f"| {label} | {', '.join(f'{size:,}: {1e3 * t:.2f} ms' for size, t in scaling[key])} per step |")
    lines.append(f"| rows | {', '.join(f'{size:,}: {t:.1f} s' for size, t in scaling['estimate'])} per estimate |")
    return "\n".join(lines) + "\n"

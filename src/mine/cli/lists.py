"""``mine methods`` and ``mine examples``: the names that other commands take."""

from __future__ import annotations

from mine.cli.output import folded, one_sentence, print_text

__all__ = ["examples", "methods"]


def methods() -> None:
    """List the methods, one per line."""
    from mine.estimators import methods as summaries

    width = max(map(len, summaries())) + 2
    with one_sentence():
        print_text(folded("\n".join(f"{name:<{width}}{about}" for name, about in summaries().items()), indent=width))


def examples() -> None:
    """List the data sets that ship with the package."""
    from mine.datasets import EXAMPLES

    with one_sentence():
        for example in EXAMPLES.values():
            print_text(f"example:{example.name}   {example.rows:,} rows x {example.columns} columns")
            print_text(folded(f"  {example.summary}\n  {example.source}", indent=2))
            print_text(f"  try: {example.command}\n")  # one line, to be copied

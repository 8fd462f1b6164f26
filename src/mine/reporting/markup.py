"""Pieces of the report's HTML: tables that can be sorted and searched, and their numbers."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Any

from mine.formats import bracket, fixed
from mine.tables.significance import disagreement

__all__ = ["download", "head", "interval_text", "note_of", "number", "p_value", "search_bar", "table_of"]


def head(columns: list[tuple[str, bool]]) -> str:
    """The row of names, each a button that sorts; with each whether its column holds numbers."""
    cells = (
        f'<th scope="col"{" class=n" if numeric else ""}><button type="button">{escape(name)}</button></th>'
        for name, numeric in columns
    )
    return f"<tr>{''.join(cells)}</tr>"


def table_of(caption: str, first: str, body: str, *, tall: bool = False, key: str | None = None) -> str:
    """A table that scrolls inside its own frame.

    Arguments:
        caption: What it shows, for screen readers.
        first: Its row of names.
        body: Its rows.
        tall: Whether it has a height of its own.
        key: The id of its rows, for a :func:`search_bar`.
    """
    classes = "scroll tall" if tall else "scroll"
    rows = f' id="{key}"' if key else ""
    return (
        f'<div class="{classes}" tabindex="0" role="region" aria-label="{caption}: table"><table class="sortable">'
        f'<caption class="skip">{caption}</caption><thead>{first}</thead><tbody{rows}>{body}</tbody></table></div>'
    )


def search_bar(key: str, what: str, *, kinds: Sequence[str] = (), dependent: bool = False, downloads: str = "") -> str:
    """Fields that hide rows of the table ``key``, and links.

    Arguments:
        key: The id of the table's rows.
        what: What is searched, for the label.
        kinds: Values of the rows' ``data-kind`` to choose from.
        dependent: Whether to offer to hide the rows of class ``noise``.
        downloads: Links, as :func:`download` makes them.
    """
    parts = [f'<label>Search {what} <input type="search" data-for="{key}"></label>']
    if len(kinds) > 1:
        options = "".join(f"<option>{escape(kind)}</option>" for kind in kinds)
        parts.append(f'<label>Kind <select data-for="{key}"><option value="">all</option>{options}</select></label>')
    if dependent:
        parts.append(f'<label><input type="checkbox" data-for="{key}"> only dependent</label>')
    return f'<div class="tools">{"".join(parts)}{downloads}<span class="soft" data-count="{key}"></span></div>'


def download(name: str, text: str, kind: str) -> str:
    """A link to a file that the page itself holds: it needs neither a network nor a script."""
    content = b64encode(text.encode(errors="backslashreplace")).decode()
    return f'<a download="{name}" href="data:{kind};charset=utf-8;base64,{content}">{name.rpartition(".")[2].upper()}</a>'


def number(value: float, digits: int = 3, text: str | None = None) -> str:
    """A cell of a number: what is shown, and what it is sorted by."""
    if math.isnan(value):
        return '<td class="n" data-v="">–</td>'
    sorted_by = repr(float(value)) if math.isfinite(value) else ("1e999" if value > 0 else "-1e999")
    shown = text if text is not None else (fixed(value, digits) if math.isfinite(value) else ("∞" if value > 0 else "−∞"))
    return f'<td class="n" data-v="{sorted_by}">{shown.replace("-", "−")}</td>'


def interval_text(row: dict[str, Any]) -> str:
    """The interval of a pair, with the sign that a minus has in print."""
    return bracket(row["low"], row["high"]).replace("-", "−")


def note_of(row: dict[str, Any]) -> str:
    """The note of a pair, with a word where interval and test seem to disagree."""
    first = disagreement(row)
    return " ".join(filter(None, (f"{first[:1].upper()}{first[1:]}." if first else "", row["note"])))


def p_value(value: float) -> str:
    """A p or q in few letters.

    >>> p_value(0.0123), p_value(0.00001)
    ('0.012', '1.0e-05')
    """
    if math.isnan(value):
        return "–"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"

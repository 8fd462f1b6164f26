"""The report: one HTML page on a measured table, with all that it needs inside."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from mine.formats import bracket, fixed
from mine.reporting.matrix import found_matrix, orders, strength_matrix
from mine.reporting.panels import gap_plot, heat_map, in_reach, pair_panel
from mine.result import UNITS
from mine.storage.versions import __version__
from mine.tables.listing import strongest
from mine.tables.measured import Pairwise
from mine.tables.ranks import ranks
from mine.tables.significance import LEVEL, disagreement, is_found, p_text

__all__ = ["Gap", "gaps", "render_report"]

#: Pairs that are drawn, and rows of the tables of dependences that correlation misses and of all pairs.
CARDS, GAPS, ROWS = 9, 10, 2000
#: Places of the order by value that are compared with the next.
PLACES = 5
#: What correlation must miss (in nats or bits) for a pair to be listed for it.
LEAST_MISSED = 0.0005
#: Forbids the page to load anything at all.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action 'none'"


@dataclass(frozen=True)
class Gap:
    """A pair of numbers: its correlation, what that makes in a normal pair, and its information, in ``unit``."""

    x: str
    y: str
    correlation: float
    linear: float
    total: float
    low: float

    @property
    def missed(self) -> float:
        return self.total - self.linear


def gaps(pairwise: Pairwise) -> list[Gap]:
    """Every pair of numbers, the pairs that correlation misses most first.

    ``linear`` is ``-log(1 - r^2) / 2``, the information of a normal pair with the Pearson correlation r.
    """
    scale = UNITS[pairwise.unit]
    out = []
    for cell in pairwise.cells:
        if cell.kind != "number-number" or cell.value is None:
            continue
        x, y = pairwise.columns[cell.x], pairwise.columns[cell.y]
        rows = x.present & y.present
        r = float(np.corrcoef(in_reach(x.values[rows])[0], in_reach(y.values[rows])[0])[0, 1])
        if not math.isfinite(r):
            continue
        linear = -0.5 * math.log1p(-min(r * r, 1 - 1e-12))
        low = -math.inf if cell.low is None else cell.low
        out.append(Gap(cell.x, cell.y, r, linear / scale, cell.value / scale, low / scale))
    return sorted(out, key=lambda gap: -gap.missed)


def render_report(pairwise: Pairwise, *, title: str, command: str, settings: dict[str, str]) -> str:
    """The page as HTML.

    Arguments:
        pairwise: The measured table.
        title: Of the page: the name of the file.
        command: The command that made it, to be run again.
        settings: More facts on how it was made, by name.
    """
    rows = strongest(pairwise)
    sections = [
        ("strongest", "Strongest dependences", _cards(pairwise, rows)),
        ("order", "Order of the strongest pairs", _order(pairwise)),
        ("matrix", "All pairs at a glance", _matrix(pairwise)),
        ("missed", "Dependences that correlation misses", _missed(pairwise)),
        ("pairs", "All pairs", _pairs(pairwise, rows)),
        ("columns", "Columns", _columns(pairwise)),
        ("made", "Settings and explanations", _made(pairwise, command, settings)),
    ]
    shown = [(key, name, body) for key, name, body in sections if body]
    links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in shown)
    main = "".join(f'<section aria-labelledby="{key}"><h2 id="{key}">{name}</h2>{body}</section>' for key, name, body in shown)
    asset = files("mine.reporting")
    css, js = (asset.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="torch-mine {__version__}"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}: mutual information of its columns</title>\n<style>\n{css}</style></head>\n<body>"
        f'<a class="skip" href="#main">Skip to the results</a><header><h1>{escape(title)}</h1>'
        f'<p class="soft">How much knowing one column tells you about another, whatever the shape of the dependence.</p>'
        f'{_facts(pairwise)}<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n<main id="main">{main}</main>\n'
        f"<footer>torch-mine {__version__}. This page holds all that it shows and loads nothing.</footer>"
        f'<div id="said" role="status" aria-live="polite" style="position:absolute;left:-999px"></div>\n'
        f"<script>\n{js}</script></body></html>\n"
    )


def _facts(pairwise: Pairwise) -> str:
    n = len(next(iter(pairwise.columns.values())).values)
    facts = [("rows", f"{n:,}"), ("columns", f"{len(pairwise.columns):,}"), ("pairs", f"{len(pairwise.cells):,}")]
    if pairwise.q is not None:
        facts.append((f"dependent, q ≤ {LEVEL:g}", f"{sum(q is not None and q <= LEVEL for q in pairwise.q):,}"))
    flagged = sum(bool(cell.note) for cell in pairwise.cells)
    if flagged:
        facts.append(("pairs with a note", f"{flagged:,}"))
    return f'<dl class="facts">{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)}</dl>'


def _cards(pairwise: Pairwise, rows: list[dict[str, Any]]) -> str:
    tested = pairwise.q is not None
    known = [row for row in rows if not math.isnan(row["strength"])]
    chosen = [row for row in known if row["value"] > 0 and is_found(row)][:CARDS]
    if not chosen:
        what = f"No pair has a q of {LEVEL:g} or less." if tested else "No pair has an interval above 0."
        return f"<p>{what}</p>"
    cards = "".join(f"<li>{_card(pairwise, row)}</li>" for row in chosen)
    which = f"of those with q ≤ {LEVEL:g}" if tested else "of those with an interval above 0"
    drawn = "Points: a random sample of the rows. Shapes: the density of the numbers for each label, the bar its median."
    about = f"The {len(chosen)} largest values {which}, with 95 % intervals. {drawn}"
    return f'<p class="soft">{about}</p><ul class="cards">{cards}</ul>'


def _card(pairwise: Pairwise, row: dict[str, Any]) -> str:
    caption = (
        f"<strong>{fixed(row['value'])}</strong> {pairwise.unit} {_interval(row)}, strength {fixed(row['strength'], 2)}"
        + (f"<br>p {p_text(row, _p(row['p']))}, q {_p(row['q'])}" if pairwise.q is not None else "")
        + (f'<br><span class="warn">{escape(note)}</span>' if (note := _note(row)) else "")
    )
    panel = pair_panel(pairwise.columns[row["x"]], pairwise.columns[row["y"]])
    name = f"{escape(row['x'])} and {escape(row['y'])}"
    return f"<figure><h3>{name}</h3>{panel}<figcaption>{caption}</figcaption></figure>"


def _order(pairwise: Pairwise) -> str:
    found = ranks(pairwise, PLACES)
    if not found:
        return ""
    columns = [("place", True), ("pair", False), ("next pair", False), (f"difference ({pairwise.unit})", True)]
    head = _head([*columns, ("from", True), ("to", True), ("p", True), ("verdict", False)])
    body = []
    for place, rank in enumerate(found, 1):
        first, second = (escape(" and ".join(pair)) for pair in (rank.pair, rank.next))
        low, high = rank.difference.interval
        p_value = rank.difference.p_value or 0.0
        numbers = f"{_n(rank.difference.value)}{_n(low)}{_n(high)}{_n(p_value, text=_p(p_value))}"
        verdict = "above the next" if rank.above else "not distinguished"
        body.append(f'<tr>{_n(place, text=str(place))}<td class="name">{first}</td><td class="name">{second}</td>')
        body.append(f"{numbers}<td>{verdict}</td></tr>")
    first = found[0]
    names = [escape(" and ".join(pair)) for pair in (first.pair, first.next)]
    said = (
        f"The first pair, {names[0]}, is above the second, {names[1]}."
        if first.above
        else f"The first pair, {names[0]}, cannot be distinguished from the second, {names[1]}: their order may be chance."
    )
    about = (
        "Differences of values with 95 % intervals. Pairs of one table share sampling error, which a difference of values from "
        "the same rows does not have. Each p is of its comparison alone."
    )
    return f'<p>{said} <span class="soft">{about}</span></p>{_table("Each pair and the next", head, "".join(body))}'


def _matrix(pairwise: Pairwise) -> str:
    names, across, matrix = strength_matrix(pairwise.records())
    found = found_matrix(pairwise.records())
    order, other = orders(names, across, matrix, found)
    cells = np.ix_(order, other)
    svg = heat_map([names[i] for i in order], [across[i] for i in other], matrix[cells], found[cells])
    noise = f"q above {LEVEL:g}" if pairwise.q is not None else "an interval that contains 0"
    return (
        '<p class="soft">Strength from 0 to 1, darker (on a dark page: brighter) is stronger; similar columns stand side by '
        f"side. Grey: {noise}, not distinguished from independence.</p>"
        f'<div class="scroll bare" tabindex="0" role="region" aria-label="Heat map">{svg}</div>'
    )


def _missed(pairwise: Pairwise) -> str:
    every = gaps(pairwise)
    if not every:
        return ""
    unit = pairwise.unit
    titles = [f"{g.x} and {g.y}: linear {fixed(g.linear)}, total {fixed(g.total)} {unit}" for g in every]
    svg = gap_plot([g.linear for g in every], [g.total for g in every], titles, unit)
    columns = [("x", False), ("y", False), ("correlation", True)]
    head = _head([*columns, ("linear", True), ("total", True), ("missed", True)])
    surely = [g for g in every if g.low > g.linear]
    found = {(row["x"], row["y"]) for row in strongest(pairwise) if is_found(row)}
    listed = [g for g in every if (g.x, g.y) in found and g.missed >= LEAST_MISSED][:GAPS]
    body = "".join(
        f'<tr><th scope="row">{escape(g.x)}</th><td class="name">{escape(g.y)}</td>{_n(g.correlation, 2)}'
        f"{_n(g.linear)}{_n(g.total)}{_n(g.missed)}</tr>"
        for g in listed
    )
    count = f"In {len(surely):,} of {len(every):,} pairs of numbers the whole interval lies above the linear value ({unit})."
    table = _table("Most missed by correlation", head, body) if listed else "<p>No pair that was found has more than that.</p>"
    return (
        f'<p>{count} <span class="soft">Linear is −½ log(1 − r²), the information of a normal pair with the same Pearson '
        "correlation r. Above the line: curves, clusters, changing spread. Below it: tails or outliers that a correlation "
        f'takes for information.</span></p><div class="beside">{svg}'
        f"{table}</div>"
    )


def _pairs(pairwise: Pairwise, rows: list[dict[str, Any]]) -> str:
    tested = pairwise.q is not None
    columns = [("x", False), ("y", False), (pairwise.unit, True), ("±", True), ("from", True), ("to", True), ("strength", True)]
    columns += [("p", True), ("q", True)] if tested else []
    columns += [("kind", False), ("rows", True), ("note", False)]
    body = []
    for row in rows[:ROWS]:
        cells = [f'<th scope="row">{escape(row["x"])}</th><td class="name">{escape(row["y"])}</td>']
        found = is_found(row)
        cells += [_n(row[key]) for key in ("value", "stderr", "low", "high")]
        cells.append(_n(row["strength"] if found else math.nan, 2))
        if tested:
            cells += [_n(row["p"], text=p_text(row, _p(row["p"]))), _n(row["q"], text=_p(row["q"]))]
        kind, rows_used = row["kind"].replace("-", " – "), f"{row['n']:,}"
        cells += [f'<td class="kind">{kind}</td>', _n(row["n"], text=rows_used)]
        cells.append(f'<td class="note">{escape(_note(row))}</td>')
        body.append(f"<tr{'' if found else ' class=noise'}>{''.join(cells)}</tr>")
    left = f" Of {len(rows):,} pairs the {ROWS:,} with the largest values are listed." if len(rows) > ROWS else ""
    table = _table("All pairs", _head(columns), "".join(body), tall=True)
    noise = f"a q above {LEVEL:g} are grey and come last" if tested else "an interval that contains 0 are grey"
    about = f"A click on a column's name sorts by it. Pairs with {noise}, without a strength.{left}"
    gaps_said = "".join(f'<p class="soft">{escape(sentence)}</p>' for sentence in pairwise.gaps())
    return f'<p class="soft">{about}</p>{gaps_said}{table}'


def _columns(pairwise: Pairwise) -> str:
    notes: Counter[str] = Counter()
    best: dict[str, float] = {}
    for cell in pairwise.cells:
        for name in (cell.x, cell.y):
            notes[name] += bool(cell.note)
            if cell.value is not None:
                best[name] = max(best.get(name, -math.inf), cell.value / UNITS[pairwise.unit])
    columns = [("column", False), ("kind", False), ("distinct", True), ("missing", True)]
    head = _head([*columns, (f"largest ({pairwise.unit})", True), ("notes", True)])
    body = []
    for column in pairwise.columns.values():
        values = column.values[column.present]
        distinct = len(column.levels) or len(np.unique(values))
        missing = len(column.values) - len(values)
        cells = [_n(distinct, text=f"{distinct:,}"), _n(missing, text=f"{missing:,}"), _n(best.get(column.name, math.nan))]
        cells.append(_n(notes[column.name], text=str(notes[column.name])))
        body.append(f'<tr><th scope="row">{escape(column.name)}</th><td>{column.kind}</td>{"".join(cells)}</tr>')
    read = "".join(f'<p class="soft">{escape(column.sentence)}</p>' for column in pairwise.read)
    return read + _table("Columns", head, "".join(body), tall=True)


def _made(pairwise: Pairwise, command: str, settings: dict[str, str]) -> str:
    methods = Counter(cell.method for cell in pairwise.cells)
    facts = {
        **settings,
        "methods": ", ".join(f"{name} ({count:,})" for name, count in methods.most_common()),
        "copied rows": f"{pairwise.copies:,}, kept in one fold" if pairwise.copies else "none",
    }
    if pairwise.q is not None:
        most = max((cell.permutations or 0 for cell in pairwise.cells), default=0)
        facts["permutations"] = f"at most {most:,} per pair; a test stops early if it finds nothing"
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in facts.items())
    test = (
        " <strong>p</strong> is an exact permutation test, <strong>q</strong> its Benjamini–Hochberg adjustment over all pairs "
        "of this page."
    )
    reading = (
        "<p>Mutual information is 0 exactly when two columns are independent, and does not change when either is re-expressed "
        "by an invertible map. <strong>Value</strong> is the estimate, ± its standard error, from–to a 95 % interval that also "
        "holds the uncertainty of what a critic may miss; near independence it may be slightly negative. "
        "<strong>Strength</strong> is √(1 − exp(−2 I)), I in nats: derived from the value, the correlation of a normal pair "
        "with as much information." + (test if pairwise.q is not None else "") + " Dependence is not causation.</p>"
    )
    return (
        f'{reading}<pre tabindex="0" aria-label="Command">{escape(command)}</pre>'
        f'<div class="scroll"><table><caption class="skip">Settings</caption><tbody>{body}</tbody></table></div>'
    )


def _head(columns: list[tuple[str, bool]]) -> str:
    cells = (
        f'<th scope="col"{" class=n" if numeric else ""}><button type="button">{escape(name)}</button></th>'
        for name, numeric in columns
    )
    return f"<tr>{''.join(cells)}</tr>"


def _table(caption: str, head: str, body: str, *, tall: bool = False) -> str:
    classes = "scroll tall" if tall else "scroll"
    return (
        f'<div class="{classes}" tabindex="0" role="region" aria-label="{caption}"><table class="sortable">'
        f'<caption class="skip">{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    )


def _n(value: float, digits: int = 3, text: str | None = None) -> str:
    """A cell of a number: what is shown, and what it is sorted by."""
    if math.isnan(value):
        return '<td class="n" data-v="">–</td>'
    sorted_by = repr(float(value)) if math.isfinite(value) else ("1e999" if value > 0 else "-1e999")
    shown = text if text is not None else (fixed(value, digits) if math.isfinite(value) else ("∞" if value > 0 else "−∞"))
    return f'<td class="n" data-v="{sorted_by}">{shown.replace("-", "−")}</td>'


def _interval(row: dict[str, Any]) -> str:
    return bracket(row["low"], row["high"]).replace("-", "−")


def _note(row: dict[str, Any]) -> str:
    """The note of a pair, with a word where interval and test seem to disagree."""
    first = disagreement(row)
    return " ".join(filter(None, (f"{first[:1].upper()}{first[1:]}." if first else "", row["note"])))


def _p(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"

"""The report: one HTML page on a measured table, with all that it needs inside."""

from __future__ import annotations

import math
from collections import Counter
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from mine.escapes import printable
from mine.formats import fixed
from mine.reporting.correlation import missed_section
from mine.reporting.distributions import distribution
from mine.reporting.markup import download, head, interval_text, note_of, number, p_value, search_bar, table_of
from mine.reporting.matrix import found_matrix, orders, strength_matrix
from mine.reporting.panels import heat_map, pair_panel
from mine.reporting.targets import MOST_TARGETS, target_section
from mine.result import UNITS
from mine.storage.versions import __version__
from mine.tables.listing import strongest
from mine.tables.measured import Pairwise
from mine.tables.ranks import ranks
from mine.tables.records import records_as_csv, records_as_json
from mine.tables.significance import LEVEL, is_found, p_text

__all__ = ["render_report"]

#: Pairs that are drawn, and rows of the table of all pairs.
CARDS, ROWS = 9, 2000
#: Places of the order by value that are compared with the next.
PLACES = 5
#: Columns up to which their table needs no search.
SHORT = 8
#: Forbids the page to load anything at all.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action 'none'"


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
        ("matrix", *_glance(pairwise)),
        ("missed", "Dependences that correlation misses", missed_section(pairwise)),
        ("columns", "Columns", _columns(pairwise)),
        ("pairs", "All pairs", _pairs(pairwise, rows)),
        ("made", "Settings and explanations", _made(pairwise, command, settings)),
    ]
    shown = [(key, name, body) for key, name, body in sections if body]
    links = "".join(f'<li><a href="#{key}">{name}</a></li>' for key, name, _ in shown)
    main = "".join(f'<section aria-labelledby="{key}"><h2 id="{key}">{name}</h2>{body}</section>' for key, name, body in shown)
    asset = files("mine.reporting")
    css, js = (asset.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = (
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
    return printable(page)  # names come from files


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
    found = (row["value"] > 0 and is_found(row) and not math.isnan(row["strength"]) for row in rows)
    chosen = [place for place, is_chosen in enumerate(found) if is_chosen][:CARDS]
    if not chosen:
        what = f"No pair has a q of {LEVEL:g} or less." if tested else "No pair has an interval above 0."
        return f"<p>{what}</p>"
    cards = "".join(f"<li>{_card(pairwise, rows[place], place)}</li>" for place in chosen)
    which = f"of those with q ≤ {LEVEL:g}" if tested else "of those with an interval above 0"
    drawn = "Points: a random sample of the rows. Shapes: the density of the numbers for each label, the bar its median."
    about = f"The {len(chosen)} largest values {which}, with 95 % intervals. {drawn}"
    return f'<p class="soft">{about}</p><ul class="cards">{cards}</ul>'


def _card(pairwise: Pairwise, row: dict[str, Any], place: int) -> str:
    caption = (
        f"<strong>{fixed(row['value'])}</strong> {pairwise.unit} {interval_text(row)}, strength {fixed(row['strength'], 2)}"
        + (f"<br>p {p_text(row, p_value(row['p']))}, q {p_value(row['q'])}" if pairwise.q is not None else "")
        + (f'<br><span class="warn">{escape(note)}</span>' if (note := note_of(row)) else "")
    )
    panel = pair_panel(pairwise.columns[row["x"]], pairwise.columns[row["y"]])
    name = f"{escape(row['x'])} and {escape(row['y'])}"
    name = f'<a href="#pair-{place}">{name}</a>' if place < ROWS else name
    return f"<figure><h3>{name}</h3>{panel}<figcaption>{caption}</figcaption></figure>"


def _order(pairwise: Pairwise) -> str:
    found = ranks(pairwise, PLACES)
    if not found:
        return ""
    columns = [("place", True), ("pair", False), ("next pair", False), (f"difference ({pairwise.unit})", True)]
    heads = head([*columns, ("from", True), ("to", True), ("p", True), ("verdict", False)])
    body = []
    for place, rank in enumerate(found, 1):
        first, second = (escape(" and ".join(pair)) for pair in (rank.pair, rank.next))
        low, high = rank.difference.interval
        p = rank.difference.p_value or 0.0
        numbers = f"{number(rank.difference.value)}{number(low)}{number(high)}{number(p, text=p_value(p))}"
        verdict = "above the next" if rank.above else "not distinguished"
        body.append(f'<tr>{number(place, text=str(place))}<td class="name">{first}</td><td class="name">{second}</td>')
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
    return f'<p>{said} <span class="soft">{about}</span></p>{table_of("Each pair and the next", heads, "".join(body))}'


def _glance(pairwise: Pairwise) -> tuple[str, str]:
    """Bars of each target if there are few, or the heat map of all pairs: title and section."""
    names, across, matrix = strength_matrix(pairwise.records())
    if names != across and len(across) <= MOST_TARGETS:
        return "Information about the target", target_section(pairwise, across)
    found = found_matrix(pairwise.records())
    order, other = orders(names, across, matrix, found)
    cells = np.ix_(order, other)
    svg = heat_map([names[i] for i in order], [across[i] for i in other], matrix[cells], found[cells])
    noise = f"q above {LEVEL:g}" if pairwise.q is not None else "an interval that contains 0"
    return "All pairs at a glance", (
        '<p class="soft">Strength from 0 to 1, darker (on a dark page: brighter) is stronger; similar columns stand side by '
        f"side. Grey: {noise}, not distinguished from independence.</p>"
        f'<div class="scroll bare" tabindex="0" role="region" aria-label="Heat map">{svg}</div>'
    )


def _pairs(pairwise: Pairwise, rows: list[dict[str, Any]]) -> str:
    tested = pairwise.q is not None
    columns = [("x", False), ("y", False), (pairwise.unit, True), ("±", True), ("from", True), ("to", True), ("strength", True)]
    columns += [("p", True), ("q", True)] if tested else []
    columns += [("kind", False), ("rows", True), ("note", False)]
    body = []
    for place, row in enumerate(rows[:ROWS]):
        cells = [f'<th scope="row">{escape(row["x"])}</th><td class="name">{escape(row["y"])}</td>']
        found = is_found(row)
        cells += [number(row[key]) for key in ("value", "stderr", "low", "high")]
        cells.append(number(row["strength"] if found else math.nan, 2))
        if tested:
            cells += [number(row["p"], text=p_text(row, p_value(row["p"]))), number(row["q"], text=p_value(row["q"]))]
        kind, rows_used = row["kind"].replace("-", " – "), f"{row['n']:,}"
        cells += [f'<td class="kind">{kind}</td>', number(row["n"], text=rows_used)]
        cells.append(f'<td class="note">{escape(note_of(row))}</td>')
        attributes = f' id="pair-{place}" data-kind="{kind}"' + ("" if found else " class=noise")
        body.append(f"<tr{attributes}>{''.join(cells)}</tr>")
    left = f" Of {len(rows):,} pairs the {ROWS:,} with the largest values are listed." if len(rows) > ROWS else ""
    kinds = sorted({row["kind"].replace("-", " – ") for row in rows[:ROWS]})
    files_of = (
        ("pairs.csv", records_as_csv(pairwise.records()), "text/csv"),
        ("pairs.json", records_as_json(pairwise.records()), "application/jsonl"),
    )
    links = f"<span>Download {' '.join(download(*file) for file in files_of)}</span>"
    tools = search_bar("pair-rows", "names", kinds=kinds, dependent=True, downloads=links)
    table = tools + table_of("All pairs", head(columns), "".join(body), tall=True, key="pair-rows")
    noise = f"a q above {LEVEL:g} are grey and come last" if tested else "an interval that contains 0 are grey"
    about = (
        f"A click on a column's name sorts by it; the downloads hold all pairs. Pairs with {noise}, without a strength.{left}"
    )
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
    names = [("column", False), ("kind", False), ("values", False), ("distinct", True), ("missing", True)]
    first = head([*names, (f"largest ({pairwise.unit})", True), ("notes", True)])
    body = []
    for column in pairwise.columns.values():
        values = column.values[column.present]
        distinct = len(column.levels) or len(np.unique(values))
        missing = len(column.values) - len(values)
        share = f"{missing:,} ({missing / len(column.values):.1%})" if missing else "0"
        noted = f'<a href="#pairs" data-find="{escape(column.name)}">{notes[column.name]}</a>' if notes[column.name] else "0"
        cells = [number(distinct, text=f"{distinct:,}"), number(missing, text=share), number(best.get(column.name, math.nan))]
        cells.append(f'<td class="n" data-v="{notes[column.name]}">{noted}</td>')
        body.append(
            f'<tr data-kind="{column.kind}"><th scope="row">{escape(column.name)}</th><td>{column.kind}</td>'
            f"<td>{distribution(column)}</td>{''.join(cells)}</tr>"
        )
    kinds = sorted({column.kind for column in pairwise.columns.values()})
    tools = search_bar("column-rows", "columns", kinds=kinds) if len(body) > SHORT else ""
    read = "".join(f'<p class="soft">{escape(column.sentence)}</p>' for column in pairwise.read)
    return read + tools + table_of("Columns", first, "".join(body), tall=True, key="column-rows")


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

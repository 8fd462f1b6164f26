"""The report's page: what it says, and how it behaves in a browser."""

from __future__ import annotations

import html
import math
import re
from base64 import b64decode
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from mine.reporting.axes import short
from mine.reporting.correlation import gaps
from mine.reporting.distributions import distribution
from mine.reporting.page import render_report
from mine.reporting.panels import heat_map, pair_panel
from mine.tables.columns import Column, read_columns
from mine.tables.measured import Pairwise
from mine.tables.pairwise import measure
from mine.tables.ranks import ranks
from mine.tables.records import records_as_csv, records_as_json

from .browser import CHROMIUM, Page


def table(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, region = rng.normal(size=n), rng.choice(["north", "south"], n)
    return pd.DataFrame(
        {
            "height": a,
            "wave": np.cos(2 * a) + 0.2 * rng.normal(size=n),
            "line <b>": 0.8 * a + 0.6 * rng.normal(size=n),
            "region": region,
            "coast": np.where((region == "south") ^ (rng.uniform(size=n) < 0.1), "yes", "no"),
            "by region": np.where(region == "north", 2, 0) + rng.normal(size=n),
            "flat": 1,
        }
    )


@pytest.fixture(scope="module")
def found() -> Pairwise:
    return measure(table(), random_state=0, test=True)


@pytest.fixture(scope="module")
def page(found: Pairwise, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    text = render_report(
        found, title="my <data>.csv", command="mine report 'my <data>.csv' -o report.html", settings={"seed": "0"}
    )
    path.write_text(text, encoding="utf-8")
    return path


class Structure(HTMLParser):
    """Whether tags close in the order in which they were opened, and what they refer to."""

    EMPTY = frozenset({"meta", "link", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elsewhere: list[str] = []
        self.unnamed: list[str] = []
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        for name in ("src", "href", "action", "data", "srcset"):
            target = found.get(name)
            if target and target.startswith("#"):
                self.links.append(target[1:])
            elif target and not target.startswith("data:"):
                self.elsewhere.append(target)
        if tag == "svg" and not (found.get("role") == "img" and found.get("aria-label")):
            self.unnamed.append(tag)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.levels.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rows_of(text: str, section: str) -> list[str]:
    """The rows of the table of a section, as HTML."""
    after = text[text.index(f'id="{section}"') :]
    return re.findall(r"<tr[^>]*>.*?</tr>", after[after.index("<tbody") : after.index("</tbody>")])


def test_pairs_that_are_not_found_are_grey_last_and_without_strength(page: Path, found: Pairwise):
    assert found.q is not None
    q = {(cell.x, cell.y): q for cell, q in zip(found.cells, found.q, strict=True)}
    rows = rows_of(page.read_text(encoding="utf-8"), "pairs")
    assert len(rows) == len(q)
    names = [tuple(map(html.unescape, re.findall(r'(?:<th scope="row">|<td class="name">)(.*?)</t', row))) for row in rows]
    noise = ["class=noise" in row for row in rows]
    assert noise == [q[pair] > 0.05 for pair in names] and sorted(noise) == noise and any(noise) and not all(noise)
    strengths = [re.findall(r'<td class="n"[^>]*>(.*?)</td>', row)[4] for row in rows]
    assert [strength == "–" for strength in strengths] == noise


def test_the_heat_map_shows_no_strength_of_noise(page: Path, found: Pairwise):
    text = page.read_text(encoding="utf-8")
    svg = text[text.index('<svg class="matrix"') :]
    svg = svg[: svg.index("</svg>")]
    assert found.q is not None
    noise = sum(q is None or q > 0.05 for q in found.q)
    assert svg.count('class="cell-noise"') == svg.count("not distinguished from independence") == 2 * noise
    assert svg.count('class="cell"') == 2 * (len(found.cells) - noise)


def test_the_smallest_p_says_at_most_and_no_number_is_minus_nothing(page: Path):
    text = page.read_text(encoding="utf-8")
    assert "p ≤ 0.001, q" in text
    assert not re.search(
        r"[-−]0\.0+\b(?!\d)", re.sub(r'data-v="[^"]*"|<style>.*?</style>|<svg.*?</svg>', "", text, flags=re.DOTALL)
    )


def test_what_correlation_misses_is_of_pairs_that_were_found(page: Path, found: Pairwise):
    rows = rows_of(page.read_text(encoding="utf-8"), "missed")
    missed = [float(re.findall(r'data-v="(.*?)"', row)[-1]) for row in rows]
    assert missed and min(missed) >= 0.0005


def test_the_page_is_whole_and_leads_nowhere_else(page: Path):
    text = page.read_text(encoding="utf-8")
    structure = Structure()
    structure.feed(text)
    assert structure.open == []
    assert structure.elsewhere == []
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert set(structure.links) <= set(structure.ids)
    assert len(structure.ids) == len(set(structure.ids))
    assert structure.unnamed == []
    assert structure.levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(structure.levels, structure.levels[1:], strict=False))


def test_it_says_what_was_found(page: Path, found: Pairwise):
    text = page.read_text(encoding="utf-8")
    assert "mine report &#x27;my &lt;data&gt;.csv&#x27; -o report.html" in text
    assert "<b>" not in text.replace("<body", "")
    assert "line &lt;b&gt;" in text
    for cell in found.cells:
        assert f'data-v="{cell.value!r}"' in text
    assert text.count("<figure>") == sum(q is not None and q <= 0.05 for q in found.q or [])
    assert "constant: flat" in text
    assert "nats" in text


def test_it_says_whether_the_first_places_differ(page: Path, found: Pairwise):
    text = page.read_text(encoding="utf-8")
    section = text[text.index('id="order"') : text.index('id="matrix"')]
    places = ranks(found, 5)
    assert found.q is not None
    known = sum(q is not None and q <= 0.05 for q in found.q)
    assert section.count("<tr>") == len(places) + 1 == min(5, known - 1) + 1
    assert section.count("above the next") == sum(rank.above for rank in places) > 0
    for rank in places:
        assert f'data-v="{rank.difference.value!r}"' in section
        assert f'data-v="{rank.difference.p_value!r}"' in section
    first, second = (escape(" and ".join(pair)) for pair in (places[0].pair, places[0].next))
    said = "is above" if places[0].above else "cannot be distinguished from"
    assert f"The first pair, {first}, {said} the second, {second}" in section


def test_a_single_pair_has_no_order():
    one = measure(table()[["height", "wave"]], random_state=0)
    assert 'id="order"' not in render_report(one, title="one pair", command="mine report", settings={})


def test_what_correlation_misses_by_hand(found: Pairwise):
    data = table()
    every = {(gap.x, gap.y): gap for gap in gaps(found)}
    assert len(every) == 6  # of four columns of numbers
    r = np.corrcoef(data["height"], data["line <b>"])[0, 1]
    line = every["height", "line <b>"]
    assert line.pearson == pytest.approx(r)
    assert line.spearman == pytest.approx(spearmanr(data["height"], data["line <b>"]).statistic)
    normal = max(abs(r), 2 * math.sin(math.pi / 6 * abs(line.spearman)))
    assert line.explained == pytest.approx(-0.5 * math.log(1 - normal**2))
    assert abs(line.missed) < 0.1
    first = gaps(found)[0]
    assert (first.x, first.y) == ("height", "wave")
    assert first.low > first.explained


def test_a_curve_that_only_rises_is_explained_by_spearman():
    rng = np.random.default_rng(3)
    a = rng.normal(size=400)
    data = pd.DataFrame({"a": a, "steep": np.exp(3 * (a + 0.3 * rng.normal(size=400)))})
    (gap,) = gaps(measure(data, random_state=0))
    assert gap.spearman > 0.9 and gap.pearson < 0.7 and abs(gap.missed) < 0.2


def test_wide_tables_have_a_small_matrix_and_short_names():
    names = [f"a very long name of a column {i}" for i in range(90)]
    svg = heat_map(names, names, np.full((90, 90), 0.5), np.full((90, 90), True))
    assert svg.count("<rect") == 8100
    assert "<text" not in svg
    assert short("abcdef", 4) == "abc…"


# === In a browser ===

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browser(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with Page(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(page)
        yield opened


@needs_chromium
def test_nothing_is_loaded_and_nothing_complains(browser: Page, page: Path):
    browser.run("1")
    said = [
        e
        for e in browser.events
        if e.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    ]
    assert said == []
    asked = [e["params"]["request"]["url"] for e in browser.events if e.get("method") == "Network.requestWillBeSent"]
    assert asked[0] == page.as_uri()
    assert all(url.startswith("data:") for url in asked[1:])
    # even what a script asks for is refused
    assert browser.run("document.querySelectorAll('svg circle').length") > 100


VALUES = "[...document.querySelector('[aria-label=\"All pairs: table\"] tbody').rows].map(r => r.cells[2].dataset.v)"
HEAD = "document.querySelectorAll('[aria-label=\"All pairs: table\"] thead th')"


@needs_chromium
def test_sorting_by_click_and_by_key(browser: Page):
    values = [float(v) for v in browser.run(VALUES)]
    assert values == sorted(values, reverse=True)
    browser.run(f"{HEAD}[2].querySelector('button').click()")
    browser.run(f"{HEAD}[2].querySelector('button').click()")
    assert [float(v) for v in browser.run(VALUES)] == sorted(values)
    assert browser.run(f"{HEAD}[2].getAttribute('aria-sort')") == "ascending"
    browser.run(f"{HEAD}[0].querySelector('button').focus()")
    browser.press("Enter", 13)
    first = "[...document.querySelector('[aria-label=\"All pairs: table\"] tbody').rows].map(r => r.cells[0].textContent)"
    names = browser.run(first)
    assert names == sorted(names)
    assert names[0] == "by region"
    assert browser.run(f"{HEAD}[2].getAttribute('aria-sort')") is None
    assert browser.run("document.getElementById('said').textContent") == "All pairs: sorted by x, ascending"


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_theme_and_can_be_read(browser: Page, scheme: str):
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    colours = browser.run("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    back, text = ([int(part) for part in colour[4:-1].split(",")] for colour in colours)
    assert (sum(back) > 3 * 128) == (scheme == "light")
    assert contrast(back, text) > 7
    soft = browser.run("getComputedStyle(document.querySelector('.soft')).color")
    assert contrast(back, [int(part) for part in soft[4:-1].split(",")]) > 4.5


def contrast(a: list[int], b: list[int]) -> float:
    """Of WCAG 2."""

    def luminance(colour: list[int]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@needs_chromium
def test_a_phone_never_scrolls_sideways(browser: Page):
    browser.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    assert browser.run("document.querySelector('.cards figure').getBoundingClientRect().width") > 250
    browser.call("Emulation.clearDeviceMetricsOverride")


# === Search, filters, downloads ===

SHOWN = "[...document.querySelector('#pair-rows').rows].filter(r => !r.hidden).map(r => [r.cells[0].textContent, r.cells[1].textContent])"


def fill(browser: Page, selector: str, script: str) -> None:
    browser.run(f"(f => {{ {script}; f.dispatchEvent(new Event('input')); }})(document.querySelector('{selector}'))")


@needs_chromium
def test_search_and_filters_hide_rows(browser: Page, found: Pairwise):
    everything = browser.run(SHOWN)
    fill(browser, 'input[type="search"][data-for="pair-rows"]', "f.value = 'WAVE  heig'")
    assert sorted(browser.run(SHOWN)[0]) == ["height", "wave"] and len(browser.run(SHOWN)) == 1
    assert browser.run("document.querySelector('[data-count=\"pair-rows\"]').textContent") == f"1 of {len(everything)} rows"
    fill(browser, 'input[type="search"][data-for="pair-rows"]', "f.value = ''")
    fill(browser, 'select[data-for="pair-rows"]', "f.value = 'label – label'")
    kinds = {frozenset((c.x, c.y)) for c in found.cells if c.kind == "label-label"}
    assert {frozenset(pair) for pair in browser.run(SHOWN)} == kinds
    fill(browser, 'select[data-for="pair-rows"]', "f.value = ''")
    fill(browser, 'input[type="checkbox"][data-for="pair-rows"]', "f.checked = true")
    assert found.q is not None
    assert len(browser.run(SHOWN)) == sum(q is not None and q <= 0.05 for q in found.q)
    fill(browser, 'input[type="checkbox"][data-for="pair-rows"]', "f.checked = false")
    assert browser.run(SHOWN) == everything


@needs_chromium
def test_notes_of_a_column_lead_to_its_pairs(browser: Page, found: Pairwise):
    browser.run("document.querySelector('a[data-find=\"flat\"]').click()")
    assert len(browser.run(SHOWN)) == len(found.columns) - 1
    fill(browser, 'input[type="search"][data-for="pair-rows"]', "f.value = ''")


def test_the_downloads_are_those_of_the_command(page: Path, found: Pairwise):
    links = re.findall(r'<a download="(.*?)" href="data:.*?;base64,(.*?)">', page.read_text(encoding="utf-8"))
    files = {name: b64decode(content).decode() for name, content in links}
    assert files == {"pairs.csv": records_as_csv(found.records()), "pairs.json": records_as_json(found.records())}


def test_each_card_leads_to_the_row_of_its_pair(page: Path):
    text = page.read_text(encoding="utf-8")
    cards = re.findall(r'<h3><a href="#(pair-\d+)">(.*?)</a></h3>', text)
    assert cards
    for key, name in cards:
        row = re.search(rf'<tr id="{key}".*?</tr>', text)
        assert row is not None
        assert all(f">{part}<" in row[0] for part in name.split(" and "))


# === Other sections ===


def test_a_target_has_bars_with_intervals():
    few = measure(table(), ["wave"], random_state=0, test=True)
    text = render_report(few, title="t", command="mine report", settings={})
    assert 'class="matrix"' not in text
    svg = text[text.index('<svg class="bars"') :]
    svg = svg[: svg.index("</svg>")]
    assert few.q is not None
    assert svg.count('class="bar"') == len(few.cells) == svg.count('class="whisker"')
    assert svg.count('class="target noise"') == sum(q is None or q > 0.05 for q in few.q)
    first = re.search(r'<g class="target"><title>height: ([\d.]+) nats \[([\d.]+), ([\d.]+)\]</title>.*?</g>', svg)
    assert first is not None
    bar = re.search(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', first[0][first[0].index("<rect") :])
    line = re.search(r'x1="([\d.]+)" x2="([\d.]+)"', first[0])
    assert bar is not None and line is not None
    zero, per_nat = float(bar[1]), float(bar[2]) / float(first[1])
    assert float(line[1]) == pytest.approx(zero + per_nat * float(first[2]), abs=0.5)
    assert float(line[2]) == pytest.approx(zero + per_nat * float(first[3]), abs=0.5)


def test_the_histogram_counts_the_values():
    svg = distribution(Column("a", "number", np.repeat([1.0, 2.0, 4.0], [10, 20, 5])))
    bars = [(float(x), float(h)) for x, h in re.findall(r'x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', svg)]
    assert len(bars) == 3  # one bar per whole number, none for 3
    heights = [h for _, h in bars]
    assert np.allclose(np.array(heights) / max(heights), [0.5, 1.0, 0.25], atol=0.01)
    assert np.diff([x for x, _ in bars])[1] == pytest.approx(2 * np.diff([x for x, _ in bars])[0], abs=0.2)
    assert "Histogram of a, from 1 to 4" in svg


def labels(values: Any) -> Column:
    return read_columns(pd.DataFrame({"a": values}), "x", None, drop_missing=True)["a"]


def test_the_bars_of_labels_are_shares_and_the_rest_is_one_bar():
    values = np.repeat([f"l{i}" for i in range(10)], [40, 30, 20, 10, 5, 1, 1, 1, 1, 1])
    svg = distribution(labels(values))
    assert re.findall(r">(\d+%)<", svg) == ["36%", "27%", "18%", "9%", "9%"]
    assert "6 others" in svg
    assert distribution(labels(["<b>", "&"] * 20)).count("&lt;b&gt;") == 1


def test_whole_numbers_have_whole_ticks():
    rng = np.random.default_rng(0)
    counts, normal = rng.poisson(1.0, 300).astype(float), rng.normal(size=300)
    svg = pair_panel(Column("a", "number", counts), Column("b", "number", normal))
    ticks = re.findall(r'text-anchor="middle">([-\d.]+)</text>', svg)
    assert ticks and all("." not in tick for tick in ticks)
